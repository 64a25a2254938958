/* SPDX-License-Identifier: MIT */
/*
 * Rate limits hold: in no second does more than 1.1 of the rate pass, from the first byte on, and
 * over ten seconds the rate is reached; of torrents and of everything, in both directions, over
 * five orders of magnitude.  Who shares a limit gets equal parts, and neighbours have limits of
 * their own.
 */
#include "tests/sim/lib/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/* Under the address sanitizer a gigabyte takes minutes. */
#ifdef __SANITIZE_ADDRESS__
#define MUCH (10 * MIB)
#else
#define MUCH (100 * MIB)
#endif

#define STEP_US  4000 /* the counters are looked at */
#define SAMPLES  5000 /* of the latest 20 s */
#define A_MOMENT (2 * SEC)

enum side { UP, DOWN };

static const enum torrent_op ops[2][2] = {
	{TORRENT_UP_RATE, GLOBAL_UP_RATE}, {TORRENT_DOWN_RATE, GLOBAL_DOWN_RATE}};

/*
 * The hosts of these worlds are neighbours.  With limits of one byte a second nothing has passed
 * when the true one is set.
 */
static const char *const limited[] = {
	"--lan.limited=true", "--upload.max_rate=1B/s", "--download.max_rate=1B/s", NULL};

/* --- every second of a counter --- */

struct watch {
	struct team *t;
	enum side side;
	uint64_t rate, at[SAMPLES], worst; /* worst: most bytes in a second and a step */
	unsigned n;
};

/* Member 0 is limited; of UP it is the seed, of DOWN the leech. */
static uint64_t counter(const struct watch *w)
{
	return w->side == UP ? sim_sent(w->t->h[0]) : sim_read(w->t->h[0]);
}

/* Lets time pass; returns the bytes that passed. */
static uint64_t watch_for(struct watch *w, int64_t us)
{
	const unsigned second = (unsigned)(SEC / STEP_US) + 1;
	uint64_t before = counter(w);

	for (int64_t i = 0; i < us / STEP_US; i++) {
		w->at[w->n++ % SAMPLES] = counter(w);
		sim_run_for(w->t->s, STEP_US);
		if (w->n >= second)
			w->worst = MAX(w->worst, counter(w) - w->at[(w->n - second) % SAMPLES]);
	}
	return counter(w) - before;
}

/* --- one limit --- */

struct limit {
	enum side side;
	bool global;
	uint64_t rate;   /* B/s */
	unsigned others; /* on the other side of the line */
};

static void start_limited(struct team *t, const struct limit *l)
{
	struct line line = {.latency_us = 5000};

	for (unsigned i = 0; i <= l->others; i++)
		team_add(t, line, (i == 0) == (l->side == UP), i == 0 ? limited : NULL);
}

static struct content content_for(uint64_t bytes)
{
	return (struct content){.name = "limit",
		.size = (bytes + 8 * MIB) / MIB * MIB,
		.piece_length = bytes > 64 * MIB ? 4 * MIB : 256 * KIB,
		.zeros = true};
}

static bool set_rates(struct team *t, enum side side, uint64_t torrent, uint64_t global)
{
	bool ok = sim_set(t->d[0], t->c, ops[side][0], torrent) == E_OK &&
		  sim_set(t->d[0], t->c, ops[side][1], global) == E_OK &&
		  sim_set(t->d[0], t->c, ops[1 - side][1], 0) == E_OK;

	return sim_expect(t->s, ok, "a limit is not taken");
}

static bool check_rate(struct watch *w, int64_t us)
{
	double want = (double)w->rate, got = (double)watch_for(w, us) * 1e6 / (double)us;
	double worst = (double)w->worst / want;

	sim_note("limit %.0f B/s, measured %.0f B/s (%+.2f %%), worst second %.3f", want, got,
		100 * (got - want) / want, worst);
	return sim_expect(w->t->s, got > 0.97 * want && got < 1.03 * want, "it does not hold") &&
	       sim_expect(w->t->s, worst <= 1.1, "a burst");
}

static void hold_limit(struct sim *s, const struct limit *l)
{
	struct content c = content_for(l->rate * 16);
	struct team t = {.s = s, .c = &c};
	struct watch *w = xcalloc(1, sizeof *w);

	*w = (struct watch){.t = &t, .side = l->side, .rate = l->rate};
	sim_content(s, &c);
	start_limited(&t, l);
	sim_run_for(s, A_MOMENT);
	if (set_rates(&t, l->side, l->global ? 0 : l->rate, l->global ? l->rate : 0)) {
		(void)watch_for(w, A_MOMENT);
		(void)check_rate(w, 10 * SEC);
		team_stop(&t);
	}
	xfree(w);
}

#define LIMIT_CASE(name, ...)                                                                      \
	static void name(struct sim *s)                                                            \
	{                                                                                          \
		hold_limit(s, &(const struct limit){__VA_ARGS__});                                 \
	}
