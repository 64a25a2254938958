/* SPDX-License-Identifier: MIT */
/*
 * One torrent as the peer wire sees it: what we have, who is connected, who asks whom for what.
 *
 * Composes wire, picker, choker and peer list; the rules of BEP 3, 6, 10 and 21 live here.  Bytes
 * and time in, bytes and decisions out: a connection's owner feeds it wire events, sends what lands
 * in peer->out, and asks for requests and serving work.  It never touches a socket or a file, so
 * the same code runs in the daemon, in the unit tests, under a fuzzer and in a simulated swarm.
 *
 * A swarm may begin bare, with nothing known of its torrent but the info-hash: then it keeps what
 * its peers say of their pieces for later, fetches the info dictionary from them (metadata.h), and
 * swarm_complete() makes it whole with the same connections.
 *
 * Credit: every block asked of a peer is charged one unit by swarm_request(); the unit comes back
 * either through ops->credit() when the request is void, or with the received block when the store
 * is done with it.  A late block, whose request was void already, is charged by ops->claim().
 *
 * One owner thread.  `now` is monotonic microseconds.
 */
#ifndef PROTO_SWARM_SWARM_H
#define PROTO_SWARM_SWARM_H

#include "proto/base/endpoint.h"
#include "proto/base/link.h"
#include "proto/base/outbuf.h"
#include "proto/base/rng.h"
#include "proto/base/time.h"
#include "proto/meta/layout.h"
#include "proto/peerlist/peerlist.h"
#include "proto/picker/picker.h"
#include "proto/swarm/choker.h"
#include "proto/swarm/metadata.h"
#include "proto/swarm/rate.h"
#include "proto/swarm/smartban.h"
#include "proto/wire/ext.h"
#include "proto/wire/wire.h"

struct swarm_peer;
struct swarm_pex;
struct swarm_log;
struct swarm;

/* What the owner of the swarm does for it.  Called from inside the functions below, never
 * re-entrantly. */
struct swarm_ops {
	void (*wake)(void *conn); /* peer->out, its requests or its serving queue changed */
	void (*credit)(
		void *owner, unsigned n); /* n requests became void: their units are free again */
	/* A block comes whose unit was given back: takes one again; false: none is free. */
	bool (*claim)(void *owner);
	/* swarm_metadata() is there; once.  Of a swarm that is never bare it may be NULL. */
	void (*fetched)(void *owner);
};

/*
 * BEP 16.  AUTO: while we are complete, a tracker said lately that no other is, none is connected,
 * and the peers lack a piece among them; see swarm_note_seeds().
 */
enum swarm_super { SUPER_OFF, SUPER_ON, SUPER_AUTO };

/*
 * Requests that peers have with us, beyond a few hundred each: shared by all swarms of an owner, so
 * that what is announced to one peer does not have to be kept for all of them.
 */
struct serve_budget {
	uint64_t used; /* requests, of 12 bytes each */
	uint64_t max;  /* more are rejected */
};

struct swarm_config {
	uint32_t max_requests; /* outstanding requests towards one peer */
	uint32_t max_served; /* requests of one peer we hold; its reqq in our extended handshake */
	struct serve_budget *budget; /* borrowed for as long as the swarm lives; NULL: no bound */
	struct byte_budget *unverified; /* borrowed likewise: what bare swarms hold; NULL: no bound
					 */
	uint32_t candidates;         /* addresses to dial that are kept; 0: PEERLIST_CAP_DEFAULT */
	uint32_t upload_slots;       /* least number of regular unchoke slots */
	uint16_t port;               /* we listen on, for the extended handshake; 0: none */
	const char *version;         /* client name in the extended handshake; borrowed for ever */
	int64_t request_timeout;     /* us */
	enum choke_seed choke_seed;  /* as swarm_choke_mode() */
	enum swarm_super super_seed; /* as swarm_super_seed() */
	bool allow_local; /* addresses in our own network are dialled at anybody's word */
};

/* What a connection's other side can do, from its handshake. */
struct swarm_caps {
	bool fast;     /* BEP 6 */
	bool extended; /* BEP 10 */
};

/* A block request in either direction. */
struct block_req {
	uint32_t piece, begin, length;
};

/* A queue of requests that shrinks to nothing. */
struct req_queue {
	struct block_req *v; /* owned; circular, cap is a power of two */
	uint32_t head, n, cap;
};

