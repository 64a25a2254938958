/* SPDX-License-Identifier: MIT */
/* Pairings: once, soon, and five wrong codes end all that wait. */
#include "http/access/pairings.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct made {
	char code[PAIRING_CODE], secret[TOKEN_SECRET];
};

static struct made make(struct pairings *ps, unsigned scopes, int64_t now)
{
	struct made m;

	assert_int_equal(pairings_add(ps, scopes, now, m.code, m.secret), now + PAIRING_TIME);
	return m;
}

static void a_code_can_be_read_aloud(void **state)
{
	struct pairings *ps = pairings_new();

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct made m = make(ps, 1, 0);

		assert_int_equal(strlen(m.code), 8);
		assert_null(strpbrk(m.code, "01OIL"));
		for (unsigned k = 0; k < 8; k++)
			assert_true(isupper((unsigned char)m.code[k]) ||
				    isdigit((unsigned char)m.code[k]));
	}
	pairings_free(&ps);
}

static void each_is_used_once_by_code_or_by_link(void **state)
{
	struct pairings *ps = pairings_new();
	struct made a = make(ps, 3, 100), b = make(ps, 5, 100);
	unsigned scopes = 0;

	(void)state;
	assert_true(pairings_take_code(ps, a.code, 101, &scopes));
	assert_int_equal(scopes, 3);
	assert_false(pairings_take_code(ps, a.code, 101, &scopes));
	assert_false(pairings_take_secret(ps, a.secret, 101, &scopes));
	assert_false(pairings_take_secret(ps, b.code, 101, &scopes));
	assert_true(pairings_take_secret(ps, b.secret, 101, &scopes));
	assert_int_equal(scopes, 5);
	assert_false(pairings_take_secret(ps, b.secret, 101, &scopes));
	pairings_free(&ps);
}

static void a_code_is_read_as_people_type_it(void **state)
{
	struct pairings *ps = pairings_new();
	unsigned scopes;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct made m = make(ps, 1, 0);
		char typed[20];

		for (char *p = m.code; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		snprintf(typed, sizeof typed, " %.4s-%.4s ", m.code, m.code + 4);
		assert_true(pairings_take_code(ps, typed, 0, &scopes));
	}
	pairings_free(&ps);
}

static void it_ends_after_five_minutes(void **state)
{
	struct pairings *ps = pairings_new();
	struct made a = make(ps, 1, 100), b = make(ps, 1, 100);
	unsigned scopes;

	(void)state;
	assert_true(pairings_take_code(ps, a.code, 100 + PAIRING_TIME - 1, &scopes));
	assert_false(pairings_take_secret(ps, b.secret, 100 + PAIRING_TIME, &scopes));
	pairings_free(&ps);
}

static void five_wrong_codes_end_all_codes_and_no_link(void **state)
{
	struct pairings *ps = pairings_new();
	struct made a = make(ps, 1, 0), b = make(ps, 1, 0), late;
	unsigned scopes;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_false(pairings_take_code(ps, "00000000", 1, &scopes));
	assert_false(pairings_take_code(ps, "", 1, &scopes)); /* cannot be one, so it is no try */
	assert_false(pairings_take_code(ps, "000000000", 1, &scopes));
	assert_true(pairings_take_code(ps, a.code, 1, &scopes));
	late = make(ps, 1, 1);
	assert_false(pairings_take_code(ps, "00000000", 1, &scopes));
	assert_false(pairings_take_code(ps, b.code, 1, &scopes));
	assert_true(pairings_take_secret(ps, b.secret, 1, &scopes));
	assert_true(pairings_take_code(ps, late.code, 1, &scopes));
	pairings_free(&ps);
}

static void the_oldest_makes_room(void **state)
{
	struct pairings *ps = pairings_new();
	struct made first = make(ps, 1, 0), second = make(ps, 1, 0);
	unsigned scopes;

	(void)state;
	for (unsigned i = 0; i < 15; i++)
		make(ps, 1, 0);
	assert_false(pairings_take_secret(ps, first.secret, 0, &scopes));
	assert_true(pairings_take_secret(ps, second.secret, 0, &scopes));
	pairings_free(&ps);
}

static void a_link_from_elsewhere_has_no_code(void **state)
{
	struct pairings *ps = pairings_new();
	struct token_record link = {.scopes = 7, .expires = 50};
	char secret[TOKEN_SECRET];
	unsigned scopes;

	(void)state;
	token_make(&link, secret);
	pairings_add_link(ps, &link);
	assert_false(pairings_take_code(ps, "", 0, &scopes));
	assert_false(pairings_take_secret(ps, secret, 50, &scopes));
	pairings_add_link(ps, &link);
	assert_true(pairings_take_secret(ps, secret, 49, &scopes));
	assert_int_equal(scopes, 7);
	pairings_free(&ps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_can_be_read_aloud),
		cmocka_unit_test(each_is_used_once_by_code_or_by_link),
		cmocka_unit_test(a_code_is_read_as_people_type_it),
		cmocka_unit_test(it_ends_after_five_minutes),
		cmocka_unit_test(five_wrong_codes_end_all_codes_and_no_link),
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(a_link_from_elsewhere_has_no_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
