/* SPDX-License-Identifier: MIT */
/*
 * The payload of every message in msg.def; those of the store and its workers are in store.h, that
 * of lists in rows.h, that of previews in preview.h, those of the blocklist in blocked.h, those of
 * the DHT in dht.h, those of ports and devices in reach.h.
 *
 * A payload holds ids, buffers it owns and references to immutable objects; never a pointer into
 * another actor's state.  "owned" below means m_x_fini() frees it; a receiver that keeps such a
 * thing moves it out and leaves NULL.  Fields under "reply" are filled by the receiver of a call.
 */
#ifndef ACTORS_MSG_MSG_H
#define ACTORS_MSG_MSG_H

#include "actors/kernel/actor.h"
#include "actors/msg/blocked.h"
#include "actors/msg/content.h"
#include "actors/msg/dht.h"
#include "actors/msg/folder.h"
#include "actors/msg/option.h"
#include "actors/msg/preview.h"
#include "actors/msg/reach.h"
#include "actors/msg/record.h"
#include "actors/msg/rows.h"
#include "actors/msg/store.h"
#include "actors/msg/token.h"
#include "actors/msg/undo.h"
#include "actors/msg/volume.h"
#include "config/config.h"
#include "proto/base/bitfield.h"
#include "proto/base/endpoint.h"
#include "proto/meta/metainfo.h"
#include "proto/mse/mse.h"
#include "proto/peerlist/source.h"

enum role {
#define ROLE(name, text) ROLE_##name,
#include "actors/msg/roles.def"
#undef ROLE
	ROLE_MAX_
};

#define ADDR_MAIN      ADDR(ROLE_MAIN, 0)
#define ADDR_HTTP      ADDR(ROLE_HTTP, 0)
#define ADDR_SESSION   ADDR(ROLE_SESSION, 0)
#define ADDR_STORE     ADDR(ROLE_STORE, 0)
#define ADDR_STATE     ADDR(ROLE_STATE, 0)
#define ADDR_TRACKER   ADDR(ROLE_TRACKER, 0)
#define ADDR_DHT       ADDR(ROLE_DHT, 0)
#define ADDR_WEBSEED   ADDR(ROLE_WEBSEED, 0)
#define ADDR_LSD       ADDR(ROLE_LSD, 0)
#define ADDR_STATUS    ADDR(ROLE_STATUS, 0)
#define ADDR_PORTMAP   ADDR(ROLE_PORTMAP, 0)
#define ADDR_BLOCKLIST ADDR(ROLE_BLOCKLIST, 0)

enum {
	MSG_NONE_,
#define MSG(name, ...) MSG_##name,
#include "actors/msg/msg.def"
#undef MSG
	MSG_MAX_
};

/* The table for actors_new(). */
extern const struct msg_table message_table;

/*
 * Sends by the payload: msg_send(actor, to, p) casts and msg_call(actor, to, p, fn, ctx) calls with
 * the message that p, an lvalue, is; p becomes NULL (kernel/actor.h has the rest).
 */
#define msg_send(actor, to, p)                                                                     \
	do {                                                                                       \
		struct msg *m_ = &(p)->h;                                                          \
		uint16_t to_ = (to); /* it may be read from the message */                         \
		(p) = NULL;                                                                        \
		actor_cast((actor), to_, &m_);                                                     \
	} while (0)
#define msg_call(actor, to, p, fn, ctx)                                                            \
	({                                                                                         \
		struct msg *m_ = &(p)->h;                                                          \
		uint16_t to_ = (to);                                                               \
		(p) = NULL;                                                                        \
		actor_call((actor), to_, &m_, (fn), (ctx));                                        \
	})

struct m_plain {
	struct msg h;
};

struct m_torrent {
	struct msg h;
	struct tref t;
};

/* --- people --- */

/* What becomes of a torrent that is added although it is there. */
enum add_again {
	AGAIN_JOIN,   /* E_EXISTS, and a link's trackers and files are taken */
	AGAIN_REFUSE, /* E_EXISTS, and nothing changes */
	AGAIN_MERGE   /* E_OK: what the link or file has of trackers is taken */
};

enum add_outcome {
	ADD_NEW,
	ADD_COMPLETED, /* what a magnet waited for */
	ADD_MERGED,
	ADD_HERE /* with E_EXISTS: the torrent is there; else another one has its place */
};

