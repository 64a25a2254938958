/* SPDX-License-Identifier: MIT */
/*
 * The inside of the session actor: its record of a torrent, and what its files ask of each other.
 *
 * From the ground up, nobody calls upward:
 *   ordered_set.c  members in order, by rank         deferred.c     messages that wait
 *   revisions.c    what has changed, since when      why.c          reasons for people
 *   table.c        where torrents are found          targets.c      which files are whose
 *   totals.c       what was counted                  tell.c         what others are told
 *   errors.c       words and faults                  queue.c        who works
 *   status.c       what a torrent is at          added.c        how one begins that is added
 *   dht.c          what the DHT is told
 *   seed_limits.c  when seeding is enough            files.c        which files are wanted
 *   tracker_list.c changes of trackers
 *   found.c        the metainfo of a magnet has come
 *   active.c       the sweep: tells what differs from what was told
 *   step.c         the life of a torrent: one table, one step
 *   life.c         what leads to its steps
 *   images.c       how it is, to be undone
 *   shift.c        other places and names
 *   trash.c        where data waits
 *   removed.c      those that can come back      restore.c      and how they do, or go for good
 *   queue_order.c commands.c add_again.c add.c preview.c view.c rows.c   what people ask for
 *   session.c      the actor
 *
 * A torrent is one phase at a time.  What a person is told has happened is in the database first.
 * Whoever changes what peers, trackers, the queue or the limits on seeding have to know of a
 * torrent marks it (torrent_mark); the sweep at the end of the turn does the rest, once.  Whoever
 * changes what only people see of it says torrent_changed().
 */
#ifndef ACTORS_SESSION_PRIV_H
#define ACTORS_SESSION_PRIV_H

#include "actors/msg/env.h"
#include "actors/msg/tref_table.h"
#include "actors/session/files.h"
#include "actors/session/ordered_set.h"
#include "actors/session/places.h"
#include "actors/session/removed.h"
#include "actors/session/revisions.h"
#include "proto/base/link.h"
#include "proto/swarm/bandwidth.h"

#define SESSION_MAGIC 0x53455353u
#define TORRENT_MAGIC 0x53455354u

/* The database answers when the disk does: an outcome that is given up on would be unknown. */
#define STATE_TIMEOUT (3600 * USEC_PER_SEC)
/* A call whose outcome is worth little is given up on soon, so that people never wait. */
#define VIEW_TIMEOUT (1 * USEC_PER_SEC)

enum torrent_phase {
	TPHASE_ADDING,     /* waits for the database; not listed */
	TPHASE_LOOKING,    /* nobody has added it: peers have its link for who looks at a preview */
	TPHASE_METADATA,   /* only its link is known; peers have it by that */
	TPHASE_KEEPING,    /* its metainfo has come: waits for the database */
	TPHASE_WAITING,    /* in the line of those to be opened */
	TPHASE_OPENING,    /* STORE_OPEN was sent, STORE_READY follows */
	TPHASE_READY,      /* peers have it */
	TPHASE_DETACHING,  /* PEERS_REMOVE was sent, because its files are looked at again */
	TPHASE_CHECKING,   /* no peers have it; STORE_READY follows */
	TPHASE_FAILED,     /* its files cannot be used */
	TPHASE_REOPENING,  /* STORE_CLOSE was sent, to have them looked at anew */
	TPHASE_LIFTING,    /* PEERS_REMOVE was sent, because its files get another place */
	TPHASE_SHUTTING,   /* STORE_CLOSE likewise */
	TPHASE_SHIFTING,   /* a worker moves them, then the database is asked */
	TPHASE_LEAVING,    /* from here on its removal is acknowledged; PEERS_REMOVE was sent */
	TPHASE_DROPPING,   /* the STORE_CLOSE of TPHASE_REOPENING has to end first */
	TPHASE_CLOSING,    /* STORE_CLOSE was sent */
	TPHASE_TRASHING,   /* its files go to the trash, if they are to */
	TPHASE_FORGETTING, /* STATE_REMOVE was sent */
	TPHASE_PARTING,    /* nobody looks at it any more; PEERS_REMOVE was sent */
	TPHASE_GONE,       /* freed */
	TPHASE_MAX_
};

