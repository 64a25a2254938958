/* SPDX-License-Identifier: MIT */
/* Trackers that come and go while a torrent is announced: who stays goes on, who leaves is told. */
#include "proto/tracker/announce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEC INT64_C(1000000)

static struct announce *a;
static int64_t now;

/* "x" is http://x/a; tiers by commas, such as "x y,z". */
static struct announce_urls urls_of(const char *text)
{
	static struct announce_url list[16];
	static char urls[16][16];
	struct announce_urls u = {.list = list};
	uint32_t tier = 0;

	for (; *text != '\0'; text++) {
		if (*text == ',')
			tier++;
		if (*text == ',' || *text == ' ')
			continue;
		snprintf(urls[u.n], sizeof urls[0], "http://%c/a", *text);
		list[u.n] = (struct announce_url){
			{(const uint8_t *)urls[u.n], strlen(urls[u.n])}, tier};
		u.n++;
	}
	return u;
}

static void begin(const char *text)
{
	struct announce_urls u = urls_of(text);

	now = 1000 * SEC;
	a = announce_new(&u, 7);
	announce_start(a, now);
}

static void edit(const char *text)
{
	struct announce_urls u = urls_of(text);

	announce_edit(a, &u, now);
}

/* What is due now, such as "x started"; "": nothing.  *tracker: its number. */
static const char *next(int *tracker)
{
	static char text[64];
	struct announce_todo todo;

	if (announce_next(a, now, &todo) == 0)
		return "";
	*tracker = todo.tracker;
	snprintf(text, sizeof text, "%c %s", todo.url[7], announce_event_name(todo.event));
	return text;
}

static void answer(int tracker)
{
	struct announce_reply r;

	announce_reply_init(&r);
	r.interval = 600;
	announce_done(a, tracker, &r, E_OK, NULL, now, 1);
}

static void test_who_stays_goes_on(void **state)
{
	int n = -1;

	(void)state;
	begin("x");
	assert_string_equal(next(&n), "x started");
	answer(n);
	edit("x,y");
	assert_string_equal(next(&n), "");
	assert_int_equal(announce_deadline(a), now + 600 * SEC);
	edit("y,x"); /* what comes before the one that works is asked at once */
	assert_string_equal(next(&n), "");
	edit("z,x");
	assert_string_equal(next(&n), "z started");
	answer(n);
	announce_free(&a);
}

static void test_who_leaves_is_told_and_its_number_is_free(void **state)
{
	struct announce_view v;
	int x = -1, n = -1, count;

	(void)state;
	begin("x,y");
	assert_string_equal(next(&x), "x started");
	answer(x);
	edit("y");
	assert_string_equal(next(&n), "x stopped");
	assert_int_equal(n, x);
	announce_view(a, x, &v);
	assert_true(v.dropped);
	assert_string_equal(next(&n), "y started");
	answer(n);
	answer(x);
	count = announce_count(a);
	edit("y,z");
	assert_int_equal(announce_count(a), count);
	announce_view(a, x, &v);
	assert_string_equal(v.url, "http://z/a");
	assert_false(v.dropped);
	announce_stop(a);
	assert_string_equal(next(&n), "y stopped");
	answer(n);
	assert_string_equal(next(&n), "");
	assert_true(announce_stopped(a));
	announce_free(&a);
}

static void test_who_leaves_while_it_is_asked(void **state)
{
	int x = -1, n = -1;

	(void)state;
	begin("x");
	assert_string_equal(next(&x), "x started");
	edit("y");
	assert_string_equal(next(&n), "y started");
	answer(n);
	answer(x);
	assert_string_equal(next(&n), "x stopped");
	edit("x,y"); /* it comes back before it has heard of that */
	answer(x);
	assert_string_equal(next(&n), "x started");
	answer(n);
	assert_string_equal(next(&n), "");
	announce_free(&a);
}

static void test_none_is_left(void **state)
{
	int n = -1;

	(void)state;
	begin("x");
	edit("");
	assert_string_equal(next(&n), "");
	assert_int_equal(announce_deadline(a), INT64_MAX);
	announce_stop(a);
	assert_true(announce_stopped(a));
	edit("y");
	announce_start(a, now);
	assert_string_equal(next(&n), "y started");
	answer(n);
	announce_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_stays_goes_on),
		cmocka_unit_test(test_who_leaves_is_told_and_its_number_is_free),
		cmocka_unit_test(test_who_leaves_while_it_is_asked),
		cmocka_unit_test(test_none_is_left),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
