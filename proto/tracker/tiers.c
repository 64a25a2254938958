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
	if (*n < ANNOUNCE_TRACKERS_MAX && is_usable(u.url) && !is_known(list, *n, u.url))
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
	struct announce_url list[ANNOUNCE_TRACKERS_MAX];
	size_t n = 0;

	CHECK_OBJ(a, ANNOUNCE_MAGIC);
	for (size_t i = 0; i < urls->n; i++)
		pick(list, &n, urls->list[i]);
	a->trackers = xcalloc(n, sizeof *a->trackers);
	a->order = xcalloc(n, sizeof *a->order);
	for (size_t i = 0; i < n; i++)
		add_tracker(a, &list[i]);
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
