/* SPDX-License-Identifier: MIT */
/*
 * Random lives of the announces of a torrent: whatever happens, "stopped" follows "started" at each
 * tracker, nobody is contacted twice at a time, "completed" is taken once, plain announces keep a
 * minute's distance, and a running machine never sleeps for ever.
 */
#include "proto/tracker/announce.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "proto/base/rng.h"

#define SEC      INT64_C(1000000)
#define TRACKERS 4u

struct life {
	struct announce *a;
	struct rng rng;
	int64_t now;
	bool running;
	unsigned flights;   /* announces without an answer */
	unsigned completed; /* answers to "completed" that were good */
	struct life_tracker {
		bool busy, started;
		enum announce_event told;
		int64_t taken_at; /* the last good answer */
	} trackers[TRACKERS];
};

static struct announce *make(uint64_t seed)
{
	static const struct {
		const char *url;
		uint32_t tier;
	} trackers[TRACKERS] = {{"http://a/announce", 0}, {"udp://b:1", 0},
		{"https://c/announce", 1}, {"http://d/announce", 2}};
	struct announce_url list[TRACKERS];

	for (unsigned i = 0; i < TRACKERS; i++)
		list[i] = (struct announce_url){
			{(const uint8_t *)trackers[i].url, strlen(trackers[i].url)},
			trackers[i].tier};
	return announce_new(&(struct announce_urls){list, TRACKERS}, seed);
}

/* An answer, or none, to what tracker i was asked. */
static void answer(struct life *l, unsigned i)
{
	struct life_tracker *t = &l->trackers[i];
	bool good = rng_below(&l->rng, 2) == 0;
	struct announce_reply ok;

	announce_reply_init(&ok);
	ok.interval = rng_below(&l->rng, 4000);
	t->busy = false;
	l->flights--;
	announce_done(l->a, (int)i, good ? &ok : NULL, good ? E_OK : E_TIMEOUT, NULL, l->now, 1);
	if (good || t->told == ANNOUNCE_STOPPED)
		t->started = t->told != ANNOUNCE_STOPPED;
	if (good)
		t->taken_at = l->now;
	l->completed += good && t->told == ANNOUNCE_COMPLETED;
}

static void happen(struct life *l)
{
	unsigned i = rng_below(&l->rng, TRACKERS), dice = rng_below(&l->rng, 100);

	if (dice < 3) {
		announce_start(l->a, l->now);
		l->running = true;
	} else if (dice < 6) {
		announce_stop(l->a);
		l->running = false;
	} else if (dice < 8) {
		announce_complete(l->a, l->now);
	} else if (dice < 10) {
		announce_again(l->a, l->now);
	} else if (dice < 15) {
		announce_begun(l->a, (int)i, l->now);
	} else if (dice < 17) {
		announce_floor(l->a, 60 + rng_below(&l->rng, 100));
	} else if (dice < 40 && l->trackers[i].busy) {
		answer(l, i);
	} else {
		l->now += (int64_t)rng_below(&l->rng, 30) * SEC;
	}
}

static void announce_all(struct life *l)
{
	struct announce_todo todo;

	while (announce_next(l->a, l->now, &todo)) {
		struct life_tracker *t = &l->trackers[todo.tracker];

		assert_false(t->busy);
		assert_int_equal(todo.event == ANNOUNCE_STOPPED, !l->running);
		assert_int_equal(todo.event == ANNOUNCE_STARTED, !t->started);
		if (todo.event == ANNOUNCE_NONE)
			assert_true(l->now >= t->taken_at + 60 * SEC);
		t->told = todo.event;
		t->busy = true;
		l->flights++;
	}
}

static void live(uint64_t seed)
{
	struct life l = {.a = make(seed), .now = SEC};

	rng_seed(&l.rng, seed);
	for (unsigned i = 0; i < TRACKERS; i++)
		l.trackers[i].told = ANNOUNCE_NONE;
	for (unsigned k = 0; k < 2000; k++) {
		happen(&l);
		announce_all(&l);
		if (l.running && l.flights == 0)
			assert_true(announce_deadline(l.a) <= l.now + 86400 * SEC);
		assert_true(announce_deadline(l.a) > l.now);
	}
	assert_true(l.completed <= 1);
	announce_free(&l.a);
}

static void test_random_lives(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++)
		live(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_lives),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
