/* SPDX-License-Identifier: MIT */
/*
 * What messages carry and is no message itself: names, records, and the items of their lists.
 *
 * They are apart from msg.h because several messages share them, and actors keep them when the
 * message is gone.  "owned" means as there: the destructor of the message frees it, unless the
 * receiver has moved it out.
 */
#ifndef ACTORS_MSG_RECORD_H
#define ACTORS_MSG_RECORD_H

#include "actors/msg/tref.h"
#include "actors/msg/view.h"
#include "actors/msg/wishes.h"
#include "proto/base/bitfield.h"
#include "proto/base/encode.h"
#include "proto/meta/metainfo.h"

/* Which instance of PEERS has a torrent, by the first bytes of its (v1) info-hash; whoever needs to
 * know asks here, or connections would be sent to a shard that knows nothing of it. */
static inline unsigned infohash_shard(const uint8_t infohash[20], unsigned shards)
{
	return infohash[0] % shards;
}

/* A torrent as the log has it: the first 8 hex digits of its info-hash. */
struct ih {
	char text[9];
};

static inline struct ih infohash_name(const uint8_t infohash[20])
{
	struct ih name = {""};

	hex_encode(infohash, 4, name.text);
	return name;
}

/* Words of a failure for a person; empty when there is nothing to add to err_words(). */
struct words {
	char text[512];
};

/* --- a torrent and its files --- */

/* Files [first, last] get this priority; what is beyond the end counts only as UINT32_MAX. */
struct file_wish {
	uint32_t first, last;
	uint8_t priority; /* 0 (skip) to 7 as the picker's */
};

/* So many of them are kept for a torrent whose files are not known yet. */
#define FILE_WISHES_MAX 65536u

/* One change of a torrent's trackers. */
enum tracker_change_op {
	TRACKERS_ADD,    /* url, in that tier */
	TRACKERS_REMOVE, /* url */
	TRACKERS_CHANGE, /* url becomes new_url if there is one, and moves to that tier */
	TRACKERS_CLEAR,  /* all go */
};
#define TIER_NEW  UINT32_MAX       /* a tier of its own, behind the others */
#define TIER_KEEP (UINT32_MAX - 1) /* where it is */

struct tracker_change {
	enum tracker_change_op op;
	char *url, *new_url; /* owned; NULL where there is none */
	uint32_t tier;       /* from 0 */
};
/* Leaves NULL and 0. */
void record_trackers_free(struct tracker_change **, uint32_t *n);

/* What was last known of a file, to see that nobody changed it. */
struct file_stamp {
	uint32_t file;
	bool exists;
	bool dirty; /* we were writing to it: a newer mtime is our own, up to the next checkpoint */
	uint64_t size;
	int64_t mtime_ns;
	int64_t born_ns; /* when the inode was made; 0: the file system does not say */
	uint64_t inode, device;
};
/* Whether another file has got the name since. */
static inline bool stamp_is_other(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->inode != b->inode ||
	       (a->born_ns != b->born_ns && a->born_ns != 0 && b->born_ns != 0);
}
/* What tells a file from every other that had or gets its name: an inode's number alone is given
 * out again.  Never 0. */
static inline uint64_t file_id(uint64_t inode, int64_t born_ns)
{
	uint64_t id = inode ^ (uint64_t)born_ns * UINT64_C(0x9e3779b97f4a7c15);

	return id != 0 ? id : 1;
}

/* Received blocks of a piece that is not complete, written to disk at the last checkpoint or stop.
 */
struct partial_piece {
	uint32_t piece;
	uint8_t *blocks; /* owned: bitmap, high bit first */
	uint32_t blocks_n;
};
/* The caller owns the list; NULL when n is 0. */
struct partial_piece *partials_copy(const struct partial_piece *, uint32_t n);
/* Leaves NULL and 0. */
void partials_free(struct partial_piece **, uint32_t *n);

/* What one piece has of one file, in the part file (proto/layout.h). */
struct part_unit {
	uint32_t piece, file;
	bool whole; /* every byte of it */
};

/* What becomes of a torrent's data with its removal: values of TORRENT_REMOVE. */
enum removal { REMOVAL_KEEP, REMOVAL_DELETE, REMOVAL_TRASH };

