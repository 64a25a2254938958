/* SPDX-License-Identifier: MIT */
/*
 * Whole swarms of real actors in one thread, in virtual time, from a seed.
 *
 * The library has fakes of the kernel's seam (poller, mailbox, net, fs, clock, random).  A host has
 * a disk, a line to the others and what the database would keep; a daemon is a process on it: the
 * real session, peers, store and workers, with a state actor and a tracker actor that keep what
 * they know in memory, and two drivers in the places of main and HTTP.  The same seed gives the
 * same run to the last turn.
 *
 * A scenario is a function of a world.  It sets things up, lets time pass until something holds,
 * and checks; sim_main() runs it for some seeds and prints TAP.  Everything belongs to one thread;
 * objects live until the world ends.
 */
#ifndef TESTS_SIM_LIB_SIM_H
#define TESTS_SIM_LIB_SIM_H

#include "actors/msg/env.h"

struct sim;
struct host;
struct daemon;

#define SEC    USEC_PER_SEC
#define MIN_US (60 * SEC)

/* --- the world --- */

struct sim *sim_new(uint64_t seed);
/* Stops every daemon that still runs the clean way, which finds leaks, and frees all. */
void sim_free(struct sim **);
int64_t sim_now(const struct sim *);     /* virtual us */
uint64_t sim_trace(const struct sim *);  /* hash of all that has happened */
uint64_t sim_turns(const struct sim *);  /* of all actors */
uint64_t sim_wishes(const struct sim *); /* for more peers, to trackers, of all daemons */
uint64_t sim_links(const struct sim *);  /* connections that came about, of all daemons */
uint32_t sim_below(
	struct sim *, uint32_t n); /* a number in [0, n) for the scenario's own choices */

typedef bool sim_pred_f(struct sim *, void *ctx);
/* Runs until pred holds; false: max_us of virtual time have passed without it. */
bool sim_run_until(struct sim *, sim_pred_f *pred, void *ctx, int64_t max_us);
void sim_run_for(struct sim *, int64_t us);
/* Runs n turns of actors, or ten seconds, so that a scenario can interfere between any two. */
void sim_run_turns(struct sim *, uint64_t n);

