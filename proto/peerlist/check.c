/* SPDX-License-Identifier: MIT */
/* What must hold in a peer list at all times: for tests and fuzzers. */
#include "proto/peerlist/priv.h"

static void check_heap(const struct peerlist *l, unsigned h)
{
	for (uint32_t pos = 0; pos < l->heap[h].n; pos++) {
		const struct entry *en = &l->entry[l->heap[h].v[pos]];

		must(l->heap[h].v[pos] < l->n && en->pos == pos && en->state == h);
		must(pos == 0 ||
			!heap_before(l, h, l->heap[h].v[pos], l->heap[h].v[(pos - 1) / 2]));
	}
}

/* Each introducer's entries are as many as were counted. */
static void check_introduced(const struct peerlist *l)
{
	uint32_t named[INTRODUCERS] = {0};

	for (uint32_t i = 0; i < l->n; i++)
		if (l->entry[i].introducer != 0)
			named[l->entry[i].introducer - 1]++;
	for (unsigned k = 0; k < INTRODUCERS; k++)
		must(named[k] == (l->introduced != NULL ? l->introduced[k] : 0) &&
			named[k] <= PEERLIST_INTRODUCED_MAX);
}

void peerlist_check(const struct peerlist *l)
{
	uint32_t in_heaps = 0;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	must(l->n <= l->cap && l->cap <= l->max);
	for (unsigned h = 0; h < HEAPS; h++)
		check_heap(l, h);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct entry *en = &l->entry[i];
		struct endpoint e = peerlist_endpoint(en);

		must(peerlist_find(l, &e) == i);
		must(en->sources != 0 && en->state <= ENTRY_CONNECTED);
		must(en->state != ENTRY_PARKED || (l->seeding && (en->flags & FLAG_SEED) != 0));
		in_heaps += en->state < HEAPS;
	}
	check_introduced(l);
	must(in_heaps == l->heap[ENTRY_READY].n + l->heap[ENTRY_WAITING].n);
}
