/* SPDX-License-Identifier: MIT */
/*
 * A node of the DHT (BEP 5, 32, 33, 42, 43, 44, 51): datagrams and time in, datagrams and what was
 * found out.
 *
 * It answers what strangers ask, keeps a table of nodes for each family of addresses, announces the
 * torrents it is told of and finds their peers, and carries out single jobs: items put and got,
 * scrapes, samples.  It never sends more than its budgets allow, keeps nothing without a bound, and
 * takes nothing of anybody that was not asked for.
 *
 * No sockets, no clock: kad_input() for each datagram, kad_tick() at kad_deadline(), and the table
 * of functions says what leaves.  Functions of the table must not call back in, but for
 * kad_start().  One owner.  Times are monotonic microseconds.
 */
#ifndef PROTO_DHT_KAD_H
#define PROTO_DHT_KAD_H

#include "proto/dht/item.h"
#include "proto/dht/table.h"

enum { KAD_V4, KAD_V6, KAD_FAMILIES };

#define KAD_VIA_ANY     (-1) /* by any socket of the receiver's family */
#define KAD_SAMPLES_MAX 20u

struct kad;

struct kad_config {
	bool local;        /* addresses of the neighbourhood are nodes like others (tests, a LAN) */
	bool read_only;    /* BEP 43: asks, and answers nothing */
	uint32_t out_rate; /* B/s; 0: no limit, on what comes in neither */
	uint32_t new_nodes;  /* endpoints a second that are asked for the first time; 0: no limit */
	unsigned gate_slots; /* of the tables of rates; a power of two */
	uint16_t port;       /* where peers reach us; 0: we announce nothing */
};

enum kad_goal {
	KAD_GET,    /* an item */
	KAD_PUT,    /* an item */
	KAD_SCRAPE, /* how many have a torrent */
	KAD_SAMPLE, /* what torrents there are near a target */
	KAD_PEERS,  /* who has a torrent, without announcing it */
};

struct kad_job {
	enum kad_goal goal;
	struct kad_id target;        /* KAD_PUT: of the item */
	struct slice salt;           /* KAD_GET of a mutable item; copied */
	const struct kad_item *item; /* KAD_PUT; copied */
	bool has_cas;
	int64_t cas;
};

/* What a job has found; borrowed during the call. */
struct kad_result {
	uint64_t job;
	enum err err;      /* E_OK, E_NOT_FOUND, E_UNREACHABLE: there is nobody to ask, E_EXISTS:
			      somebody has a newer item, or most say so */
	unsigned answered; /* nodes that did */
	unsigned stored;   /* KAD_PUT: nodes that took it */
	const struct kad_item *item;  /* KAD_GET */
	double seeds, peers;          /* KAD_SCRAPE */
	const struct kad_id *samples; /* KAD_SAMPLE */
	unsigned samples_n;
	uint64_t samples_all;         /* that all who answered have together */
	const struct endpoint *found; /* KAD_PEERS */
	unsigned found_n;
};

struct kad_ops {
	/* via: the number that came with the question this answers, or KAD_VIA_ANY. */
	void (*send)(void *ctx, int via, const struct endpoint *to, const uint8_t *p, size_t n);
	/* Whether an address is one that nobody talks to: it is no node, and no peer.  NULL: none
	 * is. */
	bool (*refuses)(void *ctx, const struct endpoint *);
	/* Peers of a torrent that kad_torrent() named, with that tag. */
	void (*peers)(void *ctx, uint64_t tag, const struct endpoint *, unsigned n);
	void (*done)(void *ctx, const struct kad_result *);
	/* The world sees us at another address; `id` is ours from now on. */
	void (*moved)(
		void *ctx, unsigned family, const struct endpoint *at, const struct kad_id *id);
};

/* ops is borrowed for the node's life; secret is random and nobody else's. */
struct kad *kad_new(const struct kad_config *, const struct kad_ops *, void *ctx,
	const uint8_t secret[16], int64_t now);
void kad_free(struct kad **);
/* All but local and gate_slots, which are as they were at first; what is announced from now on is
 * so. */
void kad_configure(struct kad *, const struct kad_config *, int64_t now);

/* The node has a socket of that family.  id: NULL: a new one. */
void kad_open(struct kad *, unsigned family, const struct kad_id *id, int64_t now);
/* Our address and the other may have changed, or a line has come back: looks for nodes anew. */
void kad_wake(struct kad *, int64_t now);

/* A datagram that begins with 'd'. */
void kad_input(struct kad *, int via, const struct endpoint *from, const uint8_t *p, size_t n,
	int64_t now);
void kad_tick(struct kad *, int64_t now);
/* When kad_tick() has something to do; INT64_MAX: when something comes. */
int64_t kad_deadline(const struct kad *, int64_t now);

enum kad_origin {
	KAD_SAVED,  /* of an earlier run */
	KAD_ROUTER, /* configured: asked when nobody else answers, and not kept */
	KAD_NAMED,  /* a peer says that it is a node (BEP 5, PORT) */
};
void kad_meet(struct kad *, const struct kad_id *, const struct endpoint *, enum kad_origin,
	int64_t now); /* id: NULL: not known */

/*
 * A torrent whose peers are to be found: at once if `urgent`, and then again and again.  announce:
 * it is also told that we have it; seed: all of it.  For one that is known, what changed.
 */
struct kad_wish {
	bool announce, seed, urgent;
	uint64_t tag; /* the caller's */
};
void kad_torrent(struct kad *, const struct kad_id *, struct kad_wish, int64_t now);
/* It has no peers: it is looked for before its time, but no sooner than half a minute after the
 * last time, later where that found nobody, and by and by where there are many torrents. */
void kad_want(struct kad *, const struct kad_id *, int64_t now);
void kad_torrent_drop(struct kad *, const struct kad_id *);

/* Ends with ops->done, never from inside this call. */
uint64_t kad_start(struct kad *, const struct kad_job *, int64_t now);

/* Nodes to be remembered: those that answered lately, of as many networks as there are. */
unsigned kad_nodes(const struct kad *, unsigned family, struct krpc_node *out, unsigned max);

struct kad_view {
	struct kad_family_view {
		bool open, known_at;
		struct kad_id id;
		struct endpoint at; /* as the world sees us */
		struct kad_table_count nodes;
		bool ready; /* enough nodes to find things */
	} family[KAD_FAMILIES];
	uint64_t queries_in, queries_out, answers_in, answers_out, timeouts, refused_in, held_out;
	unsigned torrents, lookups;                           /* ours; under way */
	unsigned stored_torrents, stored_peers, stored_items; /* others' */
	bool quiet; /* nobody has asked us anything by himself for long: not reachable from outside
		     */
	int64_t unsolicited; /* when somebody did last; 0: never */
};
void kad_view(const struct kad *, struct kad_view *, int64_t now);

#endif