/* A line of comment in the output. */
void sim_note(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Notes a failure, with the words; returns cond. */
bool sim_expect(struct sim *, bool cond, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define EXPECT(s, cond, ...)                                                                       \
	do {                                                                                       \
		if (!sim_expect((s), (cond), __VA_ARGS__))                                         \
			return;                                                                    \
	} while (0)

struct sim_case {
	const char *name;
	void (*fn)(struct sim *);
	unsigned seeds; /* how many to run when none is given */
	bool twice;     /* run each seed again and compare the traces */
};
/* Runs the cases; the seed comes from the environment (S) or the first argument.  Exit status. */
int sim_main(int argc, char **argv, const struct sim_case *cases, size_t n);

/* --- torrents: content made from a number, so that every byte is known --- */

/* The announce URL of what is `referred`. */
#define REFERRER "http://tracker.sim/referrer"

struct content {
	const char *name;
	uint64_t size;
	uint32_t piece_length;
	unsigned files; /* 1: a single file */
	bool zeros;     /* all bytes 0: disks hold it without memory */
	bool trackerless;
	bool referred; /* its tracker names nobody but the first that has announced it */
	bool is_private;
	/* made by sim_content() */
	struct metainfo *meta;
	uint64_t key;
};
/* Makes the metainfo; freed with the world. */
void sim_content(struct sim *, struct content *);
/* The true byte at an offset of the content. */
uint8_t content_byte(const struct content *, uint64_t offset);
/* Writes the whole content to the host's disk beneath its download directory, synced. */
void sim_disk_fill(struct host *, const struct content *);
/* Whether the host's disk holds exactly the content. */
bool sim_disk_equals(const struct host *, const struct content *);
/* Whether it holds the truth in all pieces of `pieces`. */
bool sim_disk_has(const struct host *, const struct content *, const struct bitfield *pieces);

/* --- hosts --- */

struct line {
	uint64_t up, down;  /* B/s, 0: endless */
	int64_t latency_us; /* of this host's part of the way, in one direction */
};
struct host *sim_host(struct sim *, struct line);
/* Turns bits of every page that the disk holds. */
void sim_disk_rot(struct host *);
enum disk_op { DISK_READ, DISK_WRITE, DISK_SYNC };
/* After `skip` more operations of this kind, `count` of them fail with err (0 count: none any
 * more). */
void sim_disk_fault(struct host *, enum disk_op, uint64_t skip, uint64_t count, enum err err);
/* Bytes that may still be allocated, UINT64_MAX: endless. */
void sim_disk_space(struct host *, uint64_t bytes);
/* B/s that it writes; who writes is busy until then.  0: endless. */
void sim_disk_rate(struct host *, uint64_t rate);
uint64_t sim_sent(const struct host *); /* bytes of streams that have left it */
uint64_t sim_read(const struct host *); /* that daemons have read from streams */

/* --- daemons --- */

/* Starts a daemon.  args: NULL-terminated options ("--peers.max=10"), may be NULL. */
struct daemon *sim_daemon(struct host *, const char *const *args);
/* QUIESCE in the order of the real one, TERM, and the end of every actor; pools must be full. */
void sim_stop(struct daemon **);
/* Dies between two turns.  power: what was not synced is lost, too, and nobody hears of it. */
void sim_crash(struct daemon **, bool power);

/* Adds the torrent and lets time pass until it is answered. */
enum err sim_add(struct daemon *, const struct content *, bool start);
enum err sim_set(struct daemon *, const struct content *, enum torrent_op, uint64_t value);
/* The view of a torrent; freed by the caller with sim_view_free(). */
struct m_torrent_view *sim_view(struct daemon *, const struct content *);
void sim_view_free(struct daemon *, struct m_torrent_view **);

/* Read straight from the peers actor, without disturbing anybody.  0 while peers have it not. */
uint32_t sim_have(const struct daemon *, const struct content *);
bool sim_has_piece(const struct daemon *, const struct content *, uint32_t piece);
/* Bytes of blocks asked for or received that the store has not done with, and of buffers lent. */
uint64_t sim_credit_used(const struct daemon *);
uint64_t sim_lent(const struct daemon *);
/* What every actor has done since the daemon started. */
#define SIM_ACTORS 9
struct sim_counts {
	struct sim_work {
		char role[16];
		uint64_t turns, timers, sent, received; /* messages */
	} actor[SIM_ACTORS];
	uint64_t files, net; /* looks at descriptors and names on disk; calls of sockets */
};
void sim_counts(const struct daemon *, struct sim_counts *out);
struct sim_totals {
	uint64_t downloaded, uploaded, wasted;
	unsigned peers; /* connections that are open */
	bool no_download;
};
struct sim_totals sim_totals(const struct daemon *, const struct content *);
bool sim_banned(const struct daemon *, const struct content *, const struct host *by_ip);
bool sim_connected(const struct daemon *, const struct content *, const struct host *other);
/* Payload that was sent to, or came from, the open connection with that host. */
uint64_t sim_given(const struct daemon *, const struct content *, const struct host *to);
uint64_t sim_taken(const struct daemon *, const struct content *, const struct host *from);
/* What workers said of pieces since the daemon started. */
uint64_t sim_pieces_ok(const struct daemon *);
uint64_t sim_pieces_bad(const struct daemon *);

/* --- a team: what most scenarios begin with --- */

#define TEAM_MAX 1001
struct team {
	struct sim *s;
	const struct content *c;
	unsigned n;       /* member 0 has the content from the start */
	unsigned lagging; /* the last one found not to be done */
	struct host *h[TEAM_MAX];
	struct daemon *d[TEAM_MAX]; /* NULL: does not run */
};
/* The line of a home somewhere, by chance: 20 to 400 KiB/s up, and more down. */
struct line team_home_line(struct sim *);
/* n hosts on equal lines, with daemons that have the torrent; false: a failure is noted. */
bool team_start(struct team *, struct sim *, const struct content *, unsigned n, struct line);
/* One more member; returns its number. */
unsigned team_add(struct team *, struct line, bool seed, const char *const *args);
/* Every daemon that runs has everything; the ctx of this predicate is a team. */
sim_pred_f team_done;
/* Runs until all are done, then compares disks; false: a failure is noted. */
bool team_finish(struct team *, int64_t max_us);
/* The same without member `but`. */
bool team_others_finish(struct team *, unsigned but, int64_t max_us);
/*
 * Seconds in which a fluid could reach all from member 0: no swarm is faster (Kumar and Ross,
 * "Peer-assisted file distribution: the minimum distribution time").
 */
double team_fluid(const struct team *);
/* Every daemon is stopped the clean way. */
void team_stop(struct team *);

#endif
