/* SPDX-License-Identifier: MIT */
/* Tokens as keyed hashes: the number of the five minutes is hashed with the rest. */
#include "proto/dht/token.h"

#include "proto/meta/hash.h"

#define EPOCH (300 * USEC_PER_SEC)

static void make(const uint8_t secret[16], const struct endpoint *of, const struct kad_id *target,
	uint64_t epoch, uint8_t out[KAD_TOKEN_SIZE])
{
	uint8_t buf[sizeof of->ip + KAD_ID_SIZE + 8];
	uint64_t h;

	memcpy(buf, of->ip, sizeof of->ip);
	memcpy(buf + sizeof of->ip, target->b, KAD_ID_SIZE);
	memcpy(buf + sizeof of->ip + KAD_ID_SIZE, &epoch, 8);
	h = hash_keyed(secret, buf, sizeof buf);
	memcpy(out, &h, KAD_TOKEN_SIZE);
}

void kad_token_make(const uint8_t secret[16], const struct endpoint *of,
	const struct kad_id *target, int64_t now, uint8_t out[KAD_TOKEN_SIZE])
{
	make(secret, of, target, (uint64_t)(now / EPOCH), out);
}

bool kad_token_good(const uint8_t secret[16], const struct endpoint *of,
	const struct kad_id *target, int64_t now, struct slice token)
{
	uint64_t epoch = (uint64_t)(now / EPOCH);
	uint8_t wanted[KAD_TOKEN_SIZE];

	if (token.n != KAD_TOKEN_SIZE)
		return false;
	for (unsigned age = 0; age < 2; age++) {
		make(secret, of, target, epoch - age, wanted);
		if (memcmp(token.p, wanted, sizeof wanted) == 0)
			return true;
	}
	return false;
}
