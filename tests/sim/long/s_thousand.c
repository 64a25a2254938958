/* SPDX-License-Identifier: MIT */
/*
 * A thousand leeches on lines of every kind: the swarm of tests/sim/s_hundred.c, ten times larger,
 * where nobody knows more than thirty of the others and a piece has a way to go.
 *
 * All lines together are the bound: 51 to 53 s.  What comes on top, in seconds of all lines:
 *  - 6 to 7 at the start: 4 to 5 of those that have no piece yet, the rest of those with few;
 *  - 5 to 7 at the end: who gives little gets little and ends last, and when only such are left
 *    their own lines are the bound, while the complete ones have nobody else to serve;
 *  - 3.5 for what is asked for twice, 0.5 for the protocol;
 *  - 0.7 of the seed, which falls silent before the end: it sends about as many copies as it has
 *    neighbours, and when these have everything and leave nobody takes their places.
 * In between the lines are used to 97 to 99 %.  More slots at first shorten the start and lengthen
 * the end; less that waits unsent in the system, a seed with three times the connections, and seeds
 * that prefer those who have least change it by no more than one run differs from the next.
 * With three times the content it is 1.26 of the fluid's time, with all of these: a hundred leeches
 * stay within a fifth, a thousand do not.
 */
#include "tests/sim/lib/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

#define LEECHES 1000u
/* Of the fluid's time, and of what all download. */
#define TIME_MAX   1.4
#define WASTED_MAX 0.1

/* A thousand daemons share the memory of one machine. */
static const char *const small[] = {
	"--peers.max_per_torrent=30", "--store.write_buffer=2MiB", "--store.read_cache=1MiB", NULL};

static double wasted_share(const struct team *t)
{
	uint64_t wasted = 0;

	for (unsigned i = 0; i < t->n; i++)
		wasted += sim_totals(t->d[i], t->c).wasted;
	return (double)wasted / (double)t->c->size / (t->n - 1);
}

static unsigned count_bans(const struct team *t)
{
	unsigned bans = 0;

	for (unsigned i = 0; i < t->n; i++)
		for (unsigned k = 0; k < t->n; k++)
			bans += sim_banned(t->d[i], t->c, t->h[k]);
	return bans;
}

static void thousand(struct sim *s)
{
	struct content c = {.name = "thousand", .size = 8 * MIB, .piece_length = 32 * KIB};
	struct line seed = {.up = 4 * MIB, .down = 4 * MIB, .latency_us = 20000};
	struct team t = {.s = s, .c = &c};
	double fluid, took, wasted;
	unsigned bans;
	int64_t began;

	sim_content(s, &c);
	team_add(&t, seed, true, small);
	began = sim_now(s);
	while (t.n <= LEECHES)
		team_add(&t, team_home_line(s), false, small);
	fluid = team_fluid(&t);
	if (!team_finish(&t, (int64_t)(3e6 * fluid)))
		return;
	took = (double)(sim_now(s) - began) / 1e6;
	wasted = wasted_share(&t);
	bans = count_bans(&t);
	sim_note("took %.1f s, the fluid %.1f s: %.3f; the seed sent %.2f copies, %.2f %% were "
		 "wasted",
		took, fluid, took / fluid, (double)sim_sent(t.h[0]) / (double)c.size, 100 * wasted);
	EXPECT(s, took <= TIME_MAX * fluid, "took %.1f s, the fluid takes %.1f s", took, fluid);
	EXPECT(s, wasted <= WASTED_MAX, "%.2f %% were wasted", 100 * wasted);
	EXPECT(s, bans == 0, "%u are banned", bans);
	team_stop(&t);
}

static const struct sim_case cases[] = {{"a thousand leeches", thousand, 1, false}};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
