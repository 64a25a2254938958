/* SPDX-License-Identifier: MIT */
/* Scopes, and the tokens in memory: found, expired, used, revoked, and which one makes room. */
#include "http/access/tokens.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "http/access/scope.h"

static void scopes_have_names(void **state)
{
	static const struct {
		const char *list;
		bool good;
		unsigned scopes;
	} rows[] = {
		{"read", true, SCOPE_READ},
		{"admin,read", true, SCOPE_READ | SCOPE_ADMIN},
		{"read,add,manage,admin", true, SCOPE_ALL},
		{"read,read", true, SCOPE_READ},
		{"", false, 0},
		{"read,", false, 0},
		{",read", false, 0},
		{"read, add", false, 0},
		{"READ", false, 0},
		{"all", false, 0},
	};
	unsigned scopes;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(scope_parse(rows[i].list, &scopes), rows[i].good);
		if (rows[i].good)
			assert_int_equal(scopes, rows[i].scopes);
	}
	assert_string_equal(scope_name(SCOPE_ADMIN | SCOPE_MANAGE), "manage");
	assert_null(scope_name(SCOPE_ALL + 1));
}

static void a_secret_is_new_each_time_and_is_kept_nowhere(void **state)
{
	struct token_record a = {.name = "a"}, b = {.name = "b"};
	char secret_a[TOKEN_SECRET], secret_b[TOKEN_SECRET];
	uint8_t digest[32];

	(void)state;
	token_make(&a, secret_a);
	token_make(&b, secret_b);
	assert_string_not_equal(secret_a, secret_b);
	assert_int_equal(strlen(secret_a), TOKEN_SECRET - 1);
	assert_null(memmem(&a, sizeof a, secret_a + 3, 16));
	token_digest(secret_a, digest);
	assert_memory_equal(digest, a.digest, sizeof digest);
}

static void who_has_the_secret_is_found_until_it_expires(void **state)
{
	struct token_record t[] = {
		{.id = 1, .expires = 50},
		{.id = 2},
	};
	char secret[2][TOKEN_SECRET];
	struct tokens *ts;

	(void)state;
	token_make(&t[0], secret[0]);
	token_make(&t[1], secret[1]);
	ts = tokens_new(t, 2);
	assert_int_equal(tokens_find(ts, secret[0], 49)->id, 1);
	assert_null(tokens_find(ts, secret[0], 50));
	assert_true(tokens_valid(ts, 1, 49) && tokens_valid(ts, 2, 50) && tokens_valid(ts, 0, 50));
	assert_false(tokens_valid(ts, 1, 50) || tokens_valid(ts, 3, 0));
	assert_int_equal(tokens_find(ts, secret[1], INT64_MAX)->id, 2);
	assert_null(tokens_find(ts, "", 0));
	assert_null(tokens_find(ts, "td-", 0));
	assert_non_null(tokens_by_id(ts, 1));
	tokens_drop(ts, 1);
	assert_null(tokens_by_id(ts, 1));
	tokens_drop(ts, 1);
	assert_null(tokens_find(ts, secret[0], 0));
	assert_int_equal(tokens_at(ts, 0)->id, 2);
	assert_null(tokens_at(ts, 1));
	tokens_free(&ts);
}

static void its_use_is_told_once_an_hour(void **state)
{
	struct token_record t = {.id = 5, .used = 1000};
	struct tokens *ts = tokens_new(&t, 1);

	(void)state;
	assert_false(tokens_use(ts, 5, 4599));
	assert_true(tokens_use(ts, 5, 4600));
	assert_false(tokens_use(ts, 5, 4601));
	assert_int_equal(tokens_by_id(ts, 5)->used, 4600);
	assert_false(tokens_use(ts, 6, 9999));
	tokens_free(&ts);
}

static void what_has_expired_makes_room_and_then_the_oldest_device(void **state)
{
	struct token_record t[] = {
		{.id = 1, .kind = TOKEN_KEY, .created = 1},
		{.id = 2, .kind = TOKEN_DEVICE, .created = 2, .used = 90},
		{.id = 3, .kind = TOKEN_DEVICE, .created = 3, .used = 40},
		{.id = 4, .kind = TOKEN_KEY, .created = 4, .expires = 100},
	};
	struct tokens *ts = tokens_new(t, ARRAY_LEN(t));

	(void)state;
	assert_int_equal(tokens_spare(ts, TOKEN_KEY, 100)->id, 4);
	assert_null(tokens_spare(ts, TOKEN_KEY, 99));
	assert_int_equal(tokens_spare(ts, TOKEN_DEVICE, 99)->id, 3);
	assert_false(tokens_full(ts));
	for (unsigned i = ARRAY_LEN(t); i < TOKENS_MAX; i++)
		tokens_add(ts, &(struct token_record){.id = i + 1});
	assert_true(tokens_full(ts));
	tokens_free(&ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes_have_names),
		cmocka_unit_test(a_secret_is_new_each_time_and_is_kept_nowhere),
		cmocka_unit_test(who_has_the_secret_is_found_until_it_expires),
		cmocka_unit_test(its_use_is_told_once_an_hour),
		cmocka_unit_test(what_has_expired_makes_room_and_then_the_oldest_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
