/* SPDX-License-Identifier: MIT */
/*
 * The choice of blocks for one peer.
 *
 * Begun pieces come first, because only whole pieces can be checked and passed on; the nearest to
 * its end is first among them.  A fast peer is different: it gets pieces of its own, so that it is
 * not held up by slow ones in the same piece and a bad piece has one author.  A new piece is found
 * by walking the order from its rarest end.  A peer that lacks the first SCAN_MAX of it has few
 * pieces, or few we want: then its bitfield and the set of open pieces are combined a word at a
 * time, from a random place.
 */
#include "proto/picker_priv.h"

#define SCAN_MAX     512u /* pieces of the order looked at before the bitfields are */
#define SAMPLE_MAX   256u /* pieces in both bitfields that are compared */
#define RANDOM_TRIES 16u
#define NO_PIECE     UINT32_MAX

struct picking {
	struct picker *p;
	uint32_t peer;
	const struct bitfield *has;
	const struct pick_opts *opts;
	struct pick *out;
	unsigned n, max;
	bool alone; /* wants no piece that others are at */
};

enum begun {
	BEGUN_OWN,    /* only pieces that belong to this peer */
	BEGUN_LEFT,   /* those too that nobody is at now */
	BEGUN_ALONE,  /* only pieces nobody else is at */
	BEGUN_SHARED, /* not those that belong to a fast peer */
	BEGUN_ANY,
};

static bool peer_has(const struct picking *k, uint32_t piece)
{
	return bitfield_full(k->has) || bitfield_get(k->has, piece);
}

static void emit_block(struct picking *k, struct part *part, uint32_t block)
{
	struct pick *out = &k->out[k->n++];

	part_ask(k->p, part, block, k->peer);
	out->piece = part->piece;
	out->begin = block * BLOCK_SIZE;
	out->length = picker_block_length(k->p, part->piece, out->begin);
}

/* Open blocks of a piece, first to last, as many as fit. */
static void take_open(struct picking *k, struct part *part)
{
	uint32_t i = part->hint;

	if (k->alone && part->requests == 0)
		part->owner = k->peer;
	else if (part->owner != k->peer)
		part->owner = PICKER_NOBODY;
	for (; i < part->blocks && part->open > 0 && k->n < k->max; i++)
		if (part->block[i].n == 0 && !part->block[i].here)
			emit_block(k, part, i);
	part->hint = (uint16_t)i;
	part_settle(k->p, part);
}

static bool may_begin(const struct picking *k)
{
	return k->n < k->max && (k->opts->max_partial == 0 || k->p->active < k->opts->max_partial);
}

static void begin_piece(struct picking *k, uint32_t piece)
{
	take_open(k, part_begin(k->p, piece));
}

static bool part_fits(const struct picking *k, const struct part *part, enum begun which)
{
	if (k->p->piece[part->piece].priority == PICKER_PRIORITY_SKIP || !peer_has(k, part->piece))
		return false;
	if (which == BEGUN_ANY || part->owner == k->peer)
		return true;
	if (which == BEGUN_OWN)
		return false;
	if (part->requests == 0)
		return true;
	return which == BEGUN_SHARED && part->owner == PICKER_NOBODY;
}

static bool part_before(const struct picker *p, const struct part *a, const struct part *b)
{
	const struct piece *pa = &p->piece[a->piece], *pb = &p->piece[b->piece];

	if (pa->priority != pb->priority)
		return pa->priority > pb->priority;
	if (p->sequential)
		return a->piece < b->piece;
	if (a->open != b->open)
		return a->open < b->open;
	return pa->avail < pb->avail;
}

static void pick_begun(struct picking *k, enum begun which)
{
	struct picker *p = k->p;

	while (k->n < k->max) {
		struct part *best = NULL;

		for (uint32_t i = 0; i < p->parts_open; i++)
			if (part_fits(k, p->parts[i], which) &&
				(best == NULL || part_before(p, p->parts[i], best)))
				best = p->parts[i];
		if (best == NULL)
			return;
		take_open(k, best);
	}
}

static void pick_listed(struct picking *k, const uint32_t *list, uint32_t n)
{
	struct picker *p = k->p;

	for (uint32_t i = 0; i < n && k->n < k->max; i++) {
		struct part *part = part_of(p, list[i]);

		if (list[i] >= p->pieces || !peer_has(k, list[i]) || !picker_wants(p, list[i]))
			continue;
		if (part != NULL && part->open > 0)
			take_open(k, part);
		else if (part == NULL && may_begin(k))
			begin_piece(k, list[i]);
	}
}

