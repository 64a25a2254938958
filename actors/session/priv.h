/* SPDX-License-Identifier: MIT */
/*
 * The inside of the session actor: its record of a torrent, and what its files ask of each other.
 *
 * session.c is the actor, table.c finds torrents, add.c and set.c do what
 * people ask for, torrent.c and peers.c move a torrent between the store and the
 * peers, files.c knows what is wanted of it, order.c, queue.c and
 * seed.c decide when it works, fault.c judges trouble, remove.c ends a
 * torrent, view.c shows it.
 *
 * A torrent is one phase at a time.  What a person is told has happened is in the database first.
 */
#ifndef ACTORS_SESSION_PRIV_H
#define ACTORS_SESSION_PRIV_H

#include <sys/queue.h>

#include "actors/msg/env.h"
#include "actors/session/rank.h"
#include "proto/swarm/bandwidth.h"

#define SESSION_MAGIC 0x53455353u
#define TORRENT_MAGIC 0x544f5252u

/* The database answers when the disk does: an outcome that is given up on would be unknown. */
#define STATE_TIMEOUT (3600 * USEC_PER_SEC)
/* A call whose outcome is worth little is given up on soon, so that people never wait. */
#define VIEW_TIMEOUT (1 * USEC_PER_SEC)
/* Torrents the store is asked to open at the same time. */
#define OPEN_WINDOW 256u

enum phase {
	PHASE_ADDING,    /* waits for the database; not listed */
	PHASE_WAITING,   /* in the queue of those to be opened */
	PHASE_OPENING,   /* STORE_OPEN was sent, STORE_READY follows */
	PHASE_READY,     /* peers have it */
	PHASE_DETACHING, /* PEERS_REMOVE was sent, because its files are looked at again */
	PHASE_CHECKING,  /* STORE_READY follows */
	PHASE_FAILED,    /* its files cannot be used: a person has to act */
	PHASE_REMOVING,  /* acknowledged; not listed */
};

enum fault {
	FAULT_NONE,
	FAULT_HOLD,  /* the disk refuses writes: seeds on, tried again by a timer */
	FAULT_PROBE, /* tried again; forgotten when the timer comes before the next error */
	FAULT_STOP,  /* stopped until a person starts it again */
};

enum turn {
	TURN_NONE, /* outside of the queue */
	TURN_WAITS,
	TURN_RUNS,
	TURN_STALLED, /* runs without being counted: nothing moves */
};

/* A message that waits. */
struct held {
	STAILQ_ENTRY(held) link;
	struct msg *m; /* owned */
};
STAILQ_HEAD(held_list, held);

struct totals {
	uint64_t downloaded, uploaded, wasted; /* bytes */
};

struct torrent {
	uint32_t magic;
	uint32_t slot;
	uint16_t gen;
	enum phase phase;
	enum fault fault;
	bool started;    /* as asked for */
	bool active;     /* as peers and tracker were told */
	bool attached;   /* peers have it */
	bool detaching;  /* PEERS_REMOVE is under way */
	bool then_check; /* ask the store for a check when it is detached */
	bool tracked;    /* the tracker actor has it */
	bool opening;    /* counts in session.opening */
	bool in_store;   /* STORE_OPEN was sent, and no STORE_CLOSE answered */
	bool opened;     /* the store has opened it, and so knows more than `record` */
	bool closing;    /* STORE_CLOSE is under way */
	bool queued;     /* in session.to_open */
	bool saving;     /* the first of `commands` waits for the database */
	bool delete_data;
	bool complete; /* all that is wanted is verified, and that was noted */
	bool forced;   /* started whatever the queue says */
	bool beyond;   /* started by a person although it had reached its limits on seeding */
	bool limited;  /* stopped by such a limit */
	bool ordered;  /* in session.order */
	bool targeted; /* in session.targets */
	enum turn turn;
	uint8_t turn_kind; /* which of session.queues */
	struct session *session;
	struct torrent *hash_next, *target_next;
	struct rank_node order_node, turn_node;
	int64_t place;
	TAILQ_ENTRY(torrent) open_link;
	struct metainfo *meta; /* reference */
	int64_t row;
	char *path;                              /* owned: target directory, absolute */
	struct wishes wishes;                    /* owned */
	int64_t added, started_at, completed_at; /* seconds since 1970 */
	struct totals ever;                      /* before this run */
	struct totals base;                      /* of this run, before it was last attached */
	struct totals now;                       /* since it was attached */
	uint64_t wanted;                         /* bytes of wanted pieces */
	uint64_t left;                           /* of them not verified */
	struct seed_limits seed;                 /* its own */
	uint64_t seeded;                         /* seconds, before seed_since */
	int64_t seed_since, uploaded_at;         /* monotonic; 0: it does not seed */
	int64_t moved_at;                        /* payload, monotonic */
	uint32_t have_n;
	float checked;
	char *error; /* owned; NULL: none */
	/* What the database knows; kept until the store has opened it, for another try.  Owned. */
	struct torrent_record *record;
	struct bitfield have;        /* while no peers have it */
	struct m_store_ready *ready; /* came while it was being detached; owned */
	struct held_list commands;   /* m_torrent_set, in order */
	struct held_list adds; /* m_torrent_add of the same info-hash: tried when this is settled */
	struct m_torrent_add *add; /* the one that made it, while PHASE_ADDING; owned */
	struct loop_timer retry; /* of FAULT_HOLD, FAULT_PROBE, and of a removal the disk refused */
	struct loop_timer save;  /* totals to the database */
	struct loop_timer stall; /* while it runs and is counted */
	struct loop_timer seed_timer; /* while it seeds and may reach a limit */
};

