/* SPDX-License-Identifier: MIT */
/*
 * Two of 2,048 bits an address, chosen by its SHA-1 (BEP 33).
 *
 * The estimate needs a logarithm, and proto/ does without the mathematics library: between 2,048
 * and 1 there are few arguments, and a series converges fast.
 */
#include "proto/dht/bloom.h"

#include "proto/meta/hash.h"

#define BITS (KRPC_BLOOM * 8)

static void set_bit(struct kad_bloom *b, const uint8_t *index)
{
	unsigned i = (index[0] | (unsigned)index[1] << 8) % BITS;

	b->bits[i / 8] |= (uint8_t)(1u << i % 8);
}

void kad_bloom_add(struct kad_bloom *b, const struct endpoint *e)
{
	bool v4 = endpoint_is_v4(e);
	uint8_t hash[HASH_SHA1_SIZE];

	hash_once(HASH_SHA1, v4 ? endpoint_v4_bytes(e) : e->ip, v4 ? 4 : 16, hash);
	set_bit(b, hash);
	set_bit(b, hash + 2);
}

void kad_bloom_merge(struct kad_bloom *b, const uint8_t bits[KRPC_BLOOM])
{
	for (size_t i = 0; i < KRPC_BLOOM; i++)
		b->bits[i] |= bits[i];
}

/* Of x > 0: halved until it is near 1, then ln x = 2 artanh((x - 1) / (x + 1)). */
static double logarithm(double x)
{
	const double ln2 = 0.69314718055994530942;
	double sum = 0, y, power;
	int halvings = 0;

	for (; x < 0.75; x *= 2)
		halvings++;
	y = (x - 1) / (x + 1);
	power = y;
	for (int i = 1; i < 40; i += 2, power *= y * y)
		sum += power / i;
	return 2 * sum - halvings * ln2;
}

double kad_bloom_count(const struct kad_bloom *b)
{
	unsigned zeros = 0;
	double c;

	for (size_t i = 0; i < KRPC_BLOOM; i++)
		zeros += 8 - (unsigned)__builtin_popcount(b->bits[i]);
	c = zeros > 0 ? zeros : 1;
	return logarithm(c / BITS) / (2 * logarithm(1 - 1.0 / BITS));
}
