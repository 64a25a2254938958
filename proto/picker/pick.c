/* SPDX-License-Identifier: MIT */
/*
 * The choice of blocks for one peer.
 *
 * Begun pieces come first, because only whole pieces can be checked and passed on; the nearest to
 * its end is first among them.  A fast peer is different: it gets pieces of its own, so that it is
 * not held up by slow ones in the same piece and a bad piece has one author.  When nothing is left
 * that nobody was asked for, a peer is asked for what much slower ones were asked for, and in the
 * end game for what anybody was; whoever is first makes the others' requests void.
 */
#include "proto/picker/priv.h"

#define STEAL_SCAN 4096u /* blocks looked at for some that a slow peer was asked for */

enum begun {
	BEGUN_OWN,    /* only pieces that belong to this peer */
	BEGUN_LEFT,   /* those too that nobody is at now */
	BEGUN_ALONE,  /* only pieces nobody else is at */
	BEGUN_SHARED, /* not those that belong to a fast peer */
	BEGUN_ANY,
};

static void emit_block(struct picking *k, struct partial *part, uint32_t block)
{
	struct pick *out = &k->out[k->n++];

	partial_ask(k->p, part, block, k->peer);
	out->piece = part->piece;
	out->begin = block * BLOCK_SIZE;
	out->length = picker_block_length(k->p, part->piece, out->begin);
}

/* Open blocks of a piece, first to last, as many as fit. */
static void take_open(struct picking *k, struct partial *part)
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
	partial_settle(k->p, part);
}

static bool may_begin(const struct picking *k)
{
	return k->n < k->max && (k->opts->max_partial == 0 || k->p->active < k->opts->max_partial);
}

static void begin_piece(struct picking *k, uint32_t piece)
{
	take_open(k, partial_begin(k->p, piece));
}

static bool partial_fits(const struct picking *k, const struct partial *part, enum begun which)
{
	if (k->p->piece[part->piece].priority == PRIORITY_SKIP || !picking_has(k, part->piece))
		return false;
	if (which == BEGUN_ANY || part->owner == k->peer)
		return true;
	if (which == BEGUN_OWN)
		return false;
	if (part->requests == 0)
		return true;
	return which == BEGUN_SHARED && part->owner == PICKER_NOBODY;
}

static bool partial_before(const struct picker *p, const struct partial *a, const struct partial *b)
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
		struct partial *best = NULL;

		for (uint32_t i = 0; i < p->partials_open; i++)
			if (partial_fits(k, p->partials[i], which) &&
				(best == NULL || partial_before(p, p->partials[i], best)))
				best = p->partials[i];
		if (best == NULL)
			return;
		take_open(k, best);
	}
}

static void pick_listed(struct picking *k, const uint32_t *list, uint32_t n)
{
	struct picker *p = k->p;

	for (uint32_t i = 0; i < n && k->n < k->max; i++) {
		struct partial *part = partial_of(p, list[i]);

		if (list[i] >= p->pieces || !picking_has(k, list[i]) || !picker_wants(p, list[i]))
			continue;
		if (part != NULL && part->open > 0)
			take_open(k, part);
		else if (part == NULL && may_begin(k))
			begin_piece(k, list[i]);
	}
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
	for (unsigned prio = PRIORITY_TOP; prio > 0 && p->seeds == 0; prio--) {
		order_row(p, prio, &from, &to);
		if (from < to)
			unreachable += p->end[(PRIORITY_TOP - prio) * LEVELS] - from;
	}
	if (order_count(p) > unreachable)
		return false;
	for (uint32_t i = 0; i < p->partials_open; i++)
		if (picker_wants(p, p->partials[i]->piece) &&
			picker_availability(p, p->partials[i]->piece) > 0)
			return false;
	return true;
}

/* Somebody who was asked for the block is about to bring it. */
static bool comes_soon(const struct picking *k, const struct block *b)
{
	for (unsigned i = 0; k->opts->late != NULL && i < b->n; i++)
		if (!k->opts->late(k->opts->lag_ctx, b->who[i]))
			return true;
	return false;
}

