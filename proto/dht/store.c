/* SPDX-License-Identifier: MIT */
/*
 * Torrents in a hash table and in a list by the time of their last announce; peers in an array
 * each.
 *
 * Peers that are too old are dropped when somebody looks at their torrent, and a torrent when its
 * last announce is too old: then all of its peers are.
 */
#include "proto/dht/store.h"

#include "proto/base/array.h"
#include "proto/base/link.h"
#include "proto/meta/hash.h"

#define STORE_MAGIC 0x4b53544fu
#define BUCKETS     8192u
#define NETS        4096u

struct kad_peer {
	struct endpoint at;
	bool seed;
	int64_t heard;
};

struct kad_torrent {
	struct kad_torrent *next; /* of its bucket */
	struct link by_age;       /* in store->torrents */
	struct kad_id id;
	struct kad_peer *peers; /* owned */
	uint32_t n, room;
	uint32_t index; /* in store->list */
	uint32_t net;   /* of who began it */
	int64_t heard;
};

struct kad_store {
	uint32_t magic;
	uint8_t key[16];
	uint64_t seed;
	struct kad_torrent **buckets; /* owned; NULL before the first announce */
	struct kad_torrent **list;    /* owned: all, in no order */
	uint32_t n, room;
	struct link torrents; /* the one heard of the longest ago first */
	unsigned peers;
	uint8_t begun[NETS]; /* torrents by the network of who began them */
};

struct kad_store *kad_store_new(uint64_t seed)
{
	struct kad_store *s;
	uint64_t second = splitmix(seed);

	ALLOC_OBJ(s, STORE_MAGIC);
	s->seed = seed;
	memcpy(s->key, &seed, 8);
	memcpy(s->key + 8, &second, 8);
	link_init(&s->torrents);
	return s;
}

static struct kad_torrent **place_of(const struct kad_store *s, const struct kad_id *id)
{
	struct kad_torrent **p = &s->buckets[hash_keyed(s->key, id->b, sizeof id->b) % BUCKETS];

	while (*p != NULL && !kad_id_equal(&(*p)->id, id))
		p = &(*p)->next;
	return p;
}

static struct kad_torrent *find(const struct kad_store *s, const struct kad_id *id)
{
	return s->buckets != NULL ? *place_of(s, id) : NULL;
}

static void drop_torrent(struct kad_store *s, struct kad_torrent *t)
{
	*place_of(s, &t->id) = t->next;
	link_remove(&t->by_age);
	s->list[t->index] = s->list[--s->n];
	s->list[t->index]->index = t->index;
	s->peers -= t->n;
	if (s->begun[t->net] > 0)
		s->begun[t->net]--;
	xfree(t->peers);
	xfree(t);
}

static struct kad_torrent *oldest(const struct kad_store *s)
{
	return container_of(s->torrents.next, struct kad_torrent, by_age);
}

void kad_store_expire(struct kad_store *s, int64_t now)
{
	CHECK_OBJ(s, STORE_MAGIC);
	while (s->n > 0 && now - oldest(s)->heard >= KAD_STORE_LIFETIME)
		drop_torrent(s, oldest(s));
}

void kad_store_free(struct kad_store **sp)
{
	struct kad_store *s;

	TAKE_OBJ(s, sp, STORE_MAGIC);
	while (s->n > 0)
		drop_torrent(s, oldest(s));
	xfree(s->buckets);
	xfree(s->list);
	FREE_OBJ(s);
}

static void drop_old_peers(struct kad_store *s, struct kad_torrent *t, int64_t now)
{
	for (uint32_t i = 0; i < t->n;) {
		if (now - t->peers[i].heard < KAD_STORE_LIFETIME) {
			i++;
			continue;
		}
		t->peers[i] = t->peers[--t->n];
		s->peers--;
	}
}

/* By the first bytes of an address: a /24, a /48. */
static uint32_t net_of(const struct kad_store *s, const struct endpoint *e)
{
	return (uint32_t)(hash_keyed(s->key, e->ip, endpoint_is_v4(e) ? 15 : 6) % NETS);
}

static struct kad_torrent *begin_torrent(
	struct kad_store *s, const struct kad_id *id, const struct endpoint *by)
{
	uint32_t net = net_of(s, by);
	struct kad_torrent **place, *t;

	if (s->begun[net] >= KAD_STORE_PER_NET)
		return NULL;
	if (s->n >= KAD_STORE_TORRENTS)
		drop_torrent(s, oldest(s));
	if (s->buckets == NULL)
		s->buckets = xcalloc(BUCKETS, sizeof *s->buckets);
	place = place_of(s, id);
	t = xcalloc(1, sizeof *t);
	t->id = *id;
	t->net = net;
	t->next = *place;
	t->index = s->n;
	*place = t;
	s->begun[net]++;
	ARRAY_PUSH(s->list, s->n, s->room, t);
	return t;
}

