/* SPDX-License-Identifier: MIT */
/*
 * Announces: tiers, intervals, backoff and events, as scripts of what happens and what must follow.
 *
 * A script is words: "+3" lets three seconds pass; "start", "stop", "complete", "pause", "resume",
 * "again", "moved" are the calls; "0:started" expects tracker 0 to be told so now; "idle" expects
 * nothing to be due; "ok0", "fail0", "refuse0", "cancel0" end what tracker 0 was told ("ok0/120"
 * with that interval, "ok0/120/90" with a minimum, "ok0/120/0/5" with five peers); "begun0" says
 * that it is being contacted; "floor90" sets the least interval; "due120" expects the deadline that
 * far ahead, "due15~" one within a quarter of it, "due!" none; "stopped" and "busy" ask
 * announce_stopped().
 */
#include "proto/base/rng.h"
#include "proto/tracker/announce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEC INT64_C(1000000)

struct run {
	struct announce *a;
	int64_t now;
	const char *word; /* for messages */
	const char *script;
};

static struct announce *make(
	const char *const *urls, const uint32_t *tiers, size_t n, uint64_t seed)
{
	struct announce_url list[8];

	assert_true(n <= ARRAY_LEN(list));
	for (size_t i = 0; i < n; i++)
		list[i] = (struct announce_url){
			{(const uint8_t *)urls[i], strlen(urls[i])}, tiers[i]};
	return announce_new(&(struct announce_urls){list, n}, seed);
}

static void fail_at(const struct run *r, const char *why)
{
	fail_msg("%s at \"%s\" in \"%s\"", why, r->word, r->script);
}

static void expect_todo(struct run *r, const char *word)
{
	struct announce_todo todo;
	char got[64];

	if (announce_next(r->a, r->now, &todo) != 1)
		fail_at(r, "nothing is due");
	snprintf(got, sizeof got, "%d:%s", todo.tracker, announce_event_name(todo.event));
	if (strcmp(got, word) != 0)
		fail_at(r, got);
}

static void expect_due(struct run *r, const char *arg)
{
	struct announce_todo todo;
	int64_t at, want = strtoll(arg, NULL, 10) * SEC;

	if (announce_next(r->a, r->now, &todo) != 0)
		fail_at(r, "something is due now");
	at = announce_deadline(r->a) - r->now;
	if (*arg == '!') {
		if (announce_deadline(r->a) != INT64_MAX)
			fail_at(r, "a deadline");
		return;
	}
	if (strchr(arg, '~') == NULL ? at != want : at < want * 3 / 4 || at > want * 5 / 4) {
		char got[32];

		snprintf(got, sizeof got, "due in %lld us", (long long)at);
		fail_at(r, got);
	}
}

static void answer(struct run *r, enum err e, const char *arg)
{
	struct announce_reply reply;
	char *rest;
	int tracker = (int)strtol(arg, &rest, 10);

	announce_reply_init(&reply);
	if (*rest == '/')
		reply.interval = (uint32_t)strtoul(rest + 1, &rest, 10);
	if (*rest == '/')
		reply.min_interval = (uint32_t)strtoul(rest + 1, &rest, 10);
	if (*rest == '/')
		reply.peers_n = (uint32_t)strtoul(rest + 1, &rest, 10);
	if (e == E_TRACKER)
		snprintf(reply.failure, sizeof reply.failure, "go away");
	announce_done(r->a, tracker, e == E_OK || e == E_TRACKER ? &reply : NULL,
		e == E_TRACKER ? E_OK : e, NULL, r->now, r->now / SEC);
}

