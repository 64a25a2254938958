/* SPDX-License-Identifier: MIT */
/* Limits hold in every second and over ten, from 4 KiB/s up; meters tell the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/swarm/rate.h"

#define SECOND    INT64_C(1000000)
#define MAX_STEPS 20000

static const struct limit {
	const char *name;
	uint64_t rate;
	int64_t look_us;  /* the owner looks this often; 0: it waits for bucket_next() */
	uint64_t message; /* what is sent whole when anything is allowed; 0: exactly what is allowed
			   */
} limits[] = {
	{"4 KiB/s, asleep between", 4096, 0, 0},
	{"4 KiB/s, each 10 ms", 4096, 10000, 0},
	{"50 KiB/s", 50 * 1024, 7000, 0},
	{"1 MiB/s, each 50 ms", 1 << 20, 50000, 0},
	{"1 MiB/s, whole blocks", 1 << 20, 1000, 16384 + 13},
	{"100 MiB/s, each ms", 100 << 20, 1000, 0},
	{"100 MiB/s, asleep between", 100 << 20, 0, 0},
	{"10 GiB/s", UINT64_C(10) << 30, 3000, 0},
};

struct sent {
	int64_t at;
	uint64_t n;
};

static uint64_t run_limit(const struct limit *c, struct sent *sent, unsigned *count)
{
	struct bucket b;
	uint64_t total = 0;
	int64_t now = 5 * SECOND, end = now + 10 * SECOND;

	bucket_init(&b, c->rate, now);
	for (*count = 0; now < end && *count < MAX_STEPS; ++*count) {
		uint64_t n = bucket_allow(&b, now);

		if (n > 0 && c->message != 0)
			n = c->message;
		bucket_spend(&b, n);
		sent[*count] = (struct sent){now, n};
		total += n;
		now = c->look_us ? now + c->look_us : bucket_next(&b, 1 << 30, now);
	}
	assert_true(now >= end);
	return total;
}

static void check_seconds(const struct limit *c, const struct sent *sent, unsigned count)
{
	uint64_t sum = 0, bound = c->rate + c->rate / 10 + c->message;
	unsigned tail = 0;

	for (unsigned i = 0; i < count; i++) {
		sum += sent[i].n;
		while (sent[i].at - sent[tail].at >= SECOND)
			sum -= sent[tail++].n;
		if (sum > bound)
			fail_msg("%s: %ju bytes in a second", c->name, (uintmax_t)sum);
	}
}

static void test_limits(void **state)
{
	struct sent *sent = xcalloc(MAX_STEPS, sizeof *sent);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct limit *c = &limits[i];
		unsigned count;
		uint64_t total = run_limit(c, sent, &count), want = 10 * c->rate;

		check_seconds(c, sent, count);
		if (total > want + want * 3 / 100 || total < want - want * 3 / 100)
			fail_msg(
				"%s: %ju of %ju bytes", c->name, (uintmax_t)total, (uintmax_t)want);
	}
	xfree(sent);
}

static void test_unlimited(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 0, 0);
	bucket_spend(&b, UINT64_MAX);
	assert_true(bucket_allow(&b, 1) == BUCKET_UNLIMITED);
	assert_true(bucket_next(&b, 1 << 30, 77) == 77);
	assert_true(bucket_burst(&b) == BUCKET_UNLIMITED);
}

/* In debt nothing is allowed until exactly when bucket_next() says. */
static void test_debt(void **state)
{
	struct bucket b;
	int64_t at;

	(void)state;
	bucket_init(&b, 12000, 0);
	assert_int_equal(bucket_allow(&b, 0), 1000);
	bucket_spend(&b, 13000);
	assert_int_equal(bucket_allow(&b, 0), 0);
	at = bucket_next(&b, 500, 0);
	assert_int_equal(at, (12000 + 500) * SECOND / 12000 + 1);
	assert_int_equal(bucket_allow(&b, at - 1), 499);
	assert_int_equal(bucket_allow(&b, at), 500);
	assert_int_equal(bucket_next(&b, 500, at), at);
	assert_int_equal(bucket_next(&b, UINT64_MAX, at), bucket_next(&b, 1000, at));
	assert_int_equal(bucket_allow(&b, at - 10 * SECOND), 500); /* a clock that went back */
	assert_int_equal(bucket_allow(&b, INT64_MAX / 2), 1000);
}

static void test_set_rate(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 12000, 0);
	bucket_spend(&b, 1000 + 6000);
	bucket_set_rate(&b, 24000, 0);
	assert_int_equal(bucket_allow(&b, SECOND / 4), 0);
	assert_int_equal(bucket_allow(&b, SECOND / 2), 2000);
	bucket_set_rate(&b, 1200, SECOND / 2);
	assert_int_equal(bucket_allow(&b, SECOND / 2), 100);
	bucket_spend(&b, 5000);
	bucket_set_rate(&b, 0, SECOND);
	assert_true(bucket_allow(&b, SECOND) == BUCKET_UNLIMITED);
	bucket_set_rate(&b, 1200, 100 * SECOND);
	assert_int_equal(bucket_allow(&b, 100 * SECOND), 0);
	assert_int_equal(bucket_allow(&b, 101 * SECOND), 100);
}

