/* SPDX-License-Identifier: MIT */
/*
 * xoshiro256** by Blackman and Vigna, seeded through splitmix64.
 *
 * It costs about a nanosecond a number and its state is 32 bytes, so that every owner has its own.
 * Splitmix spreads the seed: neighbouring seeds give unrelated runs and the state is never all
 * zero.
 */
#include "proto/base/rng.h"

static uint64_t rotate_left(uint64_t x, unsigned k)
{
	return x << k | x >> (64 - k);
}

void rng_seed(struct rng *r, uint64_t seed)
{
	for (unsigned i = 0; i < ARRAY_LEN(r->s); i++)
		r->s[i] = splitmix_next(&seed);
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t *s = r->s, result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

/* Lemire's multiplication: the low half tells the few draws that would favour small numbers. */
uint32_t rng_below(struct rng *r, uint32_t n)
{
	uint64_t m;
	uint32_t low_enough;

	if (n <= 1)
		return 0;
	m = (rng_u64(r) >> 32) * n;
	if ((uint32_t)m < n) {
		low_enough = (0 - n) % n;
		while ((uint32_t)m < low_enough)
			m = (rng_u64(r) >> 32) * n;
	}
	return (uint32_t)(m >> 32);
}

/* Index of a swap partner for arrays longer than 2^32 is never needed: pieces and peers fit 32
 * bits. */
void rng_shuffle_u32(struct rng *r, uint32_t *v, size_t n)
{
	must(n <= UINT32_MAX);
	for (uint32_t i = (uint32_t)n; i > 1; i--) {
		uint32_t j = rng_below(r, i), t = v[i - 1];

		v[i - 1] = v[j];
		v[j] = t;
	}
}
