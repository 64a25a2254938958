/* SPDX-License-Identifier: MIT */
/*
 * Which torrents are open here, found by their reference.
 *
 * The table is a leaf: everybody asks it, and it calls nobody.  A stale reference finds nothing.
 */
#include "actors/worker/priv.h"

#define SLOTS_MAX (UINT32_C(1) << 24)

struct wtorrent *worker_find(struct worker *w, struct tref t)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	struct wtorrent *wt = t.slot < w->slots_n ? w->slots[t.slot] : NULL;

	if (wt == NULL || !tref_equal(wt->t, t))
		return NULL;
	CHECK_OBJ(wt, WTORRENT_MAGIC);
	return wt;
}

void worker_slot_set(struct worker *w, struct wtorrent *t)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
	must(t->t.slot < SLOTS_MAX);
	if (t->t.slot >= w->slots_n) {
		uint32_t n = MAX(t->t.slot + 1, w->slots_n * 2);

		w->slots = xrealloc(w->slots, n * sizeof *w->slots);
		memset(w->slots + w->slots_n, 0, (n - w->slots_n) * sizeof *w->slots);
		w->slots_n = n;
	}
	w->slots[t->t.slot] = t;
}
