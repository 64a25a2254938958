/* SPDX-License-Identifier: MIT */
/*
 * A swarm that knows of each other by gossip alone (BEP 11), and one that must not (BEP 27).
 *
 * The tracker names nobody but the first leech, whose line gives next to nothing: whoever finishes
 * has heard of the seed from others.  Of a private torrent nobody hears of anybody.
 */
#include "tests/sim/lib/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

#define LEECHES 12u

static const struct line slow = {.up = 8 * KIB, .down = 4 * MIB, .latency_us = 20000};
static const struct line line = {.up = 512 * KIB, .down = 4 * MIB, .latency_us = 20000};

/* The first is the one whom the tracker names, the second the seed. */
static void gather(struct sim *s, struct team *t, struct content *c, const char *const *args)
{
	*t = (struct team){.s = s, .c = c};
	sim_content(s, c);
	team_add(t, slow, false, args);
	team_add(t, line, true, args);
	for (unsigned i = 0; i < LEECHES; i++)
		team_add(t, line, false, args);
}

/* Pairs of daemons that are connected, without those of the first. */
static unsigned links(const struct team *t)
{
	unsigned n = 0;

	for (unsigned i = 1; i < t->n; i++)
		for (unsigned k = 1; k < t->n; k++)
			n += i != k && sim_connected(t->d[i], t->c, t->h[k]);
	return n / 2;
}

static void by_gossip(struct sim *s)
{
	struct content c = {
		.name = "gossip", .size = 8 * MIB, .piece_length = 64 * KIB, .referred = true};
	struct team t;

	gather(s, &t, &c, NULL);
	if (!team_finish(&t, 300 * SEC))
		return;
	sim_note("all were done at %.1f s", (double)sim_now(s) / 1e6);
	team_stop(&t);
}

static void stay_apart(struct sim *s, bool is_private, const char *const *args)
{
	struct content c = {.name = "silent",
		.size = 8 * MIB,
		.piece_length = 64 * KIB,
		.referred = true,
		.is_private = is_private};
	struct team t;
	bool met = false;

	gather(s, &t, &c, args);
	for (unsigned i = 0; i < 30; i++) {
		sim_run_for(s, 10 * SEC);
		EXPECT(s, links(&t) == 0, "%u pairs have met", links(&t));
		met = met || sim_connected(t.d[0], &c, t.h[1]);
	}
	EXPECT(s, met, "nor did those whom the tracker named");
	team_stop(&t);
}

static void private_is_silent(struct sim *s)
{
	stay_apart(s, true, NULL);
}

static void switched_off(struct sim *s)
{
	static const char *const args[] = {"--peers.pex=false", NULL};

	stay_apart(s, false, args);
}

static const struct sim_case cases[] = {
	{"a swarm finds itself by gossip alone", by_gossip, 3, false},
	{"a private torrent stays silent among gossips", private_is_silent, 2, false},
	{"so does one whose gossip is switched off", switched_off, 1, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
