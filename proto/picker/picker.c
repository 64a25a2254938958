/* SPDX-License-Identifier: MIT */
/*
 * The picker's books: availability, own pieces, priorities, interest.
 *
 * The order of what may be begun lives in order.c, begun pieces in partial.c, the
 * choice itself in pick.c.  Invariants: `own` is exactly the HAD pieces, wanted_left the
 * bytes of the others that are not skipped; picker_check() states them all.
 */
#include "proto/picker/priv.h"

struct picker *picker_new(
	uint32_t pieces, uint32_t piece_length, uint64_t size, struct rng *borrowed)
{
	struct picker *p;

	must(pieces > 0 && pieces <= PICKER_PIECES_MAX);
	must(piece_length > 0 && piece_length <= PICKER_PIECE_LENGTH_MAX);
	must(size > (uint64_t)(pieces - 1) * piece_length &&
		size <= (uint64_t)pieces * piece_length);
	ALLOC_OBJ(p, PICKER_MAGIC);
	p->pieces = pieces;
	p->piece_length = piece_length;
	p->blocks = blocks_in(piece_length);
	p->size = p->wanted_left = size;
	p->rng = borrowed;
	p->lacking = pieces;
	p->random_first = 4;
	p->extent_pieces = piece_length < EXTENT_BYTES ? EXTENT_BYTES / piece_length : 0;
	p->piece = xcalloc(pieces, sizeof *p->piece);
	bitfield_init(&p->own, pieces);
	bitfield_init(&p->open, pieces);
	for (uint32_t i = 0; i < pieces; i++)
		p->piece[i].priority = PRIORITY_NORMAL;
	order_rebuild(p);
	return p;
}

void picker_free(struct picker **pp)
{
	struct picker *p;

	if (*pp == NULL)
		return;
	TAKE_OBJ(p, pp, PICKER_MAGIC);
	while (p->partials_n > 0)
		partial_end(p, p->partials[p->partials_n - 1], PIECE_HAD);
	partial_free_all(p);
	bitfield_free(&p->own);
	bitfield_free(&p->open);
	xfree(p->deadline);
	order_free(p);
	xfree(p->piece);
	FREE_OBJ(p);
}

static void add_peer_to(struct picker *p, uint32_t piece)
{
	struct piece *pc = &p->piece[piece];

	must(pc->avail < UINT16_MAX);
	p->lacking -= pc->avail == 0;
	order_update(p, piece, (uint16_t)(pc->avail + 1), pc->priority);
}

static void drop_peer_from(struct picker *p, uint32_t piece)
{
	struct piece *pc = &p->piece[piece];

	must(pc->avail > 0);
	p->lacking += pc->avail == 1;
	order_update(p, piece, (uint16_t)(pc->avail - 1), pc->priority);
}

void picker_join(struct picker *p, const struct bitfield *has)
{
	uint32_t piece;

	CHECK_OBJ(p, PICKER_MAGIC);
	must(has->bits == p->pieces);
	if (bitfield_full(has)) {
		p->seeds++;
		return;
	}
	for (struct bitwalk walk = bitfield_walk(has); bitwalk_next(&walk, &piece);)
		add_peer_to(p, piece);
}

void picker_leave(struct picker *p, const struct bitfield *has)
{
	uint32_t piece;

	CHECK_OBJ(p, PICKER_MAGIC);
	must(has->bits == p->pieces);
	if (bitfield_full(has)) {
		picker_leave_seed(p);
		return;
	}
	for (struct bitwalk walk = bitfield_walk(has); bitwalk_next(&walk, &piece);)
		drop_peer_from(p, piece);
}

void picker_have(struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces);
	add_peer_to(p, piece);
}

void picker_lost(struct picker *p, const struct bitfield *has, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	must(has->bits == p->pieces && bitfield_get(has, piece));
	if (!bitfield_full(has)) {
		drop_peer_from(p, piece);
		return;
	}
	picker_leave_seed(p);
	for (uint32_t i = 0; i < p->pieces; i++)
		if (i != piece)
			add_peer_to(p, i);
}

void picker_join_seed(struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	p->seeds++;
}

/* With no seed in the counter, the full peer is one that was counted in every piece. */
void picker_leave_seed(struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	if (p->seeds > 0) {
		p->seeds--;
		return;
	}
	for (uint32_t i = 0; i < p->pieces; i++)
		drop_peer_from(p, i);
}

uint32_t picker_unavailable(const struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	return p->seeds > 0 ? 0 : p->lacking;
}

uint32_t picker_availability(const struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces);
	return p->seeds + p->piece[piece].avail;
}

/* Who wants nothing keeps no memory for the choice. */
static void rest_when_done(struct picker *p)
{
	if (p->wanted_left > 0)
		return;
	order_free(p);
	if (p->partials_n == 0)
		partial_free_all(p);
	if (p->deadlines == 0) {
		xfree(p->deadline);
		p->deadline = NULL;
	}
}

/* The books of a piece that becomes had; its place in order or partials is already given up. */
static void book_own(struct picker *p, uint32_t piece)
{
	struct piece *pc = &p->piece[piece];

	pc->state = PIECE_HAD;
	bitfield_set(&p->own, piece);
	deadline_forget(p, piece);
	if (pc->priority != PRIORITY_SKIP)
		p->wanted_left -= picker_piece_length(p, piece);
}

