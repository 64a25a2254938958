/* SPDX-License-Identifier: MIT */
/*
 * A hundred leeches on lines of every kind: everybody has everything in little more than the time
 * that a fluid would take.
 *
 * No swarm is faster than max(F / u_seed, F / min d, N F / (u_seed + sum u)) (Kumar and Ross,
 * "Peer-assisted file distribution: the minimum distribution time"): a copy has to leave the seed,
 * the slowest has to take one, and all copies have to leave somewhere.  Here all lines together are
 * the bound in one case, the seed's in the other.
 *
 * What it took to come from twice the bound to within a fifth of it, all with default options:
 *  - few requests stand with a peer at first, and with all peers together no more than some seconds
 *    bring: else slow peers hold the last quarter of the torrent;
 *  - in the end game a block is asked of another peer only when its own is late, and few at a time:
 *    each peer threw a fifth of a copy away;
 *  - a cancelled block does not leave, and the system holds little unsent on a slow line;
 *  - a slow line is given to few at a time, who then have whole pieces to pass on.
 * What is left is the start, until everybody has a piece, and the end of those with slow lines.
 * Where the seed's line is the bound, almost each piece leaves it once (proto/swarm_super.c); what
 * is left is the way of the last of them through the swarm.
 */
#include "tests/sim/lib/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
/* Memory is what a sanitized run is for; time has been measured by then. */
#ifdef __SANITIZE_ADDRESS__
#define LEECHES 20u
#define LOOSE   2
#else
#define LEECHES 100u
#define LOOSE   1
#endif

static void run(struct sim *s, struct line seed, uint64_t size, double allowed)
{
	struct content c = {.name = "hundred", .size = size, .piece_length = 32 * KIB};
	struct team t = {.s = s, .c = &c};
	double fluid, took;
	int64_t began;

	sim_content(s, &c);
	team_add(&t, seed, true, NULL);
	began = sim_now(s);
	while (t.n <= LEECHES)
		team_add(&t, team_home_line(s), false, NULL);
	fluid = team_fluid(&t);
	if (!team_finish(&t, (int64_t)(5e6 * fluid)))
		return;
	took = (double)(sim_now(s) - began) / 1e6;
	sim_note("took %.1f s, the fluid %.1f s: %.3f; the seed sent %.2f copies", took, fluid,
		took / fluid, (double)sim_sent(t.h[0]) / (double)c.size);
	EXPECT(s, took <= LOOSE * allowed * fluid, "took %.1f s, the fluid takes %.1f s", took,
		fluid);
	team_stop(&t);
}

static void together(struct sim *s)
{
	run(s, (struct line){.up = MIB, .down = MIB, .latency_us = 20000}, 24 * MIB, 1.2);
}

static void by_seed(struct sim *s)
{
	run(s, (struct line){.up = 60 * KIB, .down = MIB, .latency_us = 20000}, 8 * MIB, 1.2);
}

static const struct sim_case cases[] = {
	{"a hundred leeches, bound by all lines", together, 1, false},
	{"a hundred leeches, bound by the seed's line", by_seed, 1, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
