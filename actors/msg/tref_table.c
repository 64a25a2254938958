/* SPDX-License-Identifier: MIT */
/* Objects by the references of their torrents: an array that grows. */
#include "actors/msg/tref_table.h"

#include "proto/base/array.h"

/* More than any session has torrents: a larger slot is not one that `session` gave out. */
#define SLOTS_MAX (UINT32_C(1) << 24)

void tref_table_put(struct tref_table *t, struct tref ref, void *object)
{
	must(object != NULL && ref.slot < SLOTS_MAX);
	if (ref.slot >= t->n) {
		uint32_t n = ref.slot + 1;

		ARRAY_RESERVE(t->slots, t->n, t->room, n - t->n);
		memset(t->slots + t->n, 0, (n - t->n) * sizeof *t->slots);
		t->n = n;
	}
	must(t->slots[ref.slot].object == NULL);
	t->slots[ref.slot] = (struct tref_slot){.object = object, .gen = ref.gen};
	t->used++;
}

void tref_table_remove(struct tref_table *t, struct tref ref)
{
	must(tref_table_get(t, ref) != NULL);
	t->slots[ref.slot].object = NULL;
	t->used--;
}

void tref_table_fini(struct tref_table *t)
{
	xfree(t->slots);
	*t = (struct tref_table){0};
}
