/* SPDX-License-Identifier: MIT */
/*
 * The start of a connection: the handshake, its reserved bits, and the set of pieces allowed fast.
 */
#include "proto/meta/hash.h"
#include "proto/wire/wire.h"

static const uint8_t greeting[20] = "\x13"
				    "BitTorrent protocol";

enum err wire_handshake_encode(uint8_t out[WIRE_HANDSHAKE], const uint8_t reserved[8],
	const uint8_t infohash[20], const uint8_t peer_id[20])
{
	memcpy(out, greeting, 20);
	memcpy(out + 20, reserved, 8);
	memcpy(out + 28, infohash, 20);
	memcpy(out + 48, peer_id, 20);
	return E_OK;
}

enum err wire_handshake_decode(const uint8_t *p, size_t n, struct wire_handshake *out)
{
	out->has_infohash = false;
	for (size_t i = 0; i < MIN(n, sizeof greeting); i++)
		if (p[i] != greeting[i])
			return E_PROTOCOL;
	if (n < 48)
		return E_AGAIN;
	memcpy(out->reserved, p + 20, 8);
	memcpy(out->infohash, p + 28, 20);
	out->has_infohash = true;
	if (n < WIRE_HANDSHAKE)
		return E_AGAIN;
	memcpy(out->peer_id, p + 48, 20);
	return E_OK;
}

static const struct {
	uint8_t byte, mask;
} features[] = {
	[WIRE_DHT] = {7, 0x01},
	[WIRE_FAST] = {7, 0x04},
	[WIRE_EXTENSION] = {5, 0x10},
	[WIRE_V2] = {7, 0x10},
};

void wire_reserved_set(uint8_t reserved[8], enum wire_feature f)
{
	reserved[features[f].byte] |= features[f].mask;
}

bool wire_reserved_has(const uint8_t reserved[8], enum wire_feature f)
{
	return (reserved[features[f].byte] & features[f].mask) != 0;
}

static bool is_in(const uint32_t *set, size_t n, uint32_t v)
{
	for (size_t i = 0; i < n; i++)
		if (set[i] == v)
			return true;
	return false;
}

/* The seed of the sequence: the network part of the address, then the info-hash.  Returns its
 * length. */
static size_t seed_fast_set(
	uint8_t seed[26], const uint8_t infohash[20], const struct endpoint *peer)
{
	size_t n = 6;

	if (endpoint_is_v4(peer)) {
		n = 4;
		memcpy(seed, endpoint_v4_bytes(peer), 3);
		seed[3] = 0;
	} else {
		memcpy(seed, peer->ip, n);
	}
	memcpy(seed + n, infohash, 20);
	return n + 20;
}

size_t wire_allowed_fast_set(const uint8_t infohash[20], const struct endpoint *peer,
	uint32_t pieces, uint32_t k, uint32_t *out)
{
	uint8_t x[26], digest[HASH_SHA1_SIZE];
	size_t want = MIN(MIN(k, pieces), WIRE_ALLOWED_FAST_MAX), n = 0;
	size_t len = seed_fast_set(x, infohash, peer);

	while (n < want) {
		hash_once(HASH_SHA1, x, len, digest);
		memcpy(x, digest, sizeof digest);
		len = sizeof digest;
		for (size_t i = 0; i < sizeof digest && n < want; i += 4) {
			struct rd r = rd_of(x + i, 4);
			uint32_t index = rd_u32(&r) % pieces;

			if (!is_in(out, n, index))
				out[n++] = index;
		}
	}
	return n;
}