static void step(struct run *r, const char *w)
{
	struct announce_todo todo;

	if (*w == '+')
		r->now += strtoll(w + 1, NULL, 10) * SEC;
	else if (*w >= '0' && *w <= '9')
		expect_todo(r, w);
	else if (strncmp(w, "ok", 2) == 0)
		answer(r, E_OK, w + 2);
	else if (strncmp(w, "fail", 4) == 0)
		answer(r, E_TIMEOUT, w + 4);
	else if (strncmp(w, "refuse", 6) == 0)
		answer(r, E_TRACKER, w + 6);
	else if (strncmp(w, "cancel", 6) == 0)
		answer(r, E_CANCELLED, w + 6);
	else if (strncmp(w, "due", 3) == 0)
		expect_due(r, w + 3);
	else if (strncmp(w, "begun", 5) == 0)
		announce_begun(r->a, (int)strtol(w + 5, NULL, 10), r->now);
	else if (strncmp(w, "floor", 5) == 0)
		announce_floor(r->a, (uint32_t)strtol(w + 5, NULL, 10));
	else if (strcmp(w, "start") == 0)
		announce_start(r->a, r->now);
	else if (strcmp(w, "stop") == 0)
		announce_stop(r->a);
	else if (strcmp(w, "complete") == 0)
		announce_complete(r->a, r->now);
	else if (strcmp(w, "pause") == 0 || strcmp(w, "resume") == 0)
		announce_pause(r->a, *w == 'p', r->now);
	else if (strcmp(w, "again") == 0)
		announce_again(r->a, r->now);
	else if (strcmp(w, "moved") == 0)
		announce_moved(r->a, r->now);
	else if (strcmp(w, "idle") == 0)
		announce_next(r->a, r->now, &todo) ? fail_at(r, "something is due") : (void)0;
	else if (strcmp(w, "stopped") == 0 || strcmp(w, "busy") == 0)
		announce_stopped(r->a) == (*w == 's') ? (void)0 : fail_at(r, "not so");
	else
		fail_at(r, "no such word");
}

static void play(struct announce *a, const char *script)
{
	struct run r = {.a = a, .now = 1000 * SEC, .script = script};
	char word[64];
	int used = 0;

	for (const char *p = script; sscanf(p, " %63s%n", word, &used) == 1; p += used) {
		r.word = word;
		step(&r, word);
	}
	announce_free(&a);
	assert_null(a);
}

/* Trackers 0, 1, ... each in a tier of its own: no shuffle, so that scripts can name them. */
static const char *const urls[] = {
	"http://a/announce", "udp://b:1", "https://c/announce", "http://d/announce"};
static const uint32_t apart[] = {0, 1, 2, 3};

static void play_rows(const char *const *rows, size_t n, size_t trackers)
{
	for (size_t i = 0; i < n; i++)
		play(make(urls, apart, trackers, i), rows[i]);
}

static void test_one_tracker(void **state)
{
	static const char *const rows[] = {
		/* Nothing happens before start; the interval is kept; events come once. */
		"due! start 0:started idle due! ok0/120 due120 +119 due1 +1 0: ok0/120 due120",
		/* Intervals: absent, too short, too long. */
		"start 0:started ok0 due1800",
		"start 0:started ok0/5 due60",
		"start 0:started ok0/4000000 due86400",
		/* A start twice is one start. */
		"start start 0:started start ok0/90 start due90",
		/* "started" is told until it is taken, and a refusal takes nothing. */
		"start 0:started fail0 due15~ +19 0:started refuse0 due60 +60 0:started ok0/60 "
		"due60 +60 0:",
		/* The wait doubles up to half an hour, and a success forgets it. */
		"start 0:started fail0 due15~ +19 0:started fail0 due30~ +38 0:started fail0 "
		"due60~ +75 0:started fail0 due120~ +150 0:started fail0 due240~ +300 0:started "
		"fail0 due480~ +600 0:started fail0 due960~ +1200 0:started fail0 due1700~ +1800 "
		"0:started fail0 due1700~ +1800 0:started ok0/60 due60 +60 0: fail0 due15~",
		/* A refusal that names an interval is waited for, within reason. */
		"start 0:started refuse0/300 due300",
		"start 0:started refuse0/999999 due1800",
		/* What was cancelled counts for nothing. */
		"start 0:started cancel0 0:started ok0/60 due60",
	};

	(void)state;
	play_rows(rows, ARRAY_LEN(rows), 1);
}

