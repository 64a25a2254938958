/* SPDX-License-Identifier: MIT */
/* The two clocks of the system. */
#include "actors/kernel/clock.h"

#include <time.h>

int64_t clock_mono_us(void)
{
	struct timespec ts;

	must(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	return (int64_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000 + 1;
}

int64_t clock_wall_us(void)
{
	struct timespec ts;

	must(clock_gettime(CLOCK_REALTIME, &ts) == 0);
	return (int64_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

int64_t clock_wall_s(void)
{
	return clock_wall_us() / USEC_PER_SEC;
}
