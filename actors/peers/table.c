/* SPDX-License-Identifier: MIT */
/*
 * The torrents of a shard, found by reference, by info-hash, and by what encrypted handshakes call
 * them.
 *
 * Info-hashes are chosen by pending_n, but a person adds them: the first bytes are hash enough.
 */
#include "actors/peers/priv.h"
#include "proto/base/encode.h"

#define TABLE_START 64u

struct ih ptorrent_name(const struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	return infohash_name(t->meta->infohash.v1);
}

struct peer_torrent *ptorrent_by_ref(const struct shard *s, struct tref ref)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	return tref_table_get(&s->torrents, ref);
}

struct peer_torrent *ptorrent_at(const struct shard *s, uint32_t slot)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	return tref_table_at(&s->torrents, slot);
}

static uint32_t hash_of(const struct shard *s, const uint8_t infohash[20])
{
	uint32_t h;

	memcpy(&h, infohash, sizeof h);
	return h & s->table_mask;
}

struct peer_torrent *ptorrent_by_hash(const struct shard *s, const uint8_t infohash[20])
{
	struct peer_torrent *t;

	CHECK_OBJ(s, SHARD_MAGIC);
	t = s->table[hash_of(s, infohash)];
	while (t != NULL && memcmp(t->meta->infohash.v1, infohash, 20) != 0)
		t = t->next;
	return t;
}

struct peer_torrent *ptorrent_by_name(const struct shard *s, const uint8_t name[20])
{
	struct peer_torrent *t;

	CHECK_OBJ(s, SHARD_MAGIC);
	t = s->named[hash_of(s, name)];
	while (t != NULL && memcmp(t->name, name, 20) != 0)
		t = t->next_named;
	return t;
}

static void hash(struct shard *s, struct peer_torrent *t)
{
	uint32_t at = hash_of(s, t->meta->infohash.v1), named_at = hash_of(s, t->name);

	t->next = s->table[at];
	s->table[at] = t;
	t->next_named = s->named[named_at];
	s->named[named_at] = t;
}

static void grow(struct shard *s)
{
	if (s->torrents.used <= s->table_mask)
		return;
	s->table_mask = 2 * s->table_mask + 1;
	xfree(s->table);
	s->table = xcalloc(s->table_mask + 1, sizeof(*s->table));
	xfree(s->named);
	s->named = xcalloc(s->table_mask + 1, sizeof(*s->named));
	for (uint32_t i = 0; i < s->torrents.n; i++)
		if (ptorrent_at(s, i) != NULL)
			hash(s, ptorrent_at(s, i));
}

void ptorrent_add(struct shard *s, struct peer_torrent *t)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	grow(s); /* hashes all that have a slot: this one has none yet */
	mse_name_of(t->meta->infohash.v1, t->name);
	tref_table_put(&s->torrents, t->ref, t);
	hash(s, t);
}

void ptorrent_remove(struct shard *s, struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	CHECK_OBJ(s, SHARD_MAGIC);
	struct peer_torrent **at = &s->table[hash_of(s, t->meta->infohash.v1)];
	struct peer_torrent **named = &s->named[hash_of(s, t->name)];

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	while (*named != t)
		named = &(*named)->next_named;
	*named = t->next_named;
	tref_table_remove(&s->torrents, t->ref);
}

void ptorrents_init(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	s->table_mask = TABLE_START - 1;
	s->table = xcalloc(TABLE_START, sizeof(*s->table));
	s->named = xcalloc(TABLE_START, sizeof(*s->named));
}

void ptorrents_fini(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	tref_table_fini(&s->torrents);
	xfree(s->table);
	s->table = NULL;
	xfree(s->named);
	s->named = NULL;
}
