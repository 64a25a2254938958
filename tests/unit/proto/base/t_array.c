/* SPDX-License-Identifier: MIT */
/* The growing array: what is in it stays, and room comes in steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/array.h"

static void test_push_keeps_what_is_there(void **state)
{
	uint32_t *list = NULL, n = 0, room = 0, moves = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		uint32_t before = room;

		ARRAY_PUSH(list, n, room, i * 3);
		moves += room != before;
	}
	assert_int_equal(n, 10000);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(list[i], i * 3);
	assert_true(moves < 25);
	xfree(list);
}

static void test_reserve_makes_room_once(void **state)
{
	uint64_t *list = NULL;
	uint32_t n = 0, room = 0, had;

	(void)state;
	ARRAY_RESERVE(list, n, room, 1000);
	assert_true(room >= 1000);
	had = room;
	for (uint32_t i = 0; i < 1000; i++)
		ARRAY_PUSH(list, n, room, i);
	assert_int_equal(room, had);
	xfree(list);
}

static void test_room_at_the_end_of_the_range(void **state)
{
	(void)state;
	assert_int_equal(array_room(0, 1), 8);
	assert_int_equal(array_room(UINT32_MAX - 1, UINT32_MAX), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_push_keeps_what_is_there),
		cmocka_unit_test(test_reserve_makes_room_once),
		cmocka_unit_test(test_room_at_the_end_of_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