/* A piece that a peer is to pass on (BEP 16). */
struct shown {
	uint32_t piece;
	uint32_t asked; /* bytes of it that it asked us for */
	int64_t got_at; /* us; INT64_MAX: it has not got it */
	bool bait;      /* it was choked when it was shown this */
};

/* What a peer had given when a round of the choker ended. */
struct given {
	uint64_t bytes;
	int64_t at; /* us */
};

/* A piece that a peer may have while we choke it. */
struct grant {
	uint32_t piece;
	uint64_t asked; /* bytes of it that it asked for while we choked it */
};

#define SWARM_SUGGESTIONS 16u

struct hearsay;

struct swarm_peer {
	uint32_t magic;
	uint32_t index;      /* in swarm->peers */
	uint32_t name;       /* the picker's name of it: never another's, though index is */
	struct swarm *swarm; /* borrowed */
	void *conn;          /* the owner's */
	struct wire_dec dec;
	struct outbuf out;        /* small messages to send */
	struct req_queue asked;   /* our requests it has not answered */
	struct req_queue serving; /* its requests we have not begun to answer */
	struct bitfield has;
	struct endpoint at;
	struct endpoint reach; /* where an incoming one listens; port 0: unknown */
	uint8_t id[20];
	struct swarm_caps caps;
	bool incoming;
	bool greeted; /* its first message has come: a bitfield is too late now */
	bool am_choking, am_interested, peer_choking, peer_interested;
	bool seed;             /* has is full */
	bool upload_only;      /* BEP 21 */
	bool snubbed;          /* promised and did not deliver */
	bool optimistic;       /* holds the optimistic slot */
	bool starting;         /* pipeline still in slow start */
	bool timing;           /* the first block since asked_at tells the delay */
	bool parole;           /* had a part in a bad piece: gets whole pieces until one is good */
	bool guilty;           /* to be handed out by swarm_guilty() */
	uint32_t interesting;  /* pieces it has, wanted, that we lack */
	uint32_t window;       /* requests we keep outstanding */
	uint32_t needed;       /* so many of them the delay needs */
	uint32_t reqq;         /* it accepts at most so many */
	uint32_t voided;       /* blocks that may still come although we no longer ask for them */
	struct req_queue late; /* requests given up that it does not know are void */
	bool late_lost;        /* it seems not to know of them any more */
	bool resumed;          /* some in ->asked were not said again, and no block came since */
	uint32_t allowed[16], allowed_n; /* BEP 6: pieces it gives us while choking */
	struct grant granted[10];        /* BEP 6: pieces we give it while choking */
	uint32_t granted_n;
	uint32_t suggested[SWARM_SUGGESTIONS], suggested_n; /* BEP 6: by it, oldest first */
	uint32_t hinted[SWARM_SUGGESTIONS], hinted_n;       /* by us, or asked for by it, a ring */
	struct link idle;                                   /* in swarm->idle */
	bool held;              /* it rejected us: nothing is asked of it until hold_until */
	uint32_t rejects;       /* in a row, while it did not choke us */
	int64_t hold_until;     /* us */
	bool masked;            /* BEP 16: does not know what we have */
	bool said_upload_only;  /* what it knows of us */
	struct bitfield told;   /* pieces it knows we have, while masked */
	struct shown shown[32]; /* that it is to pass on */
	bool retires;           /* gets no more, to be choked when it has what it asked for */
	int64_t retires_at;     /* us: since when */
	int64_t hold;           /* us from when it has a piece until another has; 0: unknown */
	uint32_t show;          /* so many stand at a time */
	uint32_t shown_n;
	bool haves_due;              /* a HAVE was not put in its full buffer; all are said anew */
	bool haves_again;            /* and one of a piece below haves_at */
	uint32_t haves_at;           /* how far that has come */
	uint64_t owed;               /* bytes it asked for that have not left */
	uint64_t unveiled;           /* after super-seeding: how far it has been told the rest */
	uint8_t ext_ids[EXT_MAX_];   /* its ids of extension messages; 0: not offered */
	uint32_t metadata_size;      /* bytes it says the info dictionary has; 0: it has none */
	struct req_queue info_asked; /* pieces of ours that it wants */
	uint32_t info_served;        /* pieces it was given */
	struct hearsay *heard; /* owned; of its pieces, while the swarm is bare; NULL: nothing */
	bool unfit;            /* that cannot be true of this torrent: close it */
	uint8_t ext_said;      /* bits, by enum ext_name: what we have offered to it */
	struct given given[2]; /* at the last rounds, latest first */
	uint32_t bad_pieces;   /* pieces it had a part in whose hash was wrong */
	uint32_t bad_requests; /* requests that a sane client does not send */
	int64_t connected_at, last_block_at, unchoked_at, asked_at;
	struct meter down, up;         /* payload */
	uint64_t downloaded, uploaded; /* bytes of payload */
	uint64_t last_window_rate;
	uint64_t pace;    /* B/s it gave us at the last tick */
	int64_t delay;    /* us it takes to answer when nothing else waits: the way, and its disk */
	int64_t tried_at; /* us: when we last looked for something to ask for */
	char client[64];  /* printable ASCII; from BEP 10 or the peer id */

