/* SPDX-License-Identifier: MIT */
/*
 * The trackers of an announce, and the order in which they are asked (BEP 12).
 *
 * order[] holds their numbers: tiers in turn, each shuffled once, a tracker that answered in front
 * of its tier.  The URLs are a stranger's: they are bounded in number and length, and none is there
 * twice.
 */
#include "proto/tracker/announce_priv.h"

static bool has_prefix(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n > n && memcmp(s.p, prefix, n) == 0;
}

static bool is_usable(struct slice url)
{
	if (url.n > ANNOUNCE_URL_MAX)
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= 0x20 || url.p[i] >= 0x7f)
			return false;
	return has_prefix(url, "http://") || has_prefix(url, "https://") ||
	       has_prefix(url, "udp://");
}

static bool is_known(const struct announce *a, struct slice url)
{
	for (int i = 0; i < a->n; i++)
		if (strlen(a->trackers[i].url) == url.n &&
			memcmp(a->trackers[i].url, url.p, url.n) == 0)
			return true;
	return false;
}

static void add_tracker(struct announce *a, const struct announce_url *u)
{
	struct announce_tracker *t = &a->trackers[a->n];

	t->url = xcalloc(1, u->url.n + 1);
	memcpy(t->url, u->url.p, u->url.n);
	t->tier = u->tier;
	t->seeders = t->leechers = t->downloaded = -1;
	a->order[a->n] = a->n;
	a->n++;
}

/* By tier, keeping the order within each: insertion, for lists are short and mostly sorted. */
static void sort_tiers(struct announce *a)
{
	for (int i = 1; i < a->n; i++) {
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

	while (end < a->n && a->trackers[a->order[end]].tier == a->trackers[a->order[from]].tier)
		end++;
	return end;
}

static void shuffle_tiers(struct announce *a)
{
	for (int from = 0; from < a->n; from = tier_end(a, from)) {
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
	size_t room = MIN(urls->n, ANNOUNCE_TRACKERS_MAX);

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	a->trackers = xcalloc(room, sizeof *a->trackers);
	a->order = xcalloc(room, sizeof *a->order);
	for (size_t i = 0; i < urls->n && (size_t)a->n < room; i++)
		if (is_usable(urls->list[i].url) && !is_known(a, urls->list[i].url))
			add_tracker(a, &urls->list[i]);
	sort_tiers(a);
	shuffle_tiers(a);
}

void announce_tiers_fini(struct announce *a)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (int i = 0; i < a->n; i++) {
		xfree(a->trackers[i].url);
		xfree(a->trackers[i].trackerid);
	}
	xfree(a->trackers);
	xfree(a->order);
}

void announce_tiers_prefer(struct announce *a, int i)
{
	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (int from = 0; from < a->n; from = tier_end(a, from)) {
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
