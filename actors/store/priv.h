/* SPDX-License-Identifier: MIT */
/*
 * What the files of the store share: the front of the disks, which never blocks.
 *
 * A torrent in use is a small state machine over calls to the workers.  It moves in store_step()
 * only, when no call is pending, so that every phase begins with all workers at rest about it.
 *
 *   store.c       the actor: messages, notes, stop
 *   table.c       torrents by reference, lists of numbers
 *   tell.c        words, errors for the session
 *   life.c        the end of a torrent
 *   call.c        calls of a phase
 *   files.c       what the files must stay while the torrent is in use
 *   step.c        the phases of opening, checking and closing
 *   ready.c       from what files look like to what the session is told
 *   trust.c       which pieces to believe after a start (pure)
 *   check.c       one torrent at a time is hashed, spread over the workers
 *   checkpoint.c  sync, then tell the database
 *   watch.c       verified pieces, for who publishes them
 */
#ifndef ACTORS_STORE_PRIV_H
#define ACTORS_STORE_PRIV_H

#include "actors/msg/env.h"
#include "proto/meta/layout.h"

#define STORE_MAGIC    0x53544f52u
#define STORRENT_MAGIC 0x53544f54u

/* A growing list of numbers. */
struct vec32 {
	uint32_t *v; /* owned */
	uint32_t n, room;
};
void vec32_push(struct vec32 *, uint32_t x);
void vec32_free(struct vec32 *);
/* Moves the array out: *n is its length; NULL when empty.  The list is empty afterwards. */
uint32_t *vec32_take(struct vec32 *, uint32_t *n);
void vec32_append(struct vec32 *dst, const struct vec32 *src);

enum store_phase {
	PHASE_OPEN,        /* workers find the directory */
	PHASE_STAT,        /* one of them looks at every file */
	PHASE_PLACES,      /* workers learn which files are not wanted */
	PHASE_QUEUED,      /* waits for its turn to be hashed */
	PHASE_CHECK,       /* pieces are hashed */
	PHASE_PARTIALS,    /* workers learn of partial pieces */
	PHASE_CHECK_SYNC,  /* what was found good is made durable */
	PHASE_READY,       /* in use */
	PHASE_CHECKPOINT,  /* in use, a sync is under way */
	PHASE_FILES,       /* in use, workers learn that wishes have changed */
	PHASE_AGAIN,       /* before another look: workers forget it, then it is opened anew */
	PHASE_HOLD,        /* workers forget it */
	PHASE_HELD,        /* its files cannot be used */
	PHASE_CLOSE_SYNC,  /* last sync */
	PHASE_CLOSE_STATE, /* the database is told */
	PHASE_CLOSE,       /* workers forget it */
	PHASE_DELETE,      /* one of them removes the files */
	PHASE_MAX_
};

/* What a step did. */
enum step {
	STEP_MOVED, /* to another phase */
	STEP_REST,  /* nothing to do until something happens */
	STEP_GONE,  /* the torrent is freed */
};

/* A file that a worker has written to since its last sync. */
struct dirty_pair {
	uint32_t file;
	uint16_t worker;
};

struct storrent {
	uint32_t magic;
	struct store *s;
	struct tref t;
	int64_t row; /* of the database */
	struct metainfo *meta;
	struct layout layout;
	char *root, *path;
	bool make_root, fresh;
	enum store_phase phase;
	unsigned calls; /* pending ones; phases change when it is 0 */

	uint8_t *priority;     /* owned: by file, 0: skipped; NULL: all are wanted */
	uint8_t *priority_new; /* owned: the same, once `wished` is acted upon */
	bool wished;           /* wishes have changed */

