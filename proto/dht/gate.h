/* SPDX-License-Identifier: MIT */
/*
 * How many datagrams are taken of whom, and how many leave.
 *
 * Coming in: each address, each network (a /24, a /48) and everybody together has a rate; who
 * exceeds that of an address by far is not listened to for minutes, but for endpoints that we have
 * asked something, which are held to the other rates.  The tables have a fixed size
 * and are found by a keyed hash: two that share a place share its rate, unless one has been quiet;
 * whoever shares it with one that is not listened to has the rate of the network alone.
 *
 * Going out: bytes a second, of which strangers' questions may not use the last quarter, and new
 * endpoints a second, because the routers of homes keep a note of each for minutes and have room
 * for few.  One owner.
 */
#ifndef PROTO_DHT_GATE_H
#define PROTO_DHT_GATE_H

#include "proto/base/endpoint.h"
#include "proto/base/time.h"

struct kad_gate;

struct kad_gate_config {
	uint32_t out_rate;      /* B/s; 0: no limit, on what comes in neither */
	uint32_t new_endpoints; /* a second; 0: no limit */
	unsigned slots;         /* of each table; a power of two */
};

/* secret: random, and nobody else's; copied. */
struct kad_gate *kad_gate_new(
	const struct kad_gate_config *, const uint8_t secret[16], int64_t now);
void kad_gate_free(struct kad_gate **);
void kad_gate_configure(struct kad_gate *, const struct kad_gate_config *, int64_t now);

/* Whether a datagram of that sender is looked at. */
bool kad_gate_in(struct kad_gate *, const struct endpoint *from, int64_t now);
/* Whether an answer of so many bytes may leave; then they are counted. */
bool kad_gate_answer(struct kad_gate *, size_t bytes, int64_t now);
/* Whether a question to that endpoint may leave now. */
bool kad_gate_ask(struct kad_gate *, const struct endpoint *to, int64_t now);
/* It has left; from now on the endpoint is no new one for two minutes. */
void kad_gate_asked(struct kad_gate *, const struct endpoint *to, size_t bytes, int64_t now);
/* Whether it was asked something in the last two minutes: a router may let it in for that. */
bool kad_gate_recent(struct kad_gate *, const struct endpoint *, int64_t now);

#endif
