/* SPDX-License-Identifier: MIT */
/* Random bytes from the system; a seam: tests/sim answers from the scenario's seed.  Any thread. */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include "proto/base/base.h"

void random_bytes(void *out, size_t n);
uint64_t random_u64(void);

#endif
