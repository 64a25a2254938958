/* SPDX-License-Identifier: MIT */
/* Parts that share a limit get what they need of it, and all of it is given out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/swarm/bandwidth.h"

#define PARTS 3

static const struct division {
	const char *name;
	uint64_t limit;
	unsigned n;
	struct bandwidth before[PARTS];
	uint64_t after[PARTS];
} divisions[] = {
	{"unlimited", 0, 2, {{500, 2, 0}, {500, 2, 0}}, {0, 0}},
	{"alone", 1000, 1, {{1000, 9, 1000}}, {1000}},
	{"nobody uses it", 1200, 3, {{0}}, {400, 400, 400}},
	{"a limit of less than one each", 1, 3, {{0}}, {1, 1, 1}},
	{"one lacks", 10000, 2, {{5000, 1, 5000}, {0, 0, 5000}}, {9950, 50}},
	{"one lacks, the other uses some", 10000, 2, {{5000, 1, 5000}, {2000, 0, 5000}},
		{7500, 2500}},
	{"both lack", 9000, 2, {{8900, 1, 8955}, {45, 1, 45}}, {4500, 4500}},
	{"the least there is was not used up", 9000, 2, {{8900, 1, 8955}, {10, 1, 45}},
		{4500, 4500}},
	{"both lack, by weight", 9000, 2, {{4500, 2, 4500}, {4500, 1, 4500}}, {6000, 3000}},
	{"weight is of no use to who needs little", 9000, 2, {{900, 9, 4500}, {4500, 1, 4500}},
		{1125, 7875}},
	{"enough for all", 9000, 3, {{800, 0, 3000}, {800, 0, 3000}, {0, 0, 3000}},
		{1000 + 2323, 1000 + 2323, 30 + 2323}},
	{"used more than there is", 9000, 2, {{UINT64_MAX, 1, 4500}, {UINT64_MAX, 0, 4500}},
		{4500, 4500}},
	{"endless weight", UINT64_C(64) << 30, 2,
		{{UINT64_C(32) << 30, UINT32_MAX, UINT64_C(32) << 30}, {0, 0, UINT64_C(32) << 30}},
		{(UINT64_C(64) << 30) - 343597383, 343597383}},
};

static void test_divisions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(divisions); i++) {
		const struct division *c = &divisions[i];
		struct bandwidth v[PARTS];
		uint64_t sum = 0;

		memcpy(v, c->before, sizeof v);
		bandwidth_divide(c->limit, v, c->n);
		for (unsigned k = 0; k < c->n; k++) {
			sum += v[k].rate;
			if (v[k].rate != c->after[k])
				fail_msg("%s: part %u gets %ju instead of %ju", c->name, k,
					(uintmax_t)v[k].rate, (uintmax_t)c->after[k]);
		}
		if (c->limit > c->n && (sum > c->limit || sum + c->n < c->limit))
			fail_msg("%s: %ju in all", c->name, (uintmax_t)sum);
	}
}

/* One who wants all and one who begins late: half each within two reports. */
static void test_newcomer(void **state)
{
	struct bandwidth v[2] = {{0}};

	(void)state;
	bandwidth_divide(100000, v, 2);
	for (unsigned i = 0; i < 3; i++) {
		v[0].used = v[0].rate;
		v[0].busy = 1;
		bandwidth_divide(100000, v, 2);
	}
	assert_true(v[0].rate >= 99000);
	for (unsigned i = 0; i < 2; i++) {
		v[0].used = v[0].rate;
		v[1].used = v[1].rate;
		v[1].busy = 1;
		bandwidth_divide(100000, v, 2);
	}
	assert_int_equal(v[0].rate, 50000);
	assert_int_equal(v[1].rate, 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_divisions),
		cmocka_unit_test(test_newcomer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