struct slot {
	struct torrent *t; /* NULL: free */
	uint16_t gen;      /* of the next or present torrent */
	uint32_t free_next;
};

/* The torrents of one kind whose turn it is, and those that wait for it. */
struct queue {
	struct rank_set runs, waits;
};

struct session {
	uint32_t magic;
	struct actor *actor;
	const struct config *config; /* reference */
	unsigned shards;
	bool loaded;                              /* the database has answered */
	enum err load_err;                        /* and failed: nothing can be added */
	bool clean;                               /* the last run ended with everything written */
	struct held_list early;                   /* came before that */
	struct slot *slots;                       /* owned */
	uint32_t slots_n, slots_room, slots_free; /* free: index + 1 of the first; 0: none */
	struct torrent **buckets;                 /* by info-hash; owned */
	struct torrent **targets;                 /* by directory and name; owned */
	uint32_t buckets_n;                       /* a power of two */
	uint32_t torrents_n;
	uint8_t hash_key[16];
	TAILQ_HEAD(, torrent) to_open;
	unsigned opening;
	struct rank_set order;           /* all that are listed */
	int64_t place_first, place_last; /* bounds of all places ever given */
	struct queue queues[2];          /* downloads, seeds */
	struct held_list moves;          /* m_torrent_set, in order */
	bool moving;                     /* one of them waits for the database */
	uint64_t down_limit, up_limit;   /* set over the API */
	bool has_down_limit, has_up_limit;
	struct bandwidth *shares[LIMIT_KINDS]; /* owned arrays, one entry a shard */
	uint64_t shared[LIMIT_KINDS];          /* the limits that they are shares of */
};

struct session *session_of(const struct actor *);
static inline struct loop *session_loop(const struct session *s)
{
	return actor_loop(s->actor);
}
/* Keeps *m, which becomes NULL, and true, while the database has not answered. */
bool session_hold_early(struct session *, struct msg **m);

/* Queues of messages. */
void held_push(struct held_list *, struct msg **m);
struct msg *held_pop(struct held_list *); /* NULL when empty */
void held_free(struct actor *, struct held_list *);

/* --- share.c --- */

/* The limits in force, B/s: what was set over the API, else the configuration's. */
uint64_t session_down_limit(const struct session *);
uint64_t session_up_limit(const struct session *);
/* Tells every shard its share. */
void session_send_limits(struct session *);
void session_on_peers_load(struct actor *, struct msg **);
void shares_init(struct session *); /* the number of shards is known */
void shares_free(struct session *);

/* --- table.c --- */

/* In the table from now on; phase PHASE_ADDING.  Takes a reference of meta. */
struct torrent *torrent_new(struct session *, const struct metainfo *meta);
/* Out of the table, its calls forgotten, everything it owns freed. */
void torrent_free(struct torrent **);
struct torrent *torrent_find(const struct session *, const uint8_t infohash[20]); /* or NULL */
/* Who uses that name in that directory already, or NULL. */
struct torrent *torrent_at_target(const struct session *, const char *path, const char *name);
/* Its path is known from now on. */
void torrent_link_target(struct torrent *);
struct torrent *torrent_at(const struct session *, struct tref); /* or NULL */
struct tref torrent_ref(const struct torrent *);
bool torrent_listed(const struct torrent *); /* people see it */
void table_free(struct session *);           /* every torrent with it */

/* --- add.c --- */

void session_on_add(struct actor *, struct msg **);
/* The root of `path`, borrowed from the configuration, or NULL. */
const char *session_root(const struct config *, const char *path);
/* Tries the adds that waited for t's fate; t may be freed by then: the list was moved out. */
void session_retry_adds(struct session *, struct held_list *);

/* --- set.c --- */

void session_on_set(struct actor *, struct msg **);
/* Starts the next command of t if none is under way. */
void torrent_next_command(struct torrent *);

/* --- torrent.c: a torrent and the store --- */

