/* SPDX-License-Identifier: MIT */
/*
 * Pieces that somebody waits for, with the time they are wanted by.
 *
 * There are few, for they are what a player shows next: one sorted array, searched from its front.
 * Invariant: sorted by time, each piece once, none that is had.
 */
#include "proto/picker/priv.h"

static uint32_t place_of(const struct picker *p, uint32_t piece)
{
	uint32_t i = 0;

	while (i < p->deadlines && p->deadline[i].piece != piece)
		i++;
	return i;
}

void deadline_forget(struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	uint32_t i = place_of(p, piece);

	if (i == p->deadlines)
		return;
	p->deadlines--;
	memmove(&p->deadline[i], &p->deadline[i + 1], (p->deadlines - i) * sizeof p->deadline[0]);
}

enum err picker_deadline(struct picker *p, uint32_t piece, int64_t at)
{
	uint32_t i;

	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces);
	deadline_forget(p, piece);
	if (at == INT64_MAX || p->piece[piece].state == PIECE_HAD)
		return E_OK;
	if (p->deadlines == PICKER_DEADLINES_MAX) {
		if (at >= p->deadline[p->deadlines - 1].at)
			return E_OVERLOAD;
		p->deadlines--;
	}
	if (p->deadline == NULL)
		p->deadline = xcalloc(PICKER_DEADLINES_MAX, sizeof *p->deadline);
	for (i = p->deadlines++; i > 0 && p->deadline[i - 1].at > at; i--)
		p->deadline[i] = p->deadline[i - 1];
	p->deadline[i] = (struct deadline){at, piece};
	return E_OK;
}
