/* SPDX-License-Identifier: MIT */
/* Who is listened to: a flood silences the address that it comes from, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/dht/gate.h"

#define SEC INT64_C(1000000)

static struct endpoint v4(uint8_t a, uint8_t d)
{
	return (struct endpoint){
		.ip = {[10] = 0xff, [11] = 0xff, [12] = a, [13] = 2, [14] = 3, [15] = d},
		.port = 1};
}

static void flood(struct kad_gate *g, const struct endpoint *from, int64_t now)
{
	unsigned taken = 0;

	while (kad_gate_in(g, from, now))
		taken++;
	assert_in_range(taken, 40, 60);
}

static void test_flood(void **state)
{
	static const uint8_t secret[16] = {1};
	/* All share one place. */
	struct kad_gate_config c = {.out_rate = 100000, .slots = 1};
	struct kad_gate *g = kad_gate_new(&c, secret, SEC);
	struct endpoint loud = v4(1, 1), other = v4(9, 1);

	(void)state;
	flood(g, &loud, SEC);
	assert_false(kad_gate_in(g, &loud, 20 * SEC));
	assert_true(kad_gate_in(g, &other, 20 * SEC));
	assert_false(kad_gate_in(g, &loud, 299 * SEC));
	assert_true(kad_gate_in(g, &other, 300 * SEC));
	assert_true(kad_gate_in(g, &loud, 302 * SEC));
	kad_gate_free(&g);
	assert_null(g);
}

/* Who was asked may answer, though somebody sends much in its name. */
static void test_who_was_asked_is_heard(void **state)
{
	static const uint8_t secret[16] = {1};
	struct kad_gate_config c = {.out_rate = 100000, .slots = 64};
	struct kad_gate *g = kad_gate_new(&c, secret, SEC);
	struct endpoint loud = v4(1, 1), asked = loud;
	unsigned taken = 0;

	(void)state;
	asked.port = 2;
	flood(g, &loud, SEC);
	assert_false(kad_gate_in(g, &asked, 20 * SEC));
	kad_gate_asked(g, &asked, 100, 20 * SEC);
	assert_true(kad_gate_in(g, &asked, 20 * SEC));
	assert_false(kad_gate_in(g, &loud, 20 * SEC));
	/* Not more than its network may. */
	while (kad_gate_in(g, &asked, 20 * SEC) && taken < 1000)
		taken++;
	assert_in_range(taken, 100, 250);
	assert_false(kad_gate_in(g, &asked, 150 * SEC)); /* that is no longer recent */
	kad_gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_who_was_asked_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
