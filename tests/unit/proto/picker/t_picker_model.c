/* SPDX-License-Identifier: MIT */
/*
 * The picker against a naive model: random operations, the model knows what each may answer.
 *
 * The model keeps every block's askers in plain tables and looks through all of them for each
 * question.  What is left to chance in the picker is checked for being allowed, everything else for
 * being equal; the picker's own invariants are checked after every step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/picker/picker.h"

#define PIECES 24u
#define BLOCKS 4u
#define PEERS  6u
#define STEPS  3000u
#define PICKS  10u
#define NEVER  INT64_MAX

struct model {
	struct rng rng;
	struct picker *p;
	bool joined[PEERS], here[PIECES][BLOCKS], begun[PIECES], had[PIECES], sequential;
	bool asked[PIECES][BLOCKS][PEERS];
	unsigned prio[PIECES];
	int64_t deadline[PIECES]; /* NEVER: none */
	int64_t now;
	struct bitfield has[PEERS];
	uint64_t size;
};

static uint32_t below(struct model *m, uint32_t n)
{
	return rng_below(&m->rng, n);
}

static uint32_t blocks_of(const struct model *m, uint32_t piece)
{
	return picker_blocks(m->p, piece);
}

static unsigned askers(const struct model *m, uint32_t piece, uint32_t block)
{
	unsigned n = 0;

	for (uint32_t k = 0; k < PEERS; k++)
		n += m->asked[piece][block][k];
	return n;
}

static uint32_t avail(const struct model *m, uint32_t piece)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < PEERS; k++)
		n += m->joined[k] && bitfield_get(&m->has[k], piece);
	return n;
}

static bool wants(const struct model *m, uint32_t piece)
{
	return !m->had[piece] && m->prio[piece] > 0;
}

/* What the peers are to each other is fixed: those of odd number are fast. */
static uint32_t lag(void *ctx, uint32_t other)
{
	const uint32_t *peer = ctx;

	return *peer % 2 == 1 && other % 2 == 0 ? other % 3 * 5 : 0;
}

static bool is_open(const struct model *m, uint32_t piece, uint32_t block)
{
	return wants(m, piece) && !m->here[piece][block] && askers(m, piece, block) == 0;
}

static bool any_open(const struct model *m, uint32_t piece)
{
	for (uint32_t b = 0; b < blocks_of(m, piece); b++)
		if (is_open(m, piece, b))
			return true;
	return false;
}

static bool endgame(const struct model *m)
{
	for (uint32_t i = 0; i < PIECES; i++)
		if (avail(m, i) > 0 && any_open(m, i))
			return false;
	return true;
}

/* A piece with nothing here and nothing asked for is not begun any more. */
static void settle(struct model *m, uint32_t piece)
{
	m->begun[piece] = false;
	for (uint32_t b = 0; b < blocks_of(m, piece) && !m->had[piece]; b++)
		m->begun[piece] |= m->here[piece][b] || askers(m, piece, b) > 0;
}

static void forget(struct model *m, uint32_t piece)
{
	if (m->had[piece])
		m->deadline[piece] = NEVER;
	memset(m->here[piece], 0, sizeof m->here[piece]);
	memset(m->asked[piece], 0, sizeof m->asked[piece]);
	m->begun[piece] = false;
}

static void compare(const struct model *m)
{
	uint64_t left = 0;
	uint32_t partials = 0;

	picker_check(m->p);
	for (uint32_t i = 0; i < PIECES; i++) {
		uint32_t here = 0;

		for (uint32_t b = 0; b < blocks_of(m, i); b++)
			here += m->had[i] || m->here[i][b];
		assert_int_equal(picker_availability(m->p, i), avail(m, i));
		assert_int_equal(bitfield_get(picker_own(m->p), i), m->had[i]);
		assert_int_equal(picker_priority_of(m->p, i), m->prio[i]);
		assert_int_equal(picker_wants(m->p, i), wants(m, i));
		assert_int_equal(picker_blocks_here(m->p, i), here);
		left += wants(m, i) ? picker_piece_length(m->p, i) : 0;
		partials += m->begun[i];
	}
	assert_int_equal(picker_wanted_left(m->p), left);
	assert_int_equal(picker_partials(m->p), partials);
	assert_int_equal(picker_endgame(m->p), endgame(m));
}