/* The peer's place in the torrent; NULL: it may have none. */
static struct kad_peer *place_peer(
	struct kad_store *s, struct kad_torrent *t, const struct endpoint *e, int64_t now)
{
	struct kad_peer *same = NULL;
	unsigned of_ip = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		if (!endpoint_same_ip(&t->peers[i].at, e))
			continue;
		if (t->peers[i].at.port == e->port)
			return &t->peers[i];
		of_ip++;
		if (same == NULL || t->peers[i].heard < same->heard)
			same = &t->peers[i];
	}
	if (of_ip >= KAD_STORE_PER_IP)
		return same;
	if (t->n >= KAD_STORE_PEERS || s->peers >= KAD_STORE_ALL)
		drop_old_peers(s, t, now);
	if (t->n >= KAD_STORE_PEERS || s->peers >= KAD_STORE_ALL)
		return NULL;
	ARRAY_PUSH(t->peers, t->n, t->room, (struct kad_peer){.at = *e});
	s->peers++;
	return &t->peers[t->n - 1];
}

bool kad_store_add(struct kad_store *s, const struct kad_id *id, const struct endpoint *e,
	bool is_seed, int64_t now)
{
	struct kad_torrent *t;
	struct kad_peer *p;

	CHECK_OBJ(s, STORE_MAGIC);
	kad_store_expire(s, now);
	t = find(s, id);
	if (t == NULL && s->peers < KAD_STORE_ALL)
		t = begin_torrent(s, id, e);
	if (t == NULL)
		return false;
	link_remove(&t->by_age);
	link_append(&s->torrents, &t->by_age);
	t->heard = now;
	p = place_peer(s, t, e, now);
	if (p == NULL)
		return false;
	*p = (struct kad_peer){*e, is_seed, now};
	return true;
}

bool kad_store_has_room(const struct kad_store *s, const struct kad_id *id)
{
	const struct kad_torrent *t;

	CHECK_OBJ(s, STORE_MAGIC);
	t = find(s, id);
	return s->peers < KAD_STORE_ALL && (t == NULL || t->n < KAD_STORE_PEERS);
}

/* The torrent with what is not too old of it; NULL: there is none. */
static struct kad_torrent *find_fresh(struct kad_store *s, const struct kad_id *id, int64_t now)
{
	struct kad_torrent *t;

	CHECK_OBJ(s, STORE_MAGIC);
	kad_store_expire(s, now);
	t = find(s, id);
	if (t != NULL)
		drop_old_peers(s, t, now);
	return t;
}

/* Reservoir: each that fits has the same chance. */
unsigned kad_store_pick(struct kad_store *s, const struct kad_id *id, bool v6, bool noseed,
	struct endpoint *out, unsigned max, struct rng *rng, int64_t now)
{
	struct kad_torrent *t = find_fresh(s, id, now);
	uint32_t seen = 0;

	for (uint32_t i = 0; t != NULL && i < t->n; i++) {
		const struct kad_peer *p = &t->peers[i];
		uint32_t at = seen;

		if (endpoint_is_v4(&p->at) == v6 || (noseed && p->seed))
			continue;
		if (seen++ >= max)
			at = rng_below(rng, seen);
		if (at < max)
			out[at] = p->at;
	}
	return MIN(seen, max);
}

bool kad_store_scrape(struct kad_store *s, const struct kad_id *id, struct kad_bloom *seeds,
	struct kad_bloom *peers, int64_t now)
{
	struct kad_torrent *t = find_fresh(s, id, now);

	*seeds = *peers = (struct kad_bloom){{0}};
	for (uint32_t i = 0; t != NULL && i < t->n; i++)
		kad_bloom_add(t->peers[i].seed ? seeds : peers, &t->peers[i].at);
	return t != NULL && t->n > 0;
}

/* From a random place on, in steps that come to each once. */
unsigned kad_store_sample(struct kad_store *s, struct kad_id *out, unsigned max, unsigned *all,
	struct rng *rng, int64_t now)
{
	uint32_t start, n;

	CHECK_OBJ(s, STORE_MAGIC);
	kad_store_expire(s, now);
	*all = s->n;
	n = MIN(s->n, max);
	start = rng_below(rng, s->n);
	for (uint32_t i = 0; i < n; i++)
		out[i] = s->list[(start + i * (s->n / n)) % s->n]->id;
	return n;
}

unsigned kad_store_torrents(const struct kad_store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	return s->n;
}

unsigned kad_store_peers(const struct kad_store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	return s->peers;
}
