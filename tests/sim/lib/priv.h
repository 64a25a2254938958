/* SPDX-License-Identifier: MIT */
/*
 * The inside of the simulation: what its files share.
 *
 * sim.c runs turns and time, sched.c knows whose turn it is, event.c keeps what is to
 * happen, link.c moves bytes between hosts, net.c, fs.c, poller.c, mailbox.c,
 * clock.c and random.c are the fakes of the seam, disk.c is the disk behind fs.c,
 * daemon.c builds and ends daemons, state.c, tracker.c and driver.c are the actors
 * that are not the real ones.
 *
 * The seam's functions have no argument that says whose they are, so that the world in use, and in
 * it the daemon whose turn it is, are found through sim_world().
 */
#ifndef TESTS_SIM_LIB_PRIV_H
#define TESTS_SIM_LIB_PRIV_H

#include <sys/queue.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/poller.h"
#include "proto/base/rng.h"
#include "tests/sim/lib/sim.h"

#define SIM_MAGIC    0x53494d57u
#define HOST_MAGIC   0x53494d48u
#define DAEMON_MAGIC 0x53494d44u
#define SOCK_MAGIC   0x53494d53u
#define FILE_MAGIC   0x53494d46u

#define FD_BASE       1000000 /* never a descriptor of the system */
#define SLOTS_MAX     32      /* actors of a daemon */
#define CHECK_EVERY   2048    /* turns between two checks of every picker */
#define SWARM_BUCKETS 1024u

/* --- what is to happen, event.c --- */

typedef void event_f(struct sim *, void *p, uint64_t arg);
struct event {
	int64_t at;
	uint64_t seq; /* order among those of the same time */
	event_f *fn;
	void *p;
	uint64_t arg;
};
void event_at(struct sim *, int64_t at, event_f *, void *p, uint64_t arg);
int64_t event_next(const struct sim *); /* INT64_MAX: none */
/* Runs all that are due. */
void event_run(struct sim *);

/* --- the world --- */

/* An actor's place in time. */
struct seat {
	struct daemon *d;
	int64_t at;     /* its deadline, while in the heap */
	uint32_t place; /* in the heap; 0: not there */
	bool touched;
	int64_t busy; /* waits for its disk until then, and all that it sends with it */
};
/* Whose turn it is will not have another one before that. */
void seat_busy(struct sim *, int64_t until);
/* When what the actor whose turn it is sends now is on its way. */
int64_t seat_sends_at(const struct sim *);
/* Something has happened to the actor that may make it due. */
void seat_touch(struct daemon *, unsigned actor);
/* The round: who is due now, in an order of chance. */
void sched_collect(struct sim *);
/* The next one of the round; its slot in the daemon. */
unsigned sched_next(struct sim *, struct daemon **);
int64_t sched_deadline(const struct sim *); /* the first of all, INT64_MAX: none */
void sched_begin(struct daemon *);
void sched_end(struct daemon *);

struct sim {
	uint32_t magic;
	uint64_t seed;
	struct rng rng, noise; /* of the scheduler and faults; of random_bytes() */
	int64_t now;           /* virtual us */
	uint64_t trace, turns, turns_now, links, wishes;
	bool failed;
	STAILQ_HEAD(, host) hosts;
	struct host **host; /* by index */
	unsigned hosts_n;
	STAILQ_HEAD(, daemon) daemons; /* those that ended, too: others may hold pieces of them */
	unsigned daemons_n;
	struct daemon *current; /* whose turn it is */
	struct seat *turn;      /* of that daemon; NULL: a driver's */
	struct seat **due;      /* the rest of the round in hand */
	uint32_t due_n, due_room;
	struct seat **touched; /* to be looked at before the next round */
	uint32_t touched_n, touched_room;
	struct seat **clock; /* a heap by deadline, from 1 on */
	uint32_t clock_n, clock_room;
	struct event *events; /* a heap */
	uint32_t events_n, events_room;
	uint64_t events_seq;
	void **fds; /* by descriptor - FD_BASE: a struct sock or a struct open_file, told by magic
		     */
	uint32_t fds_n, fds_room;
	STAILQ_HEAD(, sock) socks;
	STAILQ_HEAD(, pipe) pipes;
	uint8_t *truth; /* owned: the latest content of one file; disks share its pages */
	size_t truth_n;
	uint64_t truth_key;      /* of that content */
	struct metainfo **metas; /* owned, and each of them */
	unsigned metas_n, metas_room;
	struct swarm_entries *swarms[SWARM_BUCKETS]; /* the tracker's, tracker.c */
};

struct sim *sim_world(void);
void sim_trace_mix(struct sim *, uint64_t x);
int fd_give(struct sim *, void *obj);
void *fd_find(int fd); /* panics when it is not open */
void fd_drop(int fd);

/* --- hosts --- */

struct pipe;
TAILQ_HEAD(pipe_list, pipe);

