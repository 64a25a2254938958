/* SPDX-License-Identifier: MIT */
/* One seed and five leeches: everybody gets everything, in good time, and the same way every time.
 */
#include "tests/sim/sim.h"

#define LEECHES 5
#define KIB     UINT64_C(1024)
#define MIB     (1024 * KIB)

static struct content content = {.name = "plain",
	.size = 12 * MIB + 4321,
	.piece_length = 256 * 1024,
	.files = 3};

static void plain(struct sim *s)
{
	struct content c = content;
	struct line line = {.up = 2 * MIB, .down = 8 * MIB, .latency_us = 15000};
	struct host *hosts[LEECHES + 1];
	struct daemon *d[LEECHES + 1];
	struct all_done all = {d, LEECHES + 1, &c};
	int64_t began, fluid, took;

	sim_content(s, &c);
	for (unsigned i = 0; i <= LEECHES; i++) {
		hosts[i] = sim_host(s, line);
		if (i == 0)
			sim_disk_fill(hosts[0], &c);
		d[i] = sim_daemon(hosts[i], NULL);
		EXPECT(s, sim_add(d[i], &c, true) == E_OK, "daemon %u takes no torrent", i);
	}
	began = sim_now(s);
	EXPECT(s, sim_run_until(s, sim_all_done, &all, 600 * SEC), "not all have finished");
	/* The seed has to send all of it once, or all lines up together have to send five. */
	fluid = (int64_t)(c.size * LEECHES * (uint64_t)SEC / ((LEECHES + 1) * line.up));
	fluid = MAX(fluid, (int64_t)(c.size * (uint64_t)SEC / line.up));
	took = sim_now(s) - began;
	EXPECT(s, took < fluid * 3 / 2 + 3 * SEC, "took %.1f s, the fluid limit is %.1f s",
		(double)took / 1e6, (double)fluid / 1e6);
	for (unsigned i = 0; i <= LEECHES; i++) {
		EXPECT(s, sim_disk_equals(hosts[i], &c), "disk %u differs", i);
		EXPECT(s, sim_pieces_bad(d[i]) == 0, "daemon %u met bad pieces", i);
	}
	sim_expect(s, sim_totals(d[0], &c).uploaded < 3 * c.size, "the seed sent %.2f copies",
		(double)sim_totals(d[0], &c).uploaded / (double)c.size);
	for (unsigned i = 0; i <= LEECHES; i++)
		sim_stop(&d[i]);
}

static const struct sim_case cases[] = {
	{"five leeches finish", plain, 4, true},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