struct m_torrent_add {
	struct msg h;
	uint8_t *body; /* owned: the .torrent as it came, or a magnet link */
	size_t body_n;
	bool is_link;
	uint64_t preview;        /* instead of a body: what this preview has seen; 0: none */
	char *path;              /* owned: target directory as asked for, NULL: the default one */
	bool start;              /* begin at once */
	struct wishes wishes;    /* owned; those for files are in `files` */
	struct file_wish *files; /* owned; in their order, over all normal */
	uint32_t files_n;
	bool queue_top;      /* else at the bottom */
	bool discreet_given; /* wishes.discreet is a person's; else as configured */
	bool until_files;    /* it stops when its files are known: they are chosen first */
	bool seed_given;     /* seed is a person's; else as configured */
	struct seed_limits seed;
	enum add_again again;
	/* reply */
	uint8_t infohash[20];
	enum add_outcome outcome;
	uint32_t trackers_n; /* ADD_MERGED: that were added to it; ADD_HERE: that it lacks */
	uint64_t epoch, rev; /* E_OK: at which the list has it (rows.h) */
	struct words why;    /* E_SYNTAX...: what is wrong and where; E_EXISTS: who has the place;
				E_PATH names the option; E_RANGE: a file that is not there */
};

enum torrent_op {
	TORRENT_START,
	TORRENT_STOP,
	TORRENT_REMOVE,
	TORRENT_DOWN_RATE,
	TORRENT_UP_RATE,
	TORRENT_RECHECK,
	TORRENT_FILES,
	TORRENT_SEQUENTIAL,
	TORRENT_FIRST_LAST,
	TORRENT_MOVE,
	TORRENT_SEED_LIMITS,
	TORRENT_ENCRYPTION,
	TORRENT_DISCREET,
	TORRENT_LABELS,
	TORRENT_ANNOUNCE, /* as soon as its trackers allow it, while it works */
	TORRENT_PLACE,    /* its files get another place, or other names */
	TORRENT_RESTORE,  /* one that was removed comes back as it was */
	TORRENT_FORGET,   /* one that was removed goes for good, with what of it is in the trash */
	TORRENT_TRACKERS, /* others, which are its own from then on */
	TORRENT_OPS,      /* how many are one torrent's */
	GLOBAL_DOWN_RATE,
	GLOBAL_UP_RATE
};

enum queue_move { MOVE_TOP, MOVE_UP, MOVE_DOWN, MOVE_BOTTOM, MOVE_TO };

struct m_torrent_set {
	struct msg h;
	uint8_t infohash[20]; /* not looked at by GLOBAL_* */
	enum torrent_op op;
	/* Rates in B/s; TORRENT_START: 1 = whatever the queue says; TORRENT_REMOVE: enum
	 * removal; TORRENT_SEQUENTIAL, TORRENT_FIRST_LAST, TORRENT_DISCREET: 1 = on;
	 * TORRENT_ENCRYPTION: enum wish_encryption; MOVE_TO: place, from 1. */
	uint64_t value;
	enum queue_move move;    /* TORRENT_MOVE */
	struct seed_limits seed; /* TORRENT_SEED_LIMITS */
	struct file_wish *files; /* owned: TORRENT_FILES */
	uint32_t files_n;
	char *labels; /* owned: TORRENT_LABELS, as in struct wishes */
	enum label_change label_change;
	/* TORRENT_PLACE, owned: another target directory, NULL: the same; or another name for a
	 * file or directory in it, NULL: none (proto/meta/metainfo.h). */
	char *path, *from, *to;
	uint32_t file; /* without `from` */
	/* Not 0: how it was before is kept as part of that undo (undo.h). */
	uint64_t undo;
	/* It undoes: the value is the database's own, and what is there now must have the print;
	 * with the other one it is done already. */
	bool put_back;
	uint64_t print, print_back;
	struct tracker_change *trackers; /* owned: TORRENT_TRACKERS, in this order */
	uint32_t trackers_n;
	struct metainfo *edited; /* reference: with what came of them; the session's alone */
	/* reply */
	uint64_t epoch, rev; /* lists have the change at this revision, but for what it leads to; of
				one torrent's that was carried out */
	bool kept;           /* the undo has it */
	struct words why;    /* E_CHANGED: what was to be undone is not so any more */
};