static void compare_interest(const struct model *m, uint32_t peer)
{
	uint32_t wanted = 0, missing = 0;

	for (uint32_t i = 0; i < PIECES; i++) {
		wanted += wants(m, i) && bitfield_get(&m->has[peer], i);
		missing += !m->had[i] && bitfield_get(&m->has[peer], i);
	}
	assert_int_equal(picker_count_wanted_that(m->p, &m->has[peer]), wanted);
	assert_int_equal(picker_count_missing_that(m->p, &m->has[peer]), missing);
	assert_int_equal(picker_interesting(m->p, &m->has[peer]), wanted > 0);
}

/* Nothing that is awaited, or awaited earlier, is open. */
static void check_awaited(const struct model *m, uint32_t peer, uint32_t piece)
{
	for (uint32_t i = 0; i < PIECES; i++)
		if (bitfield_get(&m->has[peer], i) && m->deadline[i] < m->deadline[piece])
			assert_false(any_open(m, i));
}

/* Whether it may be asked for though another peer was. */
static bool may_double(
	const struct model *m, uint32_t peer, uint32_t piece, uint32_t block, bool end)
{
	if (end)
		return true;
	if (askers(m, piece, block) > 1)
		return false;
	if (m->deadline[piece] <= m->now)
		return true;
	for (uint32_t k = 0; k < PEERS; k++)
		if (m->asked[piece][block][k] && lag(&peer, k) >= 3)
			return true;
	return false;
}

/* No piece that could be begun for this peer is better than this one. */
static void check_begun(const struct model *m, uint32_t peer, uint32_t piece, bool plain)
{
	for (uint32_t i = 0; i < PIECES; i++) {
		if (!bitfield_get(&m->has[peer], i) || !wants(m, i) || i == piece)
			continue;
		if (m->begun[i]) {
			assert_false(plain && any_open(m, i));
			continue;
		}
		assert_true(m->prio[i] <= m->prio[piece]);
		if (m->prio[i] == m->prio[piece] && m->sequential)
			assert_true(i > piece);
		else if (m->prio[i] == m->prio[piece])
			assert_true(avail(m, i) >= avail(m, piece));
	}
}

static void check_pick(struct model *m, uint32_t peer, const struct pick *k, bool end, bool plain)
{
	uint32_t block = k->begin / BLOCK_SIZE;

	assert_true(k->piece < PIECES && block < blocks_of(m, k->piece));
	assert_int_equal(k->length, picker_block_length(m->p, k->piece, k->begin));
	assert_true(bitfield_get(&m->has[peer], k->piece));
	assert_true(wants(m, k->piece));
	assert_false(m->here[k->piece][block]);
	assert_false(m->asked[k->piece][block][peer]);
	assert_true(askers(m, k->piece, block) < PICKER_REQUESTERS_MAX);
	if (askers(m, k->piece, block) > 0)
		assert_true(may_double(m, peer, k->piece, block, end));
	else
		check_awaited(m, peer, k->piece);
	if (!m->begun[k->piece] && m->deadline[k->piece] == NEVER)
		check_begun(m, peer, k->piece, plain);
	m->asked[k->piece][block][peer] = true;
	m->begun[k->piece] = true;
}

