/* SPDX-License-Identifier: MIT */
/*
 * Steady streams are looked at in worthwhile runs: few turns a MiB, and no time lost.
 *
 * A turn of an actor is a wake-up of its thread in the real program.  Without rests one seed takes
 * 75 turns a MiB, and fifty 473; most of the latter are the seeds' own, who move too little to
 * rest.
 */
#include "tests/sim/lib/sim.h"

#define MIB (UINT64_C(1024) * 1024)

struct course {
	struct content c;
	unsigned seeds;
	struct line seed, leech;
	double turns; /* the most a MiB, of all actors of all daemons */
};

static void run(struct sim *s, struct course *k)
{
	uint64_t rate = MIN(k->seed.up * k->seeds, k->leech.down), turns;
	double fluid = (double)k->c.size / (double)rate, took, each;
	struct team t = {.s = s, .c = &k->c};

	sim_content(s, &k->c);
	for (unsigned i = 0; i <= k->seeds; i++)
		team_add(&t, i < k->seeds ? k->seed : k->leech, i < k->seeds, NULL);
	turns = sim_turns(s);
	took = -(double)sim_now(s) / 1e6;
	if (!team_finish(&t, 600 * SEC))
		return;
	took += (double)sim_now(s) / 1e6;
	each = (double)(sim_turns(s) - turns) * (double)MIB / (double)k->c.size;
	sim_note("%.1f turns a MiB; took %.2f s, the line alone %.2f s", each, took, fluid);
	EXPECT(s, each < k->turns, "%.1f turns a MiB, %.1f allowed", each, k->turns);
	EXPECT(s, took < fluid * 1.05 + 1.5, "took %.2f s, the line alone %.2f s", took, fluid);
	team_stop(&t);
}

static void one_steady_seed(struct sim *s)
{
	struct course k = {.c = {.name = "one", .size = 96 * MIB, .piece_length = MIB},
		.seeds = 1,
		.seed = {.up = 20 * MIB, .latency_us = 5000},
		.leech = {.down = 20 * MIB, .latency_us = 5000},
		.turns = 35};

	run(s, &k);
}

static void fifty_slow_seeds(struct sim *s)
{
	struct course k = {.c = {.name = "fifty", .size = 96 * MIB, .piece_length = MIB},
		.seeds = 50,
		.seed = {.up = MIB / 2, .latency_us = 10000},
		.leech = {.down = 100 * MIB, .latency_us = 5000},
		.turns = 455}; /* 436 to 447 by seed */

	run(s, &k);
}

int main(int argc, char **argv)
{
	static const struct sim_case cases[] = {
		{"one steady seed", one_steady_seed, 2, false},
		{"fifty slow seeds", fifty_slow_seeds, 1, false},
	};

	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
