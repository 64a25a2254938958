/* SPDX-License-Identifier: MIT */
/*
 * Torrents by their reference, and lists of numbers: leaves that everybody stands on.
 */
#include "actors/store/priv.h"

#define SLOTS_MAX (UINT32_C(1) << 24)

/* --- lists of numbers --- */

void vec32_push(struct vec32 *v, uint32_t x)
{
	if (v->n == v->room) {
		v->room = MAX(16, v->room * 2);
		v->v = xrealloc(v->v, v->room * sizeof *v->v);
	}
	v->v[v->n++] = x;
}

void vec32_free(struct vec32 *v)
{
	xfree(v->v);
	*v = (struct vec32){0};
}

uint32_t *vec32_take(struct vec32 *v, uint32_t *n)
{
	uint32_t *p = v->v;

	*n = v->n;
	*v = (struct vec32){0};
	return p;
}

void vec32_append(struct vec32 *dst, const struct vec32 *src)
{
	for (uint32_t i = 0; i < src->n; i++)
		vec32_push(dst, src->v[i]);
}

/* --- torrents --- */

struct storrent *store_find(struct store *s, struct tref t)
{
	CHECK_OBJ(s, STORE_MAGIC);
	struct storrent *st = t.slot < s->slots_n ? s->slots[t.slot] : NULL;

	if (st == NULL || !tref_equal(st->t, t))
		return NULL;
	CHECK_OBJ(st, STORRENT_MAGIC);
	return st;
}

void store_slot_set(struct store *s, struct storrent *t)
{
	CHECK_OBJ(s, STORE_MAGIC);
	CHECK_OBJ(t, STORRENT_MAGIC);
	must(t->t.slot < SLOTS_MAX);
	if (t->t.slot >= s->slots_n) {
		uint32_t n = MAX(t->t.slot + 1, s->slots_n * 2);

		s->slots = xrealloc(s->slots, n * sizeof *s->slots);
		memset(s->slots + s->slots_n, 0, (n - s->slots_n) * sizeof *s->slots);
		s->slots_n = n;
	}
	s->slots[t->t.slot] = t;
	s->open++;
}