/* Blocks that `level` others were asked for, and not this peer. */
static void take_asked(struct picking *k, struct partial *part, unsigned level)
{
	uint32_t asked = (uint32_t)(part->blocks - part->open - part->here);

	if (part->requests >= asked * PICKER_REQUESTERS_MAX)
		return;
	if (k->p->piece[part->piece].priority == PRIORITY_SKIP || !picking_has(k, part->piece))
		return;
	for (uint32_t i = 0; i < part->blocks && k->n < k->max; i++)
		if (part->block[i].n == level && !partial_asked(&part->block[i], k->peer) &&
			!comes_soon(k, &part->block[i]))
			emit_block(k, part, i);
}

/* The end game: those asked for least first, from a random piece on so that peers spread. */
static void pick_asked(struct picking *k)
{
	struct picker *p = k->p;
	uint32_t start = rng_below(p->rng, p->partials_n);

	for (unsigned level = 1; level < PICKER_REQUESTERS_MAX; level++)
		for (uint32_t i = 0; i < p->partials_n && k->n < k->max; i++)
			take_asked(k, p->partials[(start + i) % p->partials_n], level);
}

/* Blocks that one peer alone was asked for, at least so many times slower than this one. */
static void take_from_slow(
	struct picking *k, struct partial *part, uint32_t times, uint32_t *budget)
{
	uint32_t who = k->peer, lag = 0;

	if (k->p->piece[part->piece].priority == PRIORITY_SKIP || !picking_has(k, part->piece) ||
		part->requests == 0)
		return;
	for (uint32_t i = 0; i < part->blocks; i++, --*budget) {
		if (*budget == 0 || k->n == k->max)
			return;
		if (part->block[i].n != 1 || part->block[i].who[0] == k->peer)
			continue;
		if (part->block[i].who[0] != who) {
			who = part->block[i].who[0];
			lag = k->opts->lag(k->opts->lag_ctx, who);
		}
		if (lag >= times)
			emit_block(k, part, i);
	}
}

/* The slowest first: it is they that would hold a piece up for longest. */
static void pick_from_slow(struct picking *k)
{
	static const uint32_t times[] = {10, 3};
	struct picker *p = k->p;
	uint32_t start = rng_below(p->rng, p->partials_n);

	for (size_t t = 0; t < ARRAY_LEN(times); t++) {
		uint32_t budget = STEAL_SCAN;

		for (uint32_t i = 0; i < p->partials_n && k->n < k->max && budget > 0; i++)
			take_from_slow(
				k, p->partials[(start + i) % p->partials_n], times[t], &budget);
	}
}

/* Earliest first, whatever is begun; who is late is asked for twice. */
static void pick_deadlines(struct picking *k)
{
	struct picker *p = k->p;

	for (uint32_t i = 0; i < p->deadlines && k->n < k->max; i++) {
		const struct deadline *d = &p->deadline[i];
		struct partial *part = partial_of(p, d->piece);

		if (!picking_has(k, d->piece) || !picker_wants(p, d->piece))
			continue;
		if (part == NULL)
			begin_piece(k, d->piece);
		else if (part->open > 0)
			take_open(k, part);
		part = partial_of(p, d->piece);
		if (part != NULL && k->opts->now >= d->at)
			take_asked(k, part, 1);
	}
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
	if (!opts->snubbed)
		pick_deadlines(&k);
	pick_listed(&k, opts->suggested, opts->suggested_n);
	pick_begun(&k, k.alone ? BEGUN_ALONE : BEGUN_SHARED);
	pick_new(&k);
	pick_begun(&k, BEGUN_ANY);
	if (k.n > 0 || max == 0 || opts->snubbed || opts->once)
		return k.n;
	if (opts->again_max > 0)
		k.max = MIN(k.max, opts->again_max);
	if (opts->lag != NULL)
		pick_from_slow(&k);
	if (k.n == 0 && picker_endgame(p))
		pick_asked(&k);
	return k.n;
}
