/* SPDX-License-Identifier: MIT */
/* Disks that are full, and disks that break: trouble stays with the torrent whose disk it is. */
#include "tests/sim/lib/sim.h"

#define MIB UINT64_C(1048576)

static struct content content = {.name = "disk",
	.size = 16 * MIB,
	.piece_length = 256 * 1024,
	.files = 2};
static const struct line line = {.up = 2 * MIB, .down = 8 * MIB, .latency_us = 10000};

struct at_least {
	struct daemon *d;
	const struct content *c;
	uint32_t pieces;
};

static bool has_pieces(struct sim *s, void *ctx)
{
	const struct at_least *a = ctx;

	(void)s;
	return sim_have(a->d, a->c) >= a->pieces;
}

static bool asks_nothing(struct sim *s, void *ctx)
{
	const struct at_least *a = ctx;

	(void)s;
	return sim_totals(a->d, a->c).no_download;
}

/* It stops downloading, serves on, and goes on by itself when there is room again. */
static void full(struct sim *s)
{
	struct content c = content;
	struct team t;
	struct at_least a = {.c = &c, .pieces = 16};
	struct m_torrent_view *v;
	uint64_t served;
	uint32_t had;

	sim_content(s, &c);
	if (!team_start(&t, s, &c, 4, line))
		return;
	a.d = t.d[1];
	EXPECT(s, sim_run_until(s, has_pieces, &a, 60 * SEC), "no 16 pieces came");
	sim_disk_space(t.h[1], 0);
	EXPECT(s, sim_run_until(s, asks_nothing, &a, 20 * SEC), "it goes on downloading");
	had = sim_have(t.d[1], &c);
	served = sim_totals(t.d[1], &c).uploaded;
	v = sim_view(t.d[1], &c);
	(void)sim_expect(s, v->torrents_n == 1 && v->torrents[0].error != NULL, "no error is told");
	sim_view_free(t.d[1], &v);
	team_add(&t, line, false, NULL); /* somebody who needs what it has */
	sim_run_for(s, 90 * SEC);        /* a try in between fails again */
	(void)sim_expect(s, sim_totals(t.d[1], &c).uploaded > served, "it does not serve any more");
	EXPECT(s, sim_have(t.d[1], &c) <= had + 2, "pieces came to a full disk");
	EXPECT(s, sim_totals(t.d[1], &c).no_download, "it gave up holding");
	sim_disk_space(t.h[1], UINT64_MAX);
	if (!team_finish(&t, 180 * SEC))
		return;
	sim_run_for(s, 30 * SEC);
	v = sim_view(t.d[1], &c);
	(void)sim_expect(s, v->torrents[0].error == NULL && v->torrents[0].status == STATUS_SEEDING,
		"the error stays: %s", v->torrents[0].error != NULL ? v->torrents[0].error : "-");
	sim_view_free(t.d[1], &v);
	for (unsigned i = 0; i < t.n; i++)
		EXPECT(s, sim_pieces_bad(t.d[i]) == 0, "daemon %u met bad pieces", i);
	team_stop(&t);
}

static bool in_error(struct sim *s, void *ctx)
{
	const struct at_least *a = ctx;
	struct m_torrent_view *v = sim_view(a->d, a->c);
	bool yes = v->torrents_n == 1 && v->torrents[0].status == STATUS_ERROR;

	(void)s;
	sim_view_free(a->d, &v);
	return yes;
}

/* The torrent stops, says which file it was, and the others get along without it. */
static void broken(struct sim *s, enum disk_op op)
{
	struct content c = content;
	struct team t;
	struct at_least a = {.c = &c, .pieces = 8 + sim_below(s, 24)};
	struct m_torrent_view *v;
	const char *error;

	sim_content(s, &c);
	if (!team_start(&t, s, &c, 4, line))
		return;
	a.d = t.d[2];
	EXPECT(s, sim_run_until(s, has_pieces, &a, 60 * SEC), "no %u pieces came", a.pieces);
	sim_disk_fault(t.h[2], op, 0, UINT64_MAX, E_IO);
	for (int i = 0; i < 20 && !in_error(s, &a); i++)
		sim_run_for(s, SEC);
	v = sim_view(t.d[2], &c);
	error = v->torrents[0].error;
	(void)sim_expect(s, v->torrents[0].status == STATUS_ERROR, "it is not in error");
	(void)sim_expect(s, error != NULL && strstr(error, "disk/") != NULL,
		"the error names no file: %s", error != NULL ? error : "-");
	sim_view_free(t.d[2], &v);
	if (!team_others_finish(&t, 2, 120 * SEC))
		return;
	/* The disk is mended, a person starts the torrent again. */
	sim_disk_fault(t.h[2], op, 0, 0, E_OK);
	EXPECT(s, sim_set(t.d[2], &c, TORRENT_START, 0) == E_OK, "it cannot be started");
	if (!team_finish(&t, 120 * SEC))
		return;
	for (unsigned i = 0; i < t.n; i++)
		EXPECT(s, sim_pieces_bad(t.d[i]) == 0, "daemon %u met bad pieces", i);
	team_stop(&t);
}

static void broken_writes(struct sim *s)
{
	broken(s, DISK_WRITE);
}

static void broken_syncs(struct sim *s)
{
	broken(s, DISK_SYNC);
}

static void broken_reads(struct sim *s)
{
	broken(s, DISK_READ);
}

static const struct sim_case cases[] = {
	{"a full disk", full, 3, false},
	{"writes fail", broken_writes, 3, false},
	{"syncs fail", broken_syncs, 3, false},
	{"reads fail", broken_reads, 3, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
