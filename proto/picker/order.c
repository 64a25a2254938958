/* SPDX-License-Identifier: MIT */
/*
 * The order in which pieces are begun: one array, sorted by bucket, random inside each.
 *
 * A bucket is a priority and a rarity.  A piece that moves to the next bucket changes places with
 * the piece at the border and the border moves over it: O(1).  One that enters or leaves lets a
 * hole wander over the borders behind it, one move for each bucket that is not empty, never more
 * than BUCKETS. Every piece that enters a bucket changes places with a random one there, so that
 * the peers of a swarm do not all ask for the same piece.
 *
 * The memory is there from the first piece that is wanted until none is: most torrents of a daemon
 * are seeds.
 */
#include "proto/picker/priv.h"

static uint32_t rarity_level(uint32_t avail)
{
	uint32_t log;

	if (avail < LEVELS_EXACT)
		return avail;
	log = 31 - (uint32_t)__builtin_clz(avail);
	return LEVELS_EXACT + (log - 5) * 8 + ((avail >> (log - 3)) & 7);
}

uint32_t order_bucket(const struct piece *pc)
{
	return (PRIORITY_TOP - pc->priority) * LEVELS + rarity_level(pc->avail);
}

static uint32_t bucket_start(const struct picker *p, uint32_t b)
{
	return b > 0 ? p->end[b - 1] : 0;
}

uint32_t order_count(const struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	return p->open.count;
}

void order_row(const struct picker *p, unsigned priority, uint32_t *from, uint32_t *to)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	uint32_t row = PRIORITY_TOP - priority;

	*from = *to = 0;
	if (p->order == NULL)
		return;
	*from = bucket_start(p, row * LEVELS);
	*to = p->end[row * LEVELS + LEVELS - 1];
}

static void make_order(struct picker *p)
{
	if (p->order != NULL)
		return;
	p->end = xcalloc(BUCKETS + (size_t)p->pieces, sizeof *p->end);
	p->order = p->end + BUCKETS;
}

void order_free(struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	xfree(p->end);
	p->end = p->order = NULL;
}

static void put_piece(struct picker *p, uint32_t piece, uint32_t pos)
{
	p->order[pos] = piece;
	p->piece[piece].pos = pos;
}

static void swap_places(struct picker *p, uint32_t a, uint32_t b)
{
	uint32_t at_a = p->order[a], at_b = p->order[b];

	put_piece(p, at_b, a);
	put_piece(p, at_a, b);
}

static void mix_piece(struct picker *p, uint32_t piece, uint32_t b)
{
	uint32_t start = bucket_start(p, b), n = p->end[b] - start;

	swap_places(p, p->piece[piece].pos, start + rng_below(p->rng, n));
}

static void note_low(struct picker *p, uint32_t piece)
{
	uint32_t *low = &p->low[p->piece[piece].priority];

	*low = MIN(*low, piece);
}

void order_insert(struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	uint32_t b = order_bucket(&p->piece[piece]), hole = p->open.count;

	make_order(p);
	for (uint32_t i = BUCKETS - 1; i > b; i--) {
		uint32_t start = p->end[i - 1];

		if (start != hole)
			put_piece(p, p->order[start], hole);
		hole = start;
		p->end[i]++;
	}
	p->end[b]++;
	put_piece(p, piece, hole);
	mix_piece(p, piece, b);
	bitfield_set(&p->open, piece);
	note_low(p, piece);
}

void order_remove(struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	uint32_t b = order_bucket(&p->piece[piece]), hole = p->piece[piece].pos;

	must(p->order[hole] == piece);
	for (uint32_t i = b; i < BUCKETS; i++) {
		uint32_t last = p->end[i] - 1;

		if (last != hole)
			put_piece(p, p->order[last], hole);
		hole = last;
		p->end[i] = last;
	}
	bitfield_clear(&p->open, piece);
}

/* The piece belongs to another bucket than `from`, where it is. */
static void move_piece(struct picker *p, uint32_t piece, uint32_t from)
{
	struct piece *pc = &p->piece[piece];
	uint32_t b = from, to = order_bucket(pc);

	for (; b < to; b++)
		swap_places(p, pc->pos, --p->end[b]);
	for (; b > to; b--)
		swap_places(p, pc->pos, p->end[b - 1]++);
	if (from == to)
		return;
	mix_piece(p, piece, to);
	note_low(p, piece);
}

void order_update(struct picker *p, uint32_t piece, uint16_t avail, unsigned priority)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	struct piece *pc = &p->piece[piece];
	uint32_t from = order_bucket(pc);

	pc->avail = avail;
	pc->priority = (uint8_t)priority;
	if (pc->state == PIECE_IDLE && priority != PRIORITY_SKIP)
		move_piece(p, piece, from);
}

static bool belongs_in_order(const struct piece *pc)
{
	return pc->state == PIECE_IDLE && pc->priority != PRIORITY_SKIP;
}

static uint32_t count_buckets(const struct picker *p, uint32_t *at)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->pieces; i++) {
		if (!belongs_in_order(&p->piece[i]))
			continue;
		at[order_bucket(&p->piece[i])]++;
		n++;
	}
	return n;
}

/* A counting sort: sizes, borders, placing (each border wanders to its bucket's end), mixing. */
void order_rebuild(struct picker *p)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	uint32_t at[BUCKETS] = {0}, start = 0;

	bitfield_clear_all(&p->open);
	memset(p->low, 0, sizeof p->low);
	if (count_buckets(p, at) == 0) {
		order_free(p);
		return;
	}
	make_order(p);
	for (uint32_t b = 0; b < BUCKETS; b++) {
		uint32_t n = at[b];

		at[b] = start;
		start += n;
		p->end[b] = start;
	}
	for (uint32_t i = 0; i < p->pieces; i++) {
		if (!belongs_in_order(&p->piece[i]))
			continue;
		p->order[at[order_bucket(&p->piece[i])]++] = i;
		bitfield_set(&p->open, i);
	}
	for (uint32_t b = 0; b < BUCKETS; b++)
		rng_shuffle_u32(
			p->rng, p->order + bucket_start(p, b), p->end[b] - bucket_start(p, b));
	for (uint32_t i = 0; i < start; i++)
		p->piece[p->order[i]].pos = i;
}
