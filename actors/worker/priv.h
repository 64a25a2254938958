/* SPDX-License-Identifier: MIT */
/*
 * What the files of the worker share: one thread that reads, writes and hashes for the others.
 *
 * A worker knows the torrents that the store opened, the pieces of its own (tref_worker()) that are
 * on their way in, and a bounded set of open descriptors.  Everything here belongs to the worker's
 * thread; every file call may block, which is what the thread is for.
 *
 *   worker.c   the actor
 *   table.c    torrents by reference
 *   torrent.c  a torrent's files: names, flags, which are to be synced
 *   out.c      batches of messages out
 *   life.c     the end of a torrent
 *   ring.c     messages that wait
 *   queue.c    batches of blocks wait for their turn
 *   load.c     parts of maps to be brought into memory, likewise
 *   piece.c    blocks in: hash in order, write in runs, verify
 *   hot.c      what a piece needs meanwhile
 *   io.c       bytes of a piece to and from the files they lie in
 *   file.c     descriptors, creation of files
 *   part.c     what lies of unwanted files in the part file, and its way out
 *   prepare.c  empty files and symbolic links
 *   places.c   which files are wanted, and lie where
 *   open.c     a torrent's directory: open, look at every file
 *   sync.c     make what was written durable
 *   hash.c     hash pieces from disk, a piece a turn
 *   delete.c   remove a torrent's files
 *   shift.c    move them to another place
 */
#ifndef ACTORS_WORKER_PRIV_H
#define ACTORS_WORKER_PRIV_H

#include "actors/kernel/fs.h"
#include "actors/msg/env.h"
#include "proto/meta/layout.h"

#define WORKER_MAGIC   0x574f524bu
#define WTORRENT_MAGIC 0x57544f52u
#define WPIECE_MAGIC   0x57504943u

/* Blocks in one write: 1 MiB; also what is read at once. */
#define WORKER_RUN_BLOCKS 64u
#define WORKER_RUN_BYTES  (WORKER_RUN_BLOCKS * BLOCK_SIZE)
/* A piece that got nothing for this long is written out. */
#define WORKER_IDLE_US (5 * USEC_PER_SEC)
/* Pieces that keep a running hash; older ones are hashed again from disk when they are complete. */
#define WORKER_HOT_MAX 64u
/* Notes of good pieces are so far apart at least. */
#define WORKER_NOTES_US (50 * USEC_PER_MSEC)
/* The same failure of the same torrent is told to the store once in this time. */
#define WORKER_ERROR_EVERY_US USEC_PER_SEC

/* A failed file call: which file, doing what. */
struct wfail {
	enum err err;
	uint32_t file; /* index into meta->files, part_file(), or WFILE_DIR: the target directory */
	const char *op; /* "open", "read", "write", "sync", "create" */
};
#define WFILE_DIR UINT32_MAX

/* --- delete.c --- */
/* Directories above path, deepest first, while they are empty. */
void worker_remove_dirs(int dir, const char *path);
/* Of the target directory and those above it what was made for the torrent, while it is empty. */
void worker_remove_made(const char *root, const char *path, size_t made);

enum wfile_flag {
	WFILE_DIRTY = 1,    /* written since the last sync, which the store was told */
	WFILE_LISTED = 2,   /* in the torrent's list of files to sync */
	WFILE_CREATED = 4,  /* made by us and its name is not synced yet */
	WFILE_WHOLE = 8,    /* has had its full length, and is to keep it */
	WFILE_SKIPPED = 16, /* not wanted: never made */
	WFILE_PARTED = 32,  /* its bytes are in the part file */
};

/* What was moved out of the part file, or seems to have been when the last run ended. */
struct wmoved {
	uint32_t piece, file;
	bool settled; /* the file has it: after a sync the part file may forget it */
};

struct wfile {
	uint16_t slot; /* 1 + place among the open descriptors; 0: not open */
	uint8_t flags;
};