/* What moves a torrent from phase to phase; step.c has what each means in each phase. */
enum torrent_event {
	TEVENT_NONE,
	TEVENT_LOOK,      /* a preview is made of it */
	TEVENT_TAKEN,     /* who was looked at is being added */
	TEVENT_REFUSED,   /* and the database refuses */
	TEVENT_STORED,    /* the database has it */
	TEVENT_SEEK,      /* only its link is known */
	TEVENT_FOUND,     /* its metainfo is in t->found */
	TEVENT_BAD,       /* its info dictionary is no torrent's */
	TEVENT_NO_PLACE,  /* another torrent's files lie where its own would */
	TEVENT_NO_ROOT,   /* its directory lies beneath no download root */
	TEVENT_PLACE,     /* it may be opened */
	TEVENT_READY,     /* STORE_READY is in t->ready: its files can be used */
	TEVENT_UNUSABLE,  /* STORE_READY is in t->ready: they cannot */
	TEVENT_LOST,      /* the store took pieces back; STORE_READY follows */
	TEVENT_CHECK,     /* all there is of it is to be hashed, as soon as that can be */
	TEVENT_HASH,      /* the store holds it, and is to hash it */
	TEVENT_RETRY,     /* try again what had failed */
	TEVENT_REOPEN,    /* the store holds it, and has to look anew */
	TEVENT_OPEN,      /* the store does not know it */
	TEVENT_DETACHED,  /* peers have let go */
	TEVENT_CLOSED,    /* the store has let go */
	TEVENT_SHIFT,     /* the database knows that t->shift is to be carried out */
	TEVENT_REMOVE,    /* the database has the mark of its removal */
	TEVENT_NO_FILES,  /* nothing of it is the store's to close or delete */
	TEVENT_TRASHED,   /* its files are in the trash, or stay where they are */
	TEVENT_FORGOTTEN, /* the database has forgotten it */
	TEVENT_MAX_
};

enum fault {
	FAULT_NONE,
	FAULT_REFUSED, /* the disk refuses writes: seeds on, tried again by a timer */
	FAULT_PROBE, /* tried again; over when pieces come in or the timer comes before an error */
	FAULT_STOP,  /* stopped until a person starts it again */
};

enum queue_slot {
	SLOT_NONE, /* outside of the queue */
	SLOT_WAITS,
	SLOT_RUNS,
	SLOT_STALLED, /* runs without being counted: nothing moves */
};

/* A message that waits. */
struct deferred {
	struct link link;
	struct msg *m; /* owned */
};

struct totals {
	uint64_t downloaded, uploaded, wasted; /* bytes */
};

struct torrent {
	uint32_t magic;
	struct session *session;
	struct tref ref;
	enum torrent_phase phase : 8;
	enum fault fault : 8;
	enum err failure : 8; /* why TPHASE_FAILED */
	enum err trouble : 8; /* what `error` is about; E_OK: there is none */

	/* What is wished of it. */
	unsigned run;         /* enum state_run: started and how, as a person or a limit said */
	struct wishes wishes; /* owned */
	struct seed_limits seed;
	int64_t place;
	enum removal removal : 8; /* what becomes of its data with its removal */
	bool check_due : 1;       /* a check was asked for, and not yet asked of the store */
	bool saving : 1;  /* the first of `commands`, or `joining`, waits for the database */
	bool unasked : 1; /* its files are looked at again, and no person has asked for it */

	/* Who was told what; the sweep tells what differs. */
	bool in_store : 1;  /* STORE_OPEN was sent, and no STORE_CLOSE answered */
	bool attached : 1;  /* PEERS_ADD was sent, and no PEERS_REMOVE answered */
	bool told_bare : 1; /* and what peers have is the bare metainfo */
	bool tracked : 1;   /* the tracker actor has it */
	bool told_active : 1;
	bool told_no_download : 1;
	bool told_wishes : 1; /* peers have the latest ones */
	uint8_t told_dht;     /* what the DHT is to do with it, see dht.c */
	bool told_web : 1;    /* its web seeds are at work */
	bool told_choice : 1; /* trackers have heard that more, or less, or an announce is wanted */
	bool totals_sent : 1; /* the database has not yet taken the last STATE_TOTALS */
	bool totals_due : 1;  /* and there is something new since */

