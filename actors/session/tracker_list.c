/* SPDX-License-Identifier: MIT */
/*
 * A torrent's trackers, changed by a person: a list with tiers, and the metainfo that has it.
 *
 * Tiers are numbered anew afterwards, without gaps.  Any thread.
 */
#include "actors/session/tracker_list.h"

#include <stdlib.h>

#include "proto/base/array.h"
#include "proto/tracker/announce.h"

/* A tracker; of one tier those with a smaller number stand first. */
struct entry {
	const char *url; /* borrowed: of the metainfo or of a change */
	uint32_t tier, number;
};

struct list {
	struct entry *v; /* owned */
	uint32_t n, room;
	uint32_t last; /* the last number given */
};

static void push(struct list *l, const char *url, uint32_t tier)
{
	ARRAY_PUSH(l->v, l->n, l->room, ((struct entry){url, tier, ++l->last}));
}

static void read_list(struct list *l, const struct metainfo *m)
{
	for (uint32_t i = 0; i < m->tiers_n; i++)
		for (uint32_t k = 0; k < m->tiers[i].urls_n; k++)
			push(l, m->tiers[i].urls[k], i);
}

static struct entry *find(const struct list *l, const char *url)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].url, url) == 0)
			return &l->v[i];
	return NULL;
}

static uint32_t tier_behind(const struct list *l)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < l->n; i++)
		next = MAX(next, l->v[i].tier + 1);
	return next;
}

/* A tier that is not there is the next one behind the others. */
static uint32_t tier_of(const struct list *l, uint32_t asked)
{
	return MIN(asked, tier_behind(l));
}

/* --- changes --- */

static enum err fail(struct words *why, enum err e, const char *what)
{
	snprintf(why->text, sizeof why->text, "%s", what);
	return e;
}

static enum err check_new(const struct list *l, const char *url, struct words *why)
{
	if (!announce_url_usable((struct slice){(const uint8_t *)url, strlen(url)}))
		return fail(why, E_RANGE,
			"a tracker must be a URL with http://, https:// or udp://, of at most 2048 "
			"characters and without spaces");
	if (find(l, url) != NULL)
		return fail(why, E_EXISTS, "the torrent has that tracker already");
	return E_OK;
}

static enum err add(struct list *l, const struct tracker_change *c, struct words *why)
{
	enum err e = check_new(l, c->url, why);

	if (e != E_OK)
		return e;
	if (l->n >= ANNOUNCE_TRACKERS_MAX)
		return fail(why, E_TOO_BIG, "a torrent has at most 256 trackers");
	push(l, c->url, tier_of(l, c->tier));
	return E_OK;
}

static enum err drop(struct list *l, const struct tracker_change *c, struct words *why)
{
	struct entry *e = find(l, c->url);

	if (e == NULL)
		return fail(why, E_NOT_FOUND, "the torrent has no such tracker");
	*e = l->v[--l->n]; /* numbers keep the order */
	return E_OK;
}

static enum err change(struct list *l, const struct tracker_change *c, struct words *why)
{
	struct entry *e = find(l, c->url);
	enum err err = E_OK;

	if (e == NULL)
		return fail(why, E_NOT_FOUND, "the torrent has no such tracker");
	if (c->new_url != NULL && strcmp(c->new_url, c->url) != 0)
		err = check_new(l, c->new_url, why);
	if (err != E_OK)
		return err;
	if (c->new_url != NULL)
		e->url = c->new_url;
	if (c->tier != TIER_KEEP && c->tier != e->tier) {
		e->tier = tier_of(l, c->tier);
		e->number = ++l->last;
	}
	return E_OK;
}

static enum err clear(struct list *l, const struct tracker_change *c, struct words *why)
{
	(void)c;
	(void)why;
	l->n = 0;
	return E_OK;
}

static enum err (*const changes[])(struct list *, const struct tracker_change *, struct words *) = {
	[TRACKERS_ADD] = add,
	[TRACKERS_REMOVE] = drop,
	[TRACKERS_CHANGE] = change,
	[TRACKERS_CLEAR] = clear,
};

/* --- what comes of them --- */

static int compare(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->tier != b->tier)
		return a->tier < b->tier ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static enum err make(
	struct list *l, const struct metainfo *m, struct metainfo **out, struct words *why)
{
	struct metainfo_tier *tiers = xcalloc(MAX(l->n, 1u), sizeof *tiers);
	const char **urls = xcalloc(MAX(l->n, 1u), sizeof *urls);
	struct parse_error pe = {.what = ""};
	uint32_t n = 0;
	enum err e;

	if (l->n > 0)
		qsort(l->v, l->n, sizeof *l->v, compare);
	for (uint32_t i = 0; i < l->n; i++) {
		urls[i] = l->v[i].url;
		if (i == 0 || l->v[i].tier != l->v[i - 1].tier)
			tiers[n++].urls = &urls[i];
		tiers[n - 1].urls_n++;
	}
	e = metainfo_retrack(m, tiers, n, out, &pe);
	if (e != E_OK)
		(void)fail(why, e, pe.what);
	xfree(tiers);
	xfree(urls);
	return e;
}

enum err trackers_changed(const struct metainfo *m, const struct tracker_change *c, uint32_t n,
	struct metainfo **out, struct words *why)
{
	struct list l = {0};
	enum err e = E_OK;

	read_list(&l, m);
	for (uint32_t i = 0; i < n && e == E_OK; i++)
		e = changes[c[i].op](&l, &c[i], why);
	if (e == E_OK)
		e = make(&l, m, out, why);
	xfree(l.v);
	return e;
}

bool trackers_same(const struct metainfo *a, const struct metainfo *b)
{
	if (a->tiers_n != b->tiers_n)
		return false;
	for (uint32_t i = 0; i < a->tiers_n; i++) {
		if (a->tiers[i].urls_n != b->tiers[i].urls_n)
			return false;
		for (uint32_t k = 0; k < a->tiers[i].urls_n; k++)
			if (strcmp(a->tiers[i].urls[k], b->tiers[i].urls[k]) != 0)
				return false;
	}
	return true;
}
