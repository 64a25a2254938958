/* SPDX-License-Identifier: MIT */
/*
 * A pool of equal pieces of memory, owned by one actor.
 *
 * The pieces may be written by another thread while they are lent, but only the owner takes and
 * puts. At the end the pool must be full again: pool_free() panics on a missing piece, which is the
 * leak check of every run.
 */
#ifndef KERNEL_POOL_H
#define KERNEL_POOL_H

#include "proto/base/base.h"

struct pool;

/* Pieces of `size` bytes aligned to `align`, grown a slab of `per_slab` at a time up to `max`
 * pieces. */
struct pool *pool_new(const char *name, size_t size, size_t align, unsigned per_slab, unsigned max);
void pool_free(struct pool **);
void *pool_get(struct pool *); /* NULL when max are lent */
void pool_put(struct pool *, void *);
void pool_raise(struct pool *, unsigned max); /* no effect when it is less than it was */
unsigned pool_lent(const struct pool *);
unsigned pool_max(const struct pool *);

#endif