/* What the database knows of a torrent. */
struct torrent_record {
	int64_t row;                           /* of the database */
	struct metainfo *meta;                 /* owned reference */
	char *path;                            /* owned: target directory, absolute */
	unsigned run;                          /* enum state_run */
	bool removing;                         /* the removal was acknowledged: finish it */
	enum removal removal;                  /* together with removing */
	int64_t added, completed_at;           /* seconds since 1970 */
	uint64_t downloaded, uploaded, wasted; /* bytes, ever */
	struct bitfield synced;                /* owned: verified and on disk for sure */
	uint32_t *unsynced;                    /* owned: verified, noted, not yet synced */
	uint32_t unsynced_n;
	struct file_stamp *stamps; /* owned, one per file that was ever opened */
	uint32_t stamps_n;
	struct partial_piece *partials; /* owned */
	uint32_t partials_n;
	uint32_t made;            /* bytes at the end of path that name directories made for it */
	bool check;               /* one was asked for and has not ended */
	bool fresh;               /* just added: nothing is known of its files */
	struct wishes wishes;     /* owned */
	int64_t place;            /* torrents with less come before it in the queue */
	struct seed_limits seed;  /* its own */
	uint64_t seeded;          /* seconds of seeding, ever */
	char *names;              /* owned: other names that meta has for its files; NULL: none */
	char *to_path, *to_names; /* owned: its files are on their way there; NULL: they are not */
	char *link;               /* owned: the magnet link that it came by; NULL: none */
	struct metainfo *found;   /* owned reference, while meta is bare: the whole metainfo, whose
				     files had no place; NULL: it is not known */
	struct file_wish *choice; /* owned, while meta is bare: carried out in this order */
	uint32_t choice_n;
};
/* A record that owns copies of all that `from` owns. */
struct torrent_record record_copy(const struct torrent_record *from);
void record_fini(struct torrent_record *);

/* How a torrent is to run: the bits of STATE_RUN. */
enum state_run {
	RUN_STARTED = 1,
	RUN_FORCED = 2,           /* whatever the queue says */
	RUN_LIMIT_OVERRIDDEN = 4, /* started by a person although a limit on seeding was reached */
	RUN_LIMIT_REACHED = 8,    /* not started: such a limit has stopped it */
	RUN_UNTIL_FILES = 16,     /* started while its files are not known, stopped from then on */
	RUN_ALL = 31
};

/* The values of STATE_REMOVING: one more than those of enum removal. */
enum state_removing {
	REMOVING_KEEP_DATA = REMOVAL_KEEP + 1,
	REMOVING_WITH_DATA = REMOVAL_DELETE + 1,
	REMOVING_TO_TRASH = REMOVAL_TRASH + 1
};

struct row_place {
	int64_t row, place;
};

/* --- the data plane --- */

enum note_kind {
	NOTE_PIECE_OK,
	NOTE_FILE_DIRTY,
	NOTE_FILE_SEEN, /* made, or opened for the first time where the store had told of none */
	NOTE_DIR_MADE,  /* index: bytes at the end of the target path that name what was made */
	NOTE_ERROR,
};

struct note {
	enum note_kind kind;
	struct tref t;
	uint32_t index; /* piece or file; NOTE_DIR_MADE */
	uint64_t id;    /* NOTE_FILE_SEEN: file_id() */
	bool made;      /* likewise: by this worker, as there was none */
	enum err err;   /* NOTE_ERROR */
	char op[16];    /* NOTE_ERROR: "write", "read", "open" */
};

enum block_kind {
	BLOCK_WRITE,    /* peers -> worker: data to hash and write; the buffer is lent */
	BLOCK_DROP,     /* peers -> worker: forget what you hold of this piece; buffers come back */
	BLOCK_BACK,     /* worker -> peers: the buffer is the pool's again */
	BLOCK_PIECE_OK, /* worker -> peers: verified and written */
	BLOCK_PIECE_BAD,   /* worker -> peers: the hash does not match */
	BLOCK_PIECE_ERROR, /* worker -> peers: could not be written or read; err says why */
	BLOCK_DIGEST, /* worker -> peers: of a block of a piece that is about to be called bad */
};

struct block_item {
	struct tref t;
	uint32_t piece, begin, length;
	enum block_kind kind;
	enum err err;
	uint8_t *data;   /* BLOCK_WRITE, BLOCK_BACK: BLOCK_SIZE bytes of the shard's pool */
	uint64_t digest; /* BLOCK_DIGEST: smartban_digest() of the content */
};

/* --- what shards and trackers tell of a torrent, for views --- */

struct torrent_peers {
	struct tref t;
	uint8_t *bitfield;                    /* owned; NULL: not asked for */
	uint8_t *piece_states, *piece_copies; /* owned, as in torrent_view; NULL: not asked for */
	uint32_t bits, have;
	uint64_t left;                         /* bytes of wanted pieces not verified */
	uint64_t downloaded, uploaded, wasted; /* bytes since it was added to the shard */
	uint64_t failed_pieces;                /* whose hash was wrong, since then */
	uint64_t down_rate, up_rate;
	uint64_t mute_dials; /* ended by the other side before it said a word, since then */
	struct metadata_view metadata;
	struct peer_view *peers; /* owned */
	uint32_t peers_n;
};

struct torrent_trackers {
	struct tref t;
	struct tracker_view *trackers; /* owned */
	uint32_t n;
};

struct torrent_web_seeds {
	struct tref t;
	struct web_seed_view *seeds; /* owned */
	uint32_t n;
};

/*
 * Sockets at one port: a listener for each address, and as far as they could be had a UDP socket
 * and one more that gets what is the DHT's.
 */
struct peer_sockets {
	int tcp[16], udp[16], dht[16];
	unsigned tcp_n, udp_n, dht_n;
	uint16_t port;
};

/* Closes them; none is left. */
void sockets_close(struct peer_sockets *);

#endif
