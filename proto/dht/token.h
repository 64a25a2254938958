/* SPDX-License-Identifier: MIT */
/*
 * Tokens (BEP 5): who wants to store something shows that datagrams to the address arrive there.
 *
 * A token is a keyed hash of the address (not the port, which some routers change), of what it is
 * for and of the time, so nothing is remembered of those who asked.  It is good for five to ten
 * minutes.  Pure.
 */
#ifndef PROTO_DHT_TOKEN_H
#define PROTO_DHT_TOKEN_H

#include "proto/base/time.h"
#include "proto/dht/id.h"

#define KAD_TOKEN_SIZE 8

/* secret: random, and nobody else's. */
void kad_token_make(const uint8_t secret[16], const struct endpoint *of,
	const struct kad_id *target, int64_t now, uint8_t out[KAD_TOKEN_SIZE]);
bool kad_token_good(const uint8_t secret[16], const struct endpoint *of,
	const struct kad_id *target, int64_t now, struct slice token);

#endif