	bool encrypts;    /* prefers encrypted connections, it says (BEP 10 "e") */
	uint8_t unseeded; /* how often it had everything, and took a piece back */
	bool took_back_any;
	uint32_t took_back;    /* the piece we have taken back last */
	bool pex_listed;       /* whether others hear of it has been decided */
	bool pex_named;        /* they do */
	struct swarm_pex *pex; /* owned; NULL: neither side has said anything (BEP 11) */
};

/* Who has left: it may yet turn out that it lied.  When nothing is left to judge, all are
 * forgotten. */
#define DEPARTED_MAX 32u
struct departed {
	uint32_t name;
	struct endpoint at;
};

/* One who says how the world sees us. */
struct witness {
	struct endpoint ip; /* port 0; unspecified: nobody yet */
	struct endpoint by;
	int64_t believed_at; /* us; INT64_MIN: never */
};

/* A piece that was suggested; so many are known. */
#define READS_MAX 16u
struct piece_read {
	uint32_t piece;
	int64_t at; /* us */
};

struct swarm {
	uint32_t magic;
	struct layout layout;
	struct swarm_config config;
	const struct swarm_ops *ops; /* borrowed */
	void *owner;                 /* of ops->credit */
	struct rng *rng;             /* borrowed */
	struct picker *picker;       /* owned */
	struct peerlist *candidates; /* owned */
	struct choker choker;
	struct swarm_peer **peers; /* owned array by index; NULL where free */
	uint32_t peers_n, peers_cap;
	struct link idle;             /* head: who has room and found nothing to ask for */
	uint32_t asked;               /* requests outstanding with all peers */
	uint32_t joins;               /* so far; part of the peers' names */
	struct smartban *smartban;    /* owned; NULL until a piece fails */
	struct departed *departed;    /* owned, the latest, a ring; NULL: there are none */
	uint32_t departed_n;          /* ever */
	struct piece_read *reads;     /* owned, the latest, a ring; NULL: there are none */
	uint32_t reads_n, suggest_at; /* where the next walk along the peers begins */
	enum swarm_super super_mode;
	struct witness witness[2]; /* the latest, for IPv6 and IPv4 */
	uint16_t *times_shown;  /* owned, by piece: to how many peers; NULL: never super-seeded */
	uint16_t *times_bait;   /* owned, likewise: to peers that we choke */
	uint32_t bait_at;       /* pieces above are like those below fresh_at */
	uint32_t fresh_at;      /* pieces below have been on show, or somebody had them */
	bool super_seeding;     /* now */
	bool slack, spare;      /* how busy the line was at the last tick: super.c */
	int64_t idle_since;     /* us: the last tick at which super-seeding had something to do */
	int64_t super_rest;     /* us: AUTO does not begin before */
	uint32_t other_seeds;   /* that trackers know, when they were asked last */
	int64_t seeds_known_at; /* us: when that was; 0: never */
	uint64_t owed;          /* sum over peers */
	uint32_t guilty_n;      /* peers that swarm_guilty() has not handed out */
	uint8_t infohash[20];
	bool is_private;   /* BEP 27 */
	bool bare;         /* known by its info-hash alone: layout and picker are a stand-in */
	struct slice info; /* borrowed; the dictionary, for others to fetch; n is 0 while bare */
	struct metadata *metadata; /* owned; while bare */
	bool fetched;              /* it is there, and ops->fetched() was called */
	bool no_download;          /* the disk takes nothing: ask for nothing, go on serving */
	bool choke_soon;           /* interest changed: run the choker at the next tick */
	uint64_t up_limit;         /* B/s, for the choker */
	struct meter down, up;
	uint64_t pace;                         /* B/s that came at the last tick */
	uint64_t ticked;                       /* ->downloaded at the last tick */
	uint64_t downloaded, uploaded, wasted; /* bytes */
	uint64_t failed_pieces;
	int64_t next_turnover; /* us */
	int64_t next_choke;    /* us */