	struct bitfield have;     /* verified */
	struct bitfield synced;   /* and durable */
	struct vec32 noted;       /* verified since the last sync */
	struct vec32 syncing;     /* those of them that the sync under way covers */
	bool news_pieces;         /* noted ones that the database has not heard of */
	struct vec32 news_dirty;  /* files that it has not heard of */
	int64_t synced_at;        /* when the last checkpoint told it */
	bool brisk;               /* and the one before was not long ago */
	struct dirty_pair *dirty; /* owned */
	uint16_t *dirty_count;    /* owned, by file: pairs that name it; NULL while dirty_n is 0 */
	uint32_t dirty_n, dirty_room;
	uint64_t dirty_bytes; /* verified since the last sync */

	/* What is known of the files while it is in use; store.h of it: files.c. */
	uint64_t *ids; /* owned: file_id(), by file and of the part file; 0: it is not there; NULL:
			  none is */
	struct bitfield fits; /* files that have had their full length */
	struct bitfield made; /* files that were there at the look, or made since */
	struct vec32 young; /* that were made, or reached that length, since the last sync began */
	struct vec32 altered;      /* files that somebody has removed, replaced or cut short */
	struct words *altered_why; /* owned */
	enum err altered_err;
	bool relook;             /* looks again because of them: `before` is made from memory */
	struct bitfield claimed; /* had before the look; until the check is over */
	uint32_t look_at;        /* files from here on are looked at by the next sync */
	struct loop_timer timer;
	bool due;                   /* a checkpoint is */
	struct storrent *news_next; /* torrents with news */
	bool has_news;
	bool noting;     /* a STATE_NOTE of it is with the database */
	unsigned saving; /* STATE_PIECES likewise, those nobody waits for */

	struct file_stamp *before; /* owned: as the database has them; until the check is over */
	uint32_t before_n;
	struct vec32 doubtful; /* pieces noted but never synced, by an earlier run */
	bool want_data;        /* PHASE_STAT asks where data is, which opens every file */
	struct file_stamp
		*now; /* owned: as they are, the part file's last; until the check is over */
	struct part_unit *units; /* owned: what the part file holds; likewise */
	uint32_t units_n;
	struct bitfield data;           /* pieces that can hold data; likewise */
	struct partial_piece *partials; /* owned: those that survive; until the check is over */
	uint32_t partials_n;
	uint32_t partials_told; /* how many the database has */

	uint32_t dirs_made;  /* bytes at the end of path that name directories made for it */
	uint32_t dirs_told;  /* how many the database knows */
	uint64_t downloaded; /* ever, at least: what was before, and what was verified since */

	bool lost;               /* the check is of pieces that a failed sync took back */
	bool full;               /* hash everything that is there, believe nothing */
	bool recheck;            /* asked for while busy */
	bool whole_check;        /* everything is looked at: the database hears of its end */
	bool changed;            /* the database has to hear of what the check found */
	struct bitfield want;    /* pieces to hash */
	uint32_t issued, hashed; /* of them: sent to workers; answered */
	uint32_t *cursor;        /* owned, by worker: where its next job begins */
	struct storrent *queue_next;
	int64_t progress_at;

	struct file_stamp *synced_stamps; /* owned: of the sync under way */
	uint32_t synced_stamps_n;
	struct partial_piece *listed; /* owned: likewise */
	uint32_t listed_n;
	enum err err;           /* of the calls of this phase: the first that failed */
	struct words *why;      /* owned: of that one; NULL: none, as nearly always */
	enum err held_err;      /* why it is held */
	struct words *held_why; /* owned; NULL: none */

	bool closing, delete_data;
	struct msg **closers; /* owned: STORE_CLOSE calls to answer */
	unsigned closers_n;
};

struct store {
	uint32_t magic;
	struct actor *actor;
	const struct config *config;
	unsigned workers;
	struct storrent **slots; /* by tref.slot */
	uint32_t slots_n;
	unsigned open;         /* torrents */
	struct storrent *news; /* torrents with something to tell the database */
	bool news_urgent;
	int64_t news_due; /* when what is not urgent is told */
	struct loop_timer news_timer;

