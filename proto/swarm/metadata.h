/* SPDX-License-Identifier: MIT */
/*
 * Fetching an info dictionary, of which only the hash is known, from peers each of whom may lie
 * (BEP 9).
 *
 * Each claimed size is a candidate of its own, METADATA_SIZES of them at a time, so that a liar's
 * size is not in the way of the true one; a size that brings nothing gives way to one that waits.
 * The hash decides.  When it is wrong all pieces of that size are forgotten and who sent what is
 * noted; if one peer sent them all it is not asked again, else the size is fetched from one peer at
 * a time.  Once the true bytes are known, who had sent others is guilty beyond doubt, unless the
 * dictionary is one that an honest client may have written anew in another order.
 *
 * Pure; one owner.  The caller names peers by numbers that are never used for somebody else, tells
 * what they say, and asks what to ask them for whenever something has happened.  `now` is monotonic
 * microseconds.
 */
#ifndef PROTO_SWARM_METADATA_H
#define PROTO_SWARM_METADATA_H

#include "proto/base/endpoint.h"
#include "proto/swarm/candidate.h"
#include "proto/swarm/smartban.h"
#include "proto/wire/ext_metadata.h"

#define METADATA_SIZES    3u /* candidates */
#define METADATA_REQUESTS 2u /* outstanding with one peer */

struct metadata;

/* How it stands, for people. */
struct metadata_progress {
	uint32_t size; /* bytes, of the size that has come furthest; 0: nobody has said one */
	uint32_t pieces, have; /* of it */
	uint32_t offering;     /* peers that say they have it */
	uint32_t asked;        /* of them, that were asked */
	uint32_t rejects;      /* all in all */
	uint32_t timeouts;
	uint32_t failures; /* wrong hashes */
	const char *error; /* what went wrong last; static; NULL: nothing */
};

/* budget: borrowed for as long as it lives, NULL: no bound.  The caller calls metadata_free(). */
struct metadata *metadata_new(const uint8_t infohash[HASH_SHA1_SIZE], struct byte_budget *budget);
void metadata_free(struct metadata **);

/* The peer says how many bytes the dictionary has, again and again if it likes; 0, or more than
 * METADATA_SIZE_MAX: it has none. */
void metadata_claim(
	struct metadata *, uint32_t name, const struct endpoint *at, uint32_t size, int64_t now);
void metadata_leave(struct metadata *, uint32_t name, int64_t now);
/*
 * What to ask the peer for now; it counts as asked.  Call it until it is false, for the peer about
 * which something was told and, when metadata_stirred(), for all.
 */
bool metadata_next(struct metadata *, uint32_t name, uint32_t *piece, int64_t now);
/* There may be something to ask for that was not there before; says so once. */
bool metadata_stirred(struct metadata *);
/* A message of type DATA or REJECT; others are nothing to it. */
void metadata_got(struct metadata *, uint32_t name, const struct metadata_message *, int64_t now);
/* Once a second: requests that were silent for too long, sizes that bring nothing. */
void metadata_tick(struct metadata *, int64_t now);

/* The dictionary; p is NULL until it is there.  Borrowed. */
struct slice metadata_bytes(const struct metadata *);
/* Peers proven to have lied since the last call; returns how many. */
unsigned metadata_guilty(struct metadata *, struct smartban_names *);
void metadata_progress(const struct metadata *, struct metadata_progress *);

/* Panics when an invariant does not hold: tests and fuzzing. */
void metadata_check(const struct metadata *);

#endif
