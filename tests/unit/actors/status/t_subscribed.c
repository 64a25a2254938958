/* SPDX-License-Identifier: MIT */
/* The set of subscribed prefixes against a plain list, and its bound. */
#include "actors/status/subscribed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/base/rng.h"

#define HASH "0123456789abcdef0123456789abcdef01234567"

static bool has(const struct subscribed *w, const char *topic)
{
	return subscribed_has(w, topic, strlen(topic));
}

static void add(struct subscribed *w, const char *prefix)
{
	subscribed_add(w, prefix, strlen(prefix));
}

static void drop(struct subscribed *w, const char *prefix)
{
	subscribed_remove(w, prefix, strlen(prefix));
}

static void test_prefixes(void **unused)
{
	struct subscribed w = {0};

	(void)unused;
	assert_false(subscribed_any(&w));
	assert_false(has(&w, "session/stats"));
	add(&w, "torrent/" HASH "/");
	add(&w, "torrent/" HASH "/");
	assert_true(subscribed_any(&w));
	assert_true(has(&w, "torrent/" HASH "/state"));
	assert_false(has(&w, "session/stats"));
	add(&w, "");
	assert_true(has(&w, "session/stats"));
	assert_true(has(&w, ""));
	drop(&w, "");
	drop(&w, "never there");
	assert_false(has(&w, "session/stats"));
	assert_true(has(&w, "torrent/" HASH "/state"));
	drop(&w, "torrent/" HASH "/");
	assert_false(subscribed_any(&w));
	subscribed_fini(&w);
}

static void test_kinds(void **unused)
{
	static const struct {
		const char *prefix;
		bool piece;
	} rows[] = {
		{"", true},
		{"t", true},
		{"torrent/", true},
		{"torrent/0", true},
		{"torrent/" HASH, true},
		{"torrent/" HASH "/", true},
		{"torrent/" HASH "/p", true},
		{"torrent/" HASH "/piece", true},
		{"torrent/" HASH "/progress", false},
		{"torrent/" HASH "/pieces", false},
		{"torrent/" HASH "/piece/", false},
		{"torrent/" HASH "/state", false},
		{"session/", false},
		{"torrents/", false},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subscribed w = {0};

		add(&w, rows[i].prefix);
		assert_int_equal(subscribed_kind(&w, "piece"), rows[i].piece);
		subscribed_fini(&w);
	}
}

/* Short texts of two letters, so that many are prefixes of each other. */
static size_t make_text(struct rng *r, char out[8])
{
	size_t n = rng_below(r, 8);

	for (size_t i = 0; i < n; i++)
		out[i] = (char)('a' + rng_below(r, 2));
	return n;
}

static void test_against_a_list(void **unused)
{
	bool there[256] = {false};
	char text[256][8];
	size_t n[256];
	struct rng r;
	struct subscribed w = {0};

	(void)unused;
	rng_seed(&r, 7);
	for (unsigned i = 0; i < 256; i++)
		n[i] = make_text(&r, text[i]);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rng_below(&r, 256);
		char topic[8];
		size_t topic_n = make_text(&r, topic);
		bool on = rng_below(&r, 2) == 0, wanted = false;

		for (unsigned k = 0; k < 256; k++) /* a text that is there twice counts once */
			if (n[k] == n[i] && memcmp(text[k], text[i], n[i]) == 0)
				there[k] = on;
		(on ? subscribed_add : subscribed_remove)(&w, text[i], n[i]);
		for (unsigned k = 0; k < 256; k++)
			wanted |= there[k] && n[k] <= topic_n && memcmp(text[k], topic, n[k]) == 0;
		assert_int_equal(subscribed_has(&w, topic, topic_n), wanted);
	}
	subscribed_fini(&w);
}

static void test_bound(void **unused)
{
	char text[SUBSCRIBED_TOPIC + 2];
	struct subscribed w = {0};

	(void)unused;
	memset(text, 'x', sizeof text);
	subscribed_add(&w, text, SUBSCRIBED_TOPIC + 1); /* longer than any topic */
	assert_false(subscribed_any(&w));
	for (unsigned i = 0; i <= SUBSCRIBED_MAX; i++) {
		assert_false(has(&w, "session/stats"));
		snprintf(text, sizeof text, "%u", i);
		add(&w, text);
	}
	assert_int_equal(w.n, SUBSCRIBED_MAX);
	assert_true(has(&w, "session/stats")); /* too many: everything is wanted */
	assert_true(subscribed_kind(&w, "piece"));
	for (unsigned i = 0; i < SUBSCRIBED_MAX; i++) {
		snprintf(text, sizeof text, "%u", i);
		drop(&w, text);
	}
	assert_false(subscribed_any(&w));
	subscribed_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_against_a_list),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
