/* SPDX-License-Identifier: MIT */
/*
 * Which piece a peer is to begin.
 *
 * It is found by walking the order from its rarest end.  A peer that lacks the first SCAN_MAX of it
 * has few pieces, or few we want: then its bitfield and the set of open pieces are walked together,
 * from a random place, over what is in both.  Among equals one beside a piece begun lately is
 * taken.
 */
#include "proto/picker/priv.h"

#define SCAN_MAX     128u /* pieces of the order looked at before the bitfields are */
#define SAMPLE_MAX   64u  /* pieces in both bitfields that are compared */
#define RANDOM_TRIES 16u

/* Any piece of the highest priority, for a start; NO_PIECE when luck fails. */
static uint32_t find_random(const struct picking *k)
{
	uint32_t from = 0, to = 0, piece;

	for (unsigned priority = PRIORITY_TOP; priority > 0 && from == to; priority--)
		order_row(k->p, priority, &from, &to);
	for (unsigned i = 0; i < RANDOM_TRIES && from < to; i++) {
		piece = k->p->order[from + rng_below(k->p->rng, to - from)];
		if (picking_has(k, piece))
			return piece;
	}
	return NO_PIECE;
}

/*
 * Walks the order; a snubbed peer walks each priority from its common end.  False when SCAN_MAX
 * pieces told nothing; true with the piece, or with NO_PIECE after the whole order.
 */
static bool find_in_order(const struct picking *k, uint32_t *piece)
{
	uint32_t budget = SCAN_MAX, from, to;

	for (unsigned priority = PRIORITY_TOP; priority > 0; priority--) {
		order_row(k->p, priority, &from, &to);
		for (uint32_t i = from; i < to; i++) {
			*piece = k->p->order[k->opts->snubbed ? to - 1 - (i - from) : i];
			if (budget-- == 0)
				return false;
			if (picking_has(k, *piece))
				return true;
		}
	}
	*piece = NO_PIECE;
	return true;
}

struct sample {
	uint32_t best;   /* one of the rarest, or NO_PIECE */
	uint32_t bucket; /* its */
	uint32_t same;   /* how many of that bucket were seen */
	uint32_t seen;
};

/* Compares pieces that are open and that the peer has, in words [from, end). */
static void sample_words(const struct picking *k, struct sample *s, uint32_t from, uint32_t end)
{
	struct picker *p = k->p;

	for (uint32_t w = bitfield_next_common(k->has, &p->open, from);
		w < end && s->seen < SAMPLE_MAX;
		w = bitfield_next_common(k->has, &p->open, w + 1)) {
		uint64_t v = bitfield_word(k->has, w) & bitfield_word(&p->open, w);

		for (; v != 0; s->seen++) {
			uint32_t piece = bitfield_take(&v, w), b = order_bucket(&p->piece[piece]);

			s->same = b < s->bucket ? 1 : s->same + (b == s->bucket);
			if (b < s->bucket || (b == s->bucket && rng_below(p->rng, s->same) == 0))
				s->best = piece;
			s->bucket = MIN(s->bucket, b);
		}
	}
}

/* The rarest of up to SAMPLE_MAX open pieces of the peer, from a random place on. */
static uint32_t find_in_sample(const struct picking *k)
{
	uint32_t words = bitfield_words(&k->p->open), start = rng_below(k->p->rng, words);
	struct sample s = {.best = NO_PIECE, .bucket = BUCKETS};

	sample_words(k, &s, start, words);
	sample_words(k, &s, 0, start);
	return s.best;
}

