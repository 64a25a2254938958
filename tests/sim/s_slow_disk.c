/* SPDX-License-Identifier: MIT */
/*
 * A disk that is much slower than the network: it sets the pace, nothing is lost, and memory stays
 * within the credit.
 */
#include "tests/sim/lib/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

#define BUFFER (2 * MIB)
#define DISK   (512 * KIB)

static const struct line line = {.up = 8 * MIB, .down = 16 * MIB, .latency_us = 10000};
static const char *const args[] = {"--store.write_buffer=2MiB", NULL};

static void slow_disk(struct sim *s, unsigned seeds)
{
	struct content c = {.name = "disk", .size = 16 * MIB, .piece_length = 256 * KIB};
	struct team t = {.s = s, .c = &c};
	double disk = (double)c.size / (double)DISK, took;
	uint64_t most = 0;
	int64_t began;
	unsigned me;

	sim_content(s, &c);
	for (unsigned i = 0; i < seeds; i++)
		team_add(&t, line, true, NULL);
	me = team_add(&t, line, false, args);
	sim_disk_rate(t.h[me], DISK);
	began = sim_now(s);
	sim_run_for(s, 3 * SEC);
	while (!team_done(s, &t) && sim_now(s) < began + (int64_t)(3e6 * disk)) {
		sim_run_for(s, SEC / 50);
		most = MAX(most, sim_lent(t.d[me]));
		EXPECT(s, team_done(s, &t) || sim_totals(t.d[me], &c).peers == seeds,
			"%u peers are left", sim_totals(t.d[me], &c).peers);
		/* Beside the credit a block a connection and the landing area may be out. */
		EXPECT(s, sim_credit_used(t.d[me]) <= BUFFER, "%u KiB of credit are used",
			(unsigned)(sim_credit_used(t.d[me]) / KIB));
		EXPECT(s, sim_lent(t.d[me]) <= BUFFER + (seeds + 16) * 16 * KIB,
			"%u KiB of buffers are out", (unsigned)(sim_lent(t.d[me]) / KIB));
	}
	took = (double)(sim_now(s) - began) / 1e6;
	sim_note("took %.1f s, the disk alone %.1f s; at most %u KiB of buffers", took, disk,
		(unsigned)(most / KIB));
	if (!team_finish(&t, SEC))
		return;
	EXPECT(s, took > 0.9 * disk, "faster than the disk");
	EXPECT(s, took < 1.1 * disk + 2, "the disk was idle");
	EXPECT(s, sim_totals(t.d[me], &c).wasted < c.size / 50, "%u KiB were thrown away",
		(unsigned)(sim_totals(t.d[me], &c).wasted / KIB));
	EXPECT(s, sim_pieces_bad(t.d[me]) == 0, "bad pieces");
	team_stop(&t);
}

static void one_seed(struct sim *s)
{
	slow_disk(s, 1);
}

static void many_seeds(struct sim *s)
{
	slow_disk(s, 12);
}

static const struct sim_case cases[] = {
	{"the disk sets the pace", one_seed, 2, false},
	{"the disk sets the pace of many", many_seeds, 2, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