struct wtorrent {
	uint32_t magic;
	struct tref t;
	struct metainfo *meta; /* a reference */
	struct layout layout;
	char *root, *path;
	bool make_root;
	bool dir_known;  /* device and inode of the directory are known */
	bool dir_made;   /* we created it: the names above it are synced once */
	bool prepared;   /* empty files exist */
	bool suspect;    /* a sync failed: what the page cache holds may not be on disk */
	uint64_t device; /* of the directory */
	uint64_t inode;  /* likewise */
	bool root_known; /* and the device of the root, for a directory that is yet to be made */
	uint64_t root_device;
	uint16_t dir_slot;         /* as wfile.slot */
	struct wfile *files;       /* and the part file behind them */
	uint64_t *ids;             /* likewise: file_id() as it was seen first; 0: never */
	struct file_stamp *shorts; /* owned: files that were there and not whole, by file */
	uint32_t shorts_n;
	char part[48];     /* name of the part file */
	bool placed;       /* was told which files are wanted */
	bool salvage;      /* reads what was moved from where it was */
	uint32_t parted_n; /* files with WFILE_PARTED */
	struct wmoved *moved;
	uint32_t moved_n, moved_room;
	uint32_t unsettled_n; /* of them */
	bool part_idle;       /* no file is in the part file now: it goes at the next sync */
	uint32_t *unsynced;   /* files to sync */
	uint32_t unsynced_n, unsynced_room;
	struct wpiece **table; /* by piece / workers; NULL while the torrent rests */
	struct wpiece *pieces; /* those open */
	uint32_t pieces_n;
	int64_t error_at; /* when the store was last told of a failure, and which */
	enum err error_last;
};

#define WPIECE_BLOCKS_MAX (METAINFO_PIECE_MAX / BLOCK_SIZE)

/* What a piece needs while blocks come in; recycled. */
struct whot {
	struct whot *next;
	struct hasher *hasher;
	uint8_t **data; /* by block; not NULL: held in memory, lent by peers */
	uint32_t room;
};

/*
 * A piece that is not complete.  A block is missing, held in memory or on disk.  Blocks [0, hashed)
 * are in the running hash, whether held or on disk.  hot is NULL when nothing is held.
 */
struct wpiece {
	uint32_t magic;
	struct wtorrent *t;
	struct wpiece *next, **prev;            /* among the torrent's */
	struct wpiece *hot_next, *hot_prev;     /* by the time of the last block, oldest first */
	struct wpiece *ready_next, *ready_prev; /* got blocks in the message in hand */
	bool ready;
	bool cooled; /* its running hash was given up: blocks on disk are read when all are there */
	uint16_t shard; /* address of the peers actor whose buffers it holds */
	uint32_t index, blocks;
	uint32_t have, held; /* blocks held or on disk; blocks held */
	uint32_t hashed;
	int64_t touched;
	struct whot *hot;
	uint8_t disk[WPIECE_BLOCKS_MAX / 8]; /* bitmap, high bit first */
};

struct wfd {
	struct wtorrent *t; /* NULL: free */
	uint32_t file;      /* or WFILE_DIR */
	int fd;
	bool writable;
	uint16_t next, prev; /* by use, latest first; 1 + index, 0 ends */
};

struct wfds {
	struct wfd *v;
	uint16_t n;
	uint16_t head, tail;
	uint16_t free; /* chained by next */
};

struct whash_job {
	struct whash_job *next;
	struct m_worker_hash *m; /* owned */
	uint32_t at;             /* pieces of it that are done */
};

/* Messages that wait, owned. */
struct wring {
	struct msg **v;
	uint32_t at, n, room;
};

struct worker {
	uint32_t magic;
	struct actor *actor;
	const struct config *config;
	unsigned index, workers, shards;
	struct wtorrent **slots; /* by tref.slot */
	uint32_t slots_n;
	struct wfds fds;

	struct wpiece *hot_first, *hot_last; /* pieces with hot set */
	unsigned hot_n;
	struct wpiece *ready_first, *ready_last;
	struct wpiece *free_pieces; /* chained by next */
	struct whot *free_hots;
	uint32_t held, held_max; /* blocks in memory; more than that is written out */
	struct loop_timer idle;

	struct wring queue; /* BLOCKS_WRITE */
	struct loop_task queue_task;
	struct wring loads; /* EXTENT_READ of maps */
	struct loop_task load_task;

	struct whash_job *jobs, **jobs_end;
	struct loop_task job_task;
	struct hasher *hashers[2]; /* of hash jobs */
	uint8_t *scratch; /* WORKER_RUN_BYTES: for jobs and reading back, never both at once */

	struct m_blocks **out; /* by shard: answers of this turn */
	struct m_worker_note *notes;
	bool notes_urgent;
	int64_t notes_due; /* when those that are not are sent */
	struct loop_timer notes_timer;
	bool ending;             /* nobody hears us any more */
	struct block_item scrap; /* what is said then */
};

/* --- table.c --- */
/* NULL when no such torrent is open, or only an older or newer one in its slot. */
struct wtorrent *worker_find(struct worker *, struct tref);
void worker_slot_set(struct worker *, struct wtorrent *);

