/* SPDX-License-Identifier: MIT */
/*
 * Names of nodes and of what they store: 160 bits, and the distance between two, their XOR (BEP 5).
 *
 * A node's id is bound to its address (BEP 42): the first 21 bits are a checksum of the address, so
 * that who wants to sit at a place of his choice needs an address that leads there.  Values; pure.
 */
#ifndef PROTO_DHT_ID_H
#define PROTO_DHT_ID_H

#include "proto/base/endpoint.h"
#include "proto/base/rng.h"

#define KAD_ID_SIZE 20
#define KAD_ID_BITS 160u

struct kad_id {
	uint8_t b[KAD_ID_SIZE];
};

struct kad_id kad_id_of(const uint8_t bytes[KAD_ID_SIZE]);
bool kad_id_equal(const struct kad_id *a, const struct kad_id *b);
/* < 0 when a is nearer to the target than b, 0 when they are the same. */
int kad_id_nearer(const struct kad_id *target, const struct kad_id *a, const struct kad_id *b);
/* How many leading bits they have in common, KAD_ID_BITS when they are the same. */
unsigned kad_id_common(const struct kad_id *a, const struct kad_id *b);

struct kad_id kad_id_random(struct rng *);
/* One that has exactly `bits` leading bits in common with id, less than KAD_ID_BITS. */
struct kad_id kad_id_beside(const struct kad_id *id, unsigned bits, struct rng *);

/* One that BEP 42 allows at the address; `r` is its free choice, kept in the last byte. */
struct kad_id kad_id_for(const struct endpoint *at, uint8_t r, struct rng *);
/* Whether BEP 42 allows the id at the address; addresses of the neighbourhood may have any. */
bool kad_id_fits(const struct kad_id *, const struct endpoint *at);

#endif
