/* SPDX-License-Identifier: MIT */
/* Rate limits hold, of torrents and of everything, in both directions and over five orders of
 * magnitude. */
#include "tests/sim/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

enum side { UP, DOWN };

struct limit {
	enum side side;
	bool global;
	uint64_t rate;     /* B/s */
	unsigned others;   /* on the other side of the line */
	int64_t window_us; /* measured over */
};

/* Member 0 is limited; of UP it is the seed, of DOWN the leech. */
static void start_limited(struct team *t, const struct limit *l)
{
	struct line line = {.latency_us = 5000};

	for (unsigned i = 0; i <= l->others; i++)
		team_add(t, line, (i == 0) == (l->side == UP), NULL);
}

static uint64_t counter(const struct team *t, const struct limit *l)
{
	return l->side == UP ? sim_sent(t->h[0]) : sim_read(t->h[0]);
}

static void hold_limit(struct sim *s, const struct limit *l)
{
	static const enum torrent_op ops[2][2] = {
		{TORRENT_UP_RATE, GLOBAL_UP_RATE}, {TORRENT_DOWN_RATE, GLOBAL_DOWN_RATE}};
	uint64_t need = l->rate * (uint64_t)(l->window_us / SEC + 4);
	struct content c = {.name = "limit",
		.size = (need + 8 * MIB) / MIB * MIB,
		.piece_length = need > 64 * MIB ? 4 * MIB : 256 * KIB,
		.zeros = true};
	struct team t = {.s = s, .c = &c};
	uint64_t before;
	double rate, want = (double)l->rate;

	sim_content(s, &c);

	start_limited(&t, l);
	EXPECT(s, sim_set(t.d[0], &c, ops[l->side][l->global], l->rate) == E_OK, "not taken");
	sim_run_for(s, 2 * SEC);
	before = counter(&t, l);
	sim_run_for(s, l->window_us);
	rate = (double)(counter(&t, l) - before) * 1e6 / (double)l->window_us;
	sim_note("limit %.0f B/s, measured %.0f B/s (%+.2f %%)", want, rate,
		100 * (rate - want) / want);
	EXPECT(s, rate > 0.95 * want && rate < 1.05 * want, "it does not hold");
	team_stop(&t);
}

#define LIMIT_CASE(name, ...)                                                                      \
	static void name(struct sim *s)                                                            \
	{                                                                                          \
		hold_limit(s, &(const struct limit){__VA_ARGS__});                                 \
	}
LIMIT_CASE(up_4k, UP, false, 4 * KIB, 2, 10 * SEC)
LIMIT_CASE(up_50k, UP, false, 50 * KIB, 3, 10 * SEC)
LIMIT_CASE(up_1m, UP, false, MIB, 3, 10 * SEC)
LIMIT_CASE(up_all_5m, UP, true, 5 * MIB, 4, 10 * SEC)
LIMIT_CASE(up_100m, UP, false, 100 * MIB, 1, 3 * SEC)
LIMIT_CASE(down_4k, DOWN, false, 4 * KIB, 2, 10 * SEC)
LIMIT_CASE(down_50k, DOWN, false, 50 * KIB, 3, 10 * SEC)
LIMIT_CASE(down_1m, DOWN, false, MIB, 3, 10 * SEC)
LIMIT_CASE(down_all_5m, DOWN, true, 5 * MIB, 4, 10 * SEC)
LIMIT_CASE(down_100m, DOWN, true, 100 * MIB, 2, 3 * SEC)

static const struct sim_case cases[] = {
	{"upload at 4 KiB/s", up_4k, 2, false},
	{"upload at 50 KiB/s", up_50k, 1, false},
	{"upload at 1 MiB/s", up_1m, 1, false},
	{"all uploads at 5 MiB/s", up_all_5m, 1, false},
	{"upload at 100 MiB/s", up_100m, 1, false},
	{"download at 4 KiB/s", down_4k, 2, false},
	{"download at 50 KiB/s", down_50k, 1, false},
	{"download at 1 MiB/s", down_1m, 1, false},
	{"all downloads at 5 MiB/s", down_all_5m, 1, false},
	{"all downloads at 100 MiB/s", down_100m, 1, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