/* --- life.c --- */
/* Forgets its pieces, closes its files, frees it. */
void worker_torrent_free(struct worker *, struct wtorrent **);
actor_msg_f worker_on_close;

/* --- out.c --- */
void worker_out_init(struct worker *);
/* The turn ends. */
void worker_out_flush(struct worker *);
/* Only when the program leaves without having waited. */
void worker_out_drop(struct worker *);
/* A blank item to fill, which leaves with the turn's batch to that peers actor. */
struct block_item *worker_out(struct worker *, uint16_t shard);
void worker_note(struct worker *, struct wtorrent *, enum note_kind, uint32_t index);
/* The file was made or opened, and the store had told of none. */
void worker_note_seen(struct worker *, struct wtorrent *, uint32_t file, bool made);
void worker_note_error(struct worker *, struct wtorrent *, const struct wfail *);
/* Sends the notes collected so far: the store must have them before a reply that counts on them. */
void worker_notes_flush(struct worker *);
/* "write 'dir/file': no space left on the device" */
void worker_words(struct words *, const struct wtorrent *, const struct wfail *);

/* --- ring.c --- */
void wring_push(struct wring *, struct msg **); /* takes the message */
struct msg *wring_pop(struct wring *);          /* the oldest; there must be one */
void wring_fini(struct wring *, struct actor *);

/* --- queue.c --- */
actor_msg_f worker_on_blocks;
void worker_queue_init(struct worker *);
void worker_queue_fini(struct worker *);
/* Works on everything that waits, now. */
void worker_queue_run(struct worker *);

/* --- load.c --- */
/* Takes an EXTENT_READ of a map, and answers it when its bytes are in memory. */
void worker_load(struct worker *, struct msg **);
void worker_loads_init(struct worker *);
void worker_loads_fini(struct worker *);
void worker_loads_run(struct worker *); /* answers all that wait, now */

/* --- piece.c --- */
/* One batch of blocks in; the message may be freed, its buffers are held. */
void worker_blocks_take(struct worker *, const struct m_blocks *);
/* Hashes, writes and verifies what was taken; `more` batches wait, so there is time. */
void worker_blocks_run(struct worker *, bool more);
void worker_pieces_init(struct worker *);
void worker_pieces_fini(struct worker *);
/* Takes over what is known of pieces from an earlier run; those that are not ours are ignored. */
void worker_partials_load(
	struct worker *, struct wtorrent *, const struct partial_piece *, uint32_t n);
/* Writes out every block held of the torrent; a piece that fails is forgotten. */
void worker_pieces_flush(struct worker *, struct wtorrent *);
/* The pieces with blocks on disk.  *out is owned by the caller. */
uint32_t worker_partials_list(const struct wtorrent *, struct partial_piece **out);
/* Gives the buffers back and forgets; with err, peers is told that the piece failed. */
void worker_pieces_forget(struct worker *, struct wtorrent *, enum err err);
void worker_piece_forget_at(struct worker *, struct wtorrent *, uint32_t piece);

/* --- hot.c --- */
/* The piece got a block: it has what it needs, and was touched last. */
void worker_piece_warm(struct worker *, struct wpiece *);
/* Nothing is held any more: gives up the running hash. */
void worker_piece_cool(struct worker *, struct wpiece *);
void worker_hots_fini(struct worker *);

/* --- io.c --- */
/*
 * Bytes of a piece; len is at most WORKER_RUN_BYTES for writes, which take whole blocks from `data`
 * (indexed from the first) beginning with block `first`.  false and *f on failure.
 */
bool worker_read(struct worker *, struct wtorrent *, uint32_t piece, uint32_t begin, uint32_t len,
	uint8_t *out, struct wfail *f);
bool worker_write(struct worker *, struct wtorrent *, uint32_t piece, uint32_t first, uint32_t n,
	uint8_t *const *data, struct wfail *f);
actor_msg_f worker_on_extent, worker_on_content, worker_on_map, worker_on_volumes,
	worker_on_folders;
actor_msg_f worker_on_shift, worker_on_look;

/* Bytes of one file or of the part file; false and *f on failure, and when it ends too early. */
bool worker_read_file(struct worker *, struct wtorrent *, uint32_t file, uint64_t offset,
	uint8_t *out, size_t n, struct wfail *f);
/* The file is about to be written to: it is synced with the next sync, and the store knows. */
void worker_mark_dirty(struct worker *, struct wtorrent *, uint32_t file);
/* Asks for the bytes of a piece to be read soon. */
void worker_read_ahead(struct worker *, struct wtorrent *, uint32_t piece);