static void test_completed(void **state)
{
	static const char *const rows[] = {
		/* Told at once, once, however often it is called. */
		"start 0:started ok0/1800 complete 0:completed ok0/1800 complete due1800 +1800 0:",
		/* Finished while "started" is under way: both are told, in order. */
		"start 0:started complete ok0/1800 0:completed ok0/1800 due1800",
		/* Finished before anything was told. */
		"complete start 0:started ok0/1800 0:completed ok0/1800 due1800",
		/* Not lost when it fails; the wait holds. */
		"start 0:started ok0/1800 complete 0:completed fail0 due15~ +19 0:completed ok0/99 "
		"due99 +99 0: ok0/99",
		/* Finished while the tracker is failing. */
		"start 0:started fail0 complete due15~ +19 0:started ok0/99 0:completed ok0/99 "
		"due99",
		/* Once for the session: not told again after a stop and a start. */
		"start 0:started ok0/99 complete 0:completed ok0/99 stop 0:stopped ok0 start "
		"0:started ok0/99 complete due99",
		/* Under way when we stop, and taken: not told again. */
		"start 0:started ok0/99 complete 0:completed stop ok0 0:stopped ok0 start "
		"0:started ok0/99 due99",
		/* Under way when we stop, and not settled when we start again: one is enough. */
		"start 0:started ok0/99 complete 0:completed stop start idle ok0 due1800",
		/* Under way when we stop, and lost: told after the next start. */
		"start 0:started ok0/99 complete 0:completed stop fail0 0:stopped ok0 start "
		"0:started ok0/99 0:completed ok0/99 due99",
	};

	(void)state;
	play_rows(rows, ARRAY_LEN(rows), 1);
}

/* A partial seed says so in every announce that has nothing else to say. */
static void test_paused(void **state)
{
	static const char *const rows[] = {
		/* Told when the tracker allows, and from then on each time. */
		"start 0:started ok0/1800/60 pause due60 +60 0:paused ok0/1800/60 due1800 +1800 "
		"0:paused ok0/1800",
		/* "started" comes first, and it is no event that hurries. */
		"pause start 0:started ok0/1800 due1800 +1800 0:paused ok0/1800 due1800",
		/* More is wanted again. */
		"pause start 0:started ok0/1800/60 resume due60 +60 0: ok0/1800 due1800",
		/* All of it is there. */
		"pause start 0:started ok0/1800/60 resume complete 0:completed ok0/1800 due1800 "
		"+1800 0: ok0/1800",
		/* It leaves like anybody. */
		"pause start 0:started ok0/1800 +1800 0:paused ok0/1800 stop 0:stopped ok0 stopped",
		/* Who fails waits. */
		"pause start 0:started ok0/99 +99 0:paused fail0 due15~ +19 0:paused ok0/99 due99",
	};

	(void)state;
	play_rows(rows, ARRAY_LEN(rows), 1);
}

static void test_stopping(void **state)
{
	static const char *const rows[] = {
		/* Only those that were started are told; nobody waits for the other. */
		"start 0:started fail0 1:started ok1/60 stop busy 1:stopped due! busy ok1 stopped "
		"due!",
		"start 0:started ok0/60 +60 0: fail0 1:started ok1/60 stop 0:stopped 1:stopped "
		"due! "
		"fail1 busy ok0 stopped due!",
		/* Nobody was told anything: nobody needs to be. */
		"start stop stopped due!",
		"stop stopped due!",
		"start 0:started stop busy due! fail0 stopped due!",
		/* A "started" under way that arrived, or may have. */
		"start 0:started stop due! ok0 0:stopped ok0 stopped",
		"start 0:started stop due! cancel0 0:stopped ok0 stopped",
		/* A plain announce under way. */
		"start 0:started ok0/60 +60 0: stop due! cancel0 0:stopped cancel0 stopped due!",
		/* One try. */
		"start 0:started ok0/60 stop 0:stopped fail0 stopped due!",
		/* Started again before the tracker was told: it need not be. */
		"start 0:started ok0/60 stop start +60 0: ok0/60",
		/* Started again while it is being told: when that has ended, at once. */
		"start 0:started ok0/60 stop 0:stopped start 1:started ok1/60 idle ok0 0:started "
		"ok0/60 due60",
		/* A failed "stopped" does not hold the next start back. */
		"start 0:started ok0/60 stop 0:stopped fail0 start 0:started ok0/60",
	};

	(void)state;
	play_rows(rows, ARRAY_LEN(rows), 2);
}