LIMIT_CASE(up_4k, UP, false, 4 * KIB, 1)
LIMIT_CASE(up_4k_8, UP, true, 4 * KIB, 8)
LIMIT_CASE(up_100k, UP, true, 100 * KIB, 1)
LIMIT_CASE(up_100k_8, UP, false, 100 * KIB, 8)
LIMIT_CASE(up_5m_4, UP, true, 5 * MIB, 4)
LIMIT_CASE(up_100m, UP, false, MUCH, 1)
LIMIT_CASE(down_4k, DOWN, false, 4 * KIB, 1)
LIMIT_CASE(down_4k_8, DOWN, true, 4 * KIB, 8)
LIMIT_CASE(down_100k, DOWN, true, 100 * KIB, 1)
LIMIT_CASE(down_100k_8, DOWN, false, 100 * KIB, 8)
LIMIT_CASE(down_5m_4, DOWN, true, 5 * MIB, 4)
LIMIT_CASE(down_100m_8, DOWN, false, MUCH, 8)

/* --- two limits, changed while bytes flow --- */

static void both_limits(struct sim *s, enum side side)
{
	static const struct {
		uint64_t torrent, global, effective;
	} steps[] = {
		{100 * KIB, 0, 100 * KIB},
		{100 * KIB, 40 * KIB, 40 * KIB},
		{20 * KIB, 40 * KIB, 20 * KIB},
		{0, 40 * KIB, 40 * KIB},
		{0, 300 * KIB, 300 * KIB},
		{300 * KIB, 300 * KIB, 300 * KIB},
	};
	struct content c = content_for(64 * MIB);
	struct team t = {.s = s, .c = &c};
	struct watch *w = xcalloc(1, sizeof *w);

	sim_content(s, &c);
	start_limited(&t, &(const struct limit){side, true, 1, 3});
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		*w = (struct watch){.t = &t, .side = side, .rate = steps[i].effective};
		if (!set_rates(&t, side, steps[i].torrent, steps[i].global))
			break;
		sim_run_for(s, A_MOMENT);
		if (!check_rate(w, 10 * SEC))
			break;
	}
	xfree(w);
	team_stop(&t);
}

static void both_up(struct sim *s)
{
	both_limits(s, UP);
}

static void both_down(struct sim *s)
{
	both_limits(s, DOWN);
}

/* A low limit comes while much is asked for at full speed: nothing is lost, and it is felt at once.
 */
static void lowered(struct sim *s)
{
	struct content c = content_for(200 * MIB);
	struct team t = {.s = s, .c = &c};
	struct watch *w = xcalloc(1, sizeof *w);
	uint64_t had;

	sim_content(s, &c);
	team_add(&t, (struct line){.latency_us = 5000}, false,
		(const char *const[]){"--lan.limited=true", NULL});
	for (unsigned i = 0; i < 3; i++)
		team_add(&t, (struct line){.up = 5 * MIB, .latency_us = 5000}, true, NULL);
	sim_run_for(s, 4 * SEC);
	*w = (struct watch){.t = &t, .side = DOWN, .rate = 8 * KIB};
	(void)set_rates(&t, DOWN, 0, w->rate);
	had = sim_totals(t.d[0], &c).downloaded;
	if (check_rate(w, 60 * SEC)) {
		had = sim_totals(t.d[0], &c).downloaded - had;
		sim_note("%u KiB of blocks, %u KiB wasted", (unsigned)(had / KIB),
			(unsigned)(sim_totals(t.d[0], &c).wasted / KIB));
		(void)sim_expect(s, had > 55 * w->rate, "bytes passed, blocks did not");
		(void)sim_expect(s, sim_totals(t.d[0], &c).wasted == 0, "asked for twice");
	}
	(void)set_rates(&t, DOWN, 0, 0);
	(void)team_finish(&t, 60 * SEC);
	xfree(w);
	team_stop(&t);
}

/* --- equal parts --- */

static uint64_t passed(const struct team *t, enum side side, unsigned i)
{
	return side == UP ? sim_given(t->d[0], t->c, t->h[i]) : sim_taken(t->d[0], t->c, t->h[i]);
}

static void check_shares(struct team *t, enum side side, unsigned n)
{
	uint64_t before[TEAM_MAX], sum = 0;

	for (unsigned i = 1; i <= n; i++)
		before[i] = passed(t, side, i);
	sim_run_for(t->s, 10 * SEC);
	for (unsigned i = 1; i <= n; i++)
		sum += passed(t, side, i) - before[i];
	for (unsigned i = 1; i <= n; i++) {
		double part = (double)(passed(t, side, i) - before[i]) * n / (double)sum;

		sim_note("peer %u: %.2f of an equal part", i, part);
		EXPECT(t->s, part > 0.8 && part < 1.2, "unfair");
	}
}

/*
 * The first has a long queue from a time without limits, the last comes late.  Leeches have slow
 * lines to each other, so that they live from what is limited.
 */
