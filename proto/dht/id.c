/* SPDX-License-Identifier: MIT */
/* Distances between ids, and the ids that BEP 42 allows at an address. */
#include "proto/dht/id.h"

#include "proto/base/crc32c.h"

struct kad_id kad_id_of(const uint8_t bytes[KAD_ID_SIZE])
{
	struct kad_id id;

	memcpy(id.b, bytes, sizeof id.b);
	return id;
}

bool kad_id_equal(const struct kad_id *a, const struct kad_id *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static uint64_t load_word(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return __builtin_bswap64(v);
}

/* Word by word: the first nearly always decides. */
int kad_id_nearer(const struct kad_id *target, const struct kad_id *a, const struct kad_id *b)
{
	for (size_t i = 0; i < KAD_ID_SIZE; i += 8) {
		size_t n = MIN((size_t)8, KAD_ID_SIZE - i);
		uint64_t t = load_word(target->b + i, n);
		uint64_t x = t ^ load_word(a->b + i, n), y = t ^ load_word(b->b + i, n);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

unsigned kad_id_common(const struct kad_id *a, const struct kad_id *b)
{
	for (unsigned i = 0; i < KAD_ID_SIZE; i++) {
		unsigned differ = a->b[i] ^ b->b[i];

		if (differ != 0)
			return i * 8 + (unsigned)__builtin_clz(differ) - 24;
	}
	return KAD_ID_BITS;
}

struct kad_id kad_id_random(struct rng *rng)
{
	struct kad_id id;

	for (size_t i = 0; i < KAD_ID_SIZE; i += 4) {
		uint64_t v = rng_u64(rng);

		memcpy(id.b + i, &v, 4);
	}
	return id;
}

struct kad_id kad_id_beside(const struct kad_id *id, unsigned bits, struct rng *rng)
{
	struct kad_id out = kad_id_random(rng);
	unsigned whole = bits / 8, mask;

	must(bits < KAD_ID_BITS);
	memcpy(out.b, id->b, whole);
	/* Of the byte in which they part: the same bits before it, the other one there. */
	mask = 0xffu >> bits % 8;
	out.b[whole] = (uint8_t)((id->b[whole] & ~mask) | (out.b[whole] & mask));
	mask = 0x80u >> bits % 8;
	out.b[whole] = (uint8_t)((out.b[whole] & ~mask) | (~id->b[whole] & mask));
	return out;
}

/* BEP 42, "node ID restriction": 21 bits of this count. */
static uint32_t checksum_of(const struct endpoint *at, uint8_t r)
{
	static const uint8_t mask4[] = {0x03, 0x0f, 0x3f, 0xff};
	static const uint8_t mask6[] = {0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff};
	bool v4 = endpoint_is_v4(at);
	const uint8_t *ip = v4 ? endpoint_v4_bytes(at) : at->ip;
	const uint8_t *mask = v4 ? mask4 : mask6;
	size_t n = v4 ? sizeof mask4 : sizeof mask6;
	uint8_t buf[8];

	for (size_t i = 0; i < n; i++)
		buf[i] = ip[i] & mask[i];
	buf[0] |= (uint8_t)((r & 7) << 5);
	return crc32c(buf, n);
}

struct kad_id kad_id_for(const struct endpoint *at, uint8_t r, struct rng *rng)
{
	struct kad_id id = kad_id_random(rng);
	uint32_t sum = checksum_of(at, r);

	id.b[0] = (uint8_t)(sum >> 24);
	id.b[1] = (uint8_t)(sum >> 16);
	id.b[2] = (uint8_t)((sum >> 8 & 0xf8) | (id.b[2] & 7));
	id.b[19] = r;
	return id;
}

bool kad_id_fits(const struct kad_id *id, const struct endpoint *at)
{
	uint32_t sum = checksum_of(at, id->b[19]);

	if (endpoint_is_loopback(at) || endpoint_is_private_lan(at))
		return true;
	return id->b[0] == (uint8_t)(sum >> 24) && id->b[1] == (uint8_t)(sum >> 16) &&
	       (id->b[2] & 0xf8) == (sum >> 8 & 0xf8);
}
