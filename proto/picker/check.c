/* SPDX-License-Identifier: MIT */
/* Every invariant of the picker, stated once; for tests, fuzzing and the simulator. */
#include "proto/picker/priv.h"

static void check_order(const struct picker *p)
{
	uint32_t b = 0;

	must((p->order == NULL) == (p->end == NULL));
	must(p->order == NULL || p->wanted_left > 0);
	if (p->order == NULL) {
		must(p->open.count == 0);
		return;
	}
	for (uint32_t i = 1; i < BUCKETS; i++)
		must(p->end[i - 1] <= p->end[i]);
	must(p->end[BUCKETS - 1] == p->open.count);
	for (uint32_t i = 0; i < order_count(p); i++) {
		while (p->end[b] <= i)
			b++;
		must(p->order[i] < p->pieces);
		must(p->piece[p->order[i]].pos == i);
		must(order_bucket(&p->piece[p->order[i]]) == b);
		must(bitfield_get(&p->open, p->order[i]));
	}
}

static void check_pieces(const struct picker *p)
{
	uint64_t left = 0;
	uint32_t begun = 0, had = 0, lacking = 0;

	for (uint32_t i = 0; i < p->pieces; i++) {
		const struct piece *pc = &p->piece[i];
		bool wanted = pc->priority != PRIORITY_SKIP;

		must(pc->priority <= PRIORITY_TOP && pc->state <= PIECE_HAD);
		must(bitfield_get(&p->own, i) == (pc->state == PIECE_HAD));
		must(bitfield_get(&p->open, i) == (pc->state == PIECE_IDLE && wanted));
		must(!bitfield_get(&p->open, i) || i >= p->low[pc->priority]);
		lacking += pc->avail == 0;
		begun += pc->state == PIECE_BEGUN;
		had += pc->state == PIECE_HAD;
		if (pc->state == PIECE_BEGUN)
			must(pc->pos < p->partials_n && p->partials[pc->pos]->piece == i);
		if (wanted && pc->state != PIECE_HAD)
			left += picker_piece_length(p, i);
	}
	must(left == p->wanted_left);
	must(begun == p->partials_n && lacking == p->lacking);
	must(had == p->own.count);
	bitfield_check(&p->own);
	bitfield_check(&p->open);
}

static void check_block(const struct block *b)
{
	must(b->n <= PICKER_REQUESTERS_MAX);
	must(!b->here || b->n == 0);
	for (unsigned i = 0; i < b->n; i++) {
		must(b->who[i] != PICKER_NOBODY);
		for (unsigned j = 0; j < i; j++)
			must(b->who[i] != b->who[j]);
	}
}

static void check_part(const struct picker *p, const struct partial *part)
{
	uint32_t open = 0, here = 0, requests = 0;

	CHECK_OBJ(part, PART_MAGIC);
	must(part->blocks == picker_blocks(p, part->piece));
	for (uint32_t i = 0; i < part->blocks; i++) {
		const struct block *b = &part->block[i];

		check_block(b);
		must(b->here || b->n > 0 || i >= part->hint);
		open += !b->here && b->n == 0;
		here += b->here;
		requests += b->n;
	}
	must(open == part->open && here == part->here && requests == part->requests);
	must(here > 0 || requests > 0);
}

static void check_parts(const struct picker *p)
{
	uint32_t active = 0;

	must(p->partials_open <= p->partials_n && p->partials_n <= p->partials_cap);
	must(p->wanted_left > 0 || p->partials_n > 0 || (p->partials == NULL && p->spare == NULL));
	for (uint32_t i = 0; i < p->partials_n; i++) {
		const struct partial *part = p->partials[i];

		check_part(p, part);
		must((part->open > 0) == (i < p->partials_open));
		active += part->requests > 0;
	}
	must(active == p->active);
}

static void check_deadlines(const struct picker *p)
{
	must(p->deadlines <= PICKER_DEADLINES_MAX);
	for (uint32_t i = 0; i < p->deadlines; i++) {
		const struct deadline *d = &p->deadline[i];

		must(d->piece < p->pieces && p->piece[d->piece].state != PIECE_HAD);
		must(i == 0 || p->deadline[i - 1].at <= d->at);
		for (uint32_t k = 0; k < i; k++)
			must(p->deadline[k].piece != d->piece);
	}
}

void picker_check(const struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	check_order(p);
	check_pieces(p);
	check_parts(p);
	check_deadlines(p);
}