	struct swarm_log *log; /* owned; who came and went, for BEP 11; NULL: nobody did */
	bool gossip;           /* swarm_gossip() */
};

/*
 * have and partial pieces are put in by the caller right after, through picker_*.  layout NULL: it
 * is bare.
 */
struct swarm *swarm_new(const struct layout *, const uint8_t infohash[20],
	const struct swarm_config *, const struct swarm_ops *, void *owner, struct rng *,
	int64_t now);
void swarm_free(struct swarm **); /* no peer may be left */
/* Another configuration; what was found out under the old one stays.  The list of candidates, and
 * what has a function of its own, do not change. */
void swarm_configure(struct swarm *, const struct swarm_config *);

/*
 * Whether peers are told of each other, and believed (BEP 11); off until it is called.  When it
 * ends, peers hear that it is not offered any more, and what they were told is forgotten.
 */
void swarm_gossip(struct swarm *, bool on);

/*
 * What is offered to others (BEP 9): the bytes of the info dictionary, borrowed for as long as the
 * swarm lives, and whether it says private (BEP 27), when nothing is.  Before anybody joins.
 */
void swarm_set_info(struct swarm *, struct slice info, bool is_private);

/*
 * A bare swarm gets what was missing.  Of the peers the pieces are known now, and ->unfit tells who
 * cannot have told the truth: the caller closes those, puts in have, partial pieces and priorities,
 * and calls swarm_introduce(), which lets the rest begin.
 */
void swarm_complete(struct swarm *, const struct layout *, struct slice info, bool is_private);
void swarm_introduce(struct swarm *, int64_t now);
/* Of a bare swarm: the info dictionary, borrowed; p is NULL until it is there. */
struct slice swarm_metadata(const struct swarm *);
void swarm_metadata_progress(const struct swarm *, struct metadata_progress *);
/* Puts pieces of the info dictionary that the peer wants into ->out, as far as there is room. */
void swarm_serve_info(struct swarm_peer *);

static inline const struct bitfield *swarm_have(const struct swarm *s)
{
	return picker_own(s->picker);
}

static inline bool swarm_done(const struct swarm *s)
{
	return !s->bare && picker_done(s->picker);
}

/* A connection whose handshakes are done.  Our first messages are in ->out on return. */
struct swarm_peer *swarm_join(struct swarm *, void *conn, const struct endpoint *,
	const uint8_t id[20], struct swarm_caps, bool incoming, int64_t now);
/* Its requests become void, its pieces no longer count. */
void swarm_leave(struct swarm_peer **, int64_t now);

/*
 * Any event but those of a piece.  Anything but E_OK: close the connection for that reason
 * (E_PROTOCOL: and do not come back soon).
 */
enum err swarm_event(struct swarm_peer *, const struct wire_ev *, int64_t now);

/* Incoming block.  TAKE: put its payload into a block and call swarm_block; SKIP: throw the payload
 * away. */
enum block_fate { SWARM_TAKE, SWARM_SKIP, SWARM_CLOSE };
enum block_fate swarm_piece_begin(
	struct swarm_peer *, uint32_t piece, uint32_t begin, uint32_t length);
/* Part of a block has come: a slow peer is not a silent one. */
static inline void swarm_progress(struct swarm_peer *p, int64_t now)
{
	p->last_block_at = now;
}
/*
 * The block of a TAKE has arrived whole.  true: hand it to the store (the charge goes with it);
 * false: it was a duplicate, counted as wasted, its unit is already back.
 */
bool swarm_block(struct swarm_peer *, uint32_t piece, uint32_t begin, uint32_t length, int64_t now);

/* Tops up the requests to this peer with at most `credit` new ones.  Number of requests made. */
unsigned swarm_request(struct swarm_peer *, unsigned credit, int64_t now);
bool swarm_wants_requests(
	const struct swarm_peer *); /* there is room in its window and something to ask for */

/* The next block to serve; false: none.  The caller reads it and calls swarm_served() when it has
 * left, or swarm_serve_failed(). */
bool swarm_serve_next(struct swarm_peer *, struct block_req *);
void swarm_served(struct swarm_peer *, uint32_t bytes);
/* A block we promised cannot be served: says so where BEP 6 allows. */
void swarm_serve_failed(struct swarm_peer *, const struct block_req *);
/* The same for one that could not be read: the peer hears that the piece is not there (BEP 54). */
void swarm_serve_lost(struct swarm_peer *, const struct block_req *);