/* The lowest index of a priority that fills many pieces. */
static uint32_t find_lowest_by_bits(const struct picking *k, unsigned priority)
{
	struct picker *p = k->p;
	uint32_t *low = &p->low[priority];

	while ((*low = bitfield_next_set(&p->open, *low)) < p->pieces &&
		p->piece[*low].priority != priority)
		++*low;
	for (uint32_t w = bitfield_next_common(k->has, &p->open, *low / 64); w != BITFIELD_NO_WORD;
		w = bitfield_next_common(k->has, &p->open, w + 1)) {
		uint64_t v = bitfield_word(k->has, w) & bitfield_word(&p->open, w);

		while (v != 0) {
			uint32_t piece = bitfield_take(&v, w);

			if (p->piece[piece].priority == priority)
				return piece;
		}
	}
	return NO_PIECE;
}

static uint32_t find_lowest_of(const struct picking *k, unsigned priority)
{
	uint32_t from, to, best = NO_PIECE;

	order_row(k->p, priority, &from, &to);
	if (to - from > SCAN_MAX)
		return find_lowest_by_bits(k, priority);
	for (uint32_t i = from; i < to; i++)
		if (k->p->order[i] < best && picking_has(k, k->p->order[i]))
			best = k->p->order[i];
	return best;
}

static uint32_t find_lowest(const struct picking *k)
{
	uint32_t piece = NO_PIECE;

	for (unsigned priority = PRIORITY_TOP; priority > 0 && piece == NO_PIECE; priority--)
		piece = find_lowest_of(k, priority);
	return piece;
}

static uint32_t find_rarest(const struct picking *k)
{
	uint32_t piece;

	/* The walk is skipped where it would not meet one piece of the peer's on average. */
	if ((uint64_t)k->has->count * SCAN_MAX >= k->p->pieces && find_in_order(k, &piece))
		return piece;
	return find_in_sample(k);
}

static uint32_t find_in_range(const struct picking *k, uint32_t from, uint32_t end, uint32_t bucket)
{
	const struct picker *p = k->p;

	for (uint32_t i = bitfield_next_set(&p->open, from); i < end;
		i = bitfield_next_set(&p->open, i + 1))
		if (picking_has(k, i) && order_bucket(&p->piece[i]) == bucket)
			return i;
	return NO_PIECE;
}

/*
 * A piece of the extent that is in the bucket and that the peer has; from a random one on, or all
 * peers of a swarm that are at this extent would ask for the same.
 */
static uint32_t find_in_extent(const struct picking *k, uint32_t extent, uint32_t bucket)
{
	struct picker *p = k->p;
	uint32_t from = extent * p->extent_pieces;
	uint32_t end = MIN(from + p->extent_pieces, p->pieces);
	uint32_t middle = from + rng_below(p->rng, end - from);
	uint32_t found = find_in_range(k, middle, end, bucket);

	return found != NO_PIECE ? found : find_in_range(k, from, middle, bucket);
}

/*
 * Among pieces as good as this one, one beside those begun lately, so that the disks of both sides
 * see runs.  Only between equals: rarity goes before.  Nor where there are few extents: a swarm
 * spreads a small torrent best when its peers begin anywhere.
 */
static uint32_t find_neighbour(const struct picking *k, uint32_t piece)
{
	struct picker *p = k->p;
	uint32_t bucket = order_bucket(&p->piece[piece]), n = MIN(p->extents_n, EXTENTS);

	if (p->extent_pieces < 2 || p->pieces / p->extent_pieces < EXTENTS_LEAST)
		return piece;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t near = find_in_extent(k, p->extent[i], bucket);

		if (near != NO_PIECE)
			return near;
	}
	p->extent[p->extents_n++ % EXTENTS] = piece / p->extent_pieces;
	return piece;
}

uint32_t find_new(const struct picking *k)
{
	uint32_t piece;

	if (order_count(k->p) == 0)
		return NO_PIECE;
	if (k->p->sequential)
		return find_lowest(k);
	if (k->p->own.count < k->p->random_first) {
		piece = find_random(k);
		if (piece != NO_PIECE)
			return piece;
	}
	piece = find_rarest(k);
	return piece == NO_PIECE || k->opts->snubbed ? piece : find_neighbour(k, piece);
}
