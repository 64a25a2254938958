/* SPDX-License-Identifier: MIT */
/*
 * The picker by pictures: one character a piece, and one rule a row.
 *
 * Pieces have two blocks, the last one a single byte, unless a test makes its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/picker/picker.h"

#define PIECE (2 * BLOCK_SIZE)

static struct picker *new_picker(uint32_t pieces, struct rng *rng, uint64_t seed)
{
	struct picker *p;

	rng_seed(rng, seed);
	p = picker_new(pieces, PIECE, (uint64_t)(pieces - 1) * PIECE + 1, rng);
	picker_random_first(p, 0);
	picker_check(p);
	return p;
}

/* Bits where the picture has something else than a blank; all when it is NULL. */
static struct bitfield bits_of(const char *picture, uint32_t n)
{
	struct bitfield b;

	bitfield_init(&b, n);
	for (uint32_t i = 0; i < n; i++)
		if (picture == NULL || picture[i] != ' ')
			bitfield_set(&b, i);
	return b;
}

static void join_all(struct picker *p, const char *avail)
{
	uint32_t n = (uint32_t)strlen(avail);

	for (char k = '1'; k <= '9'; k++) {
		struct bitfield b;

		bitfield_init(&b, n);
		for (uint32_t i = 0; i < n; i++)
			if (avail[i] >= k)
				bitfield_set(&b, i);
		if (b.count > 0)
			picker_join(p, &b);
		bitfield_free(&b);
	}
}

static void receive(struct picker *p, uint32_t peer, uint32_t piece, uint32_t block)
{
	uint32_t others[PICKER_REQUESTERS_MAX];
	unsigned n;

	assert_int_equal(picker_received(p, peer, piece, block * BLOCK_SIZE, others, &n), GOT_NEW);
}

static const struct picture {
	const char *name;
	const char *avail; /* how many peers have it */
	const char *have;  /* not blank: we have it; or NULL */
	const char *prio;  /* digits, or NULL for normal */
	const char *begun; /* 1: its first block is here; or NULL */
	const char *peer;  /* what the peer has, NULL for all */
	struct pick_opts opts;
	bool sequential;
	const char *want; /* marks the pieces the first block may be of; all blank: nothing */
} pictures[] = {
	{.name = "rarest", .avail = "2223333", .have = "* *    ", .want = " 1     "},
	{.name = "one rare", .avail = "1233333", .have = "* *    ", .want = " 1     "},
	{.name = "any of the rarest", .avail = "3211233", .want = "  11   "},
	{.name = "what the peer has", .avail = "1122334", .peer = "    ** ", .want = "    11 "},
	{.name = "nothing the peer has", .avail = "1122334", .have = "*******", .want = "       "},
	{.name = "peer with nothing", .avail = "1122334", .peer = "       ", .want = "       "},
	{.name = "priority before rarity",
		.avail = "1222222",
		.prio = "4444744",
		.want = "    1  "},
	{.name = "skip", .avail = "1222222", .prio = "0444444", .want = " 111111"},
	{.name = "all skipped", .avail = "1222222", .prio = "0000000", .want = "       "},
	{.name = "lower priority last", .avail = "1155555", .prio = "1144444", .want = "  11111"},
	{.name = "begun first", .avail = "1222222", .begun = "   1   ", .want = "   1   "},
	{.name = "begun but skipped",
		.avail = "1222222",
		.begun = "   1   ",
		.prio = "4440444",
		.want = "1      "},
	{.name = "begun, and the peer has it",
		.avail = "1222222",
		.begun = "   1   ",
		.peer = "** *** ",
		.want = "   1   "},
	{.name = "begun elsewhere",
		.avail = "1222222",
		.begun = "   1   ",
		.peer = " **    ",
		.want = " 11    "},
	{.name = "rarest of those begun",
		.avail = "3332333",
		.begun = "11 11  ",
		.want = "   1   "},
	{.name = "priority of those begun",
		.avail = "3332333",
		.begun = "11 11  ",
		.prio = "4544444",
		.want = " 1     "},
	{.name = "sequential",
		.avail = "3332113",
		.have = "*      ",
		.sequential = true,
		.want = " 1     "},
	{.name = "sequential, priority first",
		.avail = "3332113",
		.prio = "4444454",
		.sequential = true,
		.want = "     1 "},
	{.name = "sequential, peer's",
		.avail = "3332113",
		.peer = "   * * ",
		.sequential = true,
		.want = "   1   "},
	{.name = "snubbed takes common ones",
		.avail = "1233133",
		.opts = {.snubbed = true},
		.want = "  11 11"},
	{.name = "snubbed keeps to priority",
		.avail = "1233133",
		.prio = "5554444",
		.opts = {.snubbed = true},
		.want = "  1    "},
	{.name = "choked, no allowed fast",
		.avail = "1233133",
		.opts = {.choked = true},
		.want = "       "},
	{.name = "choked, allowed fast",
		.avail = "1233133",
		.have = "   *   ",
		.opts = {.choked = true,
			.allowed_fast = (const uint32_t[]){9, UINT32_MAX, 3, 5},
			.allowed_n = 4},
		.want = "     1 "},
	{.name = "choked, allowed but skipped",
		.avail = "1233133",
		.prio = "4444404",
		.opts = {.choked = true, .allowed_fast = (const uint32_t[]){5}, .allowed_n = 1},
		.want = "       "},
	{.name = "suggested",
		.avail = "1233133",
		.opts = {.suggested = (const uint32_t[]){7, 6}, .suggested_n = 2},
		.want = "      1"},
	{.name = "suggested but lacking",
		.avail = "1233133",
		.peer = "*****  ",
		.opts = {.suggested = (const uint32_t[]){6}, .suggested_n = 1},
		.want = "1   1  "},
};

