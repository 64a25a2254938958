/* SPDX-License-Identifier: MIT */
/* The Bloom filters of DHT scrapes (BEP 33): how many addresses, without saying which.  Pure. */
#ifndef PROTO_DHT_BLOOM_H
#define PROTO_DHT_BLOOM_H

#include "proto/dht/krpc.h"

struct kad_bloom {
	uint8_t bits[KRPC_BLOOM];
};

/* The address alone, without its port. */
void kad_bloom_add(struct kad_bloom *, const struct endpoint *);
void kad_bloom_merge(struct kad_bloom *, const uint8_t bits[KRPC_BLOOM]);
/* How many different addresses are in it; good up to some 6,000. */
double kad_bloom_count(const struct kad_bloom *);

#endif
