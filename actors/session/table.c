/* SPDX-License-Identifier: MIT */
/*
 * Where torrents are found: by slot and generation for other actors, by info-hash for people, by
 * directory and name so that no two share their files.
 *
 * Slots are used again, with another generation.  The hash is keyed, because info-hashes are chosen
 * by strangers.  Nothing here ever walks over all torrents but the growing of the table.
 */
#include "actors/session/priv.h"

static uint32_t bucket_of(const struct session *s, const uint8_t infohash[20])
{
	return (uint32_t)hash_keyed(s->hash_key, infohash, 20) & (s->buckets_n - 1);
}

static void link_hash(struct session *s, struct torrent *t)
{
	struct torrent **head = &s->buckets[bucket_of(s, t->meta->infohash.v1)];

	t->hash_next = *head;
	*head = t;
}

static void unlink_hash(struct session *s, struct torrent *t)
{
	struct torrent **p = &s->buckets[bucket_of(s, t->meta->infohash.v1)];

	while (*p != t)
		p = &(*p)->hash_next;
	*p = t->hash_next;
}

/* --- targets --- */

static uint32_t target_bucket(const struct session *s, const char *path, const char *name)
{
	uint64_t a = hash_keyed(s->hash_key, path, strlen(path));
	uint64_t b = hash_keyed(s->hash_key, name, strlen(name));

	return (uint32_t)(a * 31 + b) & (s->buckets_n - 1);
}

static void link_target(struct session *s, struct torrent *t)
{
	struct torrent **head = &s->targets[target_bucket(s, t->path, t->meta->name)];

	t->target_next = *head;
	*head = t;
}

static void unlink_target(struct session *s, struct torrent *t)
{
	struct torrent **p;

	if (!t->targeted)
		return;
	p = &s->targets[target_bucket(s, t->path, t->meta->name)];
	while (*p != t)
		p = &(*p)->target_next;
	*p = t->target_next;
	t->targeted = false;
}

void torrent_link_target(struct torrent *t)
{
	must(!t->targeted);
	link_target(t->session, t);
	t->targeted = true;
}

struct torrent *torrent_at_target(const struct session *s, const char *path, const char *name)
{
	struct torrent *t = s->buckets_n ? s->targets[target_bucket(s, path, name)] : NULL;

	while (t != NULL && (strcmp(t->path, path) != 0 || strcmp(t->meta->name, name) != 0))
		t = t->target_next;
	return t;
}

/* --- coming and going --- */

static void link_all(struct session *s, struct torrent *t)
{
	link_hash(s, t);
	if (t->targeted)
		link_target(s, t);
}

static void grow_buckets(struct session *s)
{
	if (s->torrents_n < s->buckets_n)
		return;
	xfree(s->buckets);
	xfree(s->targets);
	s->buckets_n = MAX(s->buckets_n * 2, 64u);
	s->buckets = xcalloc(s->buckets_n, sizeof(struct torrent *));
	s->targets = xcalloc(s->buckets_n, sizeof(struct torrent *));
	for (uint32_t i = 0; i < s->slots_n; i++)
		if (s->slots[i].t != NULL)
			link_all(s, s->slots[i].t);
}

static uint32_t take_slot(struct session *s)
{
	uint32_t i;

	if (s->slots_free != 0) {
		i = s->slots_free - 1;
		s->slots_free = s->slots[i].free_next;
		return i;
	}
	if (s->slots_n == s->slots_room) {
		s->slots_room = MAX(s->slots_room * 2, 64u);
		s->slots = xrealloc(s->slots, s->slots_room * sizeof *s->slots);
	}
	s->slots[s->slots_n] = (struct slot){.gen = 1};
	return s->slots_n++;
}

static void give_slot(struct session *s, uint32_t i)
{
	s->slots[i].t = NULL;
	s->slots[i].gen++;
	s->slots[i].free_next = s->slots_free;
	s->slots_free = i + 1;
}

struct torrent *torrent_new(struct session *s, const struct metainfo *meta)
{
	struct torrent *t;

	ALLOC_OBJ(t, TORRENT_MAGIC);
	t->session = s;
	t->meta = metainfo_ref(meta);
	t->wanted = t->left = meta->size;
	t->seed = (struct seed_limits){SEED_GLOBAL, SEED_GLOBAL, SEED_GLOBAL};
	STAILQ_INIT(&t->commands);
	STAILQ_INIT(&t->adds);
	t->retry.fn = torrent_on_retry_timer;
	t->save.fn = torrent_on_save_timer;
	t->stall.fn = queue_on_stall_timer;
	t->seed_timer.fn = torrent_on_seed_timer;
	grow_buckets(s);
	t->slot = take_slot(s);
	t->gen = s->slots[t->slot].gen;
	s->slots[t->slot].t = t;
	link_hash(s, t);
	s->torrents_n++;
	return t;
}

static void free_ready(struct torrent *t)
{
	struct msg *m;

	if (t->ready == NULL)
		return;
	m = &t->ready->h;
	t->ready = NULL;
	msg_free(t->session->actor, &m);
}

static void free_add(struct torrent *t)
{
	struct msg *m;

	if (t->add == NULL)
		return;
	m = &t->add->h;
	t->add = NULL;
	msg_free(t->session->actor, &m);
}

void torrent_free(struct torrent **pt)
{
	struct torrent *t;
	struct session *s;

	TAKE_OBJ(t, pt, TORRENT_MAGIC);
	s = t->session;
	actor_cancel_calls(s->actor, t);
	torrent_unqueue(t);
	queue_drop(t);
	torrent_leave_order(t);
	if (t->opening)
		s->opening--;
	loop_timer_del(session_loop(s), &t->retry);
	loop_timer_del(session_loop(s), &t->save);
	loop_timer_del(session_loop(s), &t->seed_timer);
	unlink_target(s, t);
	unlink_hash(s, t);
	give_slot(s, t->slot);
	s->torrents_n--;
	held_free(s->actor, &t->commands);
	held_free(s->actor, &t->adds);
	free_ready(t);
	free_add(t);
	if (t->record != NULL)
		torrent_record_fini(t->record);
	xfree(t->record);
	bitfield_free(&t->have);
	metainfo_unref(&t->meta);
	xfree(t->path);
	wishes_fini(&t->wishes);
	xfree(t->error);
	FREE_OBJ(t);
}

struct torrent *torrent_find(const struct session *s, const uint8_t infohash[20])
{
	struct torrent *t = s->buckets_n ? s->buckets[bucket_of(s, infohash)] : NULL;

	while (t != NULL && memcmp(t->meta->infohash.v1, infohash, 20) != 0)
		t = t->hash_next;
	return t;
}

struct torrent *torrent_at(const struct session *s, struct tref ref)
{
	struct torrent *t = ref.slot < s->slots_n ? s->slots[ref.slot].t : NULL;

	return t != NULL && t->gen == ref.gen ? t : NULL;
}

struct tref torrent_ref(const struct torrent *t)
{
	return (struct tref){
		.slot = t->slot,
		.gen = t->gen,
		.shard = (uint8_t)infohash_shard(t->meta->infohash.v1, t->session->shards),
	};
}

bool torrent_listed(const struct torrent *t)
{
	return t->phase != PHASE_ADDING && t->phase != PHASE_REMOVING;
}

void table_free(struct session *s)
{
	for (uint32_t i = 0; i < s->slots_n; i++) {
		struct torrent *t = s->slots[i].t;
		if (t != NULL)
			torrent_free(&t);
	}
	xfree(s->slots);
	xfree(s->buckets);
	xfree(s->targets);
	s->slots = NULL;
	s->buckets = s->targets = NULL;
}