static void setup_picture(struct picker *p, const struct picture *c)
{
	uint32_t n = (uint32_t)strlen(c->avail);

	join_all(p, c->avail);
	for (uint32_t i = 0; i < n; i++) {
		if (c->begun != NULL && c->begun[i] == '1')
			receive(p, 77, i, 0);
		if (c->have != NULL && c->have[i] != ' ')
			picker_set_have(p, i);
		if (c->prio != NULL)
			picker_priority(p, i, (unsigned)(c->prio[i] - '0'));
	}
	picker_sequential(p, c->sequential);
	picker_check(p);
}

static void run_picture(const struct picture *c, uint64_t seed, char *seen)
{
	uint32_t n = (uint32_t)strlen(c->avail);
	struct rng rng;
	struct picker *p = new_picker(n, &rng, seed);
	struct bitfield has = bits_of(c->peer, n);
	struct pick pick;

	setup_picture(p, c);
	if (picker_pick(p, 5, &has, &c->opts, &pick, 1) == 1) {
		assert_true(pick.piece < n);
		seen[pick.piece] = '1';
		assert_int_equal(pick.length, picker_block_length(p, pick.piece, pick.begin));
	}
	picker_check(p);
	bitfield_free(&has);
	picker_free(&p);
	assert_null(p);
}

/* Over many seeds exactly the marked pieces come up, so that chance is checked, too. */
static void test_pictures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pictures); i++) {
		const struct picture *c = &pictures[i];
		char seen[64];

		memset(seen, ' ', sizeof seen);
		seen[strlen(c->avail)] = '\0';
		for (uint64_t seed = 0; seed < 200; seed++)
			run_picture(c, seed, seen);
		if (strcmp(seen, c->want) != 0)
			fail_msg("%s: picked \"%s\", want \"%s\"", c->name, seen, c->want);
	}
}

static void test_blocks_in_order(void **state)
{
	static const struct pick_opts plain;
	struct rng rng;
	struct picker *p = new_picker(3, &rng, 1);
	struct bitfield has = bits_of(NULL, 3);
	struct pick out[9];
	unsigned n;

	(void)state;
	picker_join(p, &has);
	picker_sequential(p, true);
	n = picker_pick(p, 1, &has, &plain, out, 9);
	assert_int_equal(n, 5);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(out[i].piece, i / 2);
		assert_int_equal(out[i].begin, i % 2 * BLOCK_SIZE);
		assert_int_equal(out[i].length, i == 4 ? 1 : BLOCK_SIZE);
	}
	picker_peer_gone(p, 1, out, n);
	assert_int_equal(picker_partials(p), 0);
	picker_check(p);
	bitfield_free(&has);
	picker_free(&p);
}

