/* SPDX-License-Identifier: MIT */
/* Virtual time: it stands while actors run and jumps to the next thing that is to happen. */
#include "tests/sim/lib/priv.h"

#define WALL_START INT64_C(1700000000)

int64_t clock_mono_us(void)
{
	return sim_world()->now;
}

int64_t clock_wall_us(void)
{
	return WALL_START * USEC_PER_SEC + sim_world()->now;
}

int64_t clock_wall_s(void)
{
	return clock_wall_us() / USEC_PER_SEC;
}