static void step_pick(struct model *m)
{
	uint32_t peer = below(m, PEERS);
	struct pick_opts opts = {
		.fast_peer = below(m, 4) == 0, .now = m->now, .lag = lag, .lag_ctx = &peer};
	struct pick out[PICKS];
	unsigned max = below(m, PICKS + 1), n;
	bool end = endgame(m), served = false;

	if (!m->joined[peer])
		return;
	n = picker_pick(m->p, peer, &m->has[peer], &opts, out, max);
	assert_true(n <= max);
	for (unsigned i = 0; i < n; i++)
		check_pick(m, peer, &out[i], end, false);
	for (uint32_t i = 0; i < PIECES; i++)
		served |= bitfield_get(&m->has[peer], i) && any_open(m, i);
	assert_false(n < max && served);
}

/* Without fast peers everything that is begun goes first. */
static void step_pick_plain(struct model *m, bool plain)
{
	struct pick_opts opts = {.now = m->now};
	struct pick out;
	uint32_t peer = below(m, PEERS);
	bool end = endgame(m);

	if (m->joined[peer] && picker_pick(m->p, peer, &m->has[peer], &opts, &out, 1) == 1)
		check_pick(m, peer, &out, end, plain);
}

static bool find_request(struct model *m, uint32_t *peer, uint32_t *piece, uint32_t *block)
{
	for (unsigned i = 0; i < 50; i++) {
		*piece = below(m, PIECES);
		*block = below(m, BLOCKS);
		*peer = below(m, PEERS);
		if (m->asked[*piece][*block][*peer])
			return true;
	}
	return false;
}

static void step_receive(struct model *m)
{
	uint32_t peer, piece, block, others[PICKER_REQUESTERS_MAX];
	unsigned n;

	if (!find_request(m, &peer, &piece, &block))
		return;
	assert_int_equal(
		picker_received(m->p, peer, piece, block * BLOCK_SIZE, others, &n), GOT_NEW);
	m->asked[piece][block][peer] = false;
	assert_int_equal(n, askers(m, piece, block));
	for (unsigned i = 0; i < n; i++) {
		assert_true(m->asked[piece][block][others[i]]);
		m->asked[piece][block][others[i]] = false;
	}
	m->here[piece][block] = true;
}

static void step_cancel(struct model *m)
{
	uint32_t peer, piece, block;

	if (!find_request(m, &peer, &piece, &block))
		return;
	picker_cancelled(m->p, peer, piece, block * BLOCK_SIZE);
	picker_cancelled(m->p, peer, piece, block * BLOCK_SIZE);
	m->asked[piece][block][peer] = false;
	settle(m, piece);
}

static void step_hash(struct model *m)
{
	uint32_t piece = below(m, PIECES), here = 0;

	for (uint32_t b = 0; b < blocks_of(m, piece); b++)
		here += m->here[piece][b];
	assert_int_equal(picker_complete(m->p, piece), here == blocks_of(m, piece));
	if (here < blocks_of(m, piece)) {
		picker_hash_ok(m->p, piece);
		picker_hash_failed(m->p, piece);
		return;
	}
	m->had[piece] = below(m, 3) > 0;
	m->now += below(m, 20);
	if (m->had[piece])
		picker_hash_ok(m->p, piece);
	else
		picker_hash_failed(m->p, piece);
	forget(m, piece);
}

static void step_own(struct model *m)
{
	uint32_t piece = below(m, PIECES);

	switch (below(m, 4)) {
	case 0:
		picker_clear_have(m->p, piece);
		m->had[piece] = false;
		break;
	case 1:
		picker_write_failed(m->p, piece);
		memset(m->here[piece], 0, sizeof m->here[piece]);
		settle(m, piece);
		break;
	case 2:
		picker_set_have(m->p, piece);
		m->had[piece] = true;
		forget(m, piece);
		break;
	default:
		picker_load_have(m->p, picker_own(m->p));
		break;
	}
}