/* Every block is asked from at most three peers, never twice from one, and not before the end. */
static void test_endgame(void **state)
{
	static const struct pick_opts plain, snubbed = {.snubbed = true};
	struct rng rng;
	struct picker *p = new_picker(3, &rng, 2);
	struct bitfield has = bits_of(NULL, 3);
	uint32_t others[PICKER_REQUESTERS_MAX];
	struct pick out[9];
	unsigned n;

	(void)state;
	picker_join(p, &has);
	assert_int_equal(picker_pick(p, 1, &has, &plain, out, 4), 4);
	assert_false(picker_endgame(p));
	assert_int_equal(picker_pick(p, 2, &has, &plain, out, 9), 1);
	assert_true(picker_endgame(p));
	assert_int_equal(picker_pick(p, 9, &has, &snubbed, out, 9), 0);
	assert_int_equal(picker_pick(p, 2, &has, &plain, out, 9), 4);
	assert_int_equal(picker_pick(p, 2, &has, &plain, out, 9), 0);
	assert_int_equal(picker_pick(p, 1, &has, &plain, out, 9), 1);
	assert_int_equal(picker_pick(p, 3, &has, &plain, out, 9), 5);
	assert_int_equal(picker_pick(p, 4, &has, &plain, out, 9), 0);
	picker_check(p);
	assert_int_equal(picker_received(p, 2, 0, 0, others, &n), GOT_NEW);
	assert_int_equal(n, 2);
	assert_int_equal(others[0] + others[1], 1 + 3);
	assert_int_equal(picker_received(p, 1, 0, 0, others, &n), GOT_DUPLICATE);
	assert_int_equal(n, 0);
	picker_check(p);
	bitfield_free(&has);
	picker_free(&p);
}

static bool is_late(void *ctx, uint32_t other)
{
	return other == *(const uint32_t *)ctx;
}

/* Only what a late peer was asked for is asked again, so many blocks a call, or nothing at all. */
static void test_endgame_late(void **state)
{
	static const struct pick_opts plain;
	uint32_t late = 1;
	const struct pick_opts careful = {.late = is_late, .lag_ctx = &late, .again_max = 3};
	const struct pick_opts once = {.once = true};
	struct rng rng;
	struct picker *p = new_picker(3, &rng, 2);
	struct bitfield has = bits_of(NULL, 3);
	struct pick out[9];

	(void)state;
	picker_join(p, &has);
	assert_int_equal(picker_pick(p, 1, &has, &plain, out, 4), 4);
	assert_int_equal(picker_pick(p, 2, &has, &plain, out, 9), 1);
	assert_true(picker_endgame(p));
	assert_int_equal(picker_pick(p, 3, &has, &once, out, 9), 0);
	assert_int_equal(picker_pick(p, 3, &has, &careful, out, 9), 3);
	assert_int_equal(picker_pick(p, 3, &has, &careful, out, 9), 1);
	assert_int_equal(picker_pick(p, 3, &has, &careful, out, 9), 0);
	late = 9;
	assert_int_equal(picker_pick(p, 4, &has, &careful, out, 9), 0);
	bitfield_free(&has);
	picker_free(&p);
}

/* A piece nobody has does not hold the end game up. */
static void test_endgame_unreachable(void **state)
{
	static const struct pick_opts plain;
	struct rng rng;
	struct picker *p = new_picker(4, &rng, 3);
	struct bitfield has = bits_of("** *", 4);
	struct pick out[9];

	(void)state;
	picker_join(p, &has);
	assert_int_equal(picker_pick(p, 1, &has, &plain, out, 9), 5);
	assert_true(picker_endgame(p));
	assert_int_equal(picker_pick(p, 2, &has, &plain, out, 9), 5);
	picker_have(p, 2);
	assert_false(picker_endgame(p));
	bitfield_free(&has);
	picker_free(&p);
}

static void test_fast_peers_alone(void **state)
{
	static const struct pick_opts fast = {.fast_peer = true}, plain;
	struct rng rng;
	struct picker *p = new_picker(4, &rng, 4);
	struct bitfield has = bits_of(NULL, 4);
	struct pick a, b, c, d;

	(void)state;
	picker_join(p, &has);
	picker_priority(p, 3, 1);
	assert_int_equal(picker_pick(p, 1, &has, &fast, &a, 1), 1);
	assert_int_equal(picker_pick(p, 2, &has, &plain, &b, 1), 1);
	assert_true(b.piece != a.piece);
	assert_int_equal(picker_pick(p, 3, &has, &fast, &c, 1), 1);
	assert_true(c.piece != a.piece && c.piece != b.piece);
	assert_int_equal(picker_pick(p, 1, &has, &fast, &d, 1), 1);
	assert_int_equal(d.piece, a.piece);
	/* The owner goes: what it leaves is anybody's. */
	receive(p, 3, c.piece, 0);
	picker_cancelled(p, 3, c.piece, 0);
	assert_int_equal(picker_pick(p, 4, &has, &plain, &d, 1), 1);
	picker_check(p);
	bitfield_free(&has);
	picker_free(&p);
}

