/* SPDX-License-Identifier: MIT */
/*
 * Pieces that are begun: which block is open, asked for, or here, and from whom.
 *
 * A part lives as long as it has a block that is here or asked for; when the last request is void
 * and nothing arrived, the piece goes back to the order as if it had never been begun, so that slow
 * peers leave no litter.  Invariants: open + asked + here = blocks, requests = sum of the askers,
 * partials with open blocks come first, `active` counts the partials with requests.
 */
#include "proto/picker/priv.h"

#define SPARE_BLOCKS_MAX 4096u /* so many blocks of freed partials are kept for reuse */

struct partial *partial_of(const struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	struct partial *part;

	if (piece >= p->pieces || p->piece[piece].state != PIECE_BEGUN)
		return NULL;
	part = p->partials[p->piece[piece].pos];
	CHECK_OBJ(part, PART_MAGIC);
	return part;
}

static void place_part(struct picker *p, struct partial *part, uint32_t slot)
{
	p->partials[slot] = part;
	p->piece[part->piece].pos = slot;
}

static void swap_parts(struct picker *p, uint32_t a, uint32_t b)
{
	struct partial *at_a = p->partials[a];

	place_part(p, p->partials[b], a);
	place_part(p, at_a, b);
}

/* Parts come and go with every piece: those that have gone are used again. */
static struct partial *alloc_part(struct picker *p)
{
	struct partial *part = p->spare;
	size_t size = sizeof *part + p->blocks * sizeof part->block[0];

	if (part != NULL) {
		p->spare = part->spare;
		p->spare_n--;
		memset(part, 0, size);
	} else {
		part = xcalloc(1, size);
	}
	part->magic = PART_MAGIC;
	return part;
}

static void free_spares(struct picker *p)
{
	for (struct partial *next; p->spare != NULL; p->spare = next) {
		next = p->spare->spare;
		xfree(p->spare);
	}
	p->spare_n = 0;
}

void partial_free_all(struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	must(p->partials_n == 0);
	free_spares(p);
	xfree(p->partials);
	p->partials = NULL;
	p->partials_cap = 0;
}

static void free_part(struct picker *p, struct partial *part)
{
	if (p->partials_n == 0) /* at rest it needs little memory */
		free_spares(p);
	if (p->partials_n == 0 && p->wanted_left == 0) {
		FREE_OBJ(part);
		partial_free_all(p);
		return;
	}
	if (p->spare_n * p->blocks > SPARE_BLOCKS_MAX) {
		FREE_OBJ(part);
		return;
	}
	part->magic = 0;
	part->spare = p->spare;
	p->spare = part;
	p->spare_n++;
}

struct partial *partial_begin(struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	struct partial *part = alloc_part(p);

	must(p->piece[piece].state == PIECE_IDLE);
	if (p->piece[piece].priority != PRIORITY_SKIP)
		order_remove(p, piece);
	p->piece[piece].state = PIECE_BEGUN;
	part->piece = piece;
	part->owner = PICKER_NOBODY;
	part->blocks = part->open = (uint16_t)picker_blocks(p, piece);
	if (p->partials_n == p->partials_cap) {
		p->partials_cap = p->partials_cap ? 2 * p->partials_cap : 8;
		p->partials = xrealloc(p->partials, p->partials_cap * sizeof(struct partial *));
	}
	place_part(p, part, p->partials_n++);
	swap_parts(p, p->partials_n - 1, p->partials_open++);
	return part;
}

void partial_end(struct picker *p, struct partial *part, enum piece_state state)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	CHECK_OBJ(part, PART_MAGIC);
	struct piece *pc = &p->piece[part->piece];
	uint32_t slot = pc->pos, piece = part->piece;

	if (part->requests > 0)
		p->active--;
	if (slot < p->partials_open) {
		swap_parts(p, slot, --p->partials_open);
		slot = p->partials_open;
	}
	swap_parts(p, slot, --p->partials_n);
	free_part(p, part);
	pc->state = (uint8_t)state;
	if (state == PIECE_IDLE && pc->priority != PRIORITY_SKIP)
		order_insert(p, piece);
}

void partial_settle(struct picker *p, struct partial *part)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	CHECK_OBJ(part, PART_MAGIC);
	uint32_t slot = p->piece[part->piece].pos;

	if (part->here == 0 && part->requests == 0)
		partial_end(p, part, PIECE_IDLE);
	else if (part->open == 0 && slot < p->partials_open)
		swap_parts(p, slot, --p->partials_open);
	else if (part->open > 0 && slot >= p->partials_open)
		swap_parts(p, slot, p->partials_open++);
}