	struct storrent *checking;
	struct storrent *queue, **queue_end; /* those that wait to be checked */
	unsigned *jobs;                      /* by worker: hash jobs under way */
	int64_t check_next;                  /* when store.check_rate lets the next job go */
	struct loop_timer check_timer;
	struct loop_task check_task; /* `checking` has its turn */
	/* Handed in from above: a call of a torrent's phase has ended. */
	void (*replied)(struct storrent *, enum err, struct msg *);

	/* Verified pieces for who publishes them: watch.c. */
	bool watched, watch_lost;
	struct verified_piece *seen; /* owned */
	uint32_t seen_n, seen_room;

	bool stopping;
	bool over; /* no step is taken any more */
	struct loop_timer deadline;
};

/* --- watch.c --- */
/* A piece was verified; nothing is kept while nobody asks. */
void store_watch_note(struct storrent *, uint32_t piece);
/* Answers with what was verified since the last question. */
void store_watch_answer(struct store *, struct m_store_pieces *);
void store_watch_end(struct store *);

/* --- table.c --- */
struct storrent *store_find(struct store *, struct tref);
void store_slot_set(struct store *, struct storrent *);

/* --- life.c --- */
/* Frees it and empties its slot. */
void store_torrent_free(struct storrent **);

/* --- tell.c --- */
/* "write 'dir/file': no space left on the device" */
void store_words(struct words *, const struct storrent *, uint32_t file, const char *op, enum err);
/* *to, owned, becomes a copy of them; NULL when they are none or NULL. */
void store_words_keep(struct words **to, const struct words *from);
void store_tell_error(struct storrent *, enum err, const struct words *, bool lost);

/* --- call.c --- */
/* One more call of the phase; takes the message.  store->replied() hears of its end. */
void store_call(struct storrent *, uint16_t to, struct msg *m);

/* --- step.c --- */
/* Goes on when the phase's calls have ended; the torrent may be gone afterwards. */
void store_step(struct storrent *);
/* Begins a phase; store_step() then finds out whether there is anything to wait for. */
void store_enter(struct storrent *, enum store_phase);
/* A call of the phase has ended: takes what it brought and goes on. */
void store_replied(struct storrent *, enum err, struct msg *);
/* STORE_CHECK: now, or when what is under way has ended. */
void store_recheck(struct storrent *);
void store_close(struct storrent *, bool delete_data);
/* For a person: "checking". */
const char *store_phase_name(enum store_phase);

/* --- ready.c --- */
/* Takes the outcome of PHASE_STAT apart: what is believed, what is hashed.  false: hold, see
 * t->err. */
bool store_decide(struct storrent *);
/* Drops the partial pieces that turned out to be whole. */
void store_partials_thin(struct storrent *);
/* A check has ended: the whole truth goes to the database and the session. */
void store_ready(struct storrent *);
/* Frees what is only needed until then. */
void store_ready_drop(struct storrent *);
void store_tell_ready(struct storrent *, enum err, const struct words *);

/* --- check.c --- */
void store_check_init(struct store *);
void store_check_queue(struct storrent *);
/* The torrent is done or goes away, wherever it stood: the next one begins. */
void store_check_end(struct storrent *);
/* Another store.check_rate may hold from now on. */
void store_check_reload(struct store *);
void store_hashed(struct storrent *, enum err, struct m_worker_hash *);
/* Sends as many jobs as may be under way. */
void store_check_feed(struct storrent *);
static inline bool store_check_left(const struct storrent *t)
{
	return t->issued < t->want.count;
}

/* --- checkpoint.c --- */
void store_note_piece(struct storrent *, uint32_t piece);
void store_note_dirty(struct storrent *, uint16_t worker, uint32_t file);
void store_news_init(struct store *);
/* Tells the database what is due. */
void store_news_end_tick(struct store *);
/* Tells it all. */
void store_news_flush(struct store *);
/* The database has taken the last note. */
void store_news_noted(struct storrent *);
/* Asks every worker to write its partial pieces and sync; results are collected for the phase's
 * end. */