/* A torrent of the database or one just added; takes what r holds. */
void torrent_adopt(struct torrent *, struct torrent_record *r);
/* In the queue of those to be opened, in front of all others when `first`. */
void torrent_open(struct torrent *, bool first);
void torrent_unqueue(struct torrent *);
/* Sends STORE_OPEN now, whatever the window says. */
void torrent_send_open(struct torrent *);
/* Sends STORE_CLOSE; fn clears `closing`. */
void torrent_send_close(struct torrent *, bool delete_data, actor_reply_f *fn);
void torrent_send_check(struct torrent *);
/* The store has answered: another one may be opened. */
void torrent_end_opening(struct torrent *);
/* Takes what r holds, and goes on with it or fails. */
void torrent_accept_ready(struct torrent *, struct m_store_ready *r);
/* A person starts it: tries again what had failed. */
void torrent_retry(struct torrent *);
void torrent_recheck(struct torrent *);
void session_open_more(struct session *);

void session_on_store_ready(struct actor *, struct msg **);
void session_on_store_progress(struct actor *, struct msg **);

/* --- peers.c: a torrent, its peers and its trackers --- */

/* Gives it to peers; takes have and the partial pieces out of r. */
void torrent_attach(struct torrent *, struct m_store_ready *r);
/* Takes it back from them; what follows depends on phase, then_check and ready. */
void torrent_detach(struct torrent *);
/* Tells peers what is in force now. */
void torrent_send_set(struct torrent *);
/* Brings peers and tracker to what is asked for, unless a fault forbids it. */
void torrent_update_active(struct torrent *);
/* That alone, for one whose turn has changed. */
void torrent_sync_active(struct torrent *);
struct totals torrent_run_totals(const struct torrent *);
/* To the database, in a while. */
void torrent_save_soon(struct torrent *);
/* To the database, now. */
void torrent_save_totals(struct torrent *);
void torrent_on_save_timer(struct loop_timer *, int64_t now);

void session_on_peers_done(struct actor *, struct msg **);
void session_on_peers_totals(struct actor *, struct msg **);

/* --- files.c --- */

/*
 * `before` with the wishes carried out, owned by the caller; NULL: all files normal.  E_RANGE, and
 * words: there is no such file.
 */
enum err files_wish(const struct metainfo *, const uint8_t *before, const struct file_wish *,
	uint32_t n, uint8_t **out, struct words *why);
bool files_equal(const struct torrent *, const uint8_t *priority);
/* Takes *priority and tells everybody. */
void torrent_set_files(struct torrent *, uint8_t **priority);
/* Counts `wanted`, and `left` while no peers have it. */
void torrent_count_wanted(struct torrent *);

/* --- order.c --- */

/* A place before or behind all others. */
int64_t session_new_place(struct session *, bool top);
void torrent_enter_order(struct torrent *);
void torrent_leave_order(struct torrent *);        /* fine when it is not in it */
uint32_t torrent_position(const struct torrent *); /* from 1; 0: not in it */
/* Takes the m_torrent_set of a TORRENT_MOVE. */
void session_move(struct session *, struct msg **m);

/* --- queue.c --- */

/* After any change of what decides whether it wants a turn; others may get or lose theirs. */
void queue_update(struct torrent *);
/* Out of it, without a turn for anybody else. */
void queue_drop(struct torrent *);
/* Its place has changed; queue_settle() follows. */
void queue_moved(struct torrent *);
void queue_settle(struct session *);
bool queue_lets_run(const struct torrent *);
void queue_payload(struct torrent *, bool downloaded, bool uploaded);
void queue_reload(struct session *);
void queue_on_stall_timer(struct loop_timer *, int64_t now);

/* --- seed.c --- */

/* After any change of what decides whether it seeds. */
void torrent_update_seeding(struct torrent *);
void torrent_note_upload(struct torrent *);
/* Stops it when it has reached one, else looks again in time. */
void torrent_check_limits(struct torrent *);
bool torrent_is_over_limits(const struct torrent *); /* by ratio or time */
uint64_t torrent_seeded(const struct torrent *);     /* seconds, ever */
double torrent_ratio(const struct torrent *, uint64_t downloaded, uint64_t uploaded);
void torrent_on_seed_timer(struct loop_timer *, int64_t now);
void session_reload_limits(struct session *);

/* --- fault.c --- */

/* Notes words for people: what went wrong and what to do. */
void torrent_set_error(struct torrent *, enum err, const char *why);
void torrent_clear_error(struct torrent *);
void torrent_fault(struct torrent *, enum err);
void torrent_retry_writes(struct torrent *);
void torrent_on_retry_timer(struct loop_timer *, int64_t now);
void session_on_store_error(struct actor *, struct msg **);

/* --- remove.c --- */

/* The database has the mark. */
void torrent_remove(struct torrent *, bool delete_data);
/* Goes on with a removal. */
void torrent_remove_step(struct torrent *);

/* --- view.c --- */

void session_on_view(struct actor *, struct msg **);

#endif
