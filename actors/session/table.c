/* SPDX-License-Identifier: MIT */
/*
 * Where torrents are found: by slot and generation for other actors, by info-hash for people.
 *
 * Slots are used again, with another generation.  The hash is keyed, because info-hashes are chosen
 * by strangers.  Nothing here ever walks over all torrents but the growing of the table.
 */
#include "actors/session/priv.h"

#include "proto/base/array.h"

struct session *session_of(const struct actor *a)
{
	struct session *s;

	CAST_OBJ(s, actor_self(a), SESSION_MAGIC);
	return s;
}

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

static void grow_buckets(struct session *s)
{
	if (s->torrents_n < s->buckets_n)
		return;
	xfree(s->buckets);
	s->buckets_n = MAX(s->buckets_n * 2, 64u);
	s->buckets = xcalloc(s->buckets_n, sizeof(struct torrent *));
	targets_grow(s, s->buckets_n);
	for (uint32_t i = 0; i < s->slots.n; i++)
		if (session_torrent(s, i) != NULL)
			link_hash(s, session_torrent(s, i));
}

/* --- slots --- */

static void take_slot(struct session *s, struct torrent *t)
{
	uint32_t slot = s->free_n > 0 ? s->free_slots[--s->free_n] : s->slots.n;

	t->ref = (struct tref){
		.slot = slot,
		.gen = slot < s->slots.n ? (uint16_t)(s->slots.slots[slot].gen + 1) : 1,
		.shard = (uint8_t)(t->meta->infohash.v1[0] % s->shards),
	};
	tref_table_put(&s->slots, t->ref, t);
}

static void give_slot(struct session *s, struct torrent *t)
{
	tref_table_remove(&s->slots, t->ref);
	ARRAY_PUSH(s->free_slots, s->free_n, s->free_room, t->ref.slot);
}

/* --- coming and going --- */

static void set_timers(struct torrent *t)
{
	const struct torrent_timers *timers = &t->session->timers;

	t->retry.fn = timers->retry;
	t->save.fn = timers->save;
	t->stall.fn = timers->stall;
	t->seed_timer.fn = timers->seed;
}

struct torrent *torrent_new(struct session *s, const struct metainfo *meta)
{
	struct torrent *t;

	CHECK_OBJ(s, SESSION_MAGIC);
	ALLOC_OBJ(t, TORRENT_MAGIC);
	t->session = s;
	t->meta = metainfo_ref(meta);
	t->wanted = t->left = t->lacks = meta->size;
	t->trackers = (struct tracker_counts){.seeds = -1, .peers = -1};
	t->seed = (struct seed_limits){SEED_GLOBAL, SEED_GLOBAL, SEED_GLOBAL};
	link_init(&t->commands);
	link_init(&t->adds);
	set_timers(t);
	grow_buckets(s);
	take_slot(s, t);
	link_hash(s, t);
	s->torrents_n++;
	return t;
}

static void free_messages(struct torrent *t)
{
	struct actor *a = t->session->actor;
	struct msg *ready = t->ready != NULL ? &t->ready->h : NULL;
	struct msg *add = t->add != NULL ? &t->add->h : NULL;

	deferred_free(a, &t->commands);
	deferred_free(a, &t->adds);
	msg_free(a, &ready);
	msg_free(a, &add);
}

static void stop_timers(struct torrent *t)
{
	struct loop *loop = session_loop(t->session);

	loop_timer_del(loop, &t->retry);
	loop_timer_del(loop, &t->save);
	loop_timer_del(loop, &t->stall);
	loop_timer_del(loop, &t->seed_timer);
}

void torrent_free(struct torrent **pt)
{
	struct torrent *t;
	struct session *s;

	TAKE_OBJ(t, pt, TORRENT_MAGIC);
	s = t->session;
	must(!t->targeted && !link_linked(&t->line) && !link_linked(&t->to_sweep));
	actor_cancel_calls(s->actor, t);
	revision_drop(&s->revisions, &t->revised);
	stop_timers(t);
	unlink_hash(s, t);
	give_slot(s, t);
	s->torrents_n--;
	free_messages(t);
	if (t->record != NULL)
		record_fini(t->record);
	xfree(t->record);
	bitfield_free(&t->have);
	metainfo_unref(&t->meta);
	if (t->found != NULL)
		metainfo_unref(&t->found);
	xfree(t->link);
	xfree(t->choice);
	xfree(t->path);
	xfree(t->trash);
	xfree(t->names);
	shift_free(&t->shift);
	wishes_fini(&t->wishes);
	xfree(t->error);
	FREE_OBJ(t);
}

struct torrent *torrent_find(const struct session *s, const uint8_t infohash[20])
{
	struct torrent *t;

	CHECK_OBJ(s, SESSION_MAGIC);
	t = s->buckets_n > 0 ? s->buckets[bucket_of(s, infohash)] : NULL;
	while (t != NULL && memcmp(t->meta->infohash.v1, infohash, 20) != 0)
		t = t->hash_next;
	return t;
}

struct torrent *torrent_at(const struct session *s, struct tref ref)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	return tref_table_get(&s->slots, ref);
}

uint32_t torrent_position(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	return ordered_is_in(&t->order_node) ? ordered_rank(&t->session->order, &t->order_node) + 1
					     : 0;
}

void table_free(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	must(s->torrents_n == 0);
	targets_free(s);
	tref_table_fini(&s->slots);
	xfree(s->free_slots);
	xfree(s->buckets);
	s->free_slots = NULL;
	s->buckets = NULL;
}