bool partial_asked(const struct block *b, uint32_t peer)
{
	for (unsigned i = 0; i < b->n; i++)
		if (b->who[i] == peer)
			return true;
	return false;
}

void partial_ask(struct picker *p, struct partial *part, uint32_t block, uint32_t peer)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	CHECK_OBJ(part, PART_MAGIC);
	struct block *b = &part->block[block];

	must(b->n < PICKER_REQUESTERS_MAX && !b->here);
	if (b->n == 0)
		part->open--;
	b->who[b->n++] = peer;
	if (part->requests++ == 0)
		p->active++;
}

/* Takes n requests off the part's books. */
static void drop_requests(struct picker *p, struct partial *part, unsigned n)
{
	if (n == 0)
		return;
	part->requests -= n;
	if (part->requests == 0)
		p->active--;
}

static void open_block(struct partial *part, uint32_t block)
{
	part->open++;
	part->hint = (uint16_t)MIN(part->hint, block);
}

void picker_cancelled(struct picker *p, uint32_t peer, uint32_t piece, uint32_t begin)
{
	struct partial *part;
	struct block *b;
	unsigned i = 0;

	CHECK_OBJ(p, PICKER_MAGIC);
	part = partial_of(p, piece);
	if (part == NULL || picker_block_length(p, piece, begin) == 0)
		return;
	b = &part->block[begin / BLOCK_SIZE];
	while (i < b->n && b->who[i] != peer)
		i++;
	if (i == b->n)
		return;
	b->who[i] = b->who[--b->n];
	drop_requests(p, part, 1);
	if (b->n == 0)
		open_block(part, begin / BLOCK_SIZE);
	if (part->owner == peer)
		part->owner = PICKER_NOBODY;
	partial_settle(p, part);
}

bool picker_lacks(const struct picker *p, uint32_t piece, uint32_t begin)
{
	const struct partial *part;

	CHECK_OBJ(p, PICKER_MAGIC);
	if (picker_block_length(p, piece, begin) == 0 || p->piece[piece].state == PIECE_HAD)
		return false;
	part = partial_of(p, piece);
	if (part == NULL)
		return p->piece[piece].priority != PRIORITY_SKIP;
	return !part->block[begin / BLOCK_SIZE].here;
}

bool picker_asked(struct picker *p, uint32_t peer, uint32_t piece, uint32_t begin)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	struct partial *part;
	struct block *b;

	if (!picker_lacks(p, piece, begin))
		return false;
	part = partial_of(p, piece);
	if (part == NULL)
		part = partial_begin(p, piece);
	b = &part->block[begin / BLOCK_SIZE];
	/* In the end game enough others may have been asked: it is as good unregistered. */
	if (b->n < PICKER_REQUESTERS_MAX && !partial_asked(b, peer))
		partial_ask(p, part, begin / BLOCK_SIZE, peer);
	partial_settle(p, part);
	return true;
}

void picker_peer_gone(struct picker *p, uint32_t peer, const struct pick *list, size_t n)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	for (size_t i = 0; i < n; i++)
		picker_cancelled(p, peer, list[i].piece, list[i].begin);
}

/* A block that was not here is; its requests are void. */
static void take_block(struct picker *p, struct partial *part, struct block *b, uint32_t peer)
{
	if (b->n == 0)
		part->open--;
	drop_requests(p, part, b->n);
	b->n = 0;
	b->here = true;
	b->who[0] = peer;
	part->here++;
}

enum picker_got picker_received(struct picker *p, uint32_t peer, uint32_t piece, uint32_t begin,
	uint32_t *others, unsigned *others_n)
{
	struct partial *part;
	struct block *b;

	CHECK_OBJ(p, PICKER_MAGIC);
	*others_n = 0;
	if (picker_block_length(p, piece, begin) == 0)
		return GOT_UNWANTED;
	if (p->piece[piece].state == PIECE_HAD)
		return GOT_DUPLICATE;
	part = partial_of(p, piece);
	if (part == NULL && p->piece[piece].priority == PRIORITY_SKIP)
		return GOT_UNWANTED;
	if (part == NULL)
		part = partial_begin(p, piece);
	b = &part->block[begin / BLOCK_SIZE];
	if (b->here)
		return GOT_DUPLICATE;
	for (unsigned i = 0; i < b->n; i++)
		if (b->who[i] != peer)
			others[(*others_n)++] = b->who[i];
	take_block(p, part, b, peer);
	partial_settle(p, part);
	return GOT_NEW;
}

