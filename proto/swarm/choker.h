/* SPDX-License-Identifier: MIT */
/*
 * Who may download from us: a pure decision over a table of peers (BEP 3, "choking").
 *
 * The caller fills the table, runs the choker every CHOKER_ROUND_US and when a peer's interest
 * changes or one goes, and sends CHOKE and UNCHOKE where `want` differs from `unchoked`.  Between
 * rounds nobody who is still interested loses a slot: only free ones are given away, so that calls
 * may come often. One thread owns a choker; nothing is allocated between calls.
 */
#ifndef PROTO_SWARM_CHOKER_H
#define PROTO_SWARM_CHOKER_H

#include "proto/base/rng.h"
#include "proto/base/time.h"

#define CHOKER_ROUND_US (10 * USEC_PER_SEC)
#define CHOKER_OPT_US   INT64_C(30000000) /* how long an optimistic slot is held */
#define CHOKER_TURN_US  INT64_C(60000000) /* a turn in CHOKE_ROUND_ROBIN */
#define CHOKER_NEW_US   INT64_C(60000000) /* who is connected for less counts as new */

/* How a seed chooses. */
enum choke_seed {
	CHOKE_FASTEST_UPLOAD, /* who takes most: spreads the most bytes */
	CHOKE_ROUND_ROBIN,    /* everyone in turn */
	CHOKE_ANTI_LEECH, /* who has just begun or is nearly done: spreads to those who will share
			   */
};

struct choke_peer {
	uint32_t id; /* the caller's; not looked at */
	bool interested;
	bool unchoked;       /* has a slot now */
	bool snubbed;        /* owes us blocks and sends none: earns no slot, may be lucky */
	bool upload_only;    /* BEP 21: needs nothing from us */
	bool hungry;         /* what it asked for waits for the line */
	bool optimistic;     /* in and out: kept by the caller between calls, false at first */
	bool want;           /* out: is to have a slot */
	uint16_t progress;   /* thousandths of the torrent it has; for CHOKE_ANTI_LEECH */
	uint64_t rate_in;    /* bytes a second it gives us */
	uint64_t rate_out;   /* bytes a second we give it */
	int64_t unchoked_at; /* when it last got a slot; INT64_MIN: never */
	int64_t connected_at;
};

struct choker {
	/* Set by the caller, at any time. */
	uint32_t slots_min; /* never fewer; at least 2, or tit for tat has no room for luck */
	uint32_t slots_max; /* never more; 0 = no bound */
	enum choke_seed mode;
	/* State. */
	uint32_t slots;
	int64_t round_at;   /* when the last full round ran */
	int64_t rotated_at; /* when the optimistic slots last changed hands */
};

void choker_init(struct choker *c, uint32_t slots_min, uint32_t slots_max, enum choke_seed mode);

/*
 * Decides: sets want and optimistic of all n peers.  Uninterested and upload-only ones get no slot
 * and do not count.  Leeching, slots go to who gives us most; a fifth of the slots (at least one)
 * is optimistic: given by lot, new peers three times as likely, for CHOKER_OPT_US.  Seeding goes by
 * mode. The number of slots follows the upload: more while there is room (upload_rate under 0.9 of
 * upload_limit, or without a limit (0) while slots carry a decent rate), fewer when they starve,
 * and a quarter fewer when most of them wait for a line that is too slow for so many.
 * Rates in bytes a second.  O(n log n).
 */
void choker_run(struct choker *c, struct choke_peer *peers, size_t n, bool seeding,
	uint64_t upload_rate, uint64_t upload_limit, int64_t now_us, struct rng *rng);

#endif