static void test_tiers(void **state)
{
	static const char *const rows[] = {
		/* The first that answers ends the walk; the next walk starts at the front. */
		"start 0:started fail0 1:started ok1/1800 due1800 +1800 0:started ok0/900 due900 "
		"+900 0: ok0/900",
		/* One at a time. */
		"start 0:started idle fail0 1:started idle fail1 2:started idle ok2/60 due60",
		/* The one that failed waits for itself alone: the others are asked in time. */
		"start 0:started fail0 1:started ok1/100 due100 +100 0:started fail0 1: ok1/100 "
		"+100 0:started fail0 1: ok1/100 +100 0:started fail0 1: ok1/80 due80 +80 1: "
		"ok1/80 +80 0:started fail0 1: ok1/80",
		/* All fail: each is tried again after its own wait, none is forgotten. */
		"start 0:started fail0 1:started fail1 2:started fail2 due15~ +19 0:started fail0 "
		"1:started fail1 2:started fail2 due30~ +38 0:started fail0 1:started fail1 "
		"2:started ok2/1800 due1800",
		/* Events are not lost when the first tracker fails. */
		"start 0:started ok0/1800 complete 0:completed fail0 1:started ok1/1800 "
		"1:completed "
		"ok1/1800 due1800 +1800 0: ok0/1800",
		/* A tracker that takes over is told "started", the first keeps its state. */
		"start 0:started ok0/60 +60 0: fail0 1:started ok1/60 due60 +60 0: ok0/60 stop "
		"0:stopped 1:stopped ok0 ok1 stopped",
	};

	(void)state;
	play_rows(rows, ARRAY_LEN(rows), 3);
}

/* A tracker that does not answer holds the others up for seconds, not until it is given up. */
static void test_late_trackers(void **state)
{
	static const char *const rows[] = {
		/* Nobody has named peers yet: three seconds each, from when it was contacted. */
		"start 0:started idle +60 idle begun0 due3 +3 1:started begun1 begun0 due3 +3 "
		"2:started begun2 due3 ok2/1800 due1800",
		/* Later ten seconds. */
		"start 0:started begun0 ok0/60/0/1 +60 0: begun0 due10 +9 idle +1 1:started",
		/* Who is late and answers first ends the walk; the other's answer changes nothing.
		 */
		"start 0:started begun0 +3 1:started begun1 ok0/900 due900 ok1/600 due900 stop "
		"0:stopped 1:stopped",
		"start 0:started begun0 +3 1:started begun1 ok1/900 due900 +1 ok0/600 due899 +899 "
		"0: ok0/600 due600",
		/* Who is late and fails after the end asks nobody else. */
		"start 0:started begun0 +3 1:started begun1 ok1/900 due900 fail0 due900 +900 "
		"0:started",
		/* All are late: the first answer still counts. */
		"start 0:started begun0 +3 1:started begun1 +3 2:started begun2 +3 idle due! "
		"+20 fail0 due15~ ok2/900 due900",
		/* All fail in the end: the first whose wait ends is asked again. */
		"start 0:started begun0 +3 1:started begun1 +3 2:started begun2 +3 idle fail0 "
		"fail1 due15~ fail2 due15~",
		/* One that is late is told of the stop when it has answered. */
		"start 0:started begun0 +3 1:started stop due! ok0 0:stopped ok1 1:stopped ok0 ok1 "
		"stopped",
	};

	(void)state;
	play_rows(rows, ARRAY_LEN(rows), 3);
}

/* The least interval may change: what was said before is measured with the new one. */
static void test_floor_changes(void **state)
{
	static const char *const rows[] = {
		"floor600 start 0:started ok0/120 due600 floor60 due120 floor300 due300",
		"floor600 start 0:started ok0/1800/60 again due600 floor60 again due60",
		"start 0:started ok0/1800/60 again due60 floor600 +60 idle due540",
		"floor60 start floor90 0:started ok0/5 due90",
	};

	(void)state;
	play_rows(rows, ARRAY_LEN(rows), 1);
}

