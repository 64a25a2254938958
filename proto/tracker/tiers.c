/* SPDX-License-Identifier: MIT */
/*
 * The trackers of an announce, and the order in which they are asked (BEP 12).
 *
 * order[] holds their numbers: tiers in turn, each shuffled once, a tracker that answered in front
 * of its tier.  The URLs are a stranger's: they are bounded in number and length, and none is there
 * twice.
 */
#include "proto/tracker/announce_priv.h"

/* Trackers, and those that are gone and have yet to hear of it. */
#define SLOTS_MAX (2 * (int)ANNOUNCE_TRACKERS_MAX)

static bool has_prefix(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n > n && memcmp(s.p, prefix, n) == 0;
}

bool announce_url_usable(struct slice url)
{
	if (url.n > ANNOUNCE_URL_MAX)
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= 0x20 || url.p[i] >= 0x7f)
			return false;
	return has_prefix(url, "http://") || has_prefix(url, "https://") ||
	       has_prefix(url, "udp://");
}

static bool is_known(const struct announce_url *list, size_t n, struct slice url)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].url.n == url.n && memcmp(list[i].url.p, url.p, url.n) == 0)
			return true;
	return false;
}

/* Takes a URL into a list of ANNOUNCE_TRACKERS_MAX, if it may be one of its trackers. */
static void pick(struct announce_url *list, size_t *n, struct announce_url u)
{
	if (*n < ANNOUNCE_TRACKERS_MAX && announce_url_usable(u.url) && !is_known(list, *n, u.url))
		list[(*n)++] = u;
}

size_t announce_urls_of(const struct metainfo *m, struct announce_url *out)
{
	size_t n = 0;

	for (uint32_t t = 0; t < m->tiers_n; t++)
		for (uint32_t i = 0; i < m->tiers[t].urls_n; i++) {
			const char *url = m->tiers[t].urls[i];

			pick(out, &n,
				(struct announce_url){
					.url = {(const uint8_t *)url, strlen(url)}, .tier = t});
		}
	return n;
}

static void fill_tracker(struct announce_tracker *t, const struct announce_url *u)
{
	*t = (struct announce_tracker){
		.tier = u->tier, .seeders = -1, .leechers = -1, .downloaded = -1};
	t->url = xcalloc(1, u->url.n + 1);
	memcpy(t->url, u->url.p, u->url.n);
}

static void free_tracker(struct announce_tracker *t)
{
	xfree(t->url);
	xfree(t->trackerid);
}

/* By tier, keeping the order within each: insertion, for lists are short and mostly sorted. */
static void sort_tiers(struct announce *a)
{
	for (int i = 1; i < a->order_n; i++) {
		int t = a->order[i], k = i;

		while (k > 0 && a->trackers[a->order[k - 1]].tier > a->trackers[t].tier) {
			a->order[k] = a->order[k - 1];
			k--;
		}
		a->order[k] = t;
	}
}

/* One past the last position of the tier that position `from` belongs to. */
static int tier_end(const struct announce *a, int from)
{
	int end = from + 1;

	while (end < a->order_n &&
		a->trackers[a->order[end]].tier == a->trackers[a->order[from]].tier)
		end++;
	return end;
}

static void shuffle_tiers(struct announce *a)
{
	for (int from = 0; from < a->order_n; from = tier_end(a, from)) {
		for (int i = tier_end(a, from) - 1; i > from; i--) {
			int k = from + (int)rng_below(&a->rng, (uint32_t)(i - from + 1));
			int t = a->order[i];

			a->order[i] = a->order[k];
			a->order[k] = t;
		}
	}
}

void announce_tiers_init(struct announce *a, const struct announce_urls *urls)
{
	struct announce_url list[ANNOUNCE_TRACKERS_MAX];
	size_t n = 0;

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (size_t i = 0; i < urls->n; i++)
		pick(list, &n, urls->list[i]);
	a->trackers = xcalloc(n, sizeof *a->trackers);
	a->order = xcalloc(n, sizeof *a->order);
	for (size_t i = 0; i < n; i++) {
		fill_tracker(&a->trackers[i], &list[i]);
		a->order[i] = (int)i;
	}
	a->n = a->order_n = (int)n;
	sort_tiers(a);
	shuffle_tiers(a);
}

/* --- other ones --- */

