/* SPDX-License-Identifier: MIT */
/* User and password: right ones are remembered for a while, and few are checked a second. */
#include "http/access/basic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/base/encode.h"

/* Of "correct horse". */
#define HASH "$y$j9T$abcdefghijklmnopqrstu.$pk06PwnbQa631foWNYhw6N.E9wx6lICleH/SnT.xzi0"

static enum basic_outcome try(struct basic *b, const char *text, const char *hash, int64_t now)
{
	char header[400];

	base64_encode(text, strlen(text), header);
	return basic_check(b, header, "me", hash, now);
}

static void the_user_and_the_password_count(void **state)
{
	static const struct {
		const char *text;
		enum basic_outcome outcome;
	} rows[] = {
		{"me:correct horse", BASIC_RIGHT},
		{"me:correct horsf", BASIC_WRONG},
		{"me:", BASIC_WRONG},
		{"you:correct horse", BASIC_WRONG},
		{":correct horse", BASIC_WRONG},
		{"me", BASIC_WRONG},
		{"", BASIC_WRONG},
		{"me:correct horse:", BASIC_WRONG},
	};
	struct basic *b = basic_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(try(b, rows[i].text, HASH, (int64_t)i + 1), rows[i].outcome);
	assert_int_equal(basic_check(b, "*", "me", HASH, 100), BASIC_WRONG);
	/* Nothing is let in by what is no hash. */
	assert_int_equal(try(b, "me:*0", "*0", 101), BASIC_WRONG);
	assert_int_equal(try(b, "me:", "", 102), BASIC_WRONG);
	basic_free(&b);
}

static void what_was_right_is_remembered_and_all_else_waits(void **state)
{
	struct basic *b = basic_new();

	(void)state;
	assert_int_equal(try(b, "me:correct horse", HASH, 1), BASIC_RIGHT);
	for (unsigned i = 0; i < BASIC_A_SECOND - 1; i++)
		assert_int_equal(try(b, "me:wrong", HASH, 1), BASIC_WRONG);
	assert_int_equal(try(b, "me:wrong", HASH, 1), BASIC_BUSY);
	for (unsigned i = 0; i < 100000; i++) /* it would take half an hour otherwise */
		assert_int_equal(try(b, "me:correct horse", HASH, 1), BASIC_RIGHT);
	assert_int_equal(try(b, "me:wrong", HASH, 2), BASIC_WRONG);
	/* A password that is changed in the configuration is not remembered. */
	assert_int_equal(try(b, "me:correct horse", "*", 2), BASIC_WRONG);
	assert_int_equal(try(b, "me:correct horse", HASH, 1 + BASIC_TIME), BASIC_RIGHT);
	basic_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_user_and_the_password_count),
		cmocka_unit_test(what_was_right_is_remembered_and_all_else_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