/* Any piece of the highest priority, for a start; NO_PIECE when luck fails. */
static uint32_t find_random(const struct picking *k)
{
	uint32_t from = 0, to = 0, piece;

	for (unsigned priority = PICKER_PRIORITY_TOP; priority > 0 && from == to; priority--)
		order_row(k->p, priority, &from, &to);
	for (unsigned i = 0; i < RANDOM_TRIES && from < to; i++) {
		piece = k->p->order[from + rng_below(k->p->rng, to - from)];
		if (peer_has(k, piece))
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

	for (unsigned priority = PICKER_PRIORITY_TOP; priority > 0; priority--) {
		order_row(k->p, priority, &from, &to);
		for (uint32_t i = from; i < to; i++) {
			*piece = k->p->order[k->opts->snubbed ? to - 1 - (i - from) : i];
			if (budget-- == 0)
				return false;
			if (peer_has(k, *piece))
				return true;
		}
	}
	*piece = NO_PIECE;
	return true;
}

/* The rarest of up to SAMPLE_MAX open pieces of the peer, from a random place on. */
static uint32_t find_in_sample(const struct picking *k)
{
	struct picker *p = k->p;
	uint32_t words = bits_words(&p->open), w = rng_below(p->rng, words);
	uint32_t best = NO_PIECE, lowest = BUCKETS, same = 0, seen = 0;

	for (uint32_t n = 0; n < words && seen < SAMPLE_MAX; n++, w = w + 1 < words ? w + 1 : 0) {
		uint64_t v = bits_word(k->has, w) & bits_word(&p->open, w);

		for (; v != 0; seen++) {
			uint32_t piece = bits_take(&v, w), b = order_bucket(&p->piece[piece]);

			same = b < lowest ? 1 : same + (b == lowest);
			if (b < lowest || (b == lowest && rng_below(p->rng, same) == 0))
				best = piece;
			lowest = MIN(lowest, b);
		}
	}
	return best;
}

/* The lowest index of a priority that fills many pieces. */
static uint32_t find_lowest_by_bits(const struct picking *k, unsigned priority)
{
	struct picker *p = k->p;

	p->seq_hint = bitfield_next_set(&p->open, p->seq_hint);
	for (uint32_t w = p->seq_hint / 64; w < bits_words(&p->open); w++) {
		uint64_t v = bits_word(k->has, w) & bits_word(&p->open, w);

		while (v != 0) {
			uint32_t piece = bits_take(&v, w);

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
		if (k->p->order[i] < best && peer_has(k, k->p->order[i]))
			best = k->p->order[i];
	return best;
}

static uint32_t find_lowest(const struct picking *k)
{
	uint32_t piece = NO_PIECE;

	for (unsigned priority = PICKER_PRIORITY_TOP; priority > 0 && piece == NO_PIECE; priority--)
		piece = find_lowest_of(k, priority);
	return piece;
}

static uint32_t find_new(const struct picking *k)
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
	/* The walk is skipped where it would not meet one piece of the peer's on average. */
	if ((uint64_t)k->has->count * SCAN_MAX >= k->p->pieces && find_in_order(k, &piece))
		return piece;
	return find_in_sample(k);
}

static void pick_new(struct picking *k)
{
	while (may_begin(k)) {
		uint32_t piece = find_new(k);

		if (piece == NO_PIECE)
			return;
		begin_piece(k, piece);
	}
}

/*
 * A piece that had blocks of others before proves nothing about this peer; it is taken up only when
 * there is nothing else, so that the torrent ends even when nobody else is there.
 */
static void pick_on_parole(struct picking *k)
{
	pick_begun(k, BEGUN_OWN);
	pick_new(k);
	if (k->n == 0)
		pick_begun(k, BEGUN_LEFT);
}

/* Pieces that no connected peer has do not count. */
bool picker_endgame(const struct picker *p)
{
	uint32_t unreachable = 0, from, to;

	CHECK_OBJ(p, PICKER_MAGIC);
	for (unsigned priority = PICKER_PRIORITY_TOP; priority > 0 && p->seeds == 0; priority--) {
		order_row(p, priority, &from, &to);
		unreachable += p->end[(PICKER_PRIORITY_TOP - priority) * LEVELS] - from;
	}
	if (order_count(p) > unreachable)
		return false;
	for (uint32_t i = 0; i < p->parts_open; i++)
		if (picker_wants(p, p->parts[i]->piece) &&
			picker_availability(p, p->parts[i]->piece) > 0)
			return false;
	return true;
}

/* Blocks that `level` others were asked for, and not this peer. */
static void take_asked(struct picking *k, struct part *part, unsigned level)
{
	uint32_t asked = (uint32_t)(part->blocks - part->open - part->here);

	if (part->requests >= asked * PICKER_REQUESTERS_MAX)
		return;
	if (k->p->piece[part->piece].priority == PICKER_PRIORITY_SKIP || !peer_has(k, part->piece))
		return;
	for (uint32_t i = 0; i < part->blocks && k->n < k->max; i++)
		if (part->block[i].n == level && !part_asked(&part->block[i], k->peer))
			emit_block(k, part, i);
}

/* The end game: those asked for least first, from a random piece on so that peers spread. */
static void pick_asked(struct picking *k)
{
	struct picker *p = k->p;
	uint32_t start = rng_below(p->rng, p->parts_n);

	for (unsigned level = 1; level < PICKER_REQUESTERS_MAX; level++)
		for (uint32_t i = 0; i < p->parts_n && k->n < k->max; i++)
			take_asked(k, p->parts[(start + i) % p->parts_n], level);
}

unsigned picker_pick(struct picker *p, uint32_t peer, const struct bitfield *has,
	const struct pick_opts *opts, struct pick *out, unsigned max)
{
	struct picking k = {.p = p,
		.peer = peer,
		.has = has,
		.opts = opts,
		.out = out,
		.max = max,
		.alone = opts->fast_peer || opts->snubbed || opts->parole};

	CHECK_OBJ(p, PICKER_MAGIC);
	must(has->bits == p->pieces && peer != PICKER_NOBODY);
	if (has->count == 0 || p->wanted_left == 0)
		return 0;
	if (opts->choked) {
		pick_listed(&k, opts->allowed_fast, opts->allowed_n);
		return k.n;
	}
	if (opts->parole) {
		pick_on_parole(&k);
		return k.n;
	}
	pick_listed(&k, opts->suggested, opts->suggested_n);
	pick_begun(&k, k.alone ? BEGUN_ALONE : BEGUN_SHARED);
	pick_new(&k);
	pick_begun(&k, BEGUN_ANY);
	if (k.n == 0 && max > 0 && !opts->snubbed && picker_endgame(p))
		pick_asked(&k);
	return k.n;
}
