/* SPDX-License-Identifier: MIT */
/* Which part of something a Range header asks for. */
#include "http/server/range.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void ranges(void **state)
{
	static const struct {
		const char *header;
		uint64_t size;
		enum range is;
		uint64_t from, n;
	} rows[] = {
		{NULL, 100, RANGE_ALL, 0, 0},
		{"", 100, RANGE_ALL, 0, 0},
		{"bytes=0-", 100, RANGE_PART, 0, 100},
		{"bytes=0-0", 100, RANGE_PART, 0, 1},
		{"Bytes= 10-19", 100, RANGE_PART, 10, 10},
		{"bytes=90-1000", 100, RANGE_PART, 90, 10},
		{"bytes=99-", 100, RANGE_PART, 99, 1},
		{"bytes=100-", 100, RANGE_NONE, 0, 0},
		{"bytes=0-", 0, RANGE_NONE, 0, 0},
		{"bytes=-1", 100, RANGE_PART, 99, 1},
		{"bytes=-1000", 100, RANGE_PART, 0, 100},
		{"bytes=-0", 100, RANGE_NONE, 0, 0},
		{"bytes=-5", 0, RANGE_NONE, 0, 0},
		{"bytes=0-18446744073709551615", 100, RANGE_PART, 0, 100},
		/* what is malformed counts as not there */
		{"bytes=5-4", 100, RANGE_ALL, 0, 0},
		{"bytes=0-18446744073709551616", 100, RANGE_ALL, 0, 0},
		{"bytes=18446744073709551616-", 100, RANGE_ALL, 0, 0},
		{"bytes=a-", 100, RANGE_ALL, 0, 0},
		{"bytes=1", 100, RANGE_ALL, 0, 0},
		{"bytes=1-2-3", 100, RANGE_ALL, 0, 0},
		{"bytes=-", 100, RANGE_ALL, 0, 0},
		{"bytes=--1", 100, RANGE_ALL, 0, 0},
		{"bytes=1-2,4-5", 100, RANGE_ALL, 0, 0}, /* several: the whole */
		{"items=0-1", 100, RANGE_ALL, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t from = 0, n = 0;

		if (range_parse(rows[i].header, rows[i].size, &from, &n) != rows[i].is)
			fail_msg("%s of %d", rows[i].header, (int)rows[i].size);
		if (rows[i].is != RANGE_PART)
			continue;
		assert_true(from == rows[i].from && n == rows[i].n);
	}
}

static void tags(void **state)
{
	(void)state;
	assert_true(tag_is_named("\"a-1\"", "\"a-1\""));
	assert_true(tag_is_named("W/\"b\", W/\"a-1\"", "\"a-1\""));
	assert_true(tag_is_named("*", "\"a-1\""));
	assert_false(tag_is_named(NULL, "\"a-1\""));
	assert_false(tag_is_named("", "\"a-1\""));
	assert_false(tag_is_named("\"a-12\"", "\"a-1\""));
	assert_false(tag_is_named("\"ba-1\"", "\"a-1\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ranges), cmocka_unit_test(tags)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
