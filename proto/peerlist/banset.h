/* SPDX-License-Identifier: MIT */
/*
 * A bounded set of banned IP addresses: the latest N stay, the oldest go.
 *
 * Of IPv6 the first 64 bits count: what lies behind them is one network, whose owner has 2^64
 * addresses to come back from, and to wash everybody else's ban out of the set with.
 *
 * A ban is of the address and not of a port, because who is banned comes back from another port. It
 * takes memory only once somebody is banned.  Not thread-safe: one owner.
 */
#ifndef PROTO_PEERLIST_BANSET_H
#define PROTO_PEERLIST_BANSET_H

#include "proto/base/endpoint.h"

struct banset;

/* max is how many it holds, at least 1; seed is random, for the hash. */
struct banset *banset_new(uint32_t max, uint64_t seed);
void banset_free(struct banset **bp);

/* Adds e's address; the oldest one goes when the set is full.  Known ones are left as they are. */
void banset_add(struct banset *b, const struct endpoint *e);
bool banset_has(const struct banset *b, const struct endpoint *e);
uint32_t banset_count(const struct banset *b);

#endif
