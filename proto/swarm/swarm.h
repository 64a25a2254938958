/* SPDX-License-Identifier: MIT */
/*
 * One torrent as the peer wire sees it: what we have, who is connected, who asks whom for what.
 *
 * Composes wire, picker, choker and peer list; the rules of BEP 3, 6, 10 and 21 live here.  Bytes
 * and time in, bytes and decisions out: a connection's owner feeds it wire events, sends what lands
 * in swarm_out(), and asks for requests and serving work.  It never touches a socket or a file, so
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
#include "proto/base/outbuf.h"
#include "proto/base/rng.h"
#include "proto/meta/layout.h"
#include "proto/peerlist/peerlist.h"
#include "proto/picker/picker.h"
#include "proto/swarm/choker.h"
#include "proto/swarm/metadata.h"
#include "proto/wire/ext.h"
#include "proto/wire/wire.h"

struct swarm_peer;
struct swarm_pex;
struct swarm_log;
struct swarm;

/* What the owner of the swarm does for it.  Called from inside the functions below, never
 * re-entrantly. */
struct swarm_ops {
	void (*wake)(void *conn); /* the peer's out, its requests or its serving queue changed */
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
 * A bare swarm gets what was missing.  Of the peers the pieces are known now, and
 * swarm_peer_unfit() tells who cannot have told the truth: the caller closes those, puts in have,
 * partial pieces and priorities, and calls swarm_introduce(), which lets the rest begin.
 */
void swarm_complete(struct swarm *, const struct layout *, struct slice info, bool is_private);
void swarm_introduce(struct swarm *, int64_t now);
/* Of a bare swarm: the info dictionary, borrowed; p is NULL until it is there. */
struct slice swarm_metadata(const struct swarm *);
void swarm_metadata_progress(const struct swarm *, struct metadata_progress *);
/* Puts pieces of the info dictionary that the peer wants into its out, as far as there is room. */
void swarm_serve_info(struct swarm_peer *);

const struct bitfield *swarm_have(const struct swarm *); /* pieces that are verified */
bool swarm_done(const struct swarm *);                   /* nothing that is wanted is missing */

/* What the owner works on by itself; borrowed for as long as the swarm lives. */
struct picker *swarm_picker(const struct swarm *);
struct peerlist *swarm_candidates(const struct swarm *);
const struct layout *swarm_layout(const struct swarm *);
unsigned swarm_peers(const struct swarm *); /* that have joined and not left */

/* What the owner has been told of the torrent. */
void swarm_set_private(struct swarm *, bool is_private); /* BEP 27 */
void swarm_set_up_limit(struct swarm *, uint64_t rate);  /* B/s, for the choker; 0: none */
/* The disk takes nothing: ask for nothing, go on serving.  true: that has just ended, and
 * swarm_reconsider() is due. */
bool swarm_stop_download(struct swarm *, bool stop);

/* What has passed since the swarm was made. */
struct swarm_totals {
	uint64_t downloaded, uploaded, wasted; /* bytes of payload */
	uint64_t failed_pieces;
	bool no_download; /* swarm_stop_download() */
};
void swarm_totals(const struct swarm *, struct swarm_totals *);
void swarm_rates(struct swarm *, int64_t now, uint64_t *down, uint64_t *up); /* B/s, shown */

/* A connection whose handshakes are done.  Our first messages are in its out on return. */
struct swarm_peer *swarm_join(struct swarm *, void *conn, const struct endpoint *,
	const uint8_t id[20], struct swarm_caps, bool incoming, int64_t now);
/* What passes between the peer and its connection; borrowed until it leaves. */
void *swarm_conn(const struct swarm_peer *);         /* as it was joined */
struct outbuf *swarm_out(struct swarm_peer *);       /* small messages to send */
struct wire_dec *swarm_decoder(struct swarm_peer *); /* of what it sends */
unsigned swarm_asked(const struct swarm_peer *);     /* our requests it has not answered */
/* Its first request that we have not begun to answer, borrowed until the next call; NULL: none. */
const struct block_req *swarm_serve_first(const struct swarm_peer *);
bool swarm_wants_info(const struct swarm_peer *); /* swarm_serve_info() has something to do */
bool swarm_chokes(const struct swarm_peer *);     /* we choke the peer */
bool swarm_is_seed(const struct swarm_peer *);    /* it has everything */
bool swarm_peer_unfit(const struct swarm_peer *); /* what it says cannot be true: close it */
/* B/s it gave us at the last tick; *starting: its requests still grow with each answer. */
uint64_t swarm_pace(const struct swarm_peer *, bool *starting);

/* The peer as others are told of it. */
struct swarm_look {
	uint8_t id[20];
	const char *client;         /* borrowed until it leaves; printable ASCII */
	const struct bitfield *has; /* likewise */
	struct endpoint reach;      /* where an incoming one listens; port 0: unknown */
	bool am_choking, am_interested, peer_choking, peer_interested;
	uint32_t interesting;          /* pieces it has, wanted, that we lack */
	uint64_t downloaded, uploaded; /* bytes of payload */
	int64_t connected_at;          /* us */
	bool seed, upload_only;        /* has everything; wants nothing (BEP 21) */
	bool snubbed, optimistic;      /* promised and did not deliver; holds the optimistic slot */
	int64_t delay; /* us it takes to answer when nothing else waits; 0: not known */
};
void swarm_look(const struct swarm_peer *, struct swarm_look *);
void swarm_peer_rates(struct swarm_peer *, int64_t now, uint64_t *down, uint64_t *up);

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
void swarm_progress(struct swarm_peer *, int64_t now);
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
uint64_t swarm_left(const struct swarm *);

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

#endif