static void test_again(void **state)
{
	static const char *const rows[] = {
		/* As soon as the minimum interval allows; where none is given the interval is it.
		 */
		"start 0:started ok0/1800/300 again due300 +300 0: ok0/1800/300 due1800",
		/* Another port is told before the minimum interval is over, once. */
		"start 0:started ok0/1800/300 moved due60 +60 0: ok0/1800/300 due1800",
		"start 0:started ok0/1800/300 moved due60 +60 0: ok0/1800/300 again due300",
		/* While it is being told the old one. */
		"start 0:started ok0/1800 +1800 0: moved ok0/1800 due60 moved due60",
		"start 0:started moved ok0/1800 due60 +60 0: ok0/1800 due1800",
		/* A pause that comes while it is being told is told next. */
		"start 0:started ok0/120 +120 0: pause ok0/1800/300 due300 +300 0:paused ok0/1800",
		"start 0:started ok0/1800 +10 again due1790 again due1790 +1790 0: ok0/1800 "
		"due1800",
		"start 0:started ok0 +61 again due1739",
		"start 0:started ok0/1800/300 +600 again 0: ok0/1800 due1800",
		/* A minimum beyond the interval is the interval. */
		"start 0:started ok0/120/900 again due120",
		/* Nothing was asked yet: nothing changes. */
		"again start 0:started again ok0/1800 due1800",
		/* A tracker that fails waits as long as without. */
		"start 0:started fail0 1:started fail1 +19 0:started fail0 1:started fail1 +1 "
		"again idle +12 idle +25 0:started ok0/60",
		/* An early walk respects the minimum interval of those it passes. */
		"start 0:started fail0 1:started ok1/1800/600 +100 again 0:started fail0 due30~ "
		"+38 "
		"0:started fail0 due60~ +75 0:started ok0/1800 due1800",
		/* Events need not wait for the minimum. */
		"start 0:started ok0/1800/600 complete 0:completed ok0/1800",
	};

	static const char *const alone[] = {
		/* When it could not be told of the other port it is told as soon as it is asked. */
		"start 0:started ok0/1800/300 moved due60 +60 0: fail0 due15~",
		"start 0:started ok0/1800/300 moved due60 +60 0: refuse0 due60~",
		"start 0:started moved fail0 due15~ +19 0:started ok0/1800 due1800",
	};

	(void)state;
	play_rows(rows, ARRAY_LEN(rows), 2);
	play_rows(alone, ARRAY_LEN(alone), 1);
}

static void test_no_trackers(void **state)
{
	(void)state;
	play(make(urls, apart, 0, 1), "start due! complete again due! stop stopped due!");
}

/* BEP 12's example: whoever answers leads its tier, and stays before the next tier. */
static void test_tier_order_follows_success(void **state)
{
	static const uint32_t tiers[] = {0, 0, 0, 1};
	struct announce *a = make(urls, tiers, 4, 3);
	struct announce_reply ok;
	struct announce_todo todo;
	int order[3];
	int64_t now = SEC;

	(void)state;
	announce_reply_init(&ok);
	announce_start(a, now);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(announce_next(a, now, &todo), 1);
		order[i] = todo.tracker;
		assert_true(todo.tracker < 3);
		announce_done(a, todo.tracker, i == 1 ? &ok : NULL, i == 1 ? E_OK : E_TIMEOUT, NULL,
			now, 1);
		if (i == 1)
			now = announce_deadline(a);
		if (i == 1) {
			/* The second has answered: it comes first now, then the first. */
			assert_int_equal(announce_next(a, now, &todo), 1);
			assert_int_equal(todo.tracker, order[1]);
			announce_done(a, todo.tracker, NULL, E_DNS, NULL, now, 1);
			assert_int_equal(announce_next(a, now, &todo), 1);
			assert_int_equal(todo.tracker, order[0]);
			announce_done(a, todo.tracker, NULL, E_DNS, NULL, now, 1);
		}
	}
	assert_int_equal(announce_next(a, now, &todo), 1);
	assert_int_equal(todo.tracker, 3);
	announce_done(a, 3, &ok, E_OK, NULL, now, 1);
	announce_free(&a);
}

static void test_tiers_are_shuffled_within(void **state)
{
	static const uint32_t tiers[] = {5, 5, 5, 2};
	unsigned first[4] = {0};

	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct announce *a = make(urls, tiers, 4, seed);
		struct announce_todo todo;

		announce_start(a, SEC);
		assert_int_equal(announce_next(a, SEC, &todo), 1);
		assert_int_equal(todo.tracker, 3);
		announce_done(a, 3, NULL, E_TIMEOUT, NULL, SEC, 1);
		assert_int_equal(announce_next(a, SEC, &todo), 1);
		first[todo.tracker]++;
		announce_free(&a);
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(first[i], 60, 140);
}

