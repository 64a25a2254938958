/* SPDX-License-Identifier: MIT */
/*
 * The choker: single rounds by table, then histories where chance is counted.
 *
 * In a row a peer is connected long ago unless it says more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/swarm/choker.h"

#define SECOND INT64_C(1000000)
#define NOW    (1000 * SECOND)
#define PEERS  40u

static const struct round {
	const char *name;
	enum choke_seed mode;
	bool seeding;
	uint32_t slots;
	struct choke_peer peers[6];
	const char *want; /* by peer: 1 slot, 0 none, ? by lot; then how many in all */
	unsigned total;
} rounds[] = {
	{"who gives most", CHOKE_FASTEST_UPLOAD, false, 3,
		{{.interested = true, .rate_in = 10}, {.interested = true, .rate_in = 50},
			{.interested = true, .rate_in = 30}, {.interested = true, .rate_in = 5}},
		"?11?", 3},
	{"uninterested and full ones hold no slot", CHOKE_FASTEST_UPLOAD, false, 3,
		{{.interested = true, .rate_in = 10}, {.rate_in = 50},
			{.interested = true, .upload_only = true, .rate_in = 30},
			{.interested = true, .rate_in = 5}},
		"1001", 2},
	{"they lose the one they have", CHOKE_FASTEST_UPLOAD, false, 3,
		{{.unchoked = true, .rate_in = 50}, {.interested = true},
			{.interested = true, .upload_only = true, .unchoked = true}},
		"010", 1},
	{"snubbed earns nothing", CHOKE_FASTEST_UPLOAD, false, 3,
		{{.interested = true, .snubbed = true, .unchoked = true, .rate_in = 99},
			{.interested = true, .rate_in = 1}, {.interested = true, .rate_in = 2},
			{.interested = true}, {.interested = true}, {.interested = true}},
		"?11???", 3},
	{"equals do not take turns", CHOKE_FASTEST_UPLOAD, false, 3,
		{{.interested = true, .rate_in = 7},
			{.interested = true, .rate_in = 7, .unchoked = true},
			{.interested = true, .rate_in = 7},
			{.interested = true, .rate_in = 7, .unchoked = true}},
		"?1?1", 3},
	{"seed: who takes most", CHOKE_FASTEST_UPLOAD, true, 3,
		{{.interested = true, .rate_out = 10, .rate_in = 99},
			{.interested = true, .rate_out = 50}, {.interested = true, .rate_out = 30},
			{.interested = true, .rate_out = 5}},
		"?11?", 3},
	{"seed: in turn", CHOKE_ROUND_ROBIN, true, 3,
		{{.interested = true, .unchoked = true, .unchoked_at = NOW - 59 * SECOND},
			{.interested = true,
				.unchoked = true,
				.unchoked_at = NOW - 61 * SECOND,
				.rate_out = 99},
			{.interested = true, .unchoked_at = NOW - 200 * SECOND},
			{.interested = true, .unchoked_at = NOW - 100 * SECOND},
			{.interested = true, .unchoked_at = INT64_MIN}},
		"10101", 3},
	{"seed: just begun or nearly done", CHOKE_ANTI_LEECH, true, 3,
		{{.interested = true, .progress = 500, .rate_out = 99},
			{.interested = true, .progress = 990}, {.interested = true, .progress = 5},
			{.interested = true, .progress = 400}},
		"?11?", 3},
	{"nobody", CHOKE_FASTEST_UPLOAD, false, 3, {{.rate_in = 1}}, "0", 0},
};

static unsigned count_wanted(const struct choke_peer *peers, size_t n)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		count += peers[i].want;
	return count;
}

static void check_round(const struct round *c, uint64_t seed, bool *lucky)
{
	struct choke_peer peers[6];
	struct choker choker;
	struct rng rng;
	size_t n = strlen(c->want);

	memcpy(peers, c->peers, sizeof peers);
	rng_seed(&rng, seed);
	choker_init(&choker, c->slots, c->slots, c->mode);
	choker_run(&choker, peers, n, c->seeding, 0, 0, NOW, &rng);
	for (size_t i = 0; i < n; i++) {
		if (c->want[i] != '?' && peers[i].want != (c->want[i] == '1'))
			fail_msg("%s: peer %zu %d", c->name, i, peers[i].want);
		lucky[i] |= peers[i].want;
		assert_true(!peers[i].optimistic || peers[i].want);
	}
	if (count_wanted(peers, n) != c->total)
		fail_msg("%s: %u slots", c->name, count_wanted(peers, n));
}

static void test_rounds(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(rounds); k++) {
		bool lucky[6] = {false};

		for (uint64_t seed = 0; seed < 100; seed++)
			check_round(&rounds[k], seed, lucky);
		for (size_t i = 0; i < strlen(rounds[k].want); i++)
			if (rounds[k].want[i] == '?' && !lucky[i])
				fail_msg("%s: peer %zu is never lucky", rounds[k].name, i);
	}
}

