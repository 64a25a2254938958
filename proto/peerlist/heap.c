/* SPDX-License-Identifier: MIT */
/*
 * The two heaps of the peer list.
 *
 * Binary heaps of entry indices; each entry knows its place, so that one from the middle can leave
 * in O(log n).  The root of READY is the best to dial, the root of WAITING the first to be ready.
 */
#include "proto/peerlist/priv.h"

bool heap_before(const struct peerlist *l, unsigned h, uint32_t a, uint32_t b)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	const struct entry *ea = &l->entry[a], *eb = &l->entry[b];

	if (h == ENTRY_WAITING)
		return ea->key < eb->key;
	if (ea->failures != eb->failures)
		return ea->failures < eb->failures;
	if ((ea->introducer != 0) != (eb->introducer != 0))
		return ea->introducer == 0;
	return ea->key > eb->key;
}

static void put_entry(struct peerlist *l, unsigned h, uint32_t pos, uint32_t i)
{
	l->heap[h].v[pos] = i;
	l->entry[i].pos = pos;
}

static void sift_up(struct peerlist *l, unsigned h, uint32_t pos)
{
	uint32_t i = l->heap[h].v[pos];

	for (; pos > 0 && heap_before(l, h, i, l->heap[h].v[(pos - 1) / 2]); pos = (pos - 1) / 2)
		put_entry(l, h, pos, l->heap[h].v[(pos - 1) / 2]);
	put_entry(l, h, pos, i);
}

static void sift_down(struct peerlist *l, unsigned h, uint32_t pos)
{
	const struct heap *heap = &l->heap[h];
	uint32_t i = heap->v[pos], child;

	for (; (child = 2 * pos + 1) < heap->n; pos = child) {
		if (child + 1 < heap->n && heap_before(l, h, heap->v[child + 1], heap->v[child]))
			child++;
		if (!heap_before(l, h, heap->v[child], i))
			break;
		put_entry(l, h, pos, heap->v[child]);
	}
	put_entry(l, h, pos, i);
}

void heap_enter(struct peerlist *l, enum entry_state h, uint32_t i)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	l->entry[i].state = (uint8_t)h;
	put_entry(l, h, l->heap[h].n++, i);
	sift_up(l, h, l->entry[i].pos);
}

void heap_leave(struct peerlist *l, uint32_t i)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	unsigned h = l->entry[i].state;
	uint32_t pos = l->entry[i].pos, last;

	if (h >= HEAPS)
		return;
	last = l->heap[h].v[--l->heap[h].n];
	if (last == i)
		return;
	put_entry(l, h, pos, last);
	sift_up(l, h, pos);
	sift_down(l, h, l->entry[last].pos);
}

void heap_sort(struct peerlist *l, enum entry_state h)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	for (uint32_t pos = l->heap[h].n / 2; pos-- > 0;)
		sift_down(l, h, pos);
}
