/* SPDX-License-Identifier: MIT */
/*
 * Daemons that die between any two turns of a download, and come back.
 *
 * Whatever moment it was: the torrent is still there, what it claims to have is on its disk, nobody
 * is ever given a byte that is wrong, and little is fetched twice.
 */
#include "tests/sim/lib/sim.h"

#define MIB UINT64_C(1048576)

static const struct content content = {.name = "crash",
	.size = 12 * MIB + 777,
	.piece_length = 128 * 1024,
	.files = 5};
static const struct line line = {.up = 2 * MIB, .down = 3 * MIB, .latency_us = 10000};

enum { VICTIM = 1 };

struct life {
	struct team *t;
	uint32_t had;        /* pieces, when it died last */
	uint64_t downloaded; /* in all lives */
	unsigned deaths;
};

static bool is_back(struct sim *s, void *ctx)
{
	const struct team *t = ctx;
	struct m_torrent_view *v = sim_view(t->d[VICTIM], t->c);
	bool yes = v->torrents_n == 1 && (v->torrents[0].status == STATUS_DOWNLOADING ||
						 v->torrents[0].status == STATUS_SEEDING);

	(void)s;
	sim_view_free(t->d[VICTIM], &v);
	return yes;
}

/* What it says it has is true. */
static bool claims_hold(struct life *l)
{
	struct team *t = l->t;
	struct m_torrent_view *v = sim_view(t->d[VICTIM], t->c);
	struct bitfield have;
	bool ok;

	ok = sim_expect(t->s, v->torrents_n == 1, "the torrent is gone after %u deaths", l->deaths);
	if (ok) {
		bitfield_init(&have, v->torrents[0].bits);
		must(bitfield_load(&have, v->torrents[0].bitfield, bitfield_bytes(have.bits)) ==
			E_OK);
		ok = sim_expect(t->s, sim_disk_has(t->h[VICTIM], t->c, &have),
			"it claims %u pieces, and not all are on its disk", have.count);
		bitfield_free(&have);
	}
	sim_view_free(t->d[VICTIM], &v);
	return ok;
}

static bool die_and_return(struct life *l, bool power)
{
	struct team *t = l->t;
	struct sim *s = t->s;
	uint32_t have;

	l->had = sim_have(t->d[VICTIM], t->c);
	l->downloaded += sim_totals(t->d[VICTIM], t->c).downloaded;
	l->deaths++;
	if (!sim_expect(s, sim_pieces_bad(t->d[VICTIM]) == 0, "it met bad pieces"))
		return false;
	sim_crash(&t->d[VICTIM], power);
	sim_run_for(s, (int64_t)sim_below(s, 5000) * 1000);
	t->d[VICTIM] = sim_daemon(t->h[VICTIM], NULL);
	for (int i = 0; i < 100 && !is_back(s, t); i++)
		sim_run_for(s, SEC / 10);
	if (!sim_expect(s, is_back(s, t), "it does not come back") || !claims_hold(l))
		return false;
	have = sim_have(t->d[VICTIM], t->c);
	/* A piece may have been verified a moment before, with nobody told. */
	return power ||
	       sim_expect(s, have + 3 >= l->had, "it had %u pieces and has %u", l->had, have);
}

static bool unfinished(const struct team *t)
{
	return sim_have(t->d[VICTIM], t->c) < t->c->meta->pieces;
}

static void die_often(struct sim *s, bool power, unsigned deaths)
{
	struct content c = content;
	struct team t;
	struct life l = {.t = &t};
	uint64_t again;

	sim_content(s, &c);
	if (!team_start(&t, s, &c, 4, line))
		return;
	while (l.deaths < deaths && unfinished(&t)) {
		sim_run_turns(s, 200 + sim_below(s, 4000));
		if (!die_and_return(&l, power))
			return;
	}
	if (!team_finish(&t, 600 * SEC))
		return;
	for (unsigned i = 0; i < t.n; i++)
		EXPECT(s, sim_pieces_bad(t.d[i]) == 0, "daemon %u met bad pieces", i);
	l.downloaded += sim_totals(t.d[VICTIM], &c).downloaded;
	again = l.downloaded - MIN(c.size, l.downloaded);
	sim_note("%u deaths, %.2f MiB fetched twice", l.deaths, (double)again / (double)MIB);
	/* A dead process loses what had come of pieces not complete; a power cut what came since
	 * the last checkpoint, too. */
	EXPECT(s, again <= l.deaths * (power ? 16 * MIB : 3 * MIB), "%.1f MiB fetched twice",
		(double)again / (double)MIB);
	team_stop(&t);
}

static void killed(struct sim *s)
{
	die_often(s, false, 5);
}

static void without_power(struct sim *s)
{
	die_often(s, true, 4);
}

/* A clean stop in the middle loses nothing at all. */
static void stopped(struct sim *s)
{
	struct content c = content;
	struct team t;
	uint64_t downloaded = 0;

	sim_content(s, &c);
	if (!team_start(&t, s, &c, 4, line))
		return;
	for (unsigned i = 0; i < 4 && unfinished(&t); i++) {
		uint32_t had;

		sim_run_turns(s, 500 + sim_below(s, 4000));
		had = sim_have(t.d[VICTIM], &c);
		downloaded += sim_totals(t.d[VICTIM], &c).downloaded;
		sim_stop(&t.d[VICTIM]);
		t.d[VICTIM] = sim_daemon(t.h[VICTIM], NULL);
		for (int k = 0; k < 100 && !is_back(s, &t); k++)
			sim_run_for(s, SEC / 10);
		EXPECT(s, sim_have(t.d[VICTIM], &c) >= had, "it had %u pieces and has %u", had,
			sim_have(t.d[VICTIM], &c));
	}
	if (!team_finish(&t, 600 * SEC))
		return;
	for (unsigned i = 0; i < t.n; i++)
		EXPECT(s, sim_pieces_bad(t.d[i]) == 0, "daemon %u met bad pieces", i);
	downloaded += sim_totals(t.d[VICTIM], &c).downloaded;
	sim_note("%.2f MiB fetched twice", (double)(downloaded - c.size) / (double)MIB);
	EXPECT(s, downloaded <= c.size + MIB, "%.1f MiB fetched twice",
		(double)(downloaded - c.size) / (double)MIB);
	team_stop(&t);
}

static const struct sim_case cases[] = {
	{"killed and resumed", killed, 8, false},
	{"power cuts", without_power, 8, false},
	{"stopped and started", stopped, 3, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