/* What the caller does with the answer. */
static void apply(struct choke_peer *peers, size_t n, int64_t now)
{
	for (size_t i = 0; i < n; i++) {
		if (peers[i].want && !peers[i].unchoked)
			peers[i].unchoked_at = now;
		peers[i].unchoked = peers[i].want;
	}
}

static void init_peers(struct choke_peer *peers, size_t n)
{
	memset(peers, 0, n * sizeof *peers);
	for (size_t i = 0; i < n; i++) {
		peers[i].id = (uint32_t)i;
		peers[i].interested = true;
		peers[i].unchoked_at = INT64_MIN;
	}
}

/* In a minute of rounds the lucky one changes at 30 s and nowhere else. */
static void test_rotation(void **state)
{
	struct choke_peer peers[8];
	struct choker c;
	struct rng rng;
	size_t lucky = 8, changes = 0, before;

	(void)state;
	rng_seed(&rng, 1);
	init_peers(peers, 8);
	for (size_t i = 0; i < 3; i++)
		peers[i].rate_in = 100;
	choker_init(&c, 4, 4, CHOKE_FASTEST_UPLOAD);
	for (int64_t t = 0; t < 60; t += 10) {
		choker_run(&c, peers, 8, false, 0, 0, NOW + t * SECOND, &rng);
		apply(peers, 8, NOW + t * SECOND);
		before = lucky;
		for (size_t i = 0; i < 8; i++)
			lucky = peers[i].optimistic ? i : lucky;
		assert_in_range(lucky, 3, 7);
		changes += before != lucky;
		assert_true(before == lucky || t == 0 || t == 30);
		assert_int_equal(count_wanted(peers, 8), 4);
	}
	assert_int_equal(changes, 2);
}

static void test_new_peers_luckier(void **state)
{
	unsigned new_ones = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct choke_peer peers[5];
		struct choker c;
		struct rng rng;

		rng_seed(&rng, seed);
		init_peers(peers, 5);
		peers[0].rate_in = 9;
		peers[1].connected_at = NOW - SECOND;
		choker_init(&c, 2, 2, CHOKE_FASTEST_UPLOAD);
		choker_run(&c, peers, 5, false, 0, 0, NOW, &rng);
		new_ones += peers[1].want;
	}
	assert_in_range(new_ones, 900, 1100); /* 3 of 6 lots */
}

/* Between rounds nobody who is interested loses; a slot that falls free is given away. */
static void test_between_rounds(void **state)
{
	struct choke_peer peers[6];
	struct choker c;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	init_peers(peers, 6);
	peers[0].rate_in = peers[1].rate_in = peers[2].rate_in = 100;
	choker_init(&c, 4, 4, CHOKE_FASTEST_UPLOAD);
	choker_run(&c, peers, 6, false, 0, 0, NOW, &rng);
	apply(peers, 6, NOW);
	peers[0].rate_in = 0;
	for (size_t i = 3; i < 6; i++)
		peers[i].rate_in = 500;
	choker_run(&c, peers, 6, false, 0, 0, NOW + SECOND, &rng);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(peers[i].want, peers[i].unchoked);
	peers[1].interested = false;
	choker_run(&c, peers, 6, false, 0, 0, NOW + 2 * SECOND, &rng);
	assert_int_equal(count_wanted(peers, 6), 4);
	assert_false(peers[1].want);
	apply(peers, 6, NOW);
	choker_run(&c, peers, 6, false, 0, 0, NOW + 10 * SECOND, &rng);
	assert_false(peers[0].want && !peers[0].optimistic);
	/* The rotation is due soon, but it waits for a round. */
	choker_run(&c, peers, 6, false, 0, 0, NOW + 20 * SECOND, &rng);
	apply(peers, 6, NOW);
	for (unsigned i = 0; i < 20; i++) {
		choker_run(&c, peers, 6, false, 0, 0, NOW + 29 * SECOND, &rng);
		for (size_t k = 0; k < 6; k++)
			assert_int_equal(peers[k].want, peers[k].unchoked);
	}
	bool first = peers[0].optimistic;

	choker_run(&c, peers, 6, false, 0, 0, NOW + 30 * SECOND, &rng);
	assert_int_equal(peers[0].optimistic, !first);
	assert_int_equal(peers[2].optimistic, first);
}

static const struct growth {
	const char *name;
	uint64_t rate, limit;
	unsigned interested, rounds;
	uint32_t low, high; /* slots at the end, started with 4, at most 20 */
} growths[] = {
	{"idle link", 0, 0, 40, 10, 4, 4},
	{"fast link without limit", 200 << 20, 0, 40, 4, 20, 20},
	{"slow link without limit", 40 << 10, 0, 40, 10, 5, 6},
	{"limit not reached", 500 << 10, 1 << 20, 40, 10, 13, 14},
	{"limit reached", 1 << 20, 1 << 20, 40, 10, 4, 4},
	{"nobody waits", 200 << 20, 0, 4, 10, 4, 4},
};

