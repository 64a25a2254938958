/* SPDX-License-Identifier: MIT */
/* Memory that is handed out in small pieces and given back all at once. */
#include "proto/base/arena.h"

#include <stdlib.h>

#define CHUNK_MIN ((size_t)1024)
#define CHUNK_MAX ((size_t)1 << 20)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used; /* of data */
	_Alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max};
}

void arena_free(struct arena *a)
{
	while (a->chunks != NULL) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	a->total = 0;
}

/* Chunks grow with the whole, so that a small arena stays small and a large one has few of them. */
static bool add_chunk(struct arena *a, size_t n)
{
	size_t size = MAX(n, MIN(MAX(a->total, CHUNK_MIN), CHUNK_MAX));
	struct arena_chunk *c;

	if (n > a->max || a->total > a->max - n)
		return false;
	size = MIN(size, a->max - a->total);
	c = malloc(sizeof *c + size);
	if (c == NULL)
		return false;
	*c = (struct arena_chunk){.next = a->chunks, .size = size};
	a->chunks = c;
	a->total += size;
	return true;
}

static char *take_bytes(struct arena *a, size_t n, size_t align)
{
	struct arena_chunk *c = a->chunks;
	size_t at = c != NULL ? (c->used + align - 1) / align * align : 0;

	if (c == NULL || at > c->size || c->size - at < n) {
		if (!add_chunk(a, n))
			return NULL;
		c = a->chunks;
		at = 0;
	}
	c->used = at + n;
	return c->data + at;
}

void *arena_alloc(struct arena *a, size_t n)
{
	return take_bytes(a, n, _Alignof(max_align_t));
}

char *arena_bytes(struct arena *a, size_t n)
{
	return take_bytes(a, n, 1);
}

char *arena_strndup(struct arena *a, const void *p, size_t n)
{
	char *s = n < a->max ? arena_bytes(a, n + 1) : NULL;

	if (s == NULL)
		return NULL;
	if (n > 0)
		memcpy(s, p, n);
	s[n] = '\0';
	return s;
}