static void test_give_back(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 12000, 0);
	bucket_spend(&b, 700);
	bucket_give_back(&b, 200);
	assert_int_equal(bucket_allow(&b, 0), 500);
	bucket_give_back(&b, 499);
	assert_int_equal(bucket_allow(&b, 0), 999);
	bucket_give_back(&b, UINT64_MAX); /* never more than the burst */
	assert_int_equal(bucket_allow(&b, 0), 1000);
	bucket_spend(&b, 5000);
	bucket_give_back(&b, 4500); /* debt is paid first */
	assert_int_equal(bucket_allow(&b, 0), 500);
	bucket_set_rate(&b, 0, 0);
	bucket_give_back(&b, 1);
	assert_true(bucket_allow(&b, 0) == BUCKET_UNLIMITED);
}

static void test_spend_extremes(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, UINT64_MAX, 0);
	for (unsigned i = 0; i < 5; i++)
		bucket_spend(&b, UINT64_MAX);
	assert_int_equal(bucket_allow(&b, SECOND), 0);
	assert_true(bucket_next(&b, 1, SECOND) > SECOND);
	bucket_init(&b, 1, 0);
	assert_int_equal(bucket_allow(&b, 0), 1);
}

static const struct flow {
	const char *name;
	uint64_t per_tick;   /* bytes added each 100 ms */
	unsigned ticks;      /* how long it flows */
	unsigned idle_ticks; /* and then does not */
	unsigned look;       /* ticks between looks */
	uint64_t low, high;  /* what the last look may say */
} flows[] = {
	{"steady, each second", 1000, 300, 0, 10, 9900, 10100},
	{"steady, each 10 s", 1000, 300, 0, 100, 9900, 10100},
	{"steady, never looked at before", 1000, 300, 0, 300, 9900, 10100},
	{"first half second", 1000, 5, 0, 5, 4900, 5100},
	{"stopped for 3 s", 1000, 300, 30, 10, 2000, 6100},
	{"stopped for 10 s", 1000, 300, 100, 10, 0, 0},
	{"nothing", 0, 300, 0, 10, 0, 0},
	{"10 GiB/s", UINT64_C(1) << 30, 300, 0, 10, UINT64_C(10) << 30, UINT64_C(10) << 30},
};

static void test_meter(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
		const struct flow *c = &flows[i];
		struct meter m;
		uint64_t rate = 0;

		meter_init(&m, 77);
		for (unsigned t = 1; t <= c->ticks + c->idle_ticks; t++) {
			meter_add(&m, t <= c->ticks ? c->per_tick : 0);
			if (t % c->look == 0)
				rate = meter_rate(&m, 77 + t * SECOND / 10);
		}
		assert_true(m.total == c->per_tick * c->ticks);
		if (rate < c->low || rate > c->high)
			fail_msg("%s: %ju B/s", c->name, (uintmax_t)rate);
	}
}

static const struct shown {
	const char *name;
	uint64_t then, now; /* bytes each 100 ms: for 30 s, and after that */
	unsigned after;     /* ticks of 100 ms of the second kind */
	uint64_t low, high;
} shown[] = {
	{"steady", 1000, 1000, 50, 9900, 10100},
	{"one second after the end", 1000, 0, 10, 1, 9000},
	{"three seconds after the end", 1000, 0, 30, 0, 0},
	{"four seconds after a lower limit", 10000, 1000, 40, 9900, 10100},
	{"four seconds after a higher limit", 1000, 10000, 40, 99000, 101000},
};

static void test_meter_shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		const struct shown *c = &shown[i];
		struct meter m;
		uint64_t rate = 0;

		meter_init(&m, 77);
		for (unsigned t = 1; t <= 300 + c->after; t++) {
			meter_add(&m, t <= 300 ? c->then : c->now);
			if (t % 10 == 3)
				meter_mark(&m, 77 + t * SECOND / 10);
		}
		rate = meter_shown(&m, 77 + (300 + c->after) * SECOND / 10);
		if (rate < c->low || rate > c->high)
			fail_msg("%s: %ju B/s", c->name, (uintmax_t)rate);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unlimited),
		cmocka_unit_test(test_debt),
		cmocka_unit_test(test_set_rate),
		cmocka_unit_test(test_give_back),
		cmocka_unit_test(test_spend_extremes),
		cmocka_unit_test(test_meter),
		cmocka_unit_test(test_meter_shown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
