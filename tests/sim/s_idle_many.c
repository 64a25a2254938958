/* SPDX-License-Identifier: MIT */
/*
 * Ten thousand torrents that nobody asks for cost what ten of them cost: memory, and nothing else.
 *
 * A daemon seeds few torrents for an hour, then one on another host seeds many.  What its actors
 * did in that hour (turns, timers, messages, calls for files and sockets) must be the same; with a
 * tracker there are the announces besides, and what one of them costs does not depend on the
 * others.  Without one nobody has a turn at all, so that there is no timer either which could walk
 * over all torrents in one go.
 */
#include "tests/sim/lib/sim.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>

#define FEW      10u
#define MANY     10000u
#define HOUR     (3600 * SEC)
#define ANNOUNCE (300 * SEC) /* as the tracker of the simulation wants it */
#define PIECE    16384u
#define IDLE_MAX 5504 /* bytes of a torrent of one piece and one file, besides its metainfo */

static const struct line line = {.up = 1 << 20, .down = 1 << 20, .latency_us = 10000};

struct idle {
	unsigned n;
	struct content *c; /* owned, with their names */
	struct host *h;
	struct daemon *d;
	struct sim_counts loaded, hour; /* until all seed; in the hour after */
	int64_t meta, rest;             /* bytes: metainfo of all, what the daemon has besides */
};

/* Bytes that malloc has given out; 0 where a sanitizer stands in its place. */
static int64_t allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return (int64_t)(m.uordblks + m.hblkhd);
}

static void make_contents(struct sim *s, struct idle *x, bool trackerless)
{
	int64_t before;

	x->c = xcalloc(x->n, sizeof *x->c);
	for (unsigned i = 0; i < x->n; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "%u of %u", i, x->n);
		x->c[i] = (struct content){
			.name = xstrdup(name),
			.size = PIECE,
			.piece_length = PIECE,
			.zeros = true,
			.trackerless = trackerless,
		};
	}
	before = allocated();
	for (unsigned i = 0; i < x->n; i++)
		sim_content(s, &x->c[i]);
	x->meta = allocated() - before;
}

static void free_contents(struct idle *x)
{
	for (unsigned i = 0; i < x->n; i++)
		xfree((char *)(uintptr_t)x->c[i].name);
	xfree(x->c);
}

/* Sets a daemon up that seeds them all; false: a failure is noted. */
static bool load(struct sim *s, struct idle *x)
{
	x->h = sim_host(s, line);
	for (unsigned i = 0; i < x->n; i++)
		sim_disk_fill(x->h, &x->c[i]);
	x->d = sim_daemon(x->h, NULL);
	for (unsigned i = 0; i < x->n; i++)
		if (!sim_expect(s, sim_add(x->d, &x->c[i], true) == E_OK, "%u is refused", i))
			return false;
	sim_run_for(s, 2 * ANNOUNCE);
	for (unsigned i = 0; i < x->n; i++)
		if (!sim_expect(s, sim_have(x->d, &x->c[i]) == 1, "%u is not complete", i))
			return false;
	return true;
}

static struct sim_counts since(const struct daemon *d, const struct sim_counts *before)
{
	struct sim_counts n;

	sim_counts(d, &n);
	for (unsigned i = 0; i < SIM_ACTORS; i++) {
		n.actor[i].turns -= before->actor[i].turns;
		n.actor[i].timers -= before->actor[i].timers;
		n.actor[i].sent -= before->actor[i].sent;
		n.actor[i].received -= before->actor[i].received;
	}
	n.files -= before->files;
	n.net -= before->net;
	return n;
}

static void note_work(const struct idle *x)
{
	for (unsigned i = 0; i < SIM_ACTORS; i++) {
		const struct sim_work *w = &x->hour.actor[i], *l = &x->loaded.actor[i];

		if (w->turns + l->timers + l->sent + l->received == 0)
			continue;
		sim_note("%5u torrents, %-8s %5" PRIu64 " turns to load; in an hour %6" PRIu64
			 " turns, %6" PRIu64 " timers, %6" PRIu64 " sent, %6" PRIu64 " received",
			x->n, w->role, l->turns, w->turns, w->timers, w->sent, w->received);
	}
	sim_note("%5u torrents, files %" PRIu64 " and sockets %" PRIu64 " to load; %" PRIu64
		 " and %" PRIu64 " in an hour",
		x->n, x->loaded.files, x->loaded.net, x->hour.files, x->hour.net);
}