	/* What is known of it. */
	struct metainfo *meta; /* reference; bare while only a link is known */
	/* While meta is bare: the whole one, that waits for a place or for a command that is under
	 * way; reference, NULL: not known. */
	struct metainfo *found;
	bool found_kept : 1;      /* the database has it */
	bool keeping : 1;         /* STATE_META is under way */
	char *link;               /* owned: the magnet link that it came by; NULL: none */
	struct file_wish *choice; /* owned, while meta is bare: of files, in this order */
	uint32_t choice_n;
	int64_t row;
	char *path;          /* owned: target directory, absolute */
	char *names;         /* owned: those that meta has for its files; NULL: their own */
	struct shift *shift; /* owned: its files are on their way; see shift.c */
	char *trash;         /* owned: where its files go with its removal; NULL: nowhere */
	bool complete : 1;   /* all that is wanted is verified, and that was noted */
	bool partial : 1;    /* `completed_at` is of a part of it */
	uint32_t have_n;     /* pieces */
	uint64_t wanted;     /* bytes of wanted pieces */
	uint64_t left;       /* of them not verified */
	uint64_t lacks;      /* bytes of all pieces not verified */
	int64_t added, started_at, completed_at; /* seconds since 1970 */
	struct totals ever;                      /* before this run */
	struct totals base;                      /* of this run, before it was last attached */
	struct totals now;                       /* since it was attached */
	uint64_t seeded;                         /* seconds, before seed_since */
	int64_t seed_since, uploaded_at;         /* monotonic; 0: it does not seed */
	int64_t moved_at;                        /* payload, monotonic */
	int64_t active_at;                       /* likewise, seconds since 1970; 0: not yet */
	struct swarm_counts counts;              /* zeros while no peers have it */
	struct tracker_counts trackers;          /* nothing while the tracker actor lacks it */
	float checked;
	char *error; /* owned; NULL: none */
	/* What the database knows; kept until the store has opened it, for another try.  Owned. */
	struct torrent_record *record;
	struct bitfield have;        /* while no peers have it */
	struct m_store_ready *ready; /* to be taken by the next step that can; owned */

	/* Where it is linked. */
	struct torrent *hash_next, *target_next;
	bool targeted : 1; /* in session.targets */
	enum queue_slot slot : 8;
	uint8_t queue_kind; /* which of session.queues */
	struct ordered_node order_node, queue_node;
	struct link line;     /* in session.to_open, or in session.failed */
	struct link to_sweep; /* in session.dirty or session.changed */
	struct revised revised;

	struct link commands; /* of struct deferred: m_torrent_set, in order */
	struct link adds;     /* likewise: m_torrent_add, m_preview, until this is settled */
	/* The one that made it, while TPHASE_ADDING, or that brings what a magnet lacks; owned. */
	struct m_torrent_add *add;
	int64_t retry_after;          /* the last wait before another try */
	struct loop_timer retry;      /* of faults, failures, and a removal the disk refused */
	struct loop_timer save;       /* totals to the database */
	struct loop_timer stall;      /* while it runs and is counted */
	struct loop_timer seed_timer; /* while it seeds and may reach a limit */
};

/* The torrents of one kind that have a slot, and those that wait for one. */
struct queue {
	struct ordered_set runs, waits;
};

/* What the timers of a torrent call; the same for all, handed in by session.c. */
struct torrent_timers {
	void (*retry)(struct loop_timer *, int64_t now);
	void (*save)(struct loop_timer *, int64_t now);
	void (*stall)(struct loop_timer *, int64_t now);
	void (*seed)(struct loop_timer *, int64_t now);
};

struct target_dir; /* directories that targets lie in, of targets.c */
struct preview;    /* of preview.c */