static void step_priority(struct model *m)
{
	uint32_t first = below(m, PIECES), end = first + 1 + below(m, PIECES - first);
	unsigned prio = below(m, 3) == 0 ? below(m, 8) : PRIORITY_NORMAL;

	if (below(m, 2) == 0)
		end = first + 1;
	for (uint32_t i = first; i < end; i++)
		m->prio[i] = prio;
	if (end == first + 1)
		picker_priority(m->p, first, prio);
	else
		picker_priorities(m->p, first, end, prio);
	m->sequential = below(m, 4) == 0;
	picker_sequential(m->p, m->sequential);
}

static void step_wish(struct model *m)
{
	uint32_t piece = below(m, PIECES);
	int64_t at = below(m, 3) == 0 ? NEVER : m->now + below(m, 200);

	assert_int_equal(picker_deadline(m->p, piece, at), E_OK);
	m->deadline[piece] = m->had[piece] ? NEVER : at;
}

static void leave(struct model *m, uint32_t peer)
{
	for (uint32_t i = 0; i < PIECES; i++) {
		for (uint32_t b = 0; b < BLOCKS; b++) {
			if (!m->asked[i][b][peer])
				continue;
			picker_cancelled(m->p, peer, i, b * BLOCK_SIZE);
			m->asked[i][b][peer] = false;
		}
		settle(m, i);
	}
	picker_leave(m->p, &m->has[peer]);
	m->joined[peer] = false;
}

static void step_peer(struct model *m)
{
	uint32_t peer = below(m, PEERS), piece = below(m, PIECES), full = below(m, 4);

	if (m->joined[peer] && below(m, 8) == 0) {
		leave(m, peer);
	} else if (m->joined[peer]) {
		if (bitfield_set(&m->has[peer], piece)) {
			picker_have(m->p, piece);
		} else if (below(m, 3) == 0) {
			picker_lost(m->p, &m->has[peer], piece);
			bitfield_clear(&m->has[peer], piece);
		}
	} else {
		bitfield_clear_all(&m->has[peer]);
		for (uint32_t i = 0; i < PIECES; i++)
			if (full == 0 || below(m, 3) == 0)
				bitfield_set(&m->has[peer], i);
		picker_join(m->p, &m->has[peer]);
		m->joined[peer] = true;
	}
	compare_interest(m, peer);
}

static void step_any(struct model *m, bool plain)
{
	uint32_t dice = below(m, 100);

	if (dice < 35)
		plain ? step_pick_plain(m, true) : step_pick(m);
	else if (dice < 65)
		step_receive(m);
	else if (dice < 72)
		step_cancel(m);
	else if (dice < 84)
		step_hash(m);
	else if (dice < 88)
		step_own(m);
	else if (dice < 91)
		step_priority(m);
	else if (dice < 94)
		step_wish(m);
	else
		step_peer(m);
}

static void run_model(uint64_t seed, bool plain)
{
	struct model m = {.size = 0};

	rng_seed(&m.rng, seed);
	m.size = (uint64_t)(PIECES - 1) * BLOCKS * BLOCK_SIZE + 1 + below(&m, BLOCKS * BLOCK_SIZE);
	m.p = picker_new(PIECES, BLOCKS * BLOCK_SIZE, m.size, &m.rng);
	picker_random_first(m.p, 0);
	for (uint32_t i = 0; i < PIECES; i++)
		m.deadline[i] = NEVER;
	for (uint32_t i = 0; i < PIECES; i++)
		m.prio[i] = PRIORITY_NORMAL;
	for (uint32_t k = 0; k < PEERS; k++)
		bitfield_init(&m.has[k], PIECES);
	for (unsigned i = 0; i < STEPS; i++) {
		step_any(&m, plain);
		compare(&m);
	}
	for (uint32_t k = 0; k < PEERS; k++)
		bitfield_free(&m.has[k]);
	picker_free(&m.p);
}

static void test_model_plain(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		run_model(seed, true);
}

static void test_model_fast(void **state)
{
	(void)state;
	for (uint64_t seed = 101; seed <= 120; seed++)
		run_model(seed, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_plain),
		cmocka_unit_test(test_model_fast),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