static void test_urls_are_chosen(void **state)
{
	static const char *const list[] = {"http://a/x", "wss://b/x", "http://a/x", "http://",
		"http://a b/", "udp://c:1/", "http://\xc3\xa9/", "ftp://d/"};
	static const uint32_t tiers[] = {0, 0, 1, 1, 1, 2, 2, 2};
	struct announce *a = make(list, tiers, 8, 0);
	struct announce_view v;

	(void)state;
	assert_int_equal(announce_count(a), 2);
	announce_view(a, 0, &v);
	assert_string_equal(v.url, "http://a/x");
	announce_view(a, 1, &v);
	assert_string_equal(v.url, "udp://c:1/");
	assert_int_equal(v.tier, 2);
	announce_free(&a);
}

static void test_trackers_are_bounded(void **state)
{
	enum { MANY = 1000 };
	static char text[MANY][32];
	static struct announce_url list[MANY];
	struct announce *a;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		int n = snprintf(text[i], sizeof text[i], "http://t%d/", i);

		list[i].url = (struct slice){(const uint8_t *)text[i], (size_t)n};
	}
	a = announce_new(&(struct announce_urls){list, MANY}, 1);
	assert_int_equal(announce_count(a), ANNOUNCE_TRACKERS_MAX);
	announce_free(&a);
}

static void test_views(void **state)
{
	struct announce *a = make(urls, apart, 2, 0);
	struct announce_reply r;
	struct announce_todo todo;
	struct announce_view v;
	int64_t now = SEC;

	(void)state;
	announce_view(a, 0, &v);
	assert_int_equal(v.status, ANNOUNCE_IDLE);
	assert_int_equal(v.seeders, -1);
	assert_int_equal(v.last_wall, 0);
	assert_int_equal(v.next, INT64_MAX);
	announce_start(a, now);
	announce_next(a, now, &todo);
	assert_null(todo.trackerid);
	announce_view(a, 0, &v);
	assert_true(v.busy);
	announce_done(a, 0, NULL, E_DNS, NULL, now, 1234);
	announce_view(a, 0, &v);
	assert_int_equal(v.status, ANNOUNCE_ERROR);
	assert_string_equal(v.message, err_words(E_DNS));
	assert_int_equal(v.last_wall, 1234);
	assert_int_equal(v.fails, 1);
	assert_true(v.next > now);
	announce_next(a, now, &todo);
	assert_int_equal(todo.tracker, 1);
	announce_reply_init(&r);
	r.complete = 5;
	r.incomplete = 6;
	r.peers_n = 7;
	r.interval = 600;
	snprintf(r.trackerid, sizeof r.trackerid, "id");
	snprintf(r.warning, sizeof r.warning, "careful");
	announce_done(a, 1, &r, E_OK, NULL, now, 1235);
	announce_view(a, 1, &v);
	assert_int_equal(v.status, ANNOUNCE_WORKING);
	assert_string_equal(v.message, "careful");
	assert_int_equal(v.seeders, 5);
	assert_int_equal(v.leechers, 6);
	assert_int_equal(v.peers, 7);
	assert_int_equal(v.last_wall, 1235);
	assert_int_equal(v.next, now + 600 * SEC);
	announce_reply_init(&r);
	r.downloaded = 99;
	announce_scraped(a, 1, &r);
	announce_view(a, 1, &v);
	assert_int_equal(v.seeders, 5);
	assert_int_equal(v.downloaded, 99);
	announce_stop(a);
	announce_next(a, now, &todo);
	assert_string_equal(todo.trackerid, "id");
	announce_done(a, 1, NULL, E_TIMEOUT, "no answer within 5 s", now, 1236);
	announce_view(a, 1, &v);
	assert_string_equal(v.message, "no answer within 5 s");
	announce_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_tracker),
		cmocka_unit_test(test_completed),
		cmocka_unit_test(test_paused),
		cmocka_unit_test(test_stopping),
		cmocka_unit_test(test_tiers),
		cmocka_unit_test(test_late_trackers),
		cmocka_unit_test(test_floor_changes),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_no_trackers),
		cmocka_unit_test(test_tier_order_follows_success),
		cmocka_unit_test(test_tiers_are_shuffled_within),
		cmocka_unit_test(test_urls_are_chosen),
		cmocka_unit_test(test_trackers_are_bounded),
		cmocka_unit_test(test_views),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