struct session {
	uint32_t magic;
	struct actor *actor;
	const struct config *config; /* reference */
	unsigned shards, workers;
	/* Handed in from above: the one step, and what follows the end of a shift. */
	void (*step)(struct torrent *, enum torrent_event);
	void (*shift_ended)(struct torrent *, enum err, const struct words *why);
	struct torrent_timers timers;
	bool loaded;       /* the database has answered */
	enum err load_err; /* and failed: nothing can be added */
	bool clean;        /* the last run ended with everything written */
	struct link early; /* of struct deferred: came before that */
	struct tref_table slots;
	uint32_t *free_slots; /* owned: used again, the last first */
	uint32_t free_n, free_room;
	struct torrent **buckets; /* by info-hash; owned */
	struct torrent **targets; /* by directory and name; owned */
	uint32_t buckets_n;       /* a power of two */
	uint32_t torrents_n;
	uint32_t web_n;           /* torrents whose web seeds are at work */
	struct target_dir **dirs; /* by path; owned */
	uint32_t dirs_n, dirs_room;
	uint8_t hash_key[16];
	struct link to_open;  /* those that wait for a place */
	unsigned opening;     /* those in TPHASE_OPENING */
	bool loading;         /* those of the database: one after the other */
	struct link failed;   /* those that may come back by themselves, as a volume does */
	bool came_back;       /* one of them did: all others are tried at once */
	int64_t failed_after; /* the last wait */
	struct loop_timer failed_timer;  /* set while there are any */
	struct link dirty;               /* marked: the queue and the limits look at them */
	struct link changed;             /* looked at: whoever has to know is told */
	struct revisions revisions;      /* of what people see */
	struct label *last_path;         /* reference; of the torrent that got one last */
	struct ordered_set order;        /* all that are listed */
	int64_t place_first, place_last; /* bounds of all places ever given */
	struct queue queues[3];          /* downloads, seeds, magnets */
	struct link again; /* of struct deferred: as torrent.adds, to be tried again */
	struct link moves; /* likewise: m_torrent_set, in order */
	struct preview *previews[PREVIEWS_MAX]; /* owned; NULL: a free place */
	struct loop_timer previews_timer;       /* the first of them ends */
	bool moving;                            /* one of them waits for the database */
	struct removed_list removed;            /* those that can come back */
	uint64_t down_limit, up_limit;          /* set over the API */
	bool has_down_limit, has_up_limit;
	struct bandwidth *shares[LIMIT_KINDS]; /* owned arrays, one entry a shard */
	uint64_t shared[LIMIT_KINDS];          /* the limits that they are shares of */
};

static inline struct loop *session_loop(const struct session *s)
{
	return actor_loop(s->actor);
}

static inline int64_t torrent_now(const struct torrent *t)
{
	return actor_now(t->session->actor);
}

static inline bool torrent_started(const struct torrent *t)
{
	return (t->run & RUN_STARTED) != 0 && (!(t->run & RUN_UNTIL_FILES) || t->meta->bare);
}

static inline bool torrent_forced(const struct torrent *t)
{
	return (t->run & RUN_FORCED) != 0;
}

/* Only its link is known, or peers have it by that alone until its files can be used. */
static inline bool torrent_seeking(const struct torrent *t)
{
	return t->phase == TPHASE_METADATA || t->phase == TPHASE_LOOKING ||
	       (t->told_bare && t->phase <= TPHASE_OPENING);
}

/* Its removal is acknowledged. */
static inline bool torrent_leaving(const struct torrent *t)
{
	return t->phase >= TPHASE_LEAVING;
}

/* People see the torrent. */
static inline bool torrent_listed(const struct torrent *t)
{
	return t->phase > TPHASE_LOOKING && !torrent_leaving(t);
}

/* What people see of the torrent may have changed. */
static inline void torrent_changed(struct torrent *t)
{
	revision_mark(&t->session->revisions, &t->revised);
}

/* Trackers are asked to take another announce, if the torrent works; in the sweep. */
void torrent_announce(struct torrent *t);
/* The sweep at the end of this turn looks at the torrent. */
static inline void torrent_mark(struct torrent *t)
{
	torrent_changed(t);
	link_remove(&t->to_sweep);
	link_append(&t->session->dirty, &t->to_sweep);
}

/* --- deferred.c --- */

/* Keeps *m, which becomes NULL. */
void deferred_push(struct link *list, struct msg **m);
struct msg *deferred_pop(struct link *list); /* NULL when empty */
struct msg *deferred_first(const struct link *list);
void deferred_free(struct actor *, struct link *list);
/* All of `from` behind all of `to`. */
void deferred_move(struct link *to, struct link *from);
/* Keeps *m, and true, while the database has not answered. */
bool session_defer_early(struct session *, struct msg **m);

/* --- bandwidth.c --- */

/* The limits in force, B/s: what was set over the API, else the configuration's. */
uint64_t session_down_limit(const struct session *);
uint64_t session_up_limit(const struct session *);
/* Tells every shard its share. */
void session_send_limits(struct session *);
void session_on_peers_load(struct actor *, struct msg **);
void shares_init(struct session *); /* the number of shards is known */
void shares_free(struct session *);

/* --- table.c --- */

struct session *session_of(const struct actor *);
/* In the table from now on; phase TPHASE_ADDING.  Takes a reference of meta. */
struct torrent *torrent_new(struct session *, const struct metainfo *meta);
/* Out of the table, its calls forgotten, everything it owns freed; it is in no list by then. */
void torrent_free(struct torrent **);
struct torrent *torrent_find(const struct session *, const uint8_t infohash[20]); /* or NULL */
struct torrent *torrent_at(const struct session *, struct tref);                  /* or NULL */
/* The torrent of the slot, or NULL: for the few walks over all. */
static inline struct torrent *session_torrent(const struct session *s, uint32_t slot)
{
	return tref_table_at(&s->slots, slot);
}
uint32_t torrent_position(const struct torrent *); /* in the order, from 1; 0: not in it */
void table_free(struct session *);                 /* it is empty */