bool picker_complete(const struct picker *p, uint32_t piece)
{
	const struct partial *part;

	CHECK_OBJ(p, PICKER_MAGIC);
	part = partial_of(p, piece);
	return part != NULL && part->here == part->blocks;
}

void picker_hash_failed(struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	if (picker_complete(p, piece))
		picker_write_failed(p, piece);
}

void picker_write_failed(struct picker *p, uint32_t piece)
{
	struct partial *part;

	CHECK_OBJ(p, PICKER_MAGIC);
	part = partial_of(p, piece);
	if (part == NULL)
		return;
	for (uint32_t i = 0; i < part->blocks; i++) {
		if (!part->block[i].here)
			continue;
		part->block[i].here = false;
		open_block(part, i);
	}
	part->here = 0;
	part->owner = PICKER_NOBODY;
	partial_settle(p, part);
}

static bool listed_already(const uint32_t *v, unsigned n, uint32_t x)
{
	for (unsigned i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return false;
}

unsigned picker_contributors(const struct picker *p, uint32_t piece, uint32_t *peers, unsigned max)
{
	const struct partial *part;
	unsigned n = 0;

	CHECK_OBJ(p, PICKER_MAGIC);
	part = partial_of(p, piece);
	for (uint32_t i = 0; part != NULL && i < part->blocks && n < max; i++) {
		const struct block *b = &part->block[i];

		if (b->here && b->who[0] != PICKER_NOBODY && !listed_already(peers, n, b->who[0]))
			peers[n++] = b->who[0];
	}
	return n;
}

uint32_t picker_sole_sender(const struct picker *p, uint32_t piece)
{
	const struct partial *part;

	CHECK_OBJ(p, PICKER_MAGIC);
	part = partial_of(p, piece);
	if (part == NULL || part->here < part->blocks)
		return PICKER_NOBODY;
	for (uint32_t i = 1; i < part->blocks; i++)
		if (part->block[i].who[0] != part->block[0].who[0])
			return PICKER_NOBODY;
	return part->block[0].who[0];
}

uint32_t picker_sender(const struct picker *p, uint32_t piece, uint32_t begin)
{
	const struct partial *part;

	CHECK_OBJ(p, PICKER_MAGIC);
	part = partial_of(p, piece);
	if (part == NULL || picker_block_length(p, piece, begin) == 0)
		return PICKER_NOBODY;
	if (!part->block[begin / BLOCK_SIZE].here)
		return PICKER_NOBODY;
	return part->block[begin / BLOCK_SIZE].who[0];
}

static bool bitmap_get(const uint8_t *bitmap, uint32_t i)
{
	return (bitmap[i / 8] >> (7 - i % 8)) & 1;
}

enum err picker_load_partial(
	struct picker *p, uint32_t piece, const uint8_t *block_bitmap, size_t n)
{
	struct partial *part;
	uint32_t blocks;

	CHECK_OBJ(p, PICKER_MAGIC);
	if (piece >= p->pieces)
		return E_RANGE;
	if (p->piece[piece].state != PIECE_IDLE)
		return E_EXISTS;
	blocks = picker_blocks(p, piece);
	if (n != (blocks + 7) / 8)
		return E_RANGE;
	if (blocks % 8 != 0 && (uint8_t)(block_bitmap[n - 1] << (blocks % 8)) != 0)
		return E_RANGE;
	part = partial_begin(p, piece);
	for (uint32_t i = 0; i < blocks; i++)
		if (bitmap_get(block_bitmap, i))
			take_block(p, part, &part->block[i], PICKER_NOBODY);
	partial_settle(p, part);
	return E_OK;
}

bool picker_save_partial(
	const struct picker *p, uint32_t *iter, uint32_t *piece, uint8_t *block_bitmap, size_t *n)
{
	const struct partial *part;

	CHECK_OBJ(p, PICKER_MAGIC);
	do {
		if (*iter >= p->partials_n)
			return false;
		part = p->partials[(*iter)++];
	} while (part->here == 0);
	*piece = part->piece;
	*n = (part->blocks + 7u) / 8;
	memset(block_bitmap, 0, *n);
	for (uint32_t i = 0; i < part->blocks; i++)
		if (part->block[i].here)
			block_bitmap[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	return true;
}

uint32_t picker_blocks_here(const struct picker *p, uint32_t piece)
{
	const struct partial *part;

	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces);
	if (p->piece[piece].state == PIECE_HAD)
		return picker_blocks(p, piece);
	part = partial_of(p, piece);
	return part != NULL ? part->here : 0;
}