struct m_torrent_view {
	struct msg h;
	bool all; /* else the one of infohash */
	uint8_t infohash[20];
	unsigned parts; /* enum view_part, or-ed */
	/* reply */
	struct torrent_view *torrents; /* owned */
	uint32_t torrents_n;
	uint64_t down_limit, up_limit; /* global, B/s */
};

struct m_health {
	struct msg h;
	/* reply */
	struct actor_health actors[32];
	unsigned n;
	bool ok;
};

struct m_counters {
	struct msg h;
	/* reply */
	struct actor_counters *actors; /* owned, with what they own */
	unsigned n;
	int64_t now; /* monotonic: what turned_us counts to */
};

struct m_reload {
	struct msg h;
	const struct config *config; /* owned reference */
};

/* --- the database --- */

struct m_state_load {
	struct msg h;
	/* reply */
	struct torrent_record *torrents; /* owned */
	uint32_t torrents_n;
	bool clean;                        /* the last run ended with everything written */
	uint64_t down_limit, up_limit;     /* global ones set over the API */
	bool has_down_limit, has_up_limit; /* else the configuration's count */
	char *changed;                     /* owned: as in STATE_OPTIONS; NULL: nothing */
	struct shelved *removed;           /* owned: the latest last */
	uint32_t removed_n;
};

/*
 * A torrent's files get another place, which is noted first (`begin`), and then either is so, or
 * with path NULL is not.
 */
struct m_state_place {
	struct msg h;
	int64_t row;
	bool begin;
	char *path, *names; /* owned */
	uint32_t made;      /* of path, as in torrent_record */
	struct words why;   /* reply */
};

/* What the database knows of one torrent, also of one that was removed. */
struct m_state_fetch {
	struct msg h;
	int64_t row;
	/* reply; E_NOT_FOUND */
	struct torrent_record record; /* owned */
};

struct m_state_add {
	struct msg h;
	struct metainfo *meta; /* owned reference */
	char *path;            /* owned */
	unsigned run;          /* enum state_run */
	struct wishes wishes;  /* owned */
	int64_t added;
	int64_t place;
	struct seed_limits seed;
	struct file_wish *choice; /* owned: of a bare one */
	uint32_t choice_n;
	/* reply */
	int64_t row;
	struct words why;
};

/*
 * Another metainfo of the same info-hash.  Whole: it replaces what was known, or with `aside` is
 * kept beside the link until its files have a place.  Bare: the link has more trackers.
 */
struct m_state_meta {
	struct msg h;
	int64_t row;
	struct metainfo *meta; /* owned reference */
	bool aside;
	bool choose; /* the choice of files, which is carried out, becomes these priorities; bare:
			it becomes this one */
	uint8_t *file_priority; /* owned, one a file; NULL: all normal */
	uint32_t file_priority_n;
	struct file_wish *choice; /* owned */
	uint32_t choice_n;
	enum discreet discreet;
	/* reply */
	struct words why;
};

enum state_key {
	STATE_RUN, /* enum state_run */
	STATE_DOWN_LIMIT,
	STATE_UP_LIMIT,
	STATE_COMPLETED_AT,
	STATE_REMOVING, /* enum state_removing */
	STATE_GLOBAL_DOWN_LIMIT,
	STATE_GLOBAL_UP_LIMIT,
	STATE_FILES, /* data */
	STATE_SEQUENTIAL,
	STATE_FIRST_LAST,
	STATE_PLACES, /* of any torrents; row is 0 */
	STATE_SEED_LIMITS,
	STATE_CHECK, /* 1: a check was asked for; until one has ended */
	STATE_ENCRYPTION,
	STATE_CHOICE, /* while the metainfo is not known */
	STATE_DISCREET,
	STATE_LABELS,  /* data: the text with its NUL; NULL: none */
	STATE_TRACKERS /* meta: the same torrent with others */
};

struct m_state_set {
	struct msg h;
	int64_t row; /* 0 for STATE_GLOBAL_* and STATE_PLACES */
	enum state_key key;
	int64_t value;
	uint8_t *data; /* owned: STATE_FILES, one priority a file; NULL: all normal */
	uint32_t data_n;
	struct row_place *places; /* owned: STATE_PLACES */
	uint32_t places_n;
	struct seed_limits seed;  /* STATE_SEED_LIMITS */
	struct file_wish *choice; /* owned: STATE_CHOICE, in place of those before */
	uint32_t choice_n;
	uint64_t undo;         /* 0: it cannot be undone; else `item` is a part of that */
	struct undo_item item; /* owned */
	struct metainfo *meta; /* owned reference: STATE_TRACKERS */
	/* reply */
	struct words why;
};