/* --- totals.c --- */

struct totals torrent_run_totals(const struct torrent *);
/* Seconds of seeding, ever. */
uint64_t torrent_seeded(const struct torrent *);
/* To the database, in a while. */
void torrent_save_soon(struct torrent *);
/* To the database, now; when it has taken what was sent before. */
void torrent_save_totals(struct torrent *);
void torrent_on_save_timer(struct loop_timer *, int64_t now);
void session_on_saved(struct actor *, struct msg **);
/* Saves what would be lost at the end. */
void session_save_all(struct session *);

/* --- tell.c --- */

/* A setting of the torrent to the database; a failure is only logged. */
void tell_state(const struct torrent *, enum state_key, int64_t value);
/* Another metainfo.  tell_meta_of() has the message, to which wishes for files may be added. */
struct m_state_meta *tell_meta_of(const struct torrent *, const struct metainfo *meta);
void tell_meta(struct torrent *, struct m_state_meta **, actor_reply_f *fn);
void tell_forget(struct torrent *, actor_reply_f *fn);
/* It can only be restored from now on. */
void tell_shelve(struct torrent *, actor_reply_f *fn);
void tell_open(const struct torrent *, const char *root);
void tell_close(struct torrent *, actor_reply_f *fn);
void tell_check(const struct torrent *);
void tell_files(const struct torrent *);
/* Where files lie, for a worker; and which one is asked. */
void tell_where(
	const struct session *, const char *path, const struct metainfo *, struct whereabouts *out);
uint16_t tell_worker_of(const struct session *, const struct metainfo *);
/* Takes have and the partial pieces out of r, which is NULL while the torrent is bare. */
void tell_attach(const struct torrent *, bool active, struct m_store_ready *r);
void tell_detach(struct torrent *, actor_reply_f *fn);
/* The peers that a link to it names (x.pe). */
void tell_named(const struct torrent *, struct slice link);
void tell_peers(const struct torrent *, bool active, bool no_download);
void tell_track(const struct torrent *, bool active);
void tell_tracker(const struct torrent *, enum tracker_op op);
/* It has those of that metainfo from now on. */
void tell_trackers(const struct torrent *, const struct metainfo *);
/* Its web seeds are to work, or to end. */
void tell_web_seeds(const struct torrent *, bool active);

/* --- dht.c --- */

/* Tells the DHT what differs; active: the torrent works. */
void torrent_update_dht(struct torrent *, bool active);

/* --- errors.c --- */

/* Notes words for people: what went wrong and what to do. */
void torrent_set_error(struct torrent *, enum err, const char *why);
void torrent_clear_error(struct torrent *);
/* The store could not carry out what it was asked to; marks. */
void torrent_fault(struct torrent *, enum err);
/* The disk is asked again, now. */
void torrent_retry_writes(struct torrent *);
/* Nothing is wrong with it. */
void torrent_end_fault(struct torrent *);
/* Pieces come in: what was refused is not refused any more. */
void torrent_note_progress(struct torrent *);
/* Another try of what timer is for: in 2 s, or twice what *after says, up to a minute. */
void session_retry_later(struct session *, struct loop_timer *, int64_t *after);
/* A failure that may pass without a person, and is looked at again without any danger. */
bool error_may_pass(enum err);

/* --- queue_order.c --- */

/* A place before or behind all others. */
int64_t session_new_place(struct session *, bool top);
void torrent_enter_order(struct torrent *);
void torrent_leave_order(struct torrent *); /* fine when it is not in it */
/* Takes the m_torrent_set of a TORRENT_MOVE. */
void session_move(struct session *, struct msg **m);

/* --- queue.c --- */

/* Enters or leaves the queue as it has to; queue_settle() follows. */
void queue_update(struct torrent *);
/* Out of it. */
void queue_drop(struct torrent *);
/* Its place has changed; queue_settle() follows. */
void queue_moved(struct torrent *);
/* As many run as may, and none waits before one that runs; marks who changes sides. */
void queue_settle(struct session *);
bool queue_lets_run(const struct torrent *);
void queue_payload(struct torrent *, bool downloaded, bool uploaded);
void queue_reload(struct session *);
void queue_on_stall_timer(struct loop_timer *, int64_t now);

