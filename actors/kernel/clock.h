/* SPDX-License-Identifier: MIT */
/* The two clocks; a seam: tests/sim answers with virtual time.  Actors use loop_now() instead. */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include "proto/base/base.h"
#include "proto/base/time.h"

int64_t clock_mono_us(void); /* monotonic microseconds, never 0.  Any thread. */
int64_t clock_wall_s(void);  /* seconds since 1970, UTC.  Any thread. */
int64_t clock_wall_us(void); /* microseconds likewise.  Any thread. */

#endif
