/* SPDX-License-Identifier: MIT */
/* The picker's wishes: deadlines, neighbours, parole, and what slow peers hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/picker/picker.h"

#define BLOCKS 4u
#define LENGTH (BLOCKS * BLOCK_SIZE)

struct bench {
	struct rng rng;
	struct picker *p;
	struct bitfield all;
	struct pick out[64];
};

static void begin(struct bench *b, uint32_t pieces, uint32_t length)
{
	rng_seed(&b->rng, 7);
	b->p = picker_new(pieces, length, (uint64_t)pieces * length, &b->rng);
	picker_random_first(b->p, 0);
	bitfield_init(&b->all, pieces);
	bitfield_set_all(&b->all);
	picker_join(b->p, &b->all);
}

static void end(struct bench *b)
{
	picker_check(b->p);
	bitfield_free(&b->all);
	picker_free(&b->p);
}

static unsigned pick(struct bench *b, uint32_t peer, const struct pick_opts *opts, unsigned max)
{
	unsigned n = picker_pick(b->p, peer, &b->all, opts, b->out, max);

	picker_check(b->p);
	return n;
}

/* The pieces in the order in which one peer is given them, whole. */
static void expect_pieces(
	struct bench *b, const struct pick_opts *opts, const uint32_t *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(pick(b, 1, opts, BLOCKS), BLOCKS);
		for (unsigned k = 0; k < BLOCKS; k++)
			assert_int_equal(b->out[k].piece, want[i]);
	}
}

/* In turn, in rows of more pieces than are walked one by one. */
static void t_long_rows(void **state)
{
	static const struct pick_opts opts;
	struct bench b;

	(void)state;
	begin(&b, 4096, LENGTH);
	picker_sequential(b.p, true);
	picker_priorities(b.p, 2000, 3500, PRIORITY_TOP);
	expect_pieces(&b, &opts, (const uint32_t[]){2000, 2001}, 2);
	picker_priority(b.p, 100, PRIORITY_TOP);
	picker_priority(b.p, 2003, PRIORITY_SKIP);
	expect_pieces(&b, &opts, (const uint32_t[]){100, 2002, 2004}, 3);
	picker_check(b.p);
	picker_peer_gone(b.p, 1, b.out, BLOCKS); /* all of the last one */
	expect_pieces(&b, &opts, (const uint32_t[]){2004, 2005}, 2);
	picker_priorities(b.p, 2000, 4096, PRIORITY_SKIP);
	expect_pieces(&b, &opts, (const uint32_t[]){0, 1, 2}, 3);
	picker_priorities(b.p, 2000, 2100, PRIORITY_NORMAL);
	for (uint32_t i = 3; i < 2000; i++)
		if (i != 100)
			expect_pieces(&b, &opts, &i, 1);
	expect_pieces(&b, &opts, (const uint32_t[]){2003, 2006}, 2);
	picker_check(b.p);
	end(&b);
}

static void t_deadlines(void **state)
{
	struct pick_opts opts = {.now = 100};
	struct bench b;

	(void)state;
	begin(&b, 40, LENGTH);
	picker_sequential(b.p, true);
	assert_int_equal(picker_deadline(b.p, 30, 300), E_OK);
	assert_int_equal(picker_deadline(b.p, 10, 200), E_OK);
	assert_int_equal(picker_deadline(b.p, 20, 400), E_OK);
	assert_int_equal(picker_deadline(b.p, 5, 500), E_OK);
	picker_check(b.p);
	assert_int_equal(picker_deadline(b.p, 20, 150), E_OK); /* moved forward */
	assert_int_equal(picker_deadline(b.p, 5, INT64_MAX), E_OK);
	picker_priority(b.p, 10, PRIORITY_SKIP);
	opts.snubbed = true;
	expect_pieces(&b, &opts, (const uint32_t[]){0}, 1);
	opts.snubbed = false;
	expect_pieces(&b, &opts, (const uint32_t[]){20, 30, 1}, 3);
	picker_priority(b.p, 10, PRIORITY_NORMAL);
	opts.max_partial = 1; /* what is awaited is begun all the same */
	expect_pieces(&b, &opts, (const uint32_t[]){10}, 1);
	picker_set_have(b.p, 12);
	assert_int_equal(picker_deadline(b.p, 12, 50), E_OK); /* it is had: none */
	picker_set_have(b.p, 20);
	picker_check(b.p);
	end(&b);
}