static void test_partial_bound(void **state)
{
	static const struct pick_opts two = {.max_partial = 2};
	struct rng rng;
	struct picker *p = new_picker(9, &rng, 5);
	struct bitfield has = bits_of(NULL, 9), some;
	struct pick out[9];

	(void)state;
	picker_join(p, &has);
	picker_priority(p, 8, 0);
	assert_int_equal(picker_pick(p, 1, &has, &two, out, 9), 4);
	assert_int_equal(picker_pick(p, 2, &has, &two, out, 9), 0);
	/* Once nobody is at a piece it does not count: the others could be stuck otherwise. */
	receive(p, 1, out[0].piece, 0);
	picker_cancelled(p, 1, out[0].piece, BLOCK_SIZE);
	some = bits_of(NULL, 9);
	bitfield_clear(&some, out[0].piece);
	assert_int_equal(picker_pick(p, 2, &some, &two, out, 9), 2);
	picker_check(p);
	bitfield_free(&some);
	bitfield_free(&has);
	picker_free(&p);
}

/* Full by bitfield or by HAVEs, in any order of leaving: nothing is left over. */
static void test_seed_bookkeeping(void **state)
{
	struct rng rng;
	struct picker *p = new_picker(5, &rng, 6);
	struct bitfield full = bits_of(NULL, 5), grown = bits_of("** * ", 5);

	(void)state;
	picker_join(p, &grown);
	picker_join(p, &full);
	picker_join_seed(p);
	picker_have(p, 2);
	picker_have(p, 4);
	bitfield_set_all(&grown);
	for (uint32_t left = 3; left > 0; left--) {
		for (uint32_t i = 0; i < 5; i++)
			assert_int_equal(picker_availability(p, i), left);
		if (left == 2)
			picker_leave_seed(p);
		else
			picker_leave(p, left == 3 ? &grown : &full);
		picker_check(p);
	}
	assert_int_equal(picker_availability(p, 3), 0);
	bitfield_free(&full);
	bitfield_free(&grown);
	picker_free(&p);
}

static void test_piece_life(void **state)
{
	struct rng rng;
	struct picker *p = new_picker(3, &rng, 7);
	struct bitfield has = bits_of(" * ", 3);
	uint32_t peers[4], others[PICKER_REQUESTERS_MAX];
	unsigned n;

	(void)state;
	assert_int_equal(picker_wanted_left(p), 2 * PIECE + 1);
	assert_true(picker_interesting(p, &has));
	receive(p, 8, 1, 1);
	assert_false(picker_complete(p, 1));
	receive(p, 9, 1, 0);
	assert_true(picker_complete(p, 1));
	assert_int_equal(picker_contributors(p, 1, peers, 4), 2);
	assert_int_equal(peers[0], 9);
	assert_int_equal(peers[1], 8);
	assert_int_equal(picker_sender(p, 1, BLOCK_SIZE), 8);
	picker_hash_failed(p, 1);
	assert_int_equal(picker_blocks_here(p, 1), 0);
	assert_int_equal(picker_partials(p), 0);
	receive(p, 9, 1, 0);
	picker_hash_ok(p, 1); /* stale: the piece is not complete */
	assert_false(bitfield_get(picker_own(p), 1));
	receive(p, 9, 1, 1);
	picker_hash_ok(p, 1);
	assert_true(bitfield_get(picker_own(p), 1));
	assert_int_equal(picker_received(p, 9, 1, 0, others, &n), GOT_DUPLICATE);
	assert_int_equal(picker_wanted_left(p), PIECE + 1);
	assert_false(picker_interesting(p, &has));
	picker_priority(p, 0, 0);
	assert_int_equal(picker_received(p, 9, 0, 0, others, &n), GOT_UNWANTED);
	assert_false(picker_done(p));
	picker_set_have(p, 2);
	assert_true(picker_done(p));
	picker_clear_have(p, 1);
	assert_int_equal(picker_wanted_left(p), PIECE);
	assert_true(picker_interesting(p, &has));
	picker_check(p);
	bitfield_free(&has);
	picker_free(&p);
}

static void test_bad_blocks(void **state)
{
	static const struct {
		uint32_t piece, begin;
	} bad[] = {{3, 0}, {UINT32_MAX, 0}, {0, 1}, {0, PIECE}, {2, BLOCK_SIZE}, {0, UINT32_MAX},
		{0, UINT32_MAX - BLOCK_SIZE + 1}};
	struct rng rng;
	struct picker *p = new_picker(3, &rng, 8);
	uint32_t others[PICKER_REQUESTERS_MAX];
	unsigned n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(picker_received(p, 1, bad[i].piece, bad[i].begin, others, &n),
			GOT_UNWANTED);
		picker_cancelled(p, 1, bad[i].piece, bad[i].begin);
		assert_int_equal(picker_block_length(p, bad[i].piece, bad[i].begin), 0);
	}
	assert_int_equal(picker_partials(p), 0);
	picker_free(&p);
}