void store_sync(struct storrent *);
void store_sync_drop(struct storrent *);
/* After a sync that worked: what it covers is synced, and the database is told if that is news.
 * With `wait` as a call of the phase. */
void store_checkpoint_done(struct storrent *, bool wait);
/* After one that did not: pieces noted since the last good one are to be hashed again. */
void store_checkpoint_lost(struct storrent *);
/* Sends the truth, which replaces all that was told before: have, the stamps and the partials
 * collected.  With `wait` as a call of the phase. */
void store_state_pieces(struct storrent *, bool wait);
/* Says that one is due, or sets the timer. */
void store_checkpoint_arm(struct storrent *);
void store_synced(struct storrent *, enum err, struct m_worker_sync *);
/* Directories were made for the torrent: bytes at the end of its path. */
void store_note_made(struct storrent *, uint32_t bytes);
bool store_file_is_dirty(const struct storrent *, uint32_t file);
void store_dirty_clear(struct storrent *, uint16_t worker);

/* --- files.c --- */
/* What the look has shown is what the files must stay. */
void store_files_know(struct storrent *);
void store_files_forget(struct storrent *);
/* A worker has seen the file by its name, or made it; NULL-safe against what is not known. */
void store_file_seen(struct storrent *, uint32_t file, uint64_t id, bool made);
/* The files that are there and not whole, for workers; owned by the caller, NULL: none. */
struct file_stamp *store_files_short(const struct storrent *, uint32_t *n);
static inline bool store_file_known(const struct storrent *t, uint32_t file)
{
	return t->ids != NULL && t->ids[file] != 0;
}
void store_file_looked(struct storrent *, const struct file_stamp *);
/* Somebody has altered it: its pieces are taken back once the phase allows. */
void store_file_altered(struct storrent *, uint32_t file, enum err err, const struct words *why);
/* After a sync that worked: what it covers is synced, but for the pieces of altered files. */
void store_files_doubt(struct storrent *);
/* Every piece that was verified is claimed again, the doubtful ones to be hashed: the torrent is
 * looked at next. */
void store_files_claim(struct storrent *);
/* What was verified while it was looked at lies in files that may be gone. */
void store_files_unnote(struct storrent *);
/* t->before as memory has it, for the files that t->now shows. */
void store_files_before(struct storrent *);
/* After a check: the first file of somebody else in which pieces of ours should be, and are not;
 * files_n: none. */
uint32_t store_files_foreign(const struct storrent *);

/* --- trust.c --- */
struct trust_in {
	const struct metainfo *meta;
	const struct bitfield *synced;
	const uint32_t *noted; /* verified, maybe not on disk */
	uint32_t noted_n;
	const struct file_stamp *before; /* of some files */
	uint32_t before_n;
	const struct file_stamp *now;  /* of all files, and of the part file */
	const struct bitfield *data;   /* pieces that lie wholly in written parts */
	const uint8_t *priority;       /* by file, 0: skipped; NULL: all are wanted */
	const struct part_unit *units; /* in the part file, in order */
	uint32_t units_n;
	int64_t slack_ns; /* so long after a note we may have written without another */
	bool fresh;       /* nothing is known: hash what holds data */
	bool full;        /* hash whatever is there, believe nothing */
};

struct trust {
	struct bitfield have; /* believed */
	struct bitfield want; /* to be hashed */
	uint8_t *touched; /* owned, by file and of the part file: its content may be another's */
	bool news;        /* the database has to hear of it */
	enum err err;     /* E_NOENT, E_CHANGED: hold the torrent; `file` shows why */
	uint32_t file;
};

/* Which pieces to believe.  Pure; the caller calls trust_free() whatever *out says. */
void trust_decide(const struct trust_in *, struct trust *out);
void trust_free(struct trust *);
/* Whether blocks of an incomplete piece that were on disk can still be counted on. */
bool trust_partial(const struct trust_in *, const struct trust *, uint32_t piece);

#endif
