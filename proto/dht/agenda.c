/* SPDX-License-Identifier: MIT */
/*
 * When which torrent is announced: every twenty minutes or so, a few at a time.
 *
 * Each lookup costs dozens of datagrams, so the more torrents there are the more seldom each has
 * its turn.  A torrent of which nobody was found is tried again sooner, for a while.  Torrents are
 * in a hash table and in a heap by time.
 */
#include "proto/base/array.h"
#include "proto/dht/priv.h"
#include "proto/meta/hash.h"

#define AGENDA_MAGIC 0x4b414745u
#define EVERY        (20 * 60 * USEC_PER_SEC)
#define EACH         (2400 * USEC_PER_MSEC) /* at least for each torrent: 500 of them in EVERY */
#define RETRY        (30 * USEC_PER_SEC)
#define RETRY_DOUBLE 5u
#define WAIT         (1 * USEC_PER_SEC) /* while there is nobody to ask */

struct entry {
	struct entry *next; /* of its bucket */
	struct kad_agenda *agenda;
	struct kad_id id;
	struct kad_wish wish;
	int64_t due;
	int64_t ended;  /* the last time, or when it came */
	uint32_t at;    /* in the heap; UINT32_MAX: it runs */
	unsigned tries; /* without anybody found */
	bool again;     /* something changed while it ran */
	struct kad_task *task;
};

struct kad_agenda {
	uint32_t magic;
	struct kad *kad;
	struct entry **buckets; /* owned */
	uint32_t buckets_n;     /* a power of two */
	struct entry **heap;    /* owned */
	uint32_t heap_n, heap_room;
	unsigned n, running;
	int64_t hold; /* nothing begins before */
};

struct kad_agenda *kad_agenda_new(struct kad *k)
{
	struct kad_agenda *a;

	ALLOC_OBJ(a, AGENDA_MAGIC);
	a->kad = k;
	return a;
}

/* --- the heap --- */

static void set_at(struct kad_agenda *a, uint32_t at, struct entry *e)
{
	a->heap[at] = e;
	e->at = at;
}