struct m_state_remove {
	struct msg h;
	int64_t row;
};

/* Verified pieces and files we began to write to: cheap, not synced. */
struct m_state_note {
	struct msg h;
	struct tref t; /* who is told by STATE_NOTED */
	int64_t row;
	uint32_t *pieces; /* owned: all that are verified and not synced; replaces what was noted */
	uint32_t pieces_n;
	uint32_t *dirty; /* owned: files */
	uint32_t dirty_n;
	uint32_t made;       /* as torrent_record.made; 0: as before */
	int64_t dirty_ns;    /* since 1970: what is later in a dirty file may be somebody else's */
	uint64_t downloaded; /* ever, at least: these pieces among it */
};

/* The truth about a torrent's files after a checkpoint, a check or a clean close: replaces what was
 * noted. */
struct m_state_pieces {
	struct msg h;
	int64_t row;
	struct bitfield synced; /* owned: all verified pieces whose data is synced */
	uint32_t *noted;        /* owned: pieces verified since; replaces what was noted */
	uint32_t noted_n;
	struct file_stamp *stamps; /* owned: of the files named in them; others keep theirs */
	uint32_t stamps_n;
	uint64_t downloaded; /* ever, at least: these pieces among it */
	bool checked;        /* after a look at everything: nobody waits for a check any more */
	bool has_partials;   /* replace the partial pieces */
	struct partial_piece *partials; /* owned */
	uint32_t partials_n;
};

/* --- the data plane --- */

#define BLOCKS_BATCH 64

struct m_blocks {
	struct msg h;
	unsigned n;
	struct block_item items[BLOCKS_BATCH];
};

/* A run of verified bytes for serving; inside one piece. */
struct m_extent {
	struct msg h;
	struct tref t;
	uint32_t piece, begin, length; /* bytes */
	uint8_t *data;                 /* lent by peers: room for length bytes; travels back */
	const uint8_t *map; /* or, lent by peers: where they are to be brought into memory */
	uint32_t ahead;     /* bytes of the map from there on that are wanted next */
};

/* A file mapped for serving, see fs_map(). */
struct m_file_map {
	struct msg h;
	struct tref t;
	uint32_t file;
	const uint8_t *map; /* owned; in a good reply, length bytes */
	uint64_t length;
};

/* --- peers --- */

struct m_peers_add {
	struct msg h;
	struct tref t;
	struct metainfo *meta;          /* owned reference */
	struct bitfield have;           /* owned */
	struct partial_piece *partials; /* owned */
	uint32_t partials_n;
	bool active;          /* connect and accept; else only listed */
	struct wishes wishes; /* owned */
};

struct m_peers_set {
	struct msg h;
	struct tref t;
	bool active;
	bool no_download;     /* the disk refuses writes: go on seeding */
	struct wishes wishes; /* owned */
};

struct m_peers_remove {
	struct msg h;
	struct tref t;
	/* reply */
	struct bitfield have; /* owned: what it had at the end */
	uint64_t downloaded, uploaded, wasted;
};

/* The limits that shards share: on everything, and on neighbours. */
enum limit_kind { LIMIT_DOWN, LIMIT_UP, LIMIT_LAN_DOWN, LIMIT_LAN_UP, LIMIT_KINDS };

/* This shard's shares of them, B/s. */
struct m_peers_global {
	struct msg h;
	uint64_t rate[LIMIT_KINDS];
};

/* What a shard has used of its shares since the last one; only while it uses any. */
struct m_peers_load {
	struct msg h;
	struct {
		uint64_t used; /* B/s */
		uint32_t busy; /* connections that had to wait */
	} of[LIMIT_KINDS];
};

struct m_peers_view {
	struct msg h;
	bool all;
	struct tref t;
	unsigned parts; /* enum view_part; of VIEW_FILES it takes the torrent's bitfield */
	/* reply */
	struct torrent_peers *torrents; /* owned */
	uint32_t torrents_n;
};

