/* SPDX-License-Identifier: MIT */
/* Objects by reference: a stale reference finds nothing, a slot is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/msg/tref_table.h"

static struct tref ref(uint32_t slot, uint16_t gen)
{
	return (struct tref){.slot = slot, .gen = gen};
}

static void test_find_by_slot_and_generation(void **state)
{
	struct tref_table t = {0};
	int a, b;

	(void)state;
	assert_null(tref_table_get(&t, ref(0, 0)));
	tref_table_put(&t, ref(3, 1), &a);
	tref_table_put(&t, ref(1000, 9), &b);
	assert_ptr_equal(tref_table_get(&t, ref(3, 1)), &a);
	assert_ptr_equal(tref_table_get(&t, ref(1000, 9)), &b);
	assert_null(tref_table_get(&t, ref(3, 2)));
	assert_null(tref_table_get(&t, ref(4, 1)));
	assert_null(tref_table_get(&t, ref(1001, 9)));
	assert_int_equal(t.used, 2);
	tref_table_fini(&t);
}

static void test_a_slot_is_used_again(void **state)
{
	struct tref_table t = {0};
	int old, young;

	(void)state;
	tref_table_put(&t, ref(5, 1), &old);
	tref_table_remove(&t, ref(5, 1));
	assert_null(tref_table_get(&t, ref(5, 1)));
	assert_null(tref_table_at(&t, 5));
	tref_table_put(&t, ref(5, 2), &young);
	assert_null(tref_table_get(&t, ref(5, 1)));
	assert_ptr_equal(tref_table_get(&t, ref(5, 2)), &young);
	assert_ptr_equal(tref_table_at(&t, 5), &young);
	assert_int_equal(t.used, 1);
	tref_table_fini(&t);
}

static void test_what_is_to_come_differs_from_what_has_gone(void **state)
{
	struct tref_table t = {0};
	int old, wrapped;

	(void)state;
	assert_true(tref_table_awaits(&t, ref(5, 1)));
	tref_table_put(&t, ref(5, UINT16_MAX), &old);
	assert_false(tref_table_awaits(&t, ref(5, UINT16_MAX)));
	assert_true(tref_table_awaits(&t, ref(4, 1)));
	assert_true(tref_table_awaits(&t, ref(5, 0)));
	tref_table_remove(&t, ref(5, UINT16_MAX));
	assert_false(tref_table_awaits(&t, ref(5, UINT16_MAX)));
	assert_false(tref_table_awaits(&t, ref(5, UINT16_MAX - 1)));
	tref_table_put(&t, ref(5, 0), &wrapped);
	assert_false(tref_table_awaits(&t, ref(5, UINT16_MAX)));
	assert_true(tref_table_awaits(&t, ref(5, 1)));
	tref_table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_by_slot_and_generation),
		cmocka_unit_test(test_a_slot_is_used_again),
		cmocka_unit_test(test_what_is_to_come_differs_from_what_has_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
