/* SPDX-License-Identifier: MIT */
/*
 * The hashes BitTorrent names things by: SHA-1 (BEP 3), SHA-256 (BEP 52), and a keyed hash for
 * tables.
 *
 * The only file of the protocol layer that knows OpenSSL, next to the stream encryption.  A hasher
 * decides once how it hashes and keeps one context, so a worker hashes any number of pieces without
 * an allocation or a look-up.
 */
#ifndef PROTO_META_HASH_H
#define PROTO_META_HASH_H

#include "proto/base/base.h"

enum hash_alg { HASH_SHA1, HASH_SHA256 };

#define HASH_SHA1_SIZE   20
#define HASH_SHA256_SIZE 32

/* What a torrent is called on the wire: a v1 hash (BEP 3), a v2 hash (BEP 52), or both (hybrid). */
struct infohash {
	uint8_t v1[HASH_SHA1_SIZE];
	uint8_t v2[HASH_SHA256_SIZE];
	bool has_v1, has_v2;
};

/* The same forms are present and equal; absent forms do not count.  Any thread. */
bool infohash_equal(const struct infohash *a, const struct infohash *b);

static inline size_t hash_size(enum hash_alg alg)
{
	return alg == HASH_SHA256 ? HASH_SHA256_SIZE : HASH_SHA1_SIZE;
}

struct hasher;

/* Ready for the first hasher_update().  The caller owns it; one thread at a time. */
struct hasher *hasher_new(enum hash_alg alg);
void hasher_free(struct hasher **h);

/* Starts a new digest; cheap, whatever state the hasher is in. */
void hasher_reset(struct hasher *h);
void hasher_update(struct hasher *h, const void *p, size_t n);

/*
 * Both updates at once; a and b are different.  Two SHA-1 streams are hashed side by side where the
 * processor gains by it, as far as both have bytes: give them runs of about the same length.
 */
void hasher_update_two(
	struct hasher *a, const void *pa, size_t na, struct hasher *b, const void *pb, size_t nb);

/* Writes hash_size() bytes and leaves the hasher reset. */
void hasher_final(struct hasher *h, uint8_t *out);

/* One run of bytes; writes hash_size() bytes.  Any thread. */
void hash_once(enum hash_alg alg, const void *p, size_t n, uint8_t *out);

/*
 * SipHash-2-4: a table keyed by names a stranger chose stays fast when the stranger cannot know the
 * key.  Any thread.
 */
uint64_t hash_keyed(const uint8_t key[16], const void *p, size_t n);

#endif