static int find_tracker(const struct announce *a, struct slice url)
{
	for (int i = 0; i < a->n; i++)
		if (strlen(a->trackers[i].url) == url.n &&
			memcmp(a->trackers[i].url, url.p, url.n) == 0)
			return i;
	return ANNOUNCE_NONE_;
}

/* A number for one more: of one to whom nothing is to be said any more, or a new one. */
static int find_number(struct announce *a)
{
	for (int i = 0; i < a->n; i++) {
		const struct announce_tracker *t = &a->trackers[i];

		if (t->dropped && !t->busy && (!t->stop_due || a->n >= SLOTS_MAX)) {
			free_tracker(&a->trackers[i]);
			return i;
		}
	}
	if (a->n >= SLOTS_MAX)
		return ANNOUNCE_NONE_;
	a->trackers = xrealloc(a->trackers, (size_t)(a->n + 1) * sizeof *a->trackers);
	return a->n++;
}

/* The number of a tracker that stays, or comes back before it was told that it has gone. */
static int keep_tracker(struct announce *a, const struct announce_url *u)
{
	int i = find_tracker(a, u->url);

	if (i == ANNOUNCE_NONE_)
		return ANNOUNCE_NONE_;
	a->trackers[i].tier = u->tier;
	if (a->trackers[i].dropped) {
		a->trackers[i].dropped = false;
		a->trackers[i].stop_due &= !a->running;
	}
	return i;
}

static bool is_listed(const struct announce_url *list, size_t n, const char *url)
{
	return is_known(list, n, (struct slice){(const uint8_t *)url, strlen(url)});
}

static void drop_others(struct announce *a, const struct announce_url *list, size_t n)
{
	for (int i = 0; i < a->n; i++) {
		struct announce_tracker *t = &a->trackers[i];

		if (t->dropped || is_listed(list, n, t->url))
			continue;
		t->dropped = true;
		t->moved = false;
		t->stop_due = t->started;
	}
}

/* Before their numbers are given to others. */
static void leave_order(struct announce *a)
{
	int n = 0;

	for (int i = 0; i < a->order_n; i++)
		if (!a->trackers[a->order[i]].dropped)
			a->order[n++] = a->order[i];
	a->order_n = n;
}

/* Those that were in the order stay in it as they were, the others follow. */
static void reorder(struct announce *a)
{
	int *order = xcalloc((size_t)a->n, sizeof *order), n = 0;

	for (; n < a->order_n; n++)
		order[n] = a->order[n];
	for (int i = 0; i < a->n; i++) {
		bool known = a->trackers[i].dropped;

		for (int k = 0; k < n && !known; k++)
			known = order[k] == i;
		if (!known)
			order[n++] = i;
	}
	xfree(a->order);
	a->order = order;
	a->order_n = n;
	sort_tiers(a);
}

/* The first in the order that was never asked. */
static int first_new(const struct announce *a, const bool *is_new)
{
	for (int i = 0; i < a->order_n; i++)
		if (is_new[a->order[i]])
			return a->order[i];
	return ANNOUNCE_NONE_;
}

int announce_tiers_edit(struct announce *a, const struct announce_urls *urls)
{
	struct announce_url list[ANNOUNCE_TRACKERS_MAX];
	bool is_new[SLOTS_MAX] = {false};
	size_t n = 0;

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (size_t i = 0; i < urls->n; i++)
		pick(list, &n, urls->list[i]);
	drop_others(a, list, n);
	leave_order(a);
	for (size_t i = 0; i < n; i++) {
		int number = keep_tracker(a, &list[i]);

		if (number == ANNOUNCE_NONE_ && (number = find_number(a)) != ANNOUNCE_NONE_) {
			fill_tracker(&a->trackers[number], &list[i]);
			is_new[number] = true;
		}
	}
	reorder(a);
	return first_new(a, is_new);
}

void announce_tiers_fini(struct announce *a)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (int i = 0; i < a->n; i++)
		free_tracker(&a->trackers[i]);
	xfree(a->trackers);
	xfree(a->order);
}

void announce_tiers_prefer(struct announce *a, int i)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (int from = 0; from < a->order_n; from = tier_end(a, from)) {
		int at = from, end = tier_end(a, from);

		while (at < end && a->order[at] != i)
			at++;
		if (at == end)
			continue;
		for (; at > from; at--)
			a->order[at] = a->order[at - 1];
		a->order[from] = i;
		return;
	}
}
