/* SPDX-License-Identifier: MIT */
/*
 * Dividing a limit: first to those who need little, the rest by weight to those who lack.
 *
 * A part counts as lacking only when it used most of what it had: one that waits now and then for a
 * moment gets what it used and a quarter more.  One that waits with the least there is lacks in any
 * case: so little, in small steps, is hard to use up.
 */
#include "proto/swarm/bandwidth.h"

#define FLOOR_PART 100
#define WEIGHT_MAX 64u /* less than FLOOR_PART: weight alone brings nobody under the floor */

static bool lacks(const struct bandwidth *s, uint64_t least)
{
	return s->busy > 0 && (s->rate <= least || s->used >= s->rate - s->rate / 4);
}

/* What makes it content; more than the limit when nothing does. */
static uint64_t wanted(const struct bandwidth *s, uint64_t limit, uint64_t least)
{
	return lacks(s, least) ? limit + 1 : MIN(s->used, limit) + MIN(s->used, limit) / 4;
}

static uint64_t weight(const struct bandwidth *s)
{
	return MAX(MIN(s->busy, WEIGHT_MAX), 1u);
}

/*
 * Settles those who want no more than their part of what is left, which leaves more for the others;
 * false: there are none.  A settled one has got its rate, the others have 0.
 */
static bool settle(struct bandwidth *v, unsigned n, const uint64_t *want, uint64_t *left)
{
	uint64_t all = 0, before = *left;
	bool any = false;

	for (unsigned i = 0; i < n; i++)
		all += v[i].rate == 0 ? weight(&v[i]) : 0;
	for (unsigned i = 0; i < n; i++) {
		if (v[i].rate != 0 || want[i] > before * weight(&v[i]) / all)
			continue;
		v[i].rate = want[i];
		*left -= want[i];
		any = true;
	}
	return any;
}

static void give_rest(struct bandwidth *v, unsigned n, uint64_t left)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < n; i++)
		all += v[i].rate == 0 ? weight(&v[i]) : 0;
	for (unsigned i = 0; i < n; i++) {
		if (all == 0)
			v[i].rate += left / n;
		else if (v[i].rate == 0)
			v[i].rate = MAX(left * weight(&v[i]) / all, UINT64_C(1));
	}
}

void bandwidth_divide(uint64_t limit, struct bandwidth *v, unsigned n)
{
	uint64_t want[BANDWIDTH_PARTS_MAX], left = limit,
					    least = MAX(limit / FLOOR_PART / n, UINT64_C(1));

	must(n > 0 && n <= BANDWIDTH_PARTS_MAX);
	for (unsigned i = 0; i < n; i++)
		want[i] = MAX(wanted(&v[i], limit, least), least);
	for (unsigned i = 0; i < n; i++)
		v[i].rate = 0;
	if (limit == 0)
		return;
	while (settle(v, n, want, &left))
		;
	give_rest(v, n, left);
}