static void share_fairly(struct sim *s, enum side side)
{
	struct line line = {.up = side == UP ? 8 * KIB : 0, .latency_us = 5000};
	struct content c = content_for(120 * MIB);
	struct team t = {.s = s, .c = &c};

	sim_content(s, &c);
	team_add(&t, (struct line){.latency_us = 5000}, side == UP,
		(const char *const[]){"--lan.limited=true", NULL});
	EXPECT(s, set_rates(&t, side, 0, 8 * MIB), "not set");
	team_add(&t, line, side != UP, NULL);
	sim_run_for(s, 4 * SEC);
	for (unsigned i = 0; i < 6; i++)
		team_add(&t, line, side != UP, NULL);
	EXPECT(s, set_rates(&t, side, 0, MIB), "not set");
	sim_run_for(s, 8 * SEC);
	check_shares(&t, side, 7);
	team_add(&t, line, side != UP, NULL);
	sim_run_for(s, 3 * SEC);
	check_shares(&t, side, 8);
	team_stop(&t);
}

static void fair_up(struct sim *s)
{
	share_fairly(s, UP);
}

static void fair_down(struct sim *s)
{
	share_fairly(s, DOWN);
}

/* Many peers of a torrent with a low limit of its own do not slow another one. */
static void slow_and_fast(struct sim *s)
{
	struct content slow = {.name = "slow", .size = 8 * MIB, .piece_length = 256 * KIB};
	struct content fast = content_for(4 * MUCH);
	struct team t = {.s = s, .c = &slow};
	static const char *const args[] = {"--lan.limited=true", "--peers.upload_slots=40", NULL};
	double rate;

	sim_content(s, &slow);
	sim_content(s, &fast);
	team_add(&t, (struct line){.latency_us = 5000}, true, args);
	for (unsigned i = 0; i < 40; i++)
		team_add(&t, (struct line){.up = i == 0 ? 0 : 8 * KIB, .latency_us = 5000}, false,
			NULL);
	EXPECT(s, set_rates(&t, UP, 4 * KIB, MUCH / 5), "not set");
	sim_disk_fill(t.h[0], &fast);
	EXPECT(s, sim_add(t.d[1], &fast, true) == E_OK && sim_add(t.d[0], &fast, true) == E_OK,
		"not taken");
	sim_run_for(s, 5 * SEC);
	rate = -(double)sim_totals(t.d[0], &fast).uploaded;
	sim_run_for(s, 5 * SEC);
	rate = (rate + (double)sim_totals(t.d[0], &fast).uploaded) / 5;
	sim_note("%.2f of the limit", 5 * rate / (double)MUCH);
	EXPECT(s, 5 * rate > 0.97 * (double)MUCH, "slowed");
	team_stop(&t);
}

/* --- neighbours --- */

static void neighbours_at(struct sim *s, const char *const *args, double least, double most)
{
	struct content c = content_for(60 * MIB);
	struct team t = {.s = s, .c = &c};
	double rate;

	sim_content(s, &c);
	team_add(&t, (struct line){.up = 4 * MIB, .latency_us = 5000}, true, NULL);
	team_add(&t, (struct line){.latency_us = 5000}, false, args);
	sim_run_for(s, 4 * SEC);
	rate = -(double)sim_read(t.h[1]);
	sim_run_for(s, 10 * SEC);
	rate = (rate + (double)sim_read(t.h[1])) / 10;
	sim_note("%.0f B/s", rate);
	EXPECT(s, rate >= least && rate <= most, "not between %.0f and %.0f", least, most);
	team_stop(&t);
}

static void free_neighbours(struct sim *s)
{
	static const char *const args[] = {"--download.max_rate=100KiB/s", NULL};

	neighbours_at(s, args, 3.5 * (double)MIB, 4.1 * (double)MIB);
}

static void limited_neighbours(struct sim *s)
{
	static const char *const args[] = {
		"--download.max_rate=100KiB/s", "--lan.download_max_rate=1MiB/s", NULL};

	neighbours_at(s, args, 0.97 * (double)MIB, 1.03 * (double)MIB);
}

static const struct sim_case cases[] = {
	{"upload at 4 KiB/s", up_4k, 2, false},
	{"upload at 4 KiB/s to 8", up_4k_8, 2, false},
	{"upload at 100 KiB/s", up_100k, 1, false},
	{"upload at 100 KiB/s to 8", up_100k_8, 1, false},
	{"all uploads at 5 MiB/s", up_5m_4, 1, false},
	{"upload at 100 MiB/s", up_100m, 1, false},
	{"download at 4 KiB/s", down_4k, 2, false},
	{"download at 4 KiB/s from 8", down_4k_8, 2, false},
	{"download at 100 KiB/s", down_100k, 1, false},
	{"download at 100 KiB/s from 8", down_100k_8, 1, true},
	{"all downloads at 5 MiB/s", down_5m_4, 1, false},
	{"download at 100 MiB/s from 8", down_100m_8, 1, false},
	{"two limits on uploads", both_up, 1, false},
	{"two limits on downloads", both_down, 1, false},
	{"a limit comes while much is asked for", lowered, 2, false},
	{"uploads share a limit", fair_up, 2, false},
	{"downloads share a limit", fair_down, 2, false},
	{"a slow torrent beside a fast one", slow_and_fast, 1, false},
	{"neighbours are not limited", free_neighbours, 1, false},
	{"neighbours have a limit of their own", limited_neighbours, 1, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
