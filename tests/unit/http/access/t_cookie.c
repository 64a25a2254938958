/* SPDX-License-Identifier: MIT */
/* The cookie: found among others, set with all that guards it. */
#include "http/access/cookie.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void it_is_found_among_others(void **state)
{
	static const struct {
		const char *header, *value; /* NULL: it is not there */
	} rows[] = {
		{"torrentd-8080=abc", "abc"},
		{"a=b; torrentd-8080=abc; c=d", "abc"},
		{" ; torrentd-8080=abc;", "abc"},
		{"torrentd-8081=x; torrentd-8080=abc", "abc"},
		{"torrentd-8080=a=b", "a=b"},
		{"", NULL},
		{"torrentd-8080", NULL},
		{"torrentd-8080=", NULL},
		{"xtorrentd-8080=abc", NULL},
		{"torrentd-80801=abc", NULL},
		{"a=torrentd-8080=abc", NULL},
		{"torrentd-8080=1234567890", NULL}, /* more than there is room for */
		{"TORRENTD-8080=abc", NULL},
	};
	char value[10];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool found = cookie_find(rows[i].header, 8080, value, sizeof value);

		assert_int_equal(found, rows[i].value != NULL);
		if (found)
			assert_string_equal(value, rows[i].value);
	}
}

static void it_is_set_with_all_that_guards_it(void **state)
{
	struct cookie c = {.port = 8080, .base = "", .secret = "abc", .seconds = 60};
	char text[COOKIE_MAX];

	(void)state;
	cookie_set(text, &c);
	assert_string_equal(
		text, "torrentd-8080=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
	c.https = true;
	c.base = "/x/y";
	cookie_set(text, &c);
	assert_string_equal(text,
		"torrentd-8080=abc; Path=/x/y; HttpOnly; SameSite=Strict; Max-Age=60; Secure");
	c.secret = NULL;
	cookie_set(text, &c);
	assert_string_equal(
		text, "torrentd-8080=; Path=/x/y; HttpOnly; SameSite=Strict; Max-Age=0; Secure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_found_among_others),
		cmocka_unit_test(it_is_set_with_all_that_guards_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