static void test_slots_grow(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(growths); k++) {
		const struct growth *g = &growths[k];
		struct choke_peer peers[PEERS];
		struct choker c;
		struct rng rng;

		rng_seed(&rng, 6);
		init_peers(peers, g->interested);
		choker_init(&c, 4, 20, CHOKE_FASTEST_UPLOAD);
		for (unsigned i = 0; i < g->rounds; i++) {
			choker_run(&c, peers, g->interested, true, g->rate, g->limit,
				NOW + i * CHOKER_ROUND_US, &rng);
			apply(peers, g->interested, NOW);
			assert_true(count_wanted(peers, g->interested) <= c.slots);
		}
		if (c.slots < g->low || c.slots > g->high)
			fail_msg("%s: %u slots", g->name, c.slots);
	}
}

/* A line that is full at 16 KiB/s is given to fewer, down to the least; an idle one is not. */
static void test_slots_shrink(void **state)
{
	(void)state;
	for (unsigned hungry = 0; hungry < 2; hungry++) {
		struct choke_peer peers[PEERS];
		struct choker c;
		struct rng rng;

		rng_seed(&rng, 7);
		init_peers(peers, PEERS);
		choker_init(&c, 3, 0, CHOKE_FASTEST_UPLOAD);
		c.slots = 8;
		for (unsigned i = 0; i < 6; i++) {
			choker_run(&c, peers, PEERS, true, 16 << 10, 0, NOW + i * CHOKER_ROUND_US,
				&rng);
			apply(peers, PEERS, NOW);
			for (unsigned k = 0; k < PEERS; k++)
				peers[k].hungry = hungry && peers[k].unchoked;
		}
		assert_int_equal(c.slots, hungry ? 3 : 8);
	}
}

/* In turn means everyone: 40 peers, 4 slots, a minute each. */
static void test_round_robin_serves_all(void **state)
{
	struct choke_peer peers[PEERS];
	bool served[PEERS] = {false};
	struct choker c;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 7);
	init_peers(peers, PEERS);
	choker_init(&c, 4, 4, CHOKE_ROUND_ROBIN);
	for (int64_t t = 0; t < 60 * 10; t += 10) {
		choker_run(&c, peers, PEERS, true, 0, 0, NOW + t * SECOND, &rng);
		apply(peers, PEERS, NOW + t * SECOND);
		assert_int_equal(count_wanted(peers, PEERS), 4);
		for (unsigned i = 0; i < PEERS; i++)
			served[i] |= peers[i].unchoked;
	}
	for (unsigned i = 0; i < PEERS; i++)
		assert_true(served[i]);
}

/* A free rider gets its share of luck and no more. */
static void test_free_rider(void **state)
{
	struct choke_peer peers[10];
	unsigned rider = 0, giver = 0;
	struct choker c;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 8);
	init_peers(peers, 10);
	for (size_t i = 0; i < 9; i++)
		peers[i].rate_in = 1000 + i;
	choker_init(&c, 4, 4, CHOKE_FASTEST_UPLOAD);
	for (int64_t t = 0; t < 10000; t += 10) {
		choker_run(&c, peers, 10, false, 0, 0, NOW + t * SECOND, &rng);
		apply(peers, 10, NOW + t * SECOND);
		rider += peers[9].unchoked;
		giver += peers[8].unchoked;
	}
	assert_int_equal(giver, 1000);
	assert_in_range(rider, 50, 250);
}

/* Any table, any call: slots are never exceeded and never left empty while somebody waits. */
static void test_any_table(void **state)
{
	struct choke_peer peers[PEERS];
	struct choker c;
	struct rng rng;
	int64_t now = NOW;

	(void)state;
	rng_seed(&rng, 9);
	init_peers(peers, PEERS);
	choker_init(&c, 3, 0, CHOKE_FASTEST_UPLOAD);
	for (unsigned k = 0; k < 5000; k++) {
		unsigned eligible = 0;

		c.mode = (enum choke_seed)rng_below(&rng, 3);
		for (unsigned i = 0; i < PEERS; i++) {
			peers[i].interested = rng_below(&rng, 8) > 0;
			peers[i].upload_only = rng_below(&rng, 8) == 0;
			peers[i].snubbed = rng_below(&rng, 4) == 0;
			peers[i].rate_in = rng_below(&rng, 5);
			peers[i].rate_out = rng_below(&rng, 5);
			eligible += peers[i].interested && !peers[i].upload_only;
		}
		choker_run(&c, peers, PEERS, rng_below(&rng, 2), rng_u64(&rng) >> 36,
			rng_below(&rng, 2) << 20, now, &rng);
		apply(peers, PEERS, now);
		assert_int_equal(count_wanted(peers, PEERS), MIN(eligible, c.slots));
		now += rng_below(&rng, 15) * SECOND;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_new_peers_luckier),
		cmocka_unit_test(test_between_rounds),
		cmocka_unit_test(test_slots_grow),
		cmocka_unit_test(test_slots_shrink),
		cmocka_unit_test(test_round_robin_serves_all),
		cmocka_unit_test(test_free_rider),
		cmocka_unit_test(test_any_table),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
