/* SPDX-License-Identifier: MIT */
/* Any sequence of operations leaves the picker's invariants standing. */
#include "proto/base/bytes.h"
#include "proto/picker/picker.h"

#define PEERS 4u
#define PICKS 8u
#define STEPS 2000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct rd in;
	struct rng rng;
	struct picker *p;
	uint32_t pieces;
	bool joined[PEERS];
	struct bitfield has[PEERS];
};

static uint32_t any_piece(struct world *w)
{
	return rd_u8(&w->in) % w->pieces;
}

static uint32_t any_lag(void *ctx, uint32_t other)
{
	const uint8_t *bits = ctx;

	return (uint32_t)*bits * other;
}

static void pick_blocks(struct world *w, uint32_t peer)
{
	uint8_t bits = rd_u8(&w->in);
	uint32_t list[2] = {any_piece(w), rd_u32(&w->in)};
	struct pick_opts opts = {.fast_peer = bits & 1,
		.snubbed = bits & 2,
		.choked = (bits & 12) == 12,
		.allowed_fast = list,
		.allowed_n = 2,
		.suggested = list,
		.suggested_n = (bits & 16) ? 2 : 0,
		.parole = bits >> 6 == 3,
		.lag = bits & 1 ? any_lag : NULL,
		.lag_ctx = &bits,
		.now = bits,
		.max_partial = bits >> 6};
	struct pick out[PICKS];
	unsigned n = picker_pick(w->p, peer, &w->has[peer], &opts, out, (bits >> 3) % (PICKS + 1));

	for (unsigned i = 0; i < n; i++)
		must(out[i].length == picker_block_length(w->p, out[i].piece, out[i].begin));
	if ((bits & 32) && n > 1)
		picker_peer_gone(w->p, peer, out, n / 2);
}

static void change_peer(struct world *w, uint32_t peer)
{
	uint8_t bits = rd_u8(&w->in);

	if (w->joined[peer] && bits < 64) {
		picker_leave(w->p, &w->has[peer]);
		w->joined[peer] = false;
	} else if (w->joined[peer]) {
		uint32_t piece = any_piece(w);

		if (bitfield_set(&w->has[peer], piece))
			picker_have(w->p, piece);
	} else {
		bitfield_clear_all(&w->has[peer]);
		for (uint32_t i = 0; i < w->pieces; i++)
			if (bits >= 192 || (bits >> (i % 8)) & 1)
				bitfield_set(&w->has[peer], i);
		picker_join(w->p, &w->has[peer]);
		w->joined[peer] = true;
	}
}

static void take_block(struct world *w, uint32_t peer)
{
	uint32_t others[PICKER_REQUESTERS_MAX], piece = any_piece(w);
	uint32_t begin = rd_u8(&w->in) % 6 * BLOCK_SIZE;
	unsigned n;

	if (picker_received(w->p, peer, piece, begin, others, &n) == GOT_NEW)
		must(picker_blocks_here(w->p, piece) > 0 && n <= PICKER_REQUESTERS_MAX);
	picker_received(w->p, peer, rd_u32(&w->in), rd_u32(&w->in), others, &n);
}

static void move_partials(struct world *w)
{
	uint8_t bitmap[PICKER_BITMAP_MAX], one = rd_u8(&w->in);
	uint32_t iter = 0, piece;
	size_t n;

	picker_load_partial(w->p, rd_u8(&w->in), &one, 1);
	while (picker_save_partial(w->p, &iter, &piece, bitmap, &n))
		must(n == (picker_blocks(w->p, piece) + 7) / 8);
}

/* Wishes: only inputs that say so have them, so that older ones mean what they meant. */
static void wish(struct world *w, uint32_t piece)
{
	uint8_t bits = rd_u8(&w->in);

	if (bits & 1)
		(void)picker_deadline(w->p, piece, bits & 2 ? INT64_MAX : bits);
	else
		picker_priorities(w->p, piece, bits & 4 ? w->pieces : piece + 1,
			bits & 2 ? PRIORITY_TOP : PRIORITY_NORMAL);
}

static void step(struct world *w)
{
	uint8_t op = rd_u8(&w->in);
	uint32_t peer = op >> 4 & (PEERS - 1), piece, peers[3];

	switch (op & 15) {
	case 0:
	case 1:
	case 2:
		pick_blocks(w, peer);
		break;
	case 3:
	case 4:
		take_block(w, peer);
		break;
	case 5:
		picker_cancelled(w->p, peer, any_piece(w), rd_u8(&w->in) % 6 * BLOCK_SIZE);
		break;
	case 6:
		piece = any_piece(w);
		must(picker_contributors(w->p, piece, peers, 3) <= 3);
		if (picker_sole_sender(w->p, piece) != PICKER_NOBODY)
			must(picker_complete(w->p, piece));
		if (op & 128)
			wish(w, piece);
		picker_hash_ok(w->p, piece);
		break;
	case 7:
		picker_hash_failed(w->p, any_piece(w));
		break;
	case 8:
		picker_write_failed(w->p, any_piece(w));
		break;
	case 9:
		picker_set_have(w->p, any_piece(w));
		break;
	case 10:
		picker_clear_have(w->p, any_piece(w));
		break;
	case 11:
		picker_priority(w->p, any_piece(w), rd_u8(&w->in) & 7);
		break;
	case 12:
		piece = any_piece(w);
		picker_priorities(w->p, piece, w->pieces, rd_u8(&w->in) & 7);
		picker_sequential(w->p, op >> 7);
		break;
	case 13:
		move_partials(w);
		break;
	case 14:
		op & 128 ? picker_load_have(w->p, &w->has[peer]) : picker_join_seed(w->p);
		if (!(op & 128))
			picker_leave_seed(w->p);
		break;
	default:
		change_peer(w, peer);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.in = rd_of(data, size)};
	uint32_t last, length;

	w.pieces = 1 + rd_u8(&w.in) % 70;
	length = BLOCK_SIZE * (1 + rd_u8(&w.in) % 5);
	last = 1 + (uint32_t)rd_u16(&w.in) % length;
	rng_seed(&w.rng, rd_u8(&w.in));
	w.p = picker_new(w.pieces, length, (uint64_t)(w.pieces - 1) * length + last, &w.rng);
	picker_random_first(w.p, rd_u8(&w.in) % 5);
	for (unsigned i = 0; i < PEERS; i++)
		bitfield_init(&w.has[i], w.pieces);
	for (unsigned i = 0; i < STEPS && rd_left(&w.in) > 0; i++) {
		step(&w);
		picker_check(w.p);
	}
	for (unsigned i = 0; i < PEERS; i++) {
		if (w.joined[i])
			picker_leave(w.p, &w.has[i]);
		bitfield_free(&w.has[i]);
	}
	for (uint32_t i = 0; i < w.pieces; i++)
		must(picker_availability(w.p, i) == 0);
	picker_free(&w.p);
	return 0;
}