static void sift_up(struct kad_agenda *a, struct entry *e)
{
	uint32_t at = e->at;

	while (at > 0 && a->heap[(at - 1) / 2]->due > e->due) {
		set_at(a, at, a->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	set_at(a, at, e);
}

static void sift_down(struct kad_agenda *a, struct entry *e)
{
	uint32_t at = e->at, below;

	while ((below = 2 * at + 1) < a->heap_n) {
		if (below + 1 < a->heap_n && a->heap[below + 1]->due < a->heap[below]->due)
			below++;
		if (a->heap[below]->due >= e->due)
			break;
		set_at(a, at, a->heap[below]);
		at = below;
	}
	set_at(a, at, e);
}

static void heap_put(struct kad_agenda *a, struct entry *e, int64_t due)
{
	e->due = due;
	ARRAY_PUSH(a->heap, a->heap_n, a->heap_room, e);
	e->at = a->heap_n - 1;
	sift_up(a, e);
}

static void heap_take(struct kad_agenda *a, struct entry *e)
{
	struct entry *last = a->heap[--a->heap_n];
	uint32_t at = e->at;

	e->at = UINT32_MAX;
	if (last == e)
		return;
	set_at(a, at, last);
	sift_up(a, last);
	sift_down(a, last);
}

static void heap_move(struct kad_agenda *a, struct entry *e, int64_t due)
{
	heap_take(a, e);
	heap_put(a, e, due);
}

/* --- the table --- */

static struct entry **place_of(const struct kad_agenda *a, const struct kad_id *id)
{
	uint64_t h = hash_keyed(a->kad->secret, id->b, sizeof id->b);
	struct entry **p = &a->buckets[h & (a->buckets_n - 1)];

	while (*p != NULL && !kad_id_equal(&(*p)->id, id))
		p = &(*p)->next;
	return p;
}

static void grow(struct kad_agenda *a)
{
	struct entry **old = a->buckets;
	uint32_t n = a->buckets_n;

	a->buckets_n = MAX(n * 2, 16u);
	a->buckets = xcalloc(a->buckets_n, sizeof *a->buckets);
	for (uint32_t i = 0; i < n; i++) {
		while (old[i] != NULL) {
			struct entry *e = old[i], **place;

			old[i] = e->next;
			place = place_of(a, &e->id);
			e->next = *place;
			*place = e;
		}
	}
	xfree(old);
}

static void free_entry(struct kad_agenda *a, struct entry *e)
{
	if (e->task != NULL) {
		kad_task_free(&e->task);
		a->running--;
	}
	if (e->at != UINT32_MAX)
		heap_take(a, e);
	*place_of(a, &e->id) = e->next;
	a->n--;
	xfree(e);
}

void kad_agenda_free(struct kad_agenda **ap)
{
	struct kad_agenda *a;

	TAKE_OBJ(a, ap, AGENDA_MAGIC);
	for (uint32_t i = 0; i < a->buckets_n; i++)
		while (a->buckets[i] != NULL)
			free_entry(a, a->buckets[i]);
	xfree(a->buckets);
	xfree(a->heap);
	FREE_OBJ(a);
}

static int64_t jitter(struct kad_agenda *a, int64_t span)
{
	return span * 9 / 10 + (int64_t)(rng_u64(&a->kad->rng) % (uint64_t)(span / 5));
}

void kad_agenda_put(
	struct kad_agenda *a, const struct kad_id *id, struct kad_wish wish, int64_t now)
{
	struct entry *e, **place;
	bool more;

	CHECK_OBJ(a, AGENDA_MAGIC);
	if (a->n >= a->buckets_n)
		grow(a);
	place = place_of(a, id);
	e = *place;
	if (e == NULL) {
		e = xcalloc(1, sizeof *e);
		e->agenda = a;
		e->id = *id;
		e->next = *place;
		*place = e;
		a->n++;
		e->wish = wish;
		e->ended = now;
		/* Many come at once at the start: by and by. */
		heap_put(a, e,
			wish.urgent
				? 0
				: now + (int64_t)rng_below(&a->kad->rng,
						(uint32_t)MIN(a->n * EACH, (int64_t)INT32_MAX)));
		return;
	}
	more = wish.urgent || (wish.announce && !e->wish.announce);
	e->wish = wish;
	if (e->task != NULL)
		e->again |= more && !wish.urgent;
	else if (more)
		heap_move(a, e, wish.urgent ? 0 : MIN(e->due, now));
}

void kad_agenda_want(struct kad_agenda *a, const struct kad_id *id, int64_t now)
{
	struct entry *e;
	int64_t at;

	CHECK_OBJ(a, AGENDA_MAGIC);
	e = a->buckets_n > 0 ? *place_of(a, id) : NULL;
	if (e == NULL || e->task != NULL)
		return;
	at = e->ended + MAX(RETRY << MIN(e->tries, RETRY_DOUBLE), a->n * EACH);
	at = MAX(at, now);
	if (at < e->due)
		heap_move(a, e, at);
}

void kad_agenda_drop(struct kad_agenda *a, const struct kad_id *id)
{
	struct entry *e;

	CHECK_OBJ(a, AGENDA_MAGIC);
	if (a->buckets_n > 0 && (e = *place_of(a, id)) != NULL)
		free_entry(a, e);
}

/* --- the turns --- */

static void on_peers(void *owner, const struct endpoint *list, unsigned n)
{
	struct entry *e = owner;
	struct kad *k = e->agenda->kad;

	k->ops->peers(k->ctx, e->wish.tag, list, n);
}

static void on_done(void *owner, unsigned found, int64_t now)
{
	struct entry *e = owner;
	struct kad_agenda *a = e->agenda;
	int64_t every = MAX(EVERY, a->n * EACH);

	e->task = NULL;
	e->ended = now;
	a->running--;
	e->tries = found > 0 ? 0 : e->tries + 1;
	if (e->tries > 0 && e->tries <= RETRY_DOUBLE)
		every = MIN(every, MAX(RETRY << (e->tries - 1), a->n * EACH));
	heap_put(a, e, e->again ? now : now + jitter(a, every));
	e->again = false;
}

static const struct kad_task_ops task_ops = {on_peers, on_done};

static bool anybody(const struct kad *k)
{
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		if (k->family[f].open && kad_table_live(k->family[f].table) > 0)
			return true;
	return false;
}

void kad_agenda_tick(struct kad_agenda *a, int64_t now)
{
	CHECK_OBJ(a, AGENDA_MAGIC);
	if (now < a->hold)
		return;
	while (a->running < KAD_LOOKUPS_MAX && a->heap_n > 0 && a->heap[0]->due <= now) {
		struct entry *e = a->heap[0];

		if (!anybody(a->kad)) {
			a->hold = now + WAIT;
			return;
		}
		heap_take(a, e);
		a->running++;
		e->task = kad_task_torrent(
			a->kad, &e->id, e->wish.announce, e->wish.seed, &task_ops, e);
	}
}

int64_t kad_agenda_deadline(const struct kad_agenda *a)
{
	CHECK_OBJ(a, AGENDA_MAGIC);
	if (a->heap_n == 0 || a->running >= KAD_LOOKUPS_MAX)
		return INT64_MAX;
	return MAX(a->heap[0]->due, a->hold);
}

unsigned kad_agenda_count(const struct kad_agenda *a)
{
	CHECK_OBJ(a, AGENDA_MAGIC);
	return a->n;
}

unsigned kad_agenda_running(const struct kad_agenda *a)
{
	CHECK_OBJ(a, AGENDA_MAGIC);
	return a->running;
}

void kad_agenda_wake(struct kad_agenda *a, int64_t now)
{
	CHECK_OBJ(a, AGENDA_MAGIC);
	a->hold = 0;
	for (uint32_t i = a->heap_n; i-- > 0;) {
		int64_t soon = now + (int64_t)(rng_u64(&a->kad->rng) % (uint64_t)(a->n * EACH));

		a->heap[i]->due = MIN(a->heap[i]->due, soon);
	}
	for (uint32_t i = a->heap_n / 2; i-- > 0;)
		sift_down(a, a->heap[i]);
}
