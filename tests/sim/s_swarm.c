/* SPDX-License-Identifier: MIT */
/* One seed and some leeches: everybody gets everything, in good time, and the same way every time.
 */
#include "tests/sim/lib/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/* What n leeches need when all lines are used all the time. */
static int64_t fluid_limit(const struct content *c, unsigned n, struct line line)
{
	uint64_t together = c->size * n * (uint64_t)SEC / ((n + 1) * line.up);
	uint64_t one_copy = c->size * (uint64_t)SEC / line.up;

	return (int64_t)MAX(together, one_copy);
}

static void run_swarm(struct sim *s, struct content c, unsigned leeches, struct line line)
{
	struct team t;
	int64_t fluid, took;

	sim_content(s, &c);
	if (!team_start(&t, s, &c, leeches + 1, line))
		return;
	fluid = fluid_limit(&c, leeches, line);
	took = -sim_now(s);
	if (!team_finish(&t, 20 * fluid))
		return;
	took += sim_now(s);
	sim_note("took %.1f s, fluid limit %.1f s; the seed sent %.2f copies", (double)took / 1e6,
		(double)fluid / 1e6, (double)sim_totals(t.d[0], &c).uploaded / (double)c.size);
	EXPECT(s, took < fluid * 3 / 2 + 3 * SEC, "took %.1f s, the fluid limit is %.1f s",
		(double)took / 1e6, (double)fluid / 1e6);
	for (unsigned i = 0; i < t.n; i++)
		EXPECT(s, sim_pieces_bad(t.d[i]) == 0, "daemon %u met bad pieces", i);
	team_stop(&t);
}

static void plain(struct sim *s)
{
	run_swarm(s,
		(struct content){.name = "plain",
			.size = 12 * MIB + 4321,
			.piece_length = 64 * 1024,
			.files = 3},
		5, (struct line){.up = 2 * MIB, .down = 8 * MIB, .latency_us = 15000});
}

/* A line is filled although the way is long. */
static void far_away(struct sim *s)
{
	run_swarm(s, (struct content){.name = "far", .size = 40 * MIB, .piece_length = 512 * 1024},
		1, (struct line){.up = 4 * MIB, .down = 4 * MIB, .latency_us = 100000});
}

/* Pieces shorter than a block, of odd size, in many files. */
static void odd_pieces(struct sim *s)
{
	run_swarm(s,
		(struct content){.name = "odd", .size = 700001, .piece_length = 10007, .files = 23},
		3, (struct line){.up = 100 * KIB, .down = 500 * KIB, .latency_us = 20000});
}

/* One who gives little: everybody passes on at once what comes. */
static void slow_seed(struct sim *s)
{
	struct content c = {.name = "slow", .size = 3 * MIB, .piece_length = 16 * 1024};
	struct line slow = {.up = 64 * KIB, .down = 64 * KIB, .latency_us = 30000};
	struct line fast = {.up = MIB, .down = 4 * MIB, .latency_us = 10000};
	struct team t = {.s = s, .c = &c};
	int64_t fluid = (int64_t)(c.size * (uint64_t)SEC / slow.up);

	sim_content(s, &c);
	for (unsigned i = 0; i < 6; i++)
		team_add(&t, i == 0 ? slow : fast, i == 0, NULL);
	fluid += sim_now(s);
	if (!team_finish(&t, 300 * SEC))
		return;
	sim_note("ended at %.1f s, fluid limit %.1f s", (double)sim_now(s) / 1e6,
		(double)fluid / 1e6);
	EXPECT(s, sim_now(s) < fluid * 3 / 2, "too late");
	team_stop(&t);
}

static const struct sim_case cases[] = {
	{"five leeches finish", plain, 4, true},
	{"a long way", far_away, 1, false},
	{"a slow seed", slow_seed, 3, false},
	{"odd pieces", odd_pieces, 2, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
