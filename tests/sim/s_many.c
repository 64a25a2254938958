/* SPDX-License-Identifier: MIT */
/* Many leeches on lines of every kind, who come one after the other; some go before they are done.
 */
#include "tests/sim/lib/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define ALL 40u

static struct line any_line(struct sim *s)
{
	static const struct line kinds[] = {
		{.up = 100 * KIB, .down = 500 * KIB, .latency_us = 40000},
		{.up = 500 * KIB, .down = 2 * MIB, .latency_us = 20000},
		{.up = 2 * MIB, .down = 2 * MIB, .latency_us = 5000},
		{.up = 8 * MIB, .down = 8 * MIB, .latency_us = 60000},
	};

	return kinds[sim_below(s, ARRAY_LEN(kinds))];
}

static void many(struct sim *s)
{
	struct content c = {
		.name = "many", .size = 3 * MIB + 1, .piece_length = 64 * 1024, .files = 4};
	struct team t = {.s = s, .c = &c};
	int64_t began = sim_now(s);

	sim_content(s, &c);
	team_add(&t, (struct line){.up = MIB, .down = MIB, .latency_us = 20000}, true, NULL);
	while (t.n < ALL) {
		team_add(&t, any_line(s), false, NULL);
		sim_run_for(s, (int64_t)sim_below(s, 500) * 1000);
		if (t.n % 8 == 0)
			sim_stop(&t.d[t.n - 3]);
	}
	if (!team_finish(&t, 300 * SEC))
		return;
	sim_note("%u daemons in %.1f s; the seed sent %.2f copies", t.n,
		(double)(sim_now(s) - began) / 1e6,
		(double)sim_totals(t.d[0], &c).uploaded / (double)c.size);
	for (unsigned i = 0; i < t.n; i++)
		EXPECT(s, t.d[i] == NULL || sim_pieces_bad(t.d[i]) == 0, "daemon %u met bad pieces",
			i);
	team_stop(&t);
}

static const struct sim_case cases[] = {{"forty daemons", many, 2, false}};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