/* --- seed_limits.c --- */

/* Whether it seeds has perhaps changed; `active`: it works from this turn on. */
void seed_limits_update(struct torrent *, bool active);
void seed_limits_note_upload(struct torrent *);
bool seed_limits_reached(const struct torrent *);                /* by ratio or time */
struct seed_limits seed_limits_in_force(const struct torrent *); /* 0 is none */
double torrent_ratio(const struct torrent *, uint64_t downloaded, uint64_t uploaded);
void seed_limits_on_timer(struct loop_timer *, int64_t now);
/* The configuration has changed: marks those that seed. */
void seed_limits_reload(struct session *);

/* --- active.c --- */

/* Should work, as far as it can be told from here. */
bool torrent_wants_active(const struct torrent *);
/* Takes the numbers of t->ready; the sweep gives the rest of it to peers and trackers. */
void torrent_attach(struct torrent *);
/* Trackers forget it. */
void torrent_untrack(struct torrent *);
/* Asks them to give it back; fn calls torrent_detached().  false: they never got it. */
bool torrent_detach(struct torrent *, actor_reply_f *fn);
/* r: the answer, or NULL. */
void torrent_detached(struct torrent *, struct m_peers_remove *r);
/* The end of every turn: settles the queue and the limits on seeding of what was marked, and tells
 * peers and trackers what differs from what they were told. */
void session_sweep(struct session *);

void session_on_peers_done(struct actor *, struct msg **);
void session_on_peers_totals(struct actor *, struct msg **);
void session_on_tracker_news(struct actor *, struct msg **);

/* --- step.c --- */

/* The one way from phase to phase. t may be gone afterwards. */
void torrent_step(struct torrent *, enum torrent_event);
/* For a person: "opening". */
const char *torrent_phase_name(enum torrent_phase);
/* Whether the event can come in that phase. */
bool torrent_event_possible(enum torrent_phase, enum torrent_event);
/* What the store said is not to be taken any more. */
void torrent_drop_ready(struct torrent *);
/* Out of every list, and freed. */
void torrent_end(struct torrent **);

/* --- life.c --- */

/* Its metainfo has come, in t->found; it is used when no command is under way.  t may be gone. */
void torrent_found(struct torrent *);
/* A torrent of the database or one just added; takes what r holds. */
void torrent_adopt(struct torrent *, struct torrent_record *r);
/* The mark of the removal is in the database; t may be gone afterwards. */
void torrent_remove(struct torrent *, enum removal);
void session_open_more(struct session *);
void torrent_on_retry_timer(struct loop_timer *, int64_t now);
void session_on_failed_timer(struct loop_timer *, int64_t now);

void session_on_peers_metadata(struct actor *, struct msg **);
void session_on_store_ready(struct actor *, struct msg **);
void session_on_store_progress(struct actor *, struct msg **);
void session_on_store_error(struct actor *, struct msg **);

/* --- images.c --- */

/* How that of it is which the command changes; false: it cannot be undone. */
bool image_of(const struct torrent *, enum torrent_op, struct undo_image *);
/* Whether what is to be undone is so: E_OK, E_EXISTS (it is undone already), or E_CHANGED and
 * words. */
enum err image_check(const struct torrent *, struct m_torrent_set *);
/* Has the database keep `was` together with the change to what `now` says; takes both. */
void image_keep(const struct torrent *, struct m_torrent_set *, struct m_state_set *,
	struct undo_image *was, struct undo_image *now);

/* --- commands.c --- */

void session_on_set(struct actor *, struct msg **);
/* What had set t->saving is done: what waited for that goes on. */
void torrent_saved(struct torrent *);
/* The TORRENT_PLACE that is its first command, unless an earlier run had it, has ended. */
void commands_shift_ended(struct torrent *, enum err, const struct words *why);

/* --- status.c --- */

enum torrent_status torrent_status(const struct torrent *);
/* Why it is at that. */
enum torrent_why torrent_why(const struct torrent *);

/* --- rows.c --- */

/* The end of every turn: what has changed gets its revision. */
void session_settle_rows(struct session *);
/* At once, for who is answered with it: the revision at which the list has the torrent as it is. */
uint64_t torrent_settle_row(struct torrent *);
/* So that what was done is in the rows before who asked is told. */
void session_tell_rev(struct session *, struct m_torrent_set *);
void session_on_rows(struct actor *, struct msg **);
void session_on_view(struct actor *, struct msg **); /* view.c */

#endif
