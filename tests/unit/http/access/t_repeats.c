/* SPDX-License-Identifier: MIT */
/* Requests that come again: the first answer for the same, none for another, and room for all. */
#include "http/access/repeats.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t x[32] = {1}, y[32] = {2};

static const uint8_t *name(unsigned i)
{
	static uint8_t n[32];

	n[0] = (uint8_t)i;
	n[1] = (uint8_t)(i >> 8);
	n[2] = 7;
	return n;
}

static enum repeat begin(struct repeats *rs, unsigned i, const uint8_t request[32], int64_t now)
{
	struct repeat_answer first = {0};
	enum repeat what = repeats_begin(rs, name(i), request, now, &first);

	if (what == REPEAT_KNOWN) {
		assert_int_equal(first.status, 201);
		assert_string_equal(first.type, "text/plain");
		assert_int_equal(first.n, 3);
		assert_memory_equal(first.body, "one", 3);
	}
	return what;
}

static void done(struct repeats *rs, unsigned i)
{
	const struct repeat_answer a = {201, "text/plain", "one", 3};

	repeats_done(rs, name(i), &a);
}

static void what_comes_again_gets_the_first_answer(void **state)
{
	struct repeats *rs = repeats_new();

	(void)state;
	assert_int_equal(begin(rs, 0, x, 0), REPEAT_NEW);
	assert_int_equal(begin(rs, 0, x, 0), REPEAT_BUSY);
	assert_int_equal(begin(rs, 0, y, 0), REPEAT_OTHER);
	done(rs, 0);
	assert_int_equal(begin(rs, 0, x, REPEATS_TIME - 1), REPEAT_KNOWN);
	assert_int_equal(begin(rs, 0, x, REPEATS_TIME - 1), REPEAT_KNOWN);
	assert_int_equal(begin(rs, 0, y, REPEATS_TIME - 1), REPEAT_OTHER);
	assert_int_equal(begin(rs, 1, y, REPEATS_TIME - 1), REPEAT_NEW);
	assert_int_equal(begin(rs, 0, y, REPEATS_TIME), REPEAT_NEW);
	repeats_free(&rs);
}

static void what_came_to_nothing_may_come_again(void **state)
{
	static char large[REPEATS_ANSWER + 1];
	const struct repeat_answer a = {200, NULL, large, sizeof large};
	struct repeats *rs = repeats_new();

	(void)state;
	assert_int_equal(begin(rs, 0, x, 0), REPEAT_NEW);
	repeats_drop(rs, name(0));
	assert_int_equal(begin(rs, 0, y, 0), REPEAT_NEW);
	repeats_done(rs, name(0), &a);
	assert_int_equal(begin(rs, 0, x, 0), REPEAT_NEW);
	repeats_drop(rs, name(1));
	repeats_free(&rs);
}

static void the_oldest_makes_room(void **state)
{
	struct repeats *rs = repeats_new();

	(void)state;
	for (unsigned i = 0; i < REPEATS_MAX; i++) {
		assert_int_equal(begin(rs, i, x, 0), REPEAT_NEW);
		done(rs, i);
	}
	assert_int_equal(begin(rs, 0, x, 1), REPEAT_KNOWN);
	assert_int_equal(begin(rs, REPEATS_MAX, x, 1), REPEAT_NEW);
	assert_int_equal(begin(rs, 1, x, 1), REPEAT_KNOWN);
	assert_int_equal(begin(rs, 0, x, 1), REPEAT_NEW);
	for (unsigned i = 0; i < REPEATS_MAX; i++)
		(void)begin(rs, 1000 + i, x, 2);
	done(rs, 0); /* it has gone meanwhile */
	assert_int_equal(begin(rs, 0, x, 2), REPEAT_NEW);
	repeats_free(&rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_again_gets_the_first_answer),
		cmocka_unit_test(what_came_to_nothing_may_come_again),
		cmocka_unit_test(the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
