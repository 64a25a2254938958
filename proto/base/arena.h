/* SPDX-License-Identifier: MIT */
/*
 * Memory that is handed out in small pieces and given back all at once.
 *
 * For what is built once from a stranger's bytes and then never changes: a bound on the whole, no
 * pointer to free one by one.  One owner; not thread-safe.
 */
#ifndef PROTO_BASE_ARENA_H
#define PROTO_BASE_ARENA_H

#include "proto/base/base.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* owned; the newest first */
	size_t total;               /* bytes of all chunks */
	size_t max;                 /* bound on total */
};

void arena_init(struct arena *a, size_t max);
void arena_free(struct arena *a);

/*
 * n bytes, uninitialised, aligned for any type (arena_alloc) or not at all (arena_bytes).  NULL
 * when the bound or the memory is used up.
 */
void *arena_alloc(struct arena *a, size_t n);
char *arena_bytes(struct arena *a, size_t n);

/* A NUL-terminated copy of n bytes, or NULL. */
char *arena_strndup(struct arena *a, const void *p, size_t n);

#endif
