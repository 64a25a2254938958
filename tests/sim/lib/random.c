/* SPDX-License-Identifier: MIT */
/* Random bytes that are the same for the same seed. */
#include "actors/kernel/random.h"
#include "tests/sim/lib/priv.h"

uint64_t random_u64(void)
{
	return rng_u64(&sim_world()->noise);
}

void random_bytes(void *out, size_t n)
{
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)random_u64();
}