/* Bytes since the torrent was added to its shard (peers), or ever (to the database). */
struct m_totals {
	struct msg h;
	struct tref t;
	int64_t row; /* to the database only */
	uint64_t downloaded, uploaded, wasted;
	uint64_t left;           /* bytes of wanted pieces not verified */
	uint64_t lacks;          /* bytes of all pieces not verified: what trackers are told */
	uint64_t seeded;         /* seconds of seeding, ever; to the database only */
	struct swarm_counts now; /* of peers only */
};

/* Of a torrent of which only the info-hash was known: what has that hash, from peers (BEP 9). */
struct m_peers_metadata {
	struct msg h;
	struct tref t;
	uint8_t *info; /* owned */
	size_t info_n; /* bytes */
};

/* An accepted connection whose handshake names a torrent of another shard; or of a web seed. */
struct m_peers_handoff {
	struct msg h;
	int fd; /* owned */
	struct endpoint from;
	bool web;           /* the address is nobody's: it only tells one web seed from another */
	uint8_t bytes[128]; /* received so far */
	size_t n;
	struct mse *mse; /* owned: the encrypted handshake that goes on, or NULL */
	uint8_t tried;   /* shards that do not have the torrent it names */
};

/* --- trackers --- */

struct m_tracker_add {
	struct msg h;
	struct tref t;
	struct metainfo *meta; /* owned reference */
	bool active;           /* announce "started" at once */
	bool partial;          /* what is wanted of it is there, and it is not all */
	uint64_t left;         /* bytes of all pieces not verified */
};

/* Other trackers for a torrent that goes on. */
struct m_tracker_edit {
	struct msg h;
	struct tref t;
	struct metainfo *meta; /* owned reference: has them */
};

enum tracker_op {
	TRACKER_START,
	TRACKER_STOP,
	TRACKER_COMPLETED, /* every piece is there, for the first time */
	TRACKER_MORE,      /* more is wanted than before: announce as soon as they allow it */
	TRACKER_REMOVE
};

struct m_tracker_event {
	struct msg h;
	struct tref t;
	enum tracker_op op;
	/* As PEERS_TOTALS counts, whose next may come behind this; trackers hear of what was moved
	 * since TRACKER_START. */
	uint64_t downloaded, uploaded;
	uint64_t left; /* bytes of all pieces not verified */
	bool partial;  /* what is wanted of it is there, and it is not all */
};

struct m_tracker_news {
	struct msg h;
	struct tref t;
	struct tracker_counts now;
};

struct m_tracker_view {
	struct msg h;
	bool all;
	struct tref t;
	/* reply */
	struct torrent_trackers *torrents; /* owned */
	uint32_t torrents_n;
};

/* Whether a torrent is announced to the local network, and looked for there. */
struct m_lsd_set {
	struct msg h;
	struct tref t;
	uint8_t infohash[20];
	bool on;
};

struct m_peers_found {
	struct msg h;
	struct tref t;
	enum peer_source source; /* of all of them */
	struct endpoint *peers;  /* owned; NULL: none, it is about the seeds alone */
	uint32_t n;
	int64_t seeds; /* complete peers that the trackers know, without us; -1: nothing new */
};

/* A torrent has nobody to dial: whoever may find peers for it does so before its time. */
struct m_peers_wanted {
	struct msg h;
	struct tref t;
	uint8_t infohash[20];
};

/* --- web seeds --- */

/* The torrent downloads, or does not any more. */
struct m_webseed_set {
	struct msg h;
	struct tref t;
	struct metainfo *meta; /* owned reference; NULL: it does not */
};

struct m_webseed_banned {
	struct msg h;
	struct tref t;
	struct endpoint at; /* as in PEERS_HANDOFF */
};

struct m_webseed_view {
	struct msg h;
	bool all;
	struct tref t;
	/* reply */
	struct torrent_web_seeds *torrents; /* owned */
	uint32_t torrents_n;
};

/*
 * A message as what it is: MSG_AS(TORRENT_VIEW, m) is the struct m_torrent_view * that m, which
 * must be one, begins.  The message stays whose it was.
 */
#define MSG_AS(name, m) msg_as_##name(m)

#define MSG(name, payload, ...)                                                                    \
	static inline struct payload *msg_as_##name(struct msg *m)                                 \
	{                                                                                          \
		must(m != NULL && m->magic == MSG_MAGIC && m->type == MSG_##name);                 \
		return (struct payload *)(void *)m;                                                \
	}
#include "actors/msg/msg.def"
#undef MSG

#endif
