/* SPDX-License-Identifier: MIT */
/* How far clients are: numbers of answers, and trackers that have gone. */
#include "http/qbittorrent/sync.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void the_last_answers_are_remembered(void **state)
{
	static const uint32_t firsts[] = {0, 5, 0x3fffffff, 0x3ffffff0, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
		struct sync *s = sync_new(firsts[i]);
		struct sync_point p = {.rev = 1}, out;
		uint32_t first = sync_add(s, &p), rid = first;

		assert_true(first > 0 && first <= INT32_MAX);
		assert_true(sync_find(s, first, &out) && out.rev == 1);
		assert_false(sync_find(s, (int64_t)first + 1, &out));
		assert_false(sync_find(s, (int64_t)first - 1, &out));
		for (p.rev = 2; p.rev <= SYNC_POINTS; p.rev++)
			rid = sync_add(s, &p);
		assert_true(sync_find(s, first, &out) && out.rev == 1);
		assert_true(sync_find(s, rid, &out) && out.rev == SYNC_POINTS);
		rid = sync_add(s, &p);
		assert_false(sync_find(s, first, &out));
		assert_true(sync_find(s, rid, &out) && out.rev == SYNC_POINTS + 1);
		sync_free(&s);
	}
}

static void what_is_no_number_of_an_answer_is_not_known(void **state)
{
	static const int64_t rids[] = {
		0, -1, INT64_MIN, INT64_MAX, INT64_C(1) << 31, (INT64_C(1) << 30) + 1};
	struct sync *s = sync_new(0);
	struct sync_point p = {.rev = 1};

	(void)state;
	assert_false(sync_find(s, 1, &p));
	sync_add(s, &p);
	for (size_t i = 0; i < ARRAY_LEN(rids); i++)
		assert_false(sync_find(s, rids[i], &p));
	sync_free(&s);
}

static void a_tracker_that_goes_is_noticed(void **state)
{
	static const char *const abc[] = {"a", "b", "c"}, *const ac[] = {"a", "c"},
				 *const abcd[] = {"a", "b", "c", "d"};
	struct sync *s = sync_new(0);

	(void)state;
	assert_int_equal(sync_trackers(s, abc, 3, 5), 0);
	assert_int_equal(sync_trackers(s, abcd, 4, 6), 0);
	assert_int_equal(sync_trackers(s, abc, 3, 7), 7);
	assert_int_equal(sync_trackers(s, ac, 2, 8), 8);
	assert_int_equal(sync_trackers(s, ac, 2, 9), 8);
	assert_int_equal(sync_trackers(s, abc, 3, 10), 8);
	assert_int_equal(sync_trackers(s, NULL, 0, 11), 11);
	sync_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_answers_are_remembered),
		cmocka_unit_test(what_is_no_number_of_an_answer_is_not_known),
		cmocka_unit_test(a_tracker_that_goes_is_noticed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
