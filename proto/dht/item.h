/* SPDX-License-Identifier: MIT */
/*
 * Items (BEP 44): values of up to 1,000 bytes that anybody may put; immutable ones are named by
 * their hash, mutable ones belong to who has the key, and get newer by their number.
 *
 * An item is taken only when it is what it says: of the exact bytes that came, the hash is the
 * name, or the signature is the key's.  Pure, and a bounded store of others' items.
 */
#ifndef PROTO_DHT_ITEM_H
#define PROTO_DHT_ITEM_H

#include "proto/base/time.h"
#include "proto/dht/ed25519.h"
#include "proto/dht/krpc.h"

#define KAD_VALUE_MAX 1000u /* bytes, as encoded */
#define KAD_SALT_MAX  64u

struct kad_item {
	bool mutable;
	uint8_t key[ED25519_KEY];
	uint8_t signature[ED25519_SIGNATURE];
	int64_t seq;
	uint8_t salt[KAD_SALT_MAX];
	uint8_t salt_n;
	uint16_t value_n;
	uint8_t value[KAD_VALUE_MAX]; /* bencoded */
};

/* What the item is stored under. */
struct kad_id kad_item_target(const struct kad_item *);
struct kad_id kad_item_target_of_key(const uint8_t key[ED25519_KEY], struct slice salt);

/*
 * The item that a query or a reply carries; 0, or the number of the error that says what is wrong
 * with it (enum krpc_error).  salt: of a reply, which does not say its own.  The signature is not
 * looked at.
 */
int kad_item_read(const struct krpc *, struct slice salt, struct kad_item *out);
/* Its signature is the key's; of an immutable one, nothing is to be checked. */
bool kad_item_signed(const struct kad_item *);
/* Signs it with the secret seed, which gives its key. */
void kad_item_sign(struct kad_item *, const uint8_t seed[ED25519_SEED]);
/* Puts what is the item's into a message that borrows from it; salt and all, for a put. */
void kad_item_write(const struct kad_item *, bool with_salt, struct krpc *out);

/* --- the items of others --- */

#define KAD_ITEMS_MAX     1000u
#define KAD_ITEM_LIFETIME (2 * 3600 * USEC_PER_SEC)

struct kad_items;

struct kad_items *kad_items_new(uint64_t seed);
void kad_items_free(struct kad_items **);
/* NULL: there is none. */
const struct kad_item *kad_items_find(struct kad_items *, const struct kad_id *target, int64_t now);
/*
 * 0, or the number of an error: KRPC_E_SEQ, KRPC_E_CAS.  A signature is checked here, when nothing
 * else is wrong: KRPC_E_SIGNATURE.  cas: NULL: not asked for.  The item put the longest ago gives
 * way to a new one.
 */
int kad_items_put(struct kad_items *, const struct kad_item *, const int64_t *cas, int64_t now);
unsigned kad_items_count(const struct kad_items *);

#endif