void picker_set_have(struct picker *p, uint32_t piece)
{
	struct piece *pc;

	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces);
	pc = &p->piece[piece];
	if (pc->state == PIECE_HAD)
		return;
	if (pc->state == PIECE_BEGUN)
		partial_end(p, partial_of(p, piece), PIECE_HAD);
	else if (pc->priority != PRIORITY_SKIP)
		order_remove(p, piece);
	book_own(p, piece);
	rest_when_done(p);
}

void picker_clear_have(struct picker *p, uint32_t piece)
{
	struct piece *pc;

	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces);
	pc = &p->piece[piece];
	if (pc->state != PIECE_HAD)
		return;
	pc->state = PIECE_IDLE;
	bitfield_clear(&p->own, piece);
	if (pc->priority == PRIORITY_SKIP)
		return;
	p->wanted_left += picker_piece_length(p, piece);
	order_insert(p, piece);
}

void picker_load_have(struct picker *p, const struct bitfield *have)
{
	uint32_t i;

	CHECK_OBJ(p, PICKER_MAGIC);
	must(have->bits == p->pieces);
	for (struct bitwalk walk = bitfield_walk(have); bitwalk_next(&walk, &i);) {
		if (p->piece[i].state == PIECE_HAD)
			continue;
		if (p->piece[i].state == PIECE_BEGUN)
			partial_end(p, partial_of(p, i), PIECE_HAD);
		book_own(p, i);
	}
	order_rebuild(p);
	rest_when_done(p);
}

const struct bitfield *picker_own(const struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	return &p->own;
}

/* Keeps wanted_left right when a piece goes to or from skip. */
static void book_priority(struct picker *p, uint32_t piece, unsigned priority)
{
	const struct piece *pc = &p->piece[piece];
	bool was = pc->priority != PRIORITY_SKIP, is = priority != PRIORITY_SKIP;

	if (pc->state == PIECE_HAD || was == is)
		return;
	if (is)
		p->wanted_left += picker_piece_length(p, piece);
	else
		p->wanted_left -= picker_piece_length(p, piece);
}

void picker_priority(struct picker *p, uint32_t piece, unsigned priority)
{
	struct piece *pc;

	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces && priority <= PRIORITY_TOP);
	pc = &p->piece[piece];
	if (pc->priority == priority)
		return;
	book_priority(p, piece, priority);
	if (pc->state != PIECE_IDLE) {
		pc->priority = (uint8_t)priority;
	} else if (pc->priority == PRIORITY_SKIP) {
		pc->priority = (uint8_t)priority;
		order_insert(p, piece);
	} else if (priority == PRIORITY_SKIP) {
		order_remove(p, piece);
		pc->priority = PRIORITY_SKIP;
	} else {
		order_update(p, piece, pc->avail, priority);
	}
	rest_when_done(p);
}

/* One move costs up to BUCKETS steps, a rebuild some steps for each piece. */
void picker_priorities(struct picker *p, uint32_t first, uint32_t end, unsigned priority)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	must(first <= end && end <= p->pieces && priority <= PRIORITY_TOP);
	if ((uint64_t)(end - first) * 32 < p->pieces) {
		for (uint32_t i = first; i < end; i++)
			picker_priority(p, i, priority);
		return;
	}
	for (uint32_t i = first; i < end; i++) {
		book_priority(p, i, priority);
		p->piece[i].priority = (uint8_t)priority;
	}
	order_rebuild(p);
	rest_when_done(p);
}

unsigned picker_priority_of(const struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces);
	return p->piece[piece].priority;
}

void picker_sequential(struct picker *p, bool on)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	p->sequential = on;
}

void picker_random_first(struct picker *p, uint32_t pieces)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	p->random_first = pieces;
}

uint64_t picker_wanted_left(const struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	return p->wanted_left;
}

bool picker_done(const struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	return picker_wanted_left(p) == 0;
}

uint32_t picker_partials(const struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	return p->partials_n;
}

bool picker_wants(const struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces);
	return p->piece[piece].state != PIECE_HAD && p->piece[piece].priority != PRIORITY_SKIP;
}

bool picker_interesting(const struct picker *p, const struct bitfield *has)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	must(has->bits == p->pieces);
	if (p->wanted_left == 0 || has->count == 0)
		return false;
	if (bitfield_full(has))
		return true;
	for (uint32_t i = 0; i < p->partials_n; i++)
		if (picker_wants(p, p->partials[i]->piece) &&
			bitfield_get(has, p->partials[i]->piece))
			return true;
	return bitfield_next_common(has, &p->open, 0) != BITFIELD_NO_WORD;
}

uint32_t picker_count_wanted_that(const struct picker *p, const struct bitfield *has)
{
	uint32_t n = 0;

	CHECK_OBJ(p, PICKER_MAGIC);
	must(has->bits == p->pieces);
	for (uint32_t i = 0; i < p->partials_n; i++)
		n += picker_wants(p, p->partials[i]->piece) &&
		     bitfield_get(has, p->partials[i]->piece);
	for (uint32_t w = bitfield_next_common(has, &p->open, 0); w != BITFIELD_NO_WORD;
		w = bitfield_next_common(has, &p->open, w + 1))
		n += bits_count(bitfield_word(has, w) & bitfield_word(&p->open, w));
	return n;
}

uint32_t picker_count_missing_that(const struct picker *p, const struct bitfield *has)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	return bitfield_count_minus(has, &p->own);
}

void picker_hash_ok(struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	if (picker_complete(p, piece))
		picker_set_have(p, piece);
}
