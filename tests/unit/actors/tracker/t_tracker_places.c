/* SPDX-License-Identifier: MIT */
/* The places of announces: who goes first, how they are shared, and what silence costs. */
#include "actors/tracker/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MANY 500

static unsigned late_n;

static void note_late(struct queue_item *i)
{
	(void)i;
	late_n++;
}

static struct queue *make(unsigned places)
{
	late_n = 0;
	return places_new(places, 1, note_late);
}

/* Starts all that may start now; how many did. */
static unsigned start_all(struct queue *q, int64_t now)
{
	unsigned n = 0;

	while (places_next(q, now) != NULL)
		n++;
	return n;
}

static void test_classes_go_in_order(void **state)
{
	struct queue *q = make(8);
	struct queue_item i[4];

	(void)state;
	places_add(q, &i[0], "a", QUEUE_REST);
	places_add(q, &i[1], "b", QUEUE_FIRST);
	places_add(q, &i[2], "c", QUEUE_EVENT);
	places_add(q, &i[3], "a", QUEUE_FIRST);
	assert_ptr_equal(places_next(q, 1), &i[2]);
	assert_ptr_equal(places_next(q, 1), &i[3]); /* the host that is new */
	assert_ptr_equal(places_next(q, 1), &i[1]);
	assert_ptr_equal(places_next(q, 1), &i[0]);
	assert_null(places_next(q, 1));
	for (unsigned k = 0; k < 4; k++)
		places_remove(q, &i[k], QUEUE_ANSWERED);
	assert_int_equal(places_count(q), 0);
	places_free(&q);
}

static void test_hosts_share_the_places(void **state)
{
	struct queue *q = make(8);
	struct queue_item i[20], b[2];

	(void)state;
	for (unsigned k = 0; k < 20; k++)
		places_add(q, &i[k], "a", QUEUE_REST);
	assert_int_equal(start_all(q, 1), 4);
	places_add(q, &b[0], "b", QUEUE_REST);
	places_add(q, &b[1], "b", QUEUE_REST);
	assert_ptr_equal(places_next(q, 1), &b[0]);
	assert_ptr_equal(places_next(q, 1), &b[1]);
	assert_null(places_next(q, 1));
	places_remove(q, &i[0], QUEUE_ANSWERED);
	assert_ptr_equal(places_next(q, 1), &i[4]);
	for (unsigned k = 1; k < 20; k++)
		places_remove(q, &i[k], QUEUE_DROPPED);
	places_remove(q, &b[0], QUEUE_DROPPED);
	places_remove(q, &b[1], QUEUE_DROPPED);
	places_free(&q);
}

/* A silent host comes last, and what waits for it is told; an answer makes it one of all again. */
static void test_silent_hosts_wait_at_the_end(void **state)
{
	struct queue *q = make(4);
	struct queue_item i[10], b;

	(void)state;
	for (unsigned k = 0; k < 10; k++)
		places_add(q, &i[k], "mute", QUEUE_FIRST);
	assert_int_equal(start_all(q, 1), 2);
	places_remove(q, &i[0], QUEUE_SILENT);
	assert_int_equal(late_n, 8);
	places_add(q, &b, "live", QUEUE_REST);
	assert_ptr_equal(places_next(q, 1), &b);
	assert_ptr_equal(places_next(q, 1), &i[2]);
	assert_null(places_next(q, 1));
	places_remove(q, &i[1], QUEUE_ANSWERED);
	places_add(q, &i[0], "mute", QUEUE_REST);
	assert_int_equal(late_n, 8);
	assert_ptr_equal(places_next(q, 1), &i[3]);
	places_remove(q, &b, QUEUE_DROPPED);
	places_remove(q, &i[0], QUEUE_DROPPED);
	for (unsigned k = 2; k < 10; k++)
		places_remove(q, &i[k], QUEUE_DROPPED);
	places_free(&q);
}

/* How long a new torrent's live tracker waits behind `n` that never answer, on as many hosts. */
static int64_t wait_behind(unsigned n, bool one_host)
{
	static struct queue_item mute[MANY], live;
	const int64_t timeout = 30 * USEC_PER_SEC;
	struct queue *q = make(50);
	struct queue_item *i;
	int64_t now = 1, took;
	char name[32];

	for (unsigned k = 0; k < n; k++) {
		snprintf(name, sizeof name, "mute%u", one_host ? 0 : k);
		places_add(q, &mute[k], name, QUEUE_FIRST);
	}
	start_all(q, now);
	places_add(q, &live, "live", QUEUE_FIRST);
	took = -now;
	while (!live.running) {
		now += USEC_PER_SEC / 10;
		while ((i = places_overdue(q, now)) != NULL)
			places_remove(q, i, QUEUE_SILENT);
		start_all(q, now);
		assert_true(now < timeout);
	}
	took += now;
	for (unsigned k = 0; k < n; k++)
		if (mute[k].host != NULL)
			places_remove(q, &mute[k], QUEUE_DROPPED);
	places_remove(q, &live, QUEUE_ANSWERED);
	places_free(&q);
	return took;
}

static void test_silence_does_not_hold_up_the_living(void **state)
{
	(void)state;
	assert_true(wait_behind(200, true) <= USEC_PER_SEC);
	assert_true(wait_behind(500, true) <= USEC_PER_SEC);
	assert_true(wait_behind(200, false) <= QUEUE_OVERTIME + USEC_PER_SEC);
	assert_true(wait_behind(500, false) <= QUEUE_OVERTIME + USEC_PER_SEC);
}

static void test_starts_are_paced(void **state)
{
	struct queue *q = make(400);
	struct queue_item i[120];

	(void)state;
	for (unsigned k = 0; k < 120; k++)
		places_add(q, &i[k], "a", QUEUE_REST);
	assert_in_range(start_all(q, USEC_PER_SEC), 50, 51);
	assert_true(places_deadline(q) > USEC_PER_SEC);
	assert_true(places_deadline(q) <= USEC_PER_SEC + USEC_PER_SEC / 100);
	assert_in_range(start_all(q, USEC_PER_SEC + USEC_PER_SEC / 10), 10, 11);
	for (unsigned k = 0; k < 120; k++)
		places_remove(q, &i[k], QUEUE_DROPPED);
	assert_int_equal(places_deadline(q), INT64_MAX);
	places_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes_go_in_order),
		cmocka_unit_test(test_hosts_share_the_places),
		cmocka_unit_test(test_silent_hosts_wait_at_the_end),
		cmocka_unit_test(test_silence_does_not_hold_up_the_living),
		cmocka_unit_test(test_starts_are_paced),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
