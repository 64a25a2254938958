/* SPDX-License-Identifier: MIT */
/* The generator: same seed same run, even, unbiased, and shuffles that are permutations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/rng.h"

/* The state after seeding is known for splitmix64 from 0; the first outputs follow from it. */
static void test_known_values(void **state)
{
	static const uint64_t want[4] = {UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4),
		UINT64_C(0x06c45d188009454f), UINT64_C(0xf88bb8a8724c81ec)};
	struct rng r;

	(void)state;
	rng_seed(&r, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(r.s[i] == want[i]);
	assert_true(rng_u64(&r) == UINT64_C(0x99ec5f36cb75f2b4));
	assert_true(rng_u64(&r) == UINT64_C(0xbf6e1f784956452a));
}

static void test_same_seed(void **state)
{
	struct rng a, b, c;
	unsigned same = 0;

	(void)state;
	rng_seed(&a, 7);
	rng_seed(&b, 7);
	rng_seed(&c, 8);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t v = rng_u64(&a);

		assert_true(v == rng_u64(&b));
		same += v == rng_u64(&c);
	}
	assert_int_equal(same, 0);
}

static void test_below(void **state)
{
	static const uint32_t limits[] = {2, 3, 7, 10, 100};
	struct rng r;

	(void)state;
	rng_seed(&r, 1);
	assert_int_equal(rng_below(&r, 0), 0);
	assert_int_equal(rng_below(&r, 1), 0);
	for (size_t k = 0; k < ARRAY_LEN(limits); k++) {
		uint32_t seen[100] = {0}, n = limits[k];

		for (unsigned i = 0; i < 1000 * n; i++) {
			uint32_t v = rng_below(&r, n);

			assert_true(v < n);
			seen[v]++;
		}
		for (uint32_t i = 0; i < n; i++)
			assert_in_range(seen[i], 850, 1150);
	}
}

/* With three quarters of the range, plain scaling would favour a third of it twofold. */
static void test_below_large(void **state)
{
	uint32_t n = UINT32_C(3) << 30, third[3] = {0};
	struct rng r;

	(void)state;
	rng_seed(&r, 2);
	for (unsigned i = 0; i < 30000; i++)
		third[rng_below(&r, n) >> 30]++;
	for (unsigned i = 0; i < 3; i++)
		assert_in_range(third[i], 9600, 10400);
}

static void test_shuffle(void **state)
{
	uint32_t first[8] = {0};
	struct rng r;

	(void)state;
	rng_seed(&r, 3);
	for (unsigned k = 0; k < 8000; k++) {
		uint32_t v[8] = {0, 1, 2, 3, 4, 5, 6, 7}, set = 0;

		rng_shuffle_u32(&r, v, 8);
		for (unsigned i = 0; i < 8; i++)
			set |= 1u << v[i];
		assert_int_equal(set, 255);
		first[v[0]]++;
	}
	for (unsigned i = 0; i < 8; i++)
		assert_in_range(first[i], 850, 1150);
	rng_shuffle_u32(&r, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_same_seed),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_below_large),
		cmocka_unit_test(test_shuffle),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
