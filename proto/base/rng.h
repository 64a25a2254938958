/* SPDX-License-Identifier: MIT */
/*
 * A seeded source of pseudo-random numbers that is passed in as an object.
 *
 * Choices that only need to be fair (which piece, which peer, how much jitter) take it as an
 * argument, so that the same seed gives the same run in tests and in the simulator.  It is not for
 * secrets: keys, tokens and peer ids come from the kernel's random source.  Not thread-safe: one
 * owner.
 */
#ifndef PROTO_BASE_RNG_H
#define PROTO_BASE_RNG_H

#include "proto/base/base.h"

/*
 * Splitmix64 by Vigna: a number that is counted on and mixed.  The mix is a bijection in which
 * every bit of the input counts for every bit of the result; nobody who sees results may rely on
 * not being able to go back.
 */
static inline uint64_t splitmix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline uint64_t splitmix_next(uint64_t *state)
{
	return splitmix(*state += UINT64_C(0x9e3779b97f4a7c15));
}

/* One more word into a print of many, by which two lots of them are told apart. */
static inline uint64_t mix_word(uint64_t print, uint64_t word)
{
	print = (print ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return print ^ print >> 29;
}

struct rng {
	uint64_t s[4]; /* never all zero after rng_seed() */
};

/* Any seed is good, 0 too.  The object needs no freeing. */
void rng_seed(struct rng *r, uint64_t seed);

/* 64 even bits. */
uint64_t rng_u64(struct rng *r);

/* An unbiased number in [0, n); 0 when n is 0 or 1. */
uint32_t rng_below(struct rng *r, uint32_t n);

/* Puts v[0..n) in a uniformly random order. */
void rng_shuffle_u32(struct rng *r, uint32_t *v, size_t n);

#endif
