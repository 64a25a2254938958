/* SPDX-License-Identifier: MIT */
/*
 * The only seed leaves as soon as every piece has gone out once; the swarm finishes by itself.
 *
 * A plain seed has sent some pieces twice by then, one that super-seeds hardly any.
 */
#include "tests/sim/lib/sim.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

#define LEECHES 12u

static const struct line line = {.up = 256 * KIB, .down = 2 * MIB, .latency_us = 20000};

/* Every piece is with some leech. */
static bool copy_is_out(struct sim *s, void *ctx)
{
	const struct team *t = ctx;

	(void)s;
	for (uint32_t piece = 0; piece < t->c->meta->pieces; piece++) {
		unsigned i = 1;

		while (i < t->n && !sim_has_piece(t->d[i], t->c, piece))
			i++;
		if (i == t->n)
			return false;
	}
	return true;
}

static void leave(struct sim *s, const char *const *args, double most)
{
	struct content c = {.name = "leaves", .size = 8 * MIB, .piece_length = 64 * KIB};
	struct team t = {.s = s, .c = &c};
	double sent;
	unsigned whole = 0;

	sim_content(s, &c);
	for (unsigned i = 0; i <= LEECHES; i++)
		team_add(&t, line, i == 0, i == 0 ? args : NULL);
	EXPECT(s, sim_run_until(s, copy_is_out, &t, 600 * SEC), "no copy goes out");
	sent = (double)sim_sent(t.h[0]) / (double)c.size;
	/* The last piece to go out may be the last that its receiver lacked. */
	for (unsigned i = 1; i < t.n; i++)
		whole += sim_have(t.d[i], &c) == c.meta->pieces;
	EXPECT(s, whole <= 1, "%u daemons had all by then", whole);
	sim_note("the seed left after %.1f s and %.2f copies", (double)sim_now(s) / 1e6 - 10, sent);
	EXPECT(s, sent < most, "it sent %.2f copies", sent);
	sim_stop(&t.d[0]);
	if (!team_finish(&t, 120 * SEC))
		return;
	sim_note("all were done at %.1f s", (double)sim_now(s) / 1e6 - 10);
	team_stop(&t);
}

static void by_default(struct sim *s)
{
	leave(s, NULL, 1.5);
}

static void plain(struct sim *s)
{
	static const char *const args[] = {"--seed.super=off", NULL};

	leave(s, args, 4);
}

static const struct sim_case cases[] = {
	{"a lone seed leaves after one copy", by_default, 3, false},
	{"a plain seed leaves after one copy", plain, 2, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
