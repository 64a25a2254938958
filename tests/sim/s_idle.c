/* SPDX-License-Identifier: MIT */
/* What goes on when nothing goes on: connections that wait are kept, those that are of no use end.
 */
#include "tests/sim/lib/sim.h"

#define MIB UINT64_C(1048576)

static const struct line line = {.up = 2 * MIB, .down = 2 * MIB, .latency_us = 10000};

static bool has_some(struct sim *s, void *ctx)
{
	const struct team *t = ctx;

	(void)s;
	return sim_have(t->d[1], t->c) >= 12;
}

/* The seed has gone; they have shared what there is, and wait for another one. */
static void waiting(struct sim *s)
{
	struct content c = {.name = "idle", .size = 2 * MIB, .piece_length = 65536};
	struct team t;
	uint64_t links, wishes;

	sim_content(s, &c);
	if (!team_start(&t, s, &c, 5, line))
		return;
	EXPECT(s, sim_run_until(s, has_some, &t, 60 * SEC), "nothing came");
	sim_stop(&t.d[0]);
	sim_run_for(s, 60 * SEC);
	links = sim_links(s);
	wishes = sim_wishes(s);
	sim_run_for(s, 1800 * SEC);
	/* One minute, two, four, ...: a tracker that knows nobody else is soon left alone. */
	wishes = sim_wishes(s) - wishes;
	EXPECT(s, wishes > 0 && wishes <= 4 * 4, "%u wishes for peers in half an hour",
		(unsigned)wishes);
	for (unsigned i = 1; i < t.n; i++)
		EXPECT(s, sim_totals(t.d[i], &c).peers == 3, "daemon %u has %u peers", i,
			sim_totals(t.d[i], &c).peers);
	EXPECT(s, sim_links(s) == links, "connections were lost: %u times new ones",
		(unsigned)(sim_links(s) - links));
	t.d[0] = sim_daemon(t.h[0], NULL);
	if (!team_finish(&t, 120 * SEC))
		return;
	team_stop(&t);
}

/* It has never found enough of them: its wishes for more become rare. */
static void alone(struct sim *s)
{
	struct content c = {.name = "alone", .size = 64 * MIB, .piece_length = 65536};
	struct team t;
	uint64_t wishes;

	sim_content(s, &c);
	if (!team_start(&t, s, &c, 2, line))
		return;
	sim_stop(&t.d[0]);
	wishes = sim_wishes(s);
	sim_run_for(s, 4 * 3600 * SEC);
	wishes = sim_wishes(s) - wishes;
	EXPECT(s, wishes > 0 && wishes <= 8, "%u wishes for peers in four hours", (unsigned)wishes);
	t.d[0] = sim_daemon(t.h[0], NULL);
	team_stop(&t);
}

/* All have everything: nobody stays connected, nobody keeps trying. */
static void all_seeds(struct sim *s)
{
	struct content c = {.name = "idle", .size = 3 * MIB, .piece_length = 65536};
	struct team t;
	uint64_t links, turns;

	sim_content(s, &c);
	if (!team_start(&t, s, &c, 5, line) || !team_finish(&t, 60 * SEC))
		return;
	sim_run_for(s, 900 * SEC);
	for (unsigned i = 0; i < t.n; i++)
		EXPECT(s, sim_totals(t.d[i], &c).peers == 0, "daemon %u has %u peers", i,
			sim_totals(t.d[i], &c).peers);
	links = sim_links(s);
	turns = sim_turns(s);
	sim_run_for(s, 3600 * SEC);
	EXPECT(s, sim_links(s) == links, "%u new connections in an hour",
		(unsigned)(sim_links(s) - links));
	sim_note("%u turns in an hour", (unsigned)(sim_turns(s) - turns));
	EXPECT(s, sim_turns(s) - turns < 3600, "idle daemons are busy");
	team_stop(&t);
}

static const struct sim_case cases[] = {
	{"leeches wait for a seed", waiting, 2, false},
	{"a leech alone", alone, 2, false},
	{"seeds part", all_seeds, 2, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