static void test_saved_partials(void **state)
{
	struct rng rng;
	struct picker *p;
	uint8_t bitmap[PICKER_BITMAP_MAX];
	uint32_t iter = 0, piece;
	size_t n;

	(void)state;
	rng_seed(&rng, 9);
	p = picker_new(2, PICKER_PIECE_LENGTH_MAX,
		(uint64_t)PICKER_PIECE_LENGTH_MAX + 9 * BLOCK_SIZE, &rng);
	assert_int_equal(picker_blocks(p, 0), PICKER_BLOCKS_MAX);
	assert_int_equal(picker_load_partial(p, 1, (const uint8_t *)"\x81\x80", 2), E_OK);
	assert_int_equal(picker_load_partial(p, 1, (const uint8_t *)"\x81\x80", 2), E_EXISTS);
	assert_int_equal(picker_blocks_here(p, 1), 3);
	assert_int_equal(picker_sender(p, 1, 0), PICKER_NOBODY);
	assert_int_equal(picker_contributors(p, 1, &piece, 1), 0);
	assert_true(picker_save_partial(p, &iter, &piece, bitmap, &n));
	assert_int_equal(piece, 1);
	assert_int_equal(n, 2);
	assert_memory_equal(bitmap, "\x81\x80", 2);
	assert_false(picker_save_partial(p, &iter, &piece, bitmap, &n));
	picker_write_failed(p, 1);
	assert_int_equal(picker_partials(p), 0);
	assert_int_equal(picker_load_partial(p, 1, (const uint8_t *)"\x81\xc0", 2), E_RANGE);
	assert_int_equal(picker_load_partial(p, 1, (const uint8_t *)"\x81", 1), E_RANGE);
	assert_int_equal(picker_load_partial(p, 2, (const uint8_t *)"\x81", 1), E_RANGE);
	assert_int_equal(picker_load_partial(p, 1, (const uint8_t *)"\xff\x80", 2), E_OK);
	assert_true(picker_complete(p, 1));
	memset(bitmap, 0, sizeof bitmap);
	assert_int_equal(picker_load_partial(p, 0, bitmap, sizeof bitmap), E_OK);
	assert_int_equal(picker_partials(p), 1);
	picker_check(p);
	picker_free(&p);
}

/* A torrent at the limits, and peers that have next to nothing of it. */
static void test_huge(void **state)
{
	static const struct pick_opts plain;
	struct rng rng;
	uint32_t pieces = PICKER_PIECES_MAX;
	struct picker *p;
	struct bitfield has;
	struct pick out[3];

	(void)state;
	rng_seed(&rng, 10);
	p = picker_new(pieces, PICKER_PIECE_LENGTH_MAX,
		(uint64_t)(pieces - 1) * PICKER_PIECE_LENGTH_MAX + 1, &rng);
	bitfield_init(&has, pieces);
	bitfield_set(&has, pieces - 1);
	bitfield_set(&has, 12345);
	picker_join(p, &has);
	picker_have(p, 12345);
	assert_int_equal(picker_pick(p, 1, &has, &plain, out, 3), 3);
	assert_int_equal(out[0].piece, pieces - 1);
	assert_int_equal(out[0].length, 1);
	assert_int_equal(out[2].piece, 12345);
	picker_priorities(p, 0, pieces - 1, 0);
	assert_int_equal(picker_wanted_left(p), 1);
	bitfield_free(&has);
	picker_check(p);
	picker_free(&p);
}

static void test_random_first(void **state)
{
	static const struct pick_opts plain;
	struct bitfield has = bits_of(NULL, 9);
	unsigned common = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct rng rng;
		struct picker *p = new_picker(9, &rng, seed);
		struct pick pick;

		picker_random_first(p, 4);
		join_all(p, "199999999");
		assert_int_equal(picker_pick(p, 1, &has, &plain, &pick, 1), 1);
		common += pick.piece != 0;
		picker_free(&p);
	}
	assert_in_range(common, 75, 99);
	bitfield_free(&has);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pictures),
		cmocka_unit_test(test_blocks_in_order),
		cmocka_unit_test(test_endgame),
		cmocka_unit_test(test_endgame_late),
		cmocka_unit_test(test_endgame_unreachable),
		cmocka_unit_test(test_fast_peers_alone),
		cmocka_unit_test(test_partial_bound),
		cmocka_unit_test(test_seed_bookkeeping),
		cmocka_unit_test(test_piece_life),
		cmocka_unit_test(test_bad_blocks),
		cmocka_unit_test(test_saved_partials),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_random_first),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