/* What is late is asked from a second peer, what is not is not, and never from a third. */
static void t_late(void **state)
{
	struct pick_opts opts = {.now = 100};
	struct bench b;

	(void)state;
	begin(&b, 40, LENGTH);
	picker_sequential(b.p, true);
	picker_deadline(b.p, 7, 200);
	expect_pieces(&b, &opts, (const uint32_t[]){7}, 1);
	assert_int_equal(pick(&b, 2, &opts, 2), 2);
	assert_int_equal(b.out[0].piece, 0);
	opts.now = 200;
	assert_int_equal(pick(&b, 2, &opts, BLOCKS), BLOCKS);
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_int_equal(b.out[i].piece, 7);
	assert_int_equal(pick(&b, 3, &opts, 2), 2);
	assert_int_equal(b.out[0].piece, 0);
	end(&b);
}

static void t_deadlines_bounded(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 1000, LENGTH);
	for (uint32_t i = 0; i < PICKER_DEADLINES_MAX; i++)
		assert_int_equal(picker_deadline(b.p, i, 1000 + i), E_OK);
	assert_int_equal(picker_deadline(b.p, 900, 1000 + PICKER_DEADLINES_MAX), E_OVERLOAD);
	assert_int_equal(picker_deadline(b.p, 901, 1), E_OK);
	picker_check(b.p);
	end(&b);
}

/* Of pieces as rare as each other those beside one begun are taken, and no rarer one is passed by.
 */
static void t_neighbours(void **state)
{
	static const struct pick_opts opts;
	struct bench b;
	uint32_t first, rare, runs = 0, last = UINT32_MAX;
	struct bitfield most;

	(void)state;
	begin(&b, 4096, LENGTH);
	assert_int_equal(pick(&b, 1, &opts, BLOCKS), BLOCKS);
	first = b.out[0].piece / 64;
	for (unsigned i = 1; i < 20; i++) {
		assert_int_equal(pick(&b, 1, &opts, BLOCKS), BLOCKS);
		assert_int_equal(b.out[0].piece / 64, first);
	}
	rare = (first + 1) % 64 * 64 + 5;
	bitfield_init(&most, 4096);
	bitfield_set_all(&most);
	bitfield_clear(&most, rare);
	picker_join(b.p, &most);
	bitfield_free(&most);
	assert_int_equal(pick(&b, 1, &opts, BLOCKS), BLOCKS);
	assert_int_equal(b.out[0].piece, rare);
	for (unsigned i = 0; i < 640; i++) {
		assert_int_equal(pick(&b, 1, &opts, BLOCKS), BLOCKS);
		runs += b.out[0].piece / 64 != last;
		last = b.out[0].piece / 64;
	}
	assert_true(runs <= 12);
	end(&b);
}

/* One peer in ten or three times faster. */
static uint32_t lag(void *ctx, uint32_t other)
{
	const uint32_t *lags = ctx;

	return lags[other];
}

/* Two slow peers have all; a fast one takes the slower one's first, and each block once. */
static void t_slow(void **state)
{
	uint32_t lags[] = {0, 4, 20, 2};
	struct pick_opts slow = {.now = 0}, fast = {.lag = lag, .lag_ctx = lags};
	struct bench b;
	uint32_t others[PICKER_REQUESTERS_MAX];
	unsigned n;

	(void)state;
	begin(&b, 4, LENGTH);
	picker_sequential(b.p, true);
	assert_int_equal(pick(&b, 1, &slow, BLOCKS), BLOCKS);
	assert_int_equal(pick(&b, 2, &slow, BLOCKS), BLOCKS);
	assert_int_equal(pick(&b, 3, &slow, BLOCKS), BLOCKS);
	assert_int_equal(pick(&b, 1, &fast, 2), 2); /* open ones first */
	assert_int_equal(b.out[0].piece, 3);
	assert_int_equal(pick(&b, 0, &fast, 2), 2);
	assert_int_equal(b.out[0].piece, 3);
	/* Nothing is open now.  Peer 2 is slowest, then peer 1; peer 3 is not slow. */
	assert_int_equal(pick(&b, 0, &fast, 3), 3);
	assert_int_equal(b.out[0].piece, 1);
	assert_int_equal(pick(&b, 0, &fast, 64), BLOCKS - 3 + BLOCKS + 2);
	assert_int_equal(b.out[0].piece, 1);
	for (unsigned i = 1; i < 7; i++)
		assert_true(b.out[i].piece == 0 || b.out[i].piece == 3);
	assert_int_equal(picker_received(b.p, 0, 1, 0, others, &n), GOT_NEW);
	assert_int_equal(n, 1);
	assert_int_equal(others[0], 2);
	picker_check(b.p);
	end(&b);
}

