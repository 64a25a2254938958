/* SPDX-License-Identifier: MIT */
/*
 * Who gives nothing gets its copy later than who gives.
 *
 * Takers have the same lines as givers and a limit that leaves hardly more than their requests. The
 * seed's line is that of three, so that most copies come from those who give.
 */
#include "tests/sim/lib/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

#define GIVERS 14u
#define TAKERS 4u

static const struct line line = {.up = 100 * KIB, .down = 4 * MIB, .latency_us = 15000};
static const struct line faster = {.up = 300 * KIB, .down = 4 * MIB, .latency_us = 15000};
static const char *const takes[] = {"--lan.limited=true", "--upload.max_rate=3KiB/s", NULL};

static bool is_taker(unsigned i)
{
	return i > GIVERS;
}

/* The time at which each of them had everything. */
static bool run_all(struct team *t, int64_t *done_at)
{
	unsigned left = t->n - 1;

	for (int64_t i = 0; i < 4 * 900 && left > 0; i++) {
		sim_run_for(t->s, SEC / 4);
		for (unsigned k = 1; k < t->n; k++) {
			if (done_at[k] != 0 || sim_have(t->d[k], t->c) < t->c->meta->pieces)
				continue;
			done_at[k] = sim_now(t->s);
			left--;
		}
	}
	return sim_expect(t->s, left == 0, "%u have not finished", left);
}

static void free_riders(struct sim *s)
{
	struct content c = {.name = "rides", .size = 8 * MIB, .piece_length = 64 * KIB};
	struct team t = {.s = s, .c = &c};
	int64_t done_at[1 + GIVERS + TAKERS] = {0}, began, last = 0, first = INT64_MAX;
	double give = 0, take = 0;

	sim_content(s, &c);
	for (unsigned i = 0; i <= GIVERS + TAKERS; i++)
		team_add(&t, i == 0 ? faster : line, i == 0, is_taker(i) ? takes : NULL);
	began = sim_now(s);
	if (!run_all(&t, done_at))
		return;
	for (unsigned i = 1; i < t.n; i++) {
		*(is_taker(i) ? &take : &give) += (double)(done_at[i] - began) / 1e6;
		if (is_taker(i))
			first = MIN(first, done_at[i]);
		else
			last = MAX(last, done_at[i]);
	}
	give /= GIVERS;
	take /= TAKERS;
	sim_note("givers were done after %.1f s in the mean, the last after %.1f s", give,
		(double)(last - began) / 1e6);
	sim_note(
		"takers after %.1f s, the first after %.1f s", take, (double)(first - began) / 1e6);
	EXPECT(s, take > 1.1 * give, "takers wait %.1f s, givers %.1f s", take, give);
	team_stop(&t);
}

static const struct sim_case cases[] = {{"who gives nothing waits", free_riders, 3, false}};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
