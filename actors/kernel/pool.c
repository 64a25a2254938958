/* SPDX-License-Identifier: MIT */
/*
 * A pool of equal pieces of memory.
 *
 * Free pieces lie on a stack, so that the piece used last, whose lines are still in the cache, is
 * taken first.  Nothing is ever given back to the system before the end.  Under AddressSanitizer a
 * free piece is poisoned: using it, or giving it back twice, is reported.
 */
#include "actors/kernel/pool.h"

#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define HIDE(p, n)   __asan_poison_memory_region(p, n)
#define SHOW(p, n)   __asan_unpoison_memory_region(p, n)
#define IS_HIDDEN(p) __asan_address_is_poisoned(p)
#else
#define HIDE(p, n)   (void)(p)
#define SHOW(p, n)   (void)(p)
#define IS_HIDDEN(p) 0
#endif

#define POOL_MAGIC 0x504f4f4cu

struct pool {
	uint32_t magic;
	unsigned lent, max; /* pieces */
	unsigned total;     /* pieces in all slabs */
	unsigned per_slab;  /* pieces */
	unsigned slabs_n, slabs_cap;
	size_t step; /* bytes from one piece to the next */
	size_t align;
	void **free; /* stack of total - lent pieces */
	void **slabs;
	const char *name;
};

struct pool *pool_new(const char *name, size_t size, size_t align, unsigned per_slab, unsigned max)
{
	struct pool *p;

	must(size > 0 && per_slab > 0 && align > 0 && (align & (align - 1)) == 0);
	ALLOC_OBJ(p, POOL_MAGIC);
	p->name = name;
	p->align = MAX(align, sizeof(void *));
	p->step = (size + p->align - 1) & ~(p->align - 1);
	p->per_slab = per_slab;
	p->max = max;
	return p;
}

void pool_free(struct pool **pp)
{
	struct pool *p;

	TAKE_OBJ(p, pp, POOL_MAGIC);
	must(p->lent == 0);
	for (unsigned i = 0; i < p->slabs_n; i++) {
		SHOW(p->slabs[i], p->step * p->per_slab);
		free(p->slabs[i]);
	}
	xfree(p->slabs);
	xfree(p->free);
	FREE_OBJ(p);
}

void pool_raise(struct pool *p, unsigned max)
{
	CHECK_OBJ(p, POOL_MAGIC);
	p->max = MAX(p->max, max);
}

/* Room for one slab more, and for all its pieces on the stack. */
static void make_room(struct pool *p)
{
	if (p->slabs_n < p->slabs_cap)
		return;
	p->slabs_cap = MAX(4u, 2 * p->slabs_cap);
	p->slabs = xrealloc(p->slabs, sizeof *p->slabs * p->slabs_cap);
	p->free = xrealloc(p->free, sizeof *p->free * p->slabs_cap * p->per_slab);
}

static bool grow(struct pool *p)
{
	unsigned n = MIN(p->per_slab, p->max - p->total);
	uint8_t *slab;

	if (n == 0)
		return false;
	slab = aligned_alloc(p->align, p->step * p->per_slab);
	if (slab == NULL)
		return false;
	make_room(p);
	p->slabs[p->slabs_n++] = slab;
	p->total += n;
	for (unsigned i = 0; i < n; i++)
		p->free[i] = slab + p->step * (n - 1 - i);
	HIDE(slab, p->step * p->per_slab);
	return true;
}

void *pool_get(struct pool *p)
{
	void *piece;

	CHECK_OBJ(p, POOL_MAGIC);
	if (p->lent == p->total && !grow(p))
		return NULL;
	piece = p->free[p->total - p->lent - 1];
	p->lent++;
	SHOW(piece, p->step);
	return piece;
}

void pool_put(struct pool *p, void *piece)
{
	CHECK_OBJ(p, POOL_MAGIC);
	must(piece != NULL && p->lent > 0 && !IS_HIDDEN(piece));
	HIDE(piece, p->step);
	p->lent--;
	p->free[p->total - p->lent - 1] = piece;
}

unsigned pool_lent(const struct pool *p)
{
	CHECK_OBJ(p, POOL_MAGIC);
	return p->lent;
}

unsigned pool_max(const struct pool *p)
{
	CHECK_OBJ(p, POOL_MAGIC);
	return p->max;
}
