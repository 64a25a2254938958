/* SPDX-License-Identifier: MIT */
/*
 * The swarm and its peers from inside: every file of the folder sees these, nobody else does.
 */
#ifndef PROTO_SWARM_STATE_H
#define PROTO_SWARM_STATE_H

#include "proto/base/link.h"
#include "proto/swarm/rate.h"
#include "proto/swarm/smartban.h"
#include "proto/swarm/swarm.h"

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

void req_push(struct req_queue *, struct block_req);
bool req_pop(struct req_queue *, struct block_req *);
bool req_remove(struct req_queue *, const struct block_req *); /* false: not there */
void req_clear(struct req_queue *);
static inline struct block_req *req_at(const struct req_queue *q, uint32_t i)
{
	return &q->v[(q->head + i) & (q->cap - 1)];
}

#endif