/*
 * Blame (proto/smartban.h).  The owner reports digests, by smartban_digest(), of the content of
 *   - every block of a piece that failed, just before swarm_piece_bad() (whoever hashed the piece
 *     has its blocks in memory or on disk), and
 *   - every block of TAKE of a piece that swarm_suspects(), just after swarm_block() was true.
 * Digests that do not come convict nobody.
 */
bool swarm_suspects(const struct swarm *, uint32_t piece);
void swarm_block_digest(struct swarm *, uint32_t piece, uint32_t begin, uint64_t digest);
/*
 * Peers proven to have sent a bad block since the last call, at most max; returns how many.  Their
 * addresses are banned already; the caller closes their connections.  To be asked after
 * swarm_piece_ok(); swarm_piece_bad() does it itself.
 */
unsigned swarm_guilty(struct swarm *, struct swarm_peer **bad, unsigned max);

/* The store's verdict on a piece.  `bad` gets peers to ban, at most max; returns how many. */
void swarm_piece_ok(struct swarm *, uint32_t piece, int64_t now);
unsigned swarm_piece_bad(struct swarm *, uint32_t piece, struct swarm_peer **bad, unsigned max);
void swarm_piece_failed(struct swarm *, uint32_t piece); /* could not be written: open again */

/*
 * Opens again what a peer that is about to be banned had a part in: pieces[] gets them, at most
 * max, for the store to forget.  Call it before swarm_leave().
 */
unsigned swarm_taint(struct swarm_peer *, uint32_t *pieces, unsigned max);

/* Interest and requests anew for every peer: after no_download or priorities changed. */
void swarm_reconsider(struct swarm *);

/* Timeouts, snubs, the choker.  Once a second while anybody is connected. */
void swarm_tick(struct swarm *, int64_t now);

/* The peer of that name, NULL when it has left. */
struct swarm_peer *swarm_peer_named(const struct swarm *, uint32_t name);

/* Bytes of wanted pieces that are not verified; while nobody knows, a block. */
static inline uint64_t swarm_left(const struct swarm *s)
{
	return s->bare ? BLOCK_SIZE : picker_wanted_left(s->picker);
}

/* How a seed gives slots, from the next round on. */
void swarm_choke_mode(struct swarm *, enum choke_seed);
/* Super-seeding: concerns peers that join from now on; when it ends the others are told the rest.
 */
void swarm_super_seed(struct swarm *, enum swarm_super, int64_t now);
/* How many complete peers the trackers know, without us (BEP 3 "complete", BEP 48); it counts for
 * two hours. */
void swarm_note_seeds(struct swarm *, uint32_t others, int64_t now);
/*
 * Suggests a piece that is cheap for us to serve (in the read cache).  false: not said, because it
 * has it, does not want or understand it, or heard it lately (BEP 6, "Suggest Piece").
 */
bool swarm_suggest(struct swarm_peer *, uint32_t piece);
/*
 * Bytes of the piece had to be read from the disk, and are in memory for a while: suggests it to a
 * few peers that could ask for it now.  How many heard it.  Not more than once a minute for a
 * piece, only by a seed, and never while super-seeding.  O(1).
 */
unsigned swarm_piece_read(struct swarm *, uint32_t piece, int64_t now);
/*
 * Whom to drop when no connection is left and others wait to be dialled: the peer least missed, by
 * use and then by bytes; NULL when all are useful or too new to tell.  Borrowed.  O(peers).
 */
struct swarm_peer *swarm_worst(struct swarm *, int64_t now);

/* The same, and of useful ones the one that moves least; NULL when there is no peer at all. */
struct swarm_peer *swarm_least(struct swarm *, int64_t now);

/* The same as swarm_worst(), but at most once in half a minute, so that the one who comes is given
 * a chance. */
struct swarm_peer *swarm_turnover(struct swarm *, int64_t now);

/* Share, 0 to 1, of the pieces we lack that it has. */
float swarm_relevance(const struct swarm_peer *);

void req_push(struct req_queue *, struct block_req);
bool req_pop(struct req_queue *, struct block_req *);
bool req_remove(struct req_queue *, const struct block_req *); /* false: not there */
void req_clear(struct req_queue *);
static inline struct block_req *req_at(const struct req_queue *q, uint32_t i)
{
	return &q->v[(q->head + i) & (q->cap - 1)];
}

#endif