/* It is no end game while a piece is open that the fast peer lacks: then only the slow are robbed.
 */
static void t_slow_beside_open(void **state)
{
	uint32_t lags[] = {0, 4, 1};
	struct pick_opts slow = {.now = 0}, fast = {.lag = lag, .lag_ctx = lags};
	struct bench b;

	(void)state;
	begin(&b, 3, LENGTH);
	picker_sequential(b.p, true);
	assert_int_equal(pick(&b, 1, &slow, BLOCKS), BLOCKS);
	assert_int_equal(pick(&b, 2, &slow, BLOCKS), BLOCKS);
	bitfield_clear(&b.all, 2);
	assert_false(picker_endgame(b.p));
	assert_int_equal(pick(&b, 0, &slow, 64), 0);
	assert_int_equal(pick(&b, 0, &fast, 64), BLOCKS);
	assert_int_equal(b.out[0].piece, 0);
	assert_int_equal(pick(&b, 0, &fast, 64), 0);
	end(&b);
}

/* On parole: whole pieces, nothing that others are at, no end game; others' leavings at last. */
static void t_parole(void **state)
{
	static const struct pick_opts plain, parole = {.parole = true};
	struct bench b;
	uint32_t others[PICKER_REQUESTERS_MAX];
	unsigned n;

	(void)state;
	begin(&b, 3, LENGTH);
	picker_sequential(b.p, true);
	assert_int_equal(pick(&b, 1, &plain, 2), 2);
	assert_int_equal(pick(&b, 2, &parole, 2), 2);
	assert_int_equal(b.out[0].piece, 1);
	assert_int_equal(pick(&b, 2, &parole, 64), 2 + BLOCKS);
	assert_int_equal(b.out[0].piece, 1);
	assert_int_equal(b.out[2].piece, 2);
	assert_int_equal(pick(&b, 1, &plain, 64), 2); /* the rest of its own */
	assert_int_equal(pick(&b, 2, &parole, 64), 0);
	assert_int_equal(picker_received(b.p, 1, 0, 0, others, &n), GOT_NEW);
	for (uint32_t k = 1; k < BLOCKS; k++)
		picker_cancelled(b.p, 1, 0, k * BLOCK_SIZE);
	assert_int_equal(pick(&b, 2, &parole, 64), BLOCKS - 1);
	assert_int_equal(b.out[0].piece, 0);
	for (uint32_t k = 0; k < BLOCKS; k++)
		picker_received(b.p, 2, 1, k * BLOCK_SIZE, others, &n);
	assert_int_equal(picker_sole_sender(b.p, 1), 2);
	for (uint32_t k = 1; k < BLOCKS; k++)
		picker_received(b.p, 2, 0, k * BLOCK_SIZE, others, &n);
	assert_int_equal(picker_sole_sender(b.p, 0), PICKER_NOBODY);
	end(&b);
}

static void t_unavailable(void **state)
{
	struct bench b;
	struct bitfield some;

	(void)state;
	begin(&b, 10, LENGTH);
	assert_int_equal(picker_unavailable(b.p), 0);
	picker_leave(b.p, &b.all);
	assert_int_equal(picker_unavailable(b.p), 10);
	bitfield_init(&some, 10);
	bitfield_set(&some, 3);
	picker_join(b.p, &some);
	picker_have(b.p, 4);
	assert_int_equal(picker_unavailable(b.p), 8);
	bitfield_set(&some, 4);
	picker_leave(b.p, &some);
	assert_int_equal(picker_unavailable(b.p), 10);
	bitfield_free(&some);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_long_rows),
		cmocka_unit_test(t_deadlines),
		cmocka_unit_test(t_late),
		cmocka_unit_test(t_deadlines_bounded),
		cmocka_unit_test(t_neighbours),
		cmocka_unit_test(t_slow),
		cmocka_unit_test(t_slow_beside_open),
		cmocka_unit_test(t_parole),
		cmocka_unit_test(t_unavailable),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
