/* SPDX-License-Identifier: MIT */
/* The info-hashes of the torrents that a call names, for who changes something of them. */
#include <stdlib.h>

#include "http/transmission/look.h"

static int compare_places(const void *a, const void *b)
{
	const struct torrent_view *const *x = a, *const *y = b;

	return ((*x)->place > (*y)->place) - ((*x)->place < (*y)->place);
}

static void on_look(struct rcall *c, struct look *l)
{
	uint8_t(*hashes)[20] = xcalloc(MAX(l->rows_n, 1u), sizeof *hashes);
	uint32_t n = l->rows_n;

	if (c->in_order && n > 1)
		qsort(l->rows, n, sizeof *l->rows, compare_places);
	for (uint32_t i = 0; i < n; i++)
		memcpy(hashes[i], l->rows[i]->infohash, 20);
	look_free(&l);
	c->found(c, hashes, n);
}

void chosen_find(struct rcall *c, bool in_order, chosen_f *fn)
{
	struct chosen ch;
	uint8_t(*hashes)[20];
	uint32_t n;

	chosen_read(c, &ch);
	if (chosen_hashes(&ch, rcall_rpc(c), in_order ? 1 : UINT32_MAX, &hashes, &n)) {
		fn(c, hashes, n);
		return;
	}
	c->found = fn;
	c->in_order = in_order;
	look_all(c, 0, on_look);
}
