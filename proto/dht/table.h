/* SPDX-License-Identifier: MIT */
/*
 * The routing table: whom we know of one family of addresses, by their distance from us (BEP 5).
 *
 * A bucket has the nodes with exactly so many leading bits in common with our id; the first few
 * have more room than eight, which shortens lookups.  A node comes in when it has answered, never
 * because somebody named it.  One node an address in the table, one a /24 (/64) in a bucket.  A
 * full bucket takes a node whose id fits its address (BEP 42) in the place of one whose does not,
 * and keeps others as spares: with a spare a node goes at its first failure, without one it may
 * fail often, so that the table outlives a line that is down.
 *
 * A bucket that is far from half full of fitting ids is how sybils look; those are only ever spares
 * where fitting ones are.  One owner.
 */
#ifndef PROTO_DHT_TABLE_H
#define PROTO_DHT_TABLE_H

#include "proto/base/time.h"
#include "proto/dht/krpc.h"

#define KAD_K         8u
#define KAD_BUCKETS   44u
#define KAD_SPARES    8u
#define KAD_FRESH     (15 * 60 * USEC_PER_SEC)
#define KAD_FAILS_MAX 20u

struct kad_contact {
	struct kad_id id;
	struct endpoint at;
	bool fits; /* BEP 42 */
	bool live; /* in the bucket, else a spare of it */
	uint8_t fails;
	uint16_t next;    /* of its chain by address; of the free list */
	int64_t answered; /* last time */
	int64_t asked_us; /* last time it asked something of us */
	int64_t pinged;   /* last time we asked something of it */
};

struct kad_table;

/* own: our id.  local: nodes of the neighbourhood; neither address blocks nor BEP 42 count. */
struct kad_table *kad_table_new(const struct kad_id *own, bool local, uint64_t seed);
void kad_table_free(struct kad_table **);
const struct kad_id *kad_table_own(const struct kad_table *);
/* Another id of ours: everybody finds a new place or none. */
void kad_table_move(struct kad_table *, const struct kad_id *own);

/*
 * The node has answered.  true: it is in the table.  A node that has another id than before at its
 * address is thrown out: it lies, or is another.
 */
bool kad_table_answered(
	struct kad_table *, const struct kad_id *, const struct endpoint *, int64_t now);
/* The node has asked something.  true: it is not known, and there would be room for it. */
bool kad_table_asked(
	struct kad_table *, const struct kad_id *, const struct endpoint *, int64_t now);
/* It was asked something. */
void kad_table_pinged(struct kad_table *, const struct endpoint *, int64_t now);
/* It has not answered. */
void kad_table_failed(struct kad_table *, const struct endpoint *);
/* Whether its answer would be worth a question. */
bool kad_table_wants(const struct kad_table *, const struct kad_id *, const struct endpoint *);
/* NULL: not in the table. */
const struct kad_contact *kad_table_find(const struct kad_table *, const struct endpoint *);

/*
 * The nearest to the target that do not fail, nearest first, at most max; returns how many.
 * fitting: only those whose ids fit their addresses.
 */
unsigned kad_table_nearest(const struct kad_table *, const struct kad_id *target, bool fitting,
	const struct kad_contact **out, unsigned max);
/* The nearest, but half of them fitting ones if there are so many: what others are told. */
unsigned kad_table_fair(const struct kad_table *, const struct kad_id *target,
	const struct kad_contact **out, unsigned max);

/* The one heard of the longest ago, if that was before `before`; NULL: none. */
const struct kad_contact *kad_table_stale(const struct kad_table *, int64_t before);
/* Whether a bucket of that depth has room. */
bool kad_table_has_room(const struct kad_table *, unsigned depth);
unsigned kad_table_depth(const struct kad_table *, const struct kad_id *);
/* The deepest bucket that has anybody, and one: where lookups of our own id end. */
unsigned kad_table_deepest(const struct kad_table *);

struct kad_table_count {
	unsigned good, unsure, bad, spare; /* BEP 5's words */
	unsigned fits;                     /* of good and unsure */
};
struct kad_table_count kad_table_count(const struct kad_table *, int64_t now);
unsigned kad_table_live(const struct kad_table *);

/* Walks the nodes that are in buckets: *at is 0 at first.  NULL: the end. */
const struct kad_contact *kad_table_next(const struct kad_table *, unsigned *at);

/* Panics when an invariant does not hold: tests. */
void kad_table_check(const struct kad_table *);

#endif