/* Loads, lets an hour pass, stops. */
static bool spend_hour(struct sim *s, struct idle *x, unsigned n, bool trackerless)
{
	int64_t before;
	bool ok;

	x->n = n;
	make_contents(s, x, trackerless);
	ok = load(s, x);
	if (ok) {
		sim_counts(x->d, &x->loaded);
		sim_run_for(s, HOUR);
		x->hour = since(x->d, &x->loaded);
		note_work(x);
		before = allocated();
		sim_stop(&x->d);
		x->rest = before - allocated();
	}
	free_contents(x);
	return ok;
}

/* What the daemon gives back at its end, and the metainfo, which the database's fake keeps. */
static void weigh(struct sim *s, const struct idle *few, const struct idle *many)
{
	int64_t n = (int64_t)many->n - few->n;
	int64_t meta = (many->meta - few->meta) / n, rest = (many->rest - few->rest) / n;

	if (allocated() == 0)
		return;
	sim_note("%" PRId64 " bytes for an idle torrent, of which %" PRId64 " metainfo",
		meta + rest, meta);
	EXPECT(s, rest <= IDLE_MAX, "%" PRId64 " bytes besides the metainfo", rest);
}

/* The counters count at all: loading is work for everybody. */
static bool counts_work(struct sim *s, const struct idle *x)
{
	static const char *const busy[] = {"state", "store", "worker", "peers", "session"};
	bool ok = sim_expect(s, x->loaded.files >= x->n && x->loaded.net > 0, "no calls counted");

	for (unsigned i = 0; i < SIM_ACTORS; i++)
		for (unsigned k = 0; k < ARRAY_LEN(busy); k++) {
			const struct sim_work *w = &x->loaded.actor[i];

			if (strcmp(w->role, busy[k]) == 0)
				ok &= sim_expect(s, w->turns > 0 && w->received > 0,
					"%s did nothing to load", w->role);
		}
	return ok;
}

/* `more`: announces that one had above the other. */
static void compare(
	struct sim *s, const struct sim_work *few, const struct sim_work *many, uint64_t more)
{
	bool tracker = strcmp(few->role, "tracker") == 0, peers = strcmp(few->role, "peers") == 0;
	uint64_t timers = tracker ? more : 0, received = peers ? more : 0;

	EXPECT(s, many->turns <= few->turns + (tracker || peers ? more : 0),
		"%s: %" PRIu64 " turns instead of %" PRIu64, few->role, many->turns, few->turns);
	EXPECT(s, many->timers == few->timers + timers,
		"%s: %" PRIu64 " timers instead of %" PRIu64, few->role, many->timers,
		few->timers + timers);
	EXPECT(s, many->sent == few->sent + timers, "%s: %" PRIu64 " sent instead of %" PRIu64,
		few->role, many->sent, few->sent + timers);
	EXPECT(s, many->received == few->received + received,
		"%s: %" PRIu64 " received instead of %" PRIu64, few->role, many->received,
		few->received + received);
}

static void few_and_many(struct sim *s, bool trackerless)
{
	struct idle few = {0}, many = {0};
	uint64_t more = trackerless ? 0 : (uint64_t)(MANY - FEW) * (HOUR / ANNOUNCE);

	if (!spend_hour(s, &few, FEW, trackerless) || !spend_hour(s, &many, MANY, trackerless))
		return;
	if (!counts_work(s, &few) || !counts_work(s, &many))
		return;
	for (unsigned i = 0; i < SIM_ACTORS && trackerless; i++)
		EXPECT(s, many.hour.actor[i].turns == 0, "%s: %" PRIu64 " turns for nothing",
			many.hour.actor[i].role, many.hour.actor[i].turns);
	for (unsigned i = 0; i < SIM_ACTORS; i++)
		compare(s, &few.hour.actor[i], &many.hour.actor[i], more);
	EXPECT(s, many.hour.files == few.hour.files,
		"%" PRIu64 " calls for files instead of %" PRIu64, many.hour.files, few.hour.files);
	EXPECT(s, many.hour.net == few.hour.net, "%" PRIu64 " calls of sockets instead of %" PRIu64,
		many.hour.net, few.hour.net);
	weigh(s, &few, &many);
}

static void alone(struct sim *s)
{
	few_and_many(s, true);
}

static void announced(struct sim *s)
{
	few_and_many(s, false);
}

static const struct sim_case cases[] = {
	{"without a tracker", alone, 1, false},
	{"with a tracker", announced, 1, false},
};

int main(int argc, char **argv)
{
	return sim_main(argc, argv, cases, ARRAY_LEN(cases));
}
