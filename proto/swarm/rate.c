/* SPDX-License-Identifier: MIT */
/*
 * Token buckets and rate meters.
 *
 * The burst decides how well a limit holds.  Over any second at most burst + rate passes, so a
 * twelfth of a second keeps every second under 1.09 of the rate; and an owner that looks at least
 * every 80 ms loses no token, so that the average holds too.
 */
#include "proto/swarm/rate.h"

#define SECOND_US     INT64_C(1000000)
#define BURST_PART    12
#define RATE_MAX      (UINT64_C(1) << 40)   /* keeps level below 2^60 */
#define DEBT_MAX      (-(INT64_C(1) << 61)) /* a spend that would go lower is cut */
#define MARK_STALE_US (8 * SECOND_US)
#define SHOWN_US      (3 * SECOND_US)
#define SILENT_US     (2 * SECOND_US)

/* In millionths of a byte; never less than one byte, or a tiny limit would never allow anything. */
static int64_t burst_level(const struct bucket *b)
{
	int64_t level = (int64_t)(b->rate * (uint64_t)SECOND_US / BURST_PART);

	return MAX(level, SECOND_US);
}

static void fill_bucket(struct bucket *b, int64_t now_us)
{
	int64_t dt = now_us - b->at_us, full = burst_level(b), need = full - b->level;

	if (dt <= 0)
		return;
	b->at_us = now_us;
	/* Compared as time, so that a long pause cannot overflow the product. */
	if (b->rate == 0 || dt > need / (int64_t)b->rate)
		b->level = full;
	else
		b->level += dt * (int64_t)b->rate;
}

void bucket_init(struct bucket *b, uint64_t rate, int64_t now_us)
{
	b->rate = MIN(rate, RATE_MAX);
	b->at_us = now_us;
	b->level = burst_level(b);
}

void bucket_set_rate(struct bucket *b, uint64_t rate, int64_t now_us)
{
	if (b->rate != 0)
		fill_bucket(b, now_us);
	else
		b->at_us = now_us;
	b->rate = MIN(rate, RATE_MAX);
	if (b->rate == 0)
		b->level = 0;
	b->level = MIN(b->level, burst_level(b));
}

uint64_t bucket_allow(struct bucket *b, int64_t now_us)
{
	if (b->rate == 0)
		return BUCKET_UNLIMITED;
	fill_bucket(b, now_us);
	return b->level > 0 ? (uint64_t)(b->level / SECOND_US) : 0;
}

void bucket_spend(struct bucket *b, uint64_t n)
{
	int64_t cost;

	if (b->rate == 0)
		return;
	if (!mul_ok((int64_t)MIN(n, (uint64_t)INT64_MAX), SECOND_US, &cost) ||
		!sub_ok(b->level, cost, &b->level) || b->level < DEBT_MAX)
		b->level = DEBT_MAX;
}

void bucket_give_back(struct bucket *b, uint64_t n)
{
	int64_t full = burst_level(b);

	if (b->rate == 0 || b->level >= full)
		return;
	/* Both fit: a level is at least DEBT_MAX, a burst below 2^60. */
	if (n >= (uint64_t)(full - b->level) / (uint64_t)SECOND_US)
		b->level = full;
	else
		b->level += (int64_t)n * SECOND_US;
}

int64_t bucket_next(struct bucket *b, uint64_t want, int64_t now_us)
{
	int64_t goal, rate = (int64_t)b->rate;

	if (b->rate == 0)
		return now_us;
	fill_bucket(b, now_us);
	goal = (int64_t)MIN(want, bucket_burst(b)) * SECOND_US;
	if (b->level >= goal)
		return now_us;
	return b->at_us + (goal - b->level + rate - 1) / rate;
}

uint64_t bucket_burst(const struct bucket *b)
{
	return b->rate == 0 ? BUCKET_UNLIMITED : (uint64_t)(burst_level(b) / SECOND_US);
}

void meter_init(struct meter *m, int64_t now_us)
{
	memset(m, 0, sizeof *m);
	m->decide.mark[0].at_us = m->show.mark[0].at_us = now_us;
	m->decide.count = m->show.count = 1;
}

static unsigned oldest_mark(const struct meter_marks *k)
{
	return (k->newest + METER_MARKS + 1u - k->count) % METER_MARKS;
}

static void take_mark(struct meter_marks *k, uint64_t total, int64_t now_us)
{
	if (now_us - k->mark[k->newest].at_us < SECOND_US)
		return;
	k->newest = (uint8_t)((k->newest + 1u) % METER_MARKS);
	k->mark[k->newest].total = total;
	k->mark[k->newest].at_us = now_us;
	k->count = (uint8_t)MIN(k->count + 1u, METER_MARKS);
}

static uint64_t rate_since(
	const struct meter *m, const struct meter_marks *k, unsigned mark, int64_t now_us)
{
	int64_t dt = MAX(now_us - k->mark[mark].at_us, SECOND_US);
	uint64_t bytes = m->total - k->mark[mark].total, ms = (uint64_t)(dt / 1000);

	return bytes / ms * 1000 + bytes % ms * 1000 / ms;
}

uint64_t meter_rate(struct meter *m, int64_t now_us)
{
	struct meter_marks *k = &m->decide;
	uint64_t rate;

	while (k->count > 1 && now_us - k->mark[oldest_mark(k)].at_us > MARK_STALE_US)
		k->count--;
	rate = rate_since(m, k, oldest_mark(k), now_us);
	take_mark(k, m->total, now_us);
	return rate;
}

void meter_mark(struct meter *m, int64_t now_us)
{
	take_mark(&m->show, m->total, now_us);
}

uint64_t meter_shown(struct meter *m, int64_t now_us)
{
	struct meter_marks *k = &m->show;
	unsigned since = k->newest;
	uint64_t rate;

	for (unsigned i = 0; i < k->count; i++) {
		since = (k->newest + METER_MARKS - i) % METER_MARKS;
		if (k->mark[since].total == m->total && now_us - k->mark[since].at_us >= SILENT_US)
			return 0;
		if (now_us - k->mark[since].at_us >= SHOWN_US)
			break;
	}
	rate = rate_since(m, k, since, now_us);
	meter_mark(m, now_us);
	return rate;
}
