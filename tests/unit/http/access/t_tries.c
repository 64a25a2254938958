/* SPDX-License-Identifier: MIT */
/* Wrong attempts: some are free, then each waits twice as long, and nobody pays for others. */
#include "http/access/tries.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct endpoint at(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse_ip(text, strlen(text), &e), E_OK);
	return e;
}

static void each_waits_twice_as_long_after_five(void **state)
{
	static const int64_t waits[] = {
		0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600};
	struct endpoint a = at("203.0.113.7");
	struct tries *t = tries_new();
	int64_t now = 1000;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		assert_int_equal(tries_wait(t, &a, now), 0);
		tries_failed(t, &a, now);
		assert_int_equal(tries_wait(t, &a, now), waits[i]);
		now += waits[i];
	}
	tries_free(&t);
}

static void a_right_one_or_an_hour_makes_all_free_again(void **state)
{
	struct endpoint a = at("203.0.113.7");
	struct tries *t = tries_new();

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		tries_failed(t, &a, 100);
	assert_int_equal(tries_wait(t, &a, 100), 1);
	tries_right(t, &a);
	for (unsigned i = 0; i < 5; i++)
		tries_failed(t, &a, 100);
	assert_int_equal(tries_wait(t, &a, 100), 0);
	tries_failed(t, &a, 100 + TRIES_WAIT);
	assert_int_equal(tries_wait(t, &a, 100 + TRIES_WAIT), 0);
	tries_free(&t);
}

static void an_address_of_ipv6_stands_for_its_64(void **state)
{
	struct endpoint a = at("2001:db8:1:2::1"), same = at("2001:db8:1:2:ffff::9"),
			other = at("2001:db8:1:3::1");
	struct tries *t = tries_new();

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		tries_failed(t, &a, 0);
	assert_int_equal(tries_wait(t, &same, 0), 4);
	assert_int_equal(tries_wait(t, &other, 0), 0);
	tries_free(&t);
}

static void loopback_is_never_shut_out_for_long(void **state)
{
	static const char *const local[] = {"127.0.0.1", "::1"};
	struct tries *t = tries_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(local); i++) {
		struct endpoint a = at(local[i]);

		for (unsigned k = 0; k < 100; k++)
			tries_failed(t, &a, 0);
		assert_int_equal(tries_wait(t, &a, 0), TRIES_WAIT_LOCAL);
	}
	tries_free(&t);
}

/* However many addresses somebody has, those who wait longest go on waiting. */
static void many_addresses_do_not_free_the_first(void **state)
{
	struct endpoint a = at("203.0.113.7");
	struct tries *t = tries_new();

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		tries_failed(t, &a, 0);
	for (uint32_t i = 0; i < 100000; i++) {
		struct endpoint e = endpoint_from_v4(
			(const uint8_t[]){10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i},
			0);

		tries_failed(t, &e, 0);
	}
	assert_int_equal(tries_wait(t, &a, 0), 64);
	tries_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_waits_twice_as_long_after_five),
		cmocka_unit_test(a_right_one_or_an_hour_makes_all_free_again),
		cmocka_unit_test(an_address_of_ipv6_stands_for_its_64),
		cmocka_unit_test(loopback_is_never_shut_out_for_long),
		cmocka_unit_test(many_addresses_do_not_free_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
