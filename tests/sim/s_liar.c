/* SPDX-License-Identifier: MIT */
/* A peer whose blocks are wrong is found and banned; nobody else is, and everybody finishes. */
#include "tests/sim/lib/sim.h"

#define MIB UINT64_C(1048576)

enum { SEED, LIAR, LEECHES };

static void check_verdicts(struct sim *s, struct team *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		uint64_t bad = sim_pieces_bad(t->d[i]);

		if (i == LIAR)
			continue;

		for (unsigned k = 0; k < t->n; k++)
			if (k != LIAR)
				(void)sim_expect(s, !sim_banned(t->d[i], t->c, t->h[k]),
					"daemon %u has banned %u", i, k);
		(void)sim_expect(s, bad == 0 || sim_banned(t->d[i], t->c, t->h[LIAR]),
			"daemon %u met %u bad pieces and has not banned the liar", i,
			(unsigned)bad);
		(void)sim_expect(s, bad <= 24, "daemon %u met %u bad pieces", i, (unsigned)bad);
		(void)sim_expect(s, bad == 0 || !sim_connected(t->d[i], t->c, t->h[LIAR]),
			"daemon %u talks to the liar", i);
	}
}

static void lie(struct sim *s, unsigned leeches, struct line honest, struct line liar)
{
	struct content c = {.name = "lies", .size = 8 * MIB, .piece_length = 256 * 1024};
	struct team t = {.s = s, .c = &c};
	uint64_t bad = 0;

	sim_content(s, &c);
	team_add(&t, honest, true, NULL);
	team_add(&t, liar, true, NULL);
	if (!team_finish(&t, 10 * SEC)) /* it has been checked */
		return;
	sim_disk_rot(t.h[LIAR]);
	for (unsigned i = 0; i < leeches; i++)
		team_add(&t, honest, false, NULL);
	if (!team_others_finish(&t, LIAR, 300 * SEC))
		return;
	for (unsigned i = LEECHES; i < t.n; i++)
		bad += sim_pieces_bad(t.d[i]);
	sim_note("%u bad pieces were met", (unsigned)bad);
	EXPECT(s, bad > 0, "nobody met a bad piece");
	check_verdicts(s, &t);
	team_stop(&t);
}

static void among_many(struct sim *s)
{
	struct line line = {.up = MIB, .down = 4 * MIB, .latency_us = 15000};

	lie(s, 4, line, line);
}

/* Each meets the liar's blocks among those of many others, and judges for itself. */
static void among_a_dozen(struct sim *s)
{
	struct line line = {.up = MIB, .down = 4 * MIB, .latency_us = 25000};

	lie(s, 12, line, line);
}

/* Most of what comes is wrong at first. */
static void strong(struct sim *s)
{
	lie(s, 3, (struct line){.up = MIB / 4, .down = 4 * MIB, .latency_us = 30000},
		(struct line){.up = 8 * MIB, .down = 8 * MIB, .latency_us = 5000});
}

static const struct sim_case cases[] = {
	{"a liar among honest ones", among_many, 6, false},
	{"a liar among a dozen", among_a_dozen, 3, false},
	{"a liar with a fast line", strong, 6, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
