/* SPDX-License-Identifier: MIT */
/* Logins: they end by themselves, make room, and follow the password. */
#include "http/access/logins.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_login_lasts_while_it_is_used(void **state)
{
	struct logins *l = logins_new();
	struct login wish = {.scopes = 3, .token = 7}, out;
	char secret[TOKEN_SECRET];

	(void)state;
	logins_add(l, &wish, 100, secret);
	assert_false(logins_find(l, "td-other", 100, &out));
	assert_true(logins_find(l, secret, 100 + LOGIN_IDLE - 1, &out));
	assert_true(out.scopes == 3 && out.token == 7 && !out.local);
	assert_true(logins_find(l, secret, 100 + 2 * LOGIN_IDLE - 2, &out));
	assert_false(logins_find(l, secret, 100 + 3 * LOGIN_IDLE - 2, &out));
	assert_false(logins_find(l, secret, 100, &out));
	logins_free(&l);
}

static void a_logout_ends_one_and_another_password_those_without_a_token(void **state)
{
	struct logins *l = logins_new();
	struct login by_token = {.scopes = 1, .token = 7}, by_password = {.scopes = 15}, out;
	char a[TOKEN_SECRET], b[TOKEN_SECRET], c[TOKEN_SECRET];

	(void)state;
	logins_add(l, &by_token, 0, a);
	logins_add(l, &by_password, 0, b);
	logins_add(l, &by_password, 0, c);
	logins_drop(l, b);
	assert_true(logins_find(l, c, 0, &out) && !logins_find(l, b, 0, &out));
	logins_end(l);
	assert_true(logins_find(l, a, 0, &out) && !logins_find(l, c, 0, &out));
	logins_free(&l);
}

static void the_one_unused_for_longest_makes_room(void **state)
{
	struct logins *l = logins_new();
	struct login wish = {.scopes = 1}, out;
	char first[TOKEN_SECRET], second[TOKEN_SECRET], other[TOKEN_SECRET];

	(void)state;
	logins_add(l, &wish, 0, first);
	logins_add(l, &wish, 1, second);
	for (unsigned i = 2; i < LOGINS_MAX; i++)
		logins_add(l, &wish, 2, other);
	assert_true(logins_find(l, first, 3, &out));
	logins_add(l, &wish, 4, other);
	assert_true(logins_find(l, first, 5, &out) && logins_find(l, other, 5, &out));
	assert_false(logins_find(l, second, 5, &out));
	logins_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_lasts_while_it_is_used),
		cmocka_unit_test(a_logout_ends_one_and_another_password_those_without_a_token),
		cmocka_unit_test(the_one_unused_for_longest_makes_room),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
