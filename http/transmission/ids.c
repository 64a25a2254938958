/* SPDX-License-Identifier: MIT */
/*
 * Numbers of torrents: a list in the order of the numbers, and an index of it by info-hash.
 *
 * Whoever adds torrents chooses info-hashes, so the index is keyed.
 */
#include "http/transmission/ids.h"

#include <stdlib.h>

#include "actors/kernel/random.h"
#include "proto/base/array.h"
#include "proto/base/rng.h"
#include "proto/meta/hash.h"

#define TIDS_MAGIC 0x54494453u
#define GONE_MAX   4096u /* numbers of torrents that are gone; the oldest is forgotten */

struct gone {
	int64_t id, at; /* seconds since 1970 */
};

struct tids {
	uint32_t magic;
	uint8_t key[16];
	struct tid *list; /* owned; ascending by id */
	uint32_t n, room;
	uint32_t *index;  /* owned: place in the list plus one; 0: free */
	uint32_t index_n; /* a power of two, more than n */
	bool unsorted;    /* a number came behind a larger one */
	uint64_t round;
	struct gone gone[GONE_MAX];
	uint64_t gone_n; /* how many went ever */
};

struct tids *tids_new(void)
{
	struct tids *t;

	ALLOC_OBJ(t, TIDS_MAGIC);
	random_bytes(t->key, sizeof t->key);
	return t;
}

void tids_free(struct tids **pt)
{
	struct tids *t;

	TAKE_OBJ(t, pt, TIDS_MAGIC);
	xfree(t->list);
	xfree(t->index);
	FREE_OBJ(t);
}

/* Where its place is written, or would be. */
static uint32_t *slot_of(const struct tids *t, const uint8_t infohash[20])
{
	uint32_t at = (uint32_t)hash_keyed(t->key, infohash, 20) & (t->index_n - 1);

	while (t->index[at] != 0 && memcmp(t->list[t->index[at] - 1].infohash, infohash, 20) != 0)
		at = (at + 1) & (t->index_n - 1);
	return &t->index[at];
}

static void make_index(struct tids *t, uint32_t n)
{
	xfree(t->index);
	for (t->index_n = 64; t->index_n < 2 * n; t->index_n *= 2)
		;
	t->index = xcalloc(t->index_n, sizeof *t->index);
	for (uint32_t i = 0; i < t->n; i++)
		*slot_of(t, t->list[i].infohash) = i + 1;
}

struct tid *tids_find(const struct tids *t, const uint8_t infohash[20])
{
	uint32_t at;

	CHECK_OBJ(t, TIDS_MAGIC);
	at = t->index != NULL ? *slot_of(t, infohash) : 0;
	return at != 0 ? &t->list[at - 1] : NULL;
}

struct tid *tids_at(const struct tids *t, int64_t id)
{
	uint32_t low = 0, high;

	CHECK_OBJ(t, TIDS_MAGIC);
	for (high = t->n; low < high;) {
		uint32_t middle = low + (high - low) / 2;

		if (t->list[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->n && t->list[low].id == id ? &t->list[low] : NULL;
}

/* --- what is seen --- */

/* What people would see change, but for what the clock alone changes. */
static uint64_t print_of(const struct torrent_view *v)
{
	uint64_t h = mix_word((uint64_t)v->status + 1, v->have);

	h = mix_word(mix_word(h, v->left), v->wanted);
	h = mix_word(mix_word(h, v->down_rate), v->up_rate);
	h = mix_word(mix_word(h, v->downloaded_ever), v->uploaded_ever);
	h = mix_word(mix_word(h, v->down_limit), v->up_limit);
	h = mix_word(mix_word(h, (uint64_t)v->seed.ratio), (uint64_t)v->seed.idle);
	h = mix_word(mix_word(h, v->place), (uint64_t)(v->checked * 1000));
	h = mix_word(mix_word(h, v->meta->bare), (uint64_t)v->completed_at);
	h = mix_word(h, (uintptr_t)v->labels); /* the same object while it says the same */
	return mix_word(h, (uint64_t)v->sequential + 2 * (uint64_t)(v->error != NULL));
}

static void note_gone(struct tids *t, int64_t id, int64_t now)
{
	t->gone[t->gone_n++ % GONE_MAX] = (struct gone){id, now};
}

static struct tid *add(struct tids *t, const struct torrent_view *v)
{
	struct tid one = {.id = v->n};

	if (t->index == NULL || 2 * (t->n + 1) > t->index_n)
		make_index(t, 2 * (t->n + 1));
	memcpy(one.infohash, v->infohash, 20);
	t->unsorted |= t->n > 0 && t->list[t->n - 1].id > one.id;
	ARRAY_PUSH(t->list, t->n, t->room, one);
	*slot_of(t, v->infohash) = t->n;
	return &t->list[t->n - 1];
}

/* Who was removed and added again is another torrent. */
static void see(struct tids *t, const struct torrent_view *v, int64_t now)
{
	uint64_t print = print_of(v), traffic = v->downloaded_ever + v->uploaded_ever;
	struct tid *one = tids_find(t, v->infohash);

	if (one == NULL)
		one = add(t, v);
	if (one->id != v->n) {
		note_gone(t, one->id, now);
		one->id = v->n;
		one->changed = 0;
		t->unsorted = true;
	}
	if (one->changed != 0 && traffic != one->traffic)
		one->active = now;
	if (one->changed == 0 || print != one->print)
		one->changed = now;
	one->print = print;
	one->traffic = traffic;
	one->round = t->round;
}

static void drop_unseen(struct tids *t, int64_t now)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->n; i++)
		if (t->list[i].round == t->round)
			t->list[kept++] = t->list[i];
		else
			note_gone(t, t->list[i].id, now);
	t->unsorted |= kept != t->n; /* the index is made anew */
	t->n = kept;
}

static int compare_ids(const void *a, const void *b)
{
	const struct tid *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

void tids_sync(struct tids *t, const struct torrent_view *views, uint32_t n, bool all, int64_t now)
{
	CHECK_OBJ(t, TIDS_MAGIC);
	t->round += all;
	for (uint32_t i = 0; i < n; i++)
		see(t, &views[i], now);
	if (all)
		drop_unseen(t, now);
	if (!t->unsorted)
		return;
	if (t->n > 1)
		qsort(t->list, t->n, sizeof *t->list, compare_ids);
	make_index(t, t->n + 1);
	t->unsorted = false;
}

bool tids_gone(const struct tids *t, int64_t now, uint32_t i, int64_t *id)
{
	const struct gone *g;

	CHECK_OBJ(t, TIDS_MAGIC);
	if (i >= t->gone_n || i >= GONE_MAX)
		return false;
	g = &t->gone[(t->gone_n - 1 - i) % GONE_MAX];
	*id = g->id;
	return now - g->at <= TIDS_RECENT;
}