/* --- part.c --- */
static inline uint32_t part_file(const struct wtorrent *t)
{
	return t->meta->files_n;
}
/* Where the bytes of a span are. */
struct wplace {
	uint32_t file;
	uint64_t offset;
};
struct wplace worker_place(const struct wtorrent *, uint32_t piece, const struct file_span *);
/* The units of one file that are this worker's are copied to it. */
bool worker_part_move(struct worker *, struct wtorrent *, uint32_t file, struct wfail *);
void worker_part_remember(struct wtorrent *, uint32_t piece, uint32_t file, bool settled);
void worker_part_name(struct wtorrent *);
/* The name that part files of the torrent have. */
void worker_part_of(const struct metainfo *, char out[48]);
/* What the part file holds; *out is owned by the caller. */
bool worker_part_list(
	struct worker *, struct wtorrent *, struct part_unit **out, uint32_t *n, struct wfail *f);
/* Whether the piece may be read in another way, which t->salvage then does. */
bool worker_part_doubt(const struct wtorrent *, uint32_t piece);
/* After the piece was hashed: `from_part` copies what was moved again, as it was lost. */
bool worker_part_settle(
	struct worker *, struct wtorrent *, uint32_t piece, bool from_part, struct wfail *f);
/* After a sync: what was moved is in its files for good, or, when it failed, is copied again. true:
 * the part file has changed. */
bool worker_part_synced(struct worker *, struct wtorrent *, bool good);
/* Removes the part file if it is empty; no worker may be about to write to it. */
void worker_part_trim(struct worker *, struct wtorrent *);
void worker_part_free(struct wtorrent *);

/* --- file.c --- */
void worker_fds_init(struct worker *, unsigned limit);
void worker_fds_fini(struct worker *);
/* Closes every descriptor of the torrent. */
void worker_fds_close(struct worker *, struct wtorrent *);
/* Borrowed descriptors, good until the next call of these two; -1 and *err.  Opening to write
 * makes a file that was never there.  E_NOENT, E_CHANGED: somebody has removed, replaced or cut it.
 */
int worker_dir(struct worker *, struct wtorrent *, bool create, enum err *err);
/* The root is there and on the device it was on before.  E_NOENT, E_CHANGED... */
enum err worker_root_check(struct wtorrent *);
int worker_file(struct worker *, struct wtorrent *, uint32_t file, enum fs_mode, enum err *err);
/* What is written to it now would not be lost: it has a name, and nobody has cut it short. */
enum err worker_file_intact(struct wtorrent *, uint32_t file, int fd);
/* The error says that somebody has altered a file, not that its disk gives trouble. */
static inline bool is_altered(enum err e)
{
	return e == E_NOENT || e == E_CHANGED || fs_is_obstacle(e);
}
/* From now on the files are those that the message names, and as long as it says, from which it
 * takes the list of short ones; what is open of others is closed. */
void worker_files_known(struct worker *, struct wtorrent *, struct m_worker_files *);
/* Closes some of what is open, for want of descriptors; false: nothing is open. */
bool worker_fds_shed(struct worker *);
/* The directory still has its name; else it is closed. */
void worker_dir_verify(struct worker *, struct wtorrent *);
/* The file belongs to what the next sync makes durable. */
void worker_file_list(struct wtorrent *, uint32_t file);
/* Relative to the target directory. */
const char *worker_path(const struct wtorrent *, uint32_t file);
/* The file's flags; made when they are needed first. */
uint8_t *worker_flags(struct wtorrent *, uint32_t file);
void worker_file_close(struct worker *, struct wtorrent *, uint32_t file);

/* --- prepare.c --- */
/* Makes the torrent's link there, unless something has its name or the file system has no links. */
void worker_link_make(struct worker *, struct wtorrent *, uint32_t file);
actor_msg_f worker_on_links;
/* Makes sure that the files of length 0 exist, and the links. */
bool worker_prepare(struct worker *, struct wtorrent *, struct wfail *f);

/* --- open.c, places.c, sync.c, hash.c, delete.c --- */
actor_msg_f worker_on_files;
actor_msg_f worker_on_open;
actor_msg_f worker_on_stat;
actor_msg_f worker_on_sync;
actor_msg_f worker_on_hash;
actor_msg_f worker_on_delete;
void worker_jobs_init(struct worker *);
void worker_jobs_fini(struct worker *);
/* Answers the torrent's jobs E_CANCELLED. */
void worker_jobs_cancel(struct worker *, struct wtorrent *);
void worker_stamp(struct file_stamp *, uint32_t file, const struct fs_stat *);

#endif