struct host {
	uint32_t magic;
	STAILQ_ENTRY(host) link;
	struct sim *s;
	unsigned index;
	struct endpoint at; /* of its daemon's listener */
	uint16_t next_port;
	struct line line;
	bool dark;             /* without power */
	struct daemon *daemon; /* that runs */
	struct sock *listener;
	/* link.c */
	struct pipe_list up_queue, waiting; /* to send; for room on the way to this host */
	bool up_busy;
	int64_t down_free; /* when the last that has arrived is through */
	uint64_t on_way;   /* bytes sent to this host and not delivered */
	uint64_t sent, read;
	struct disk *disk; /* owned */
	struct db *db;     /* owned: as the process sees it */
	struct db *synced; /* owned: what a power cut leaves */
};

/* --- daemons --- */

TAILQ_HEAD(watches, watch);
struct poller {
	struct watches ready, calm;
	int64_t rest_until;
	struct daemon *d;
	unsigned slot;
};

struct daemon {
	uint32_t magic;
	STAILQ_ENTRY(daemon) link;
	struct sim *s;
	struct host *host;
	unsigned index;
	bool alive;
	struct actors *set;
	struct actor_env env;
	const struct config *config;
	struct poller *pollers[SLOTS_MAX]; /* by slot of the actor */
	struct inbox *inboxes[SLOTS_MAX];
	unsigned pollers_n, inboxes_n;
	struct seat seats[SLOTS_MAX];
	struct actor *main, *http;
	uint64_t pieces_ok, pieces_bad;
	uint64_t files, net; /* calls of the seam */
	unsigned step;       /* of the stop */
	bool quiet;          /* all have come to rest */
	bool answered;       /* the driver's call */
	enum err err;        /* its outcome */
	struct msg *answer;
};

unsigned inbox_waiting(const struct inbox *);
bool poller_ready(const struct poller *);
struct actor *daemon_actor(const struct daemon *, uint16_t addr);
/* Looks at a message on its way. */
void daemon_tap(struct daemon *, const struct msg *);
/* The peers actor's torrents hold their invariants. */
void daemon_check(const struct daemon *);

extern const struct actor_spec sim_state_spec, sim_tracker_spec, sim_main_spec, sim_http_spec;
/* Brings every actor to rest, driver.c. */
void driver_quiesce(struct daemon *);
void swarms_free(struct sim *);
struct db *db_new(void);
struct db *db_clone(const struct db *);
void db_free(struct db **);

/* --- the network --- */

struct watch {
	TAILQ_ENTRY(watch) link;
	struct poller *poller; /* NULL: not watched */
	uint32_t events;
	void *tag;
	bool queued;
};

enum sock_state { SOCK_LISTEN, SOCK_CONNECTING, SOCK_OPEN, SOCK_CLOSED };

struct sock {
	uint32_t magic;
	STAILQ_ENTRY(sock) link;
	int fd;
	enum sock_state state;
	struct host *host;
	struct daemon *owner;
	struct endpoint local, remote;
	enum err err;          /* 0: none pending */
	struct pipe *in, *out; /* of a stream */
	unsigned low;          /* unsent bytes allowed; 0: no such limit */
	bool nospace;          /* a write found no room: say when there is some */
	struct watch watch;
	unsigned backlog, pending_n;
	struct sock **pending; /* owned: of a listener, to be accepted */
};

/* One direction of a stream: [readable | flight | unsent] bytes in one ring. */
struct pipe {
	STAILQ_ENTRY(pipe) link;
	TAILQ_ENTRY(pipe) in_queue;
	struct sim *s;
	struct host *from, *to;
	struct sock *tx, *rx; /* NULL once closed */
	struct pipe *back;    /* the other direction */
	uint8_t *ring;        /* owned */
	size_t head, cap;
	size_t readable, flight, unsent, unacked;
	enum { PIPE_IDLE, PIPE_QUEUED, PIPE_WAITING } place;
	bool fin, fin_sent, fin_arrived; /* the writer has closed */
	bool dead;                       /* nothing moves any more */
	bool retrying;
};

struct pipe *pipe_new(struct sim *, struct sock *tx, struct host *to);
size_t pipe_room(const struct pipe *);
size_t pipe_write(struct pipe *, const void *, size_t n);
size_t pipe_read(struct pipe *, void *, size_t n);
/* The writer or the reader has closed. */
void pipe_end_write(struct pipe *);
void pipe_end_read(struct pipe *);
/* Kills both directions; the other end hears of it after the way there. */
void pipe_reset(struct pipe *);
int64_t way(const struct host *, const struct host *); /* us */
struct host *host_at(struct sim *, const struct endpoint *);
void sock_wake(struct sock *);
uint32_t sock_ready(const struct sock *); /* POLL_* */
/* The process is gone; the system closes what it had. */
void sock_close_all(struct daemon *, bool silently);

/* --- the disk --- */

struct disk *disk_new(struct host *);
void disk_free(struct disk **);
/* Closes what a process had open. */
void disk_close_all(struct daemon *);
/* Forgets what was not synced. */
void disk_power_cut(struct host *);

#endif
