/* SPDX-License-Identifier: MIT */
/*
 * Answers that are shared: made once for all who ask at the same time, compressed once, known by
 * their tag, and bounded all together however slowly they are read.
 */
#include "tests/unit/lib/web_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <zlib.h>

#include "actors/kernel/clock.h"

#define MIB (1u << 20)

struct test {
	unsigned made;  /* texts that were begun, */
	unsigned freed; /* and whose source is gone */
};

/* --- a resource: ?count=N gives N bytes of JSON --- */

struct text {
	struct test *test;
	size_t n, at;
};

static bool write_some(void *ctx, struct json_out *o, size_t bytes)
{
	struct text *t = ctx;
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789+-";
	char piece[4097];

	for (size_t i = 0; i < sizeof piece - 1; i++)
		piece[i] = letters[(t->at + i * i) % (sizeof letters - 1)];
	piece[sizeof piece - 1] = '\0';
	for (size_t end = o->n + bytes; o->n < end && t->at < t->n;) {
		json_out_text(o, piece);
		t->at += sizeof piece;
	}
	return t->at >= t->n;
}

static void free_text(void *ctx)
{
	struct text *t = ctx;

	t->test->freed++;
	free(t);
}

static void make_text(struct request *r)
{
	struct test *test = webworld_of(r)->test;
	struct shared_source source = {.some = write_some, .free = free_text};
	uint64_t count;
	struct shared *s;
	struct text *t;

	if (!param_count(r, "count", &count))
		return;
	s = shared_ask(r, &count, sizeof count);
	if (s == NULL)
		return;
	t = calloc(1, sizeof *t);
	t->test = test;
	t->n = count;
	test->made++;
	source.ctx = t;
	shared_make(s, &source);
}

static void change(struct request *r)
{
	answer_ok(r);
}

static const struct resource resources[] = {
	{.path = "/text", .methods = METHOD_GET, .fn = make_text, .params = "count"},
	{.path = "/change",
		.methods = METHOD_GET | METHOD_POST,
		.changes = true,
		.fn = change,
		.params = ""},
};
static const struct resources all = {.v = resources, .n = ARRAY_LEN(resources)};
static const char *const plain[] = {NULL};

/* --- tests --- */

static void one_text_serves_all_who_ask_at_once(void **state)
{
	struct test test = {0};
	struct webworld w;
	struct webclient c[8];

	(void)state;
	webworld_start(&w, &all, plain, &test);
	for (unsigned i = 0; i < 8; i++) {
		webclient_open(&w, &c[i]);
		webclient_get(&w, &c[i], "/text?count=3000000", "");
	}
	for (unsigned i = 0; i < 8; i++) {
		webclient_read(&w, &c[i]);
		assert_int_equal(c[i].status, 200);
		assert_true(c[i].body_n >= 3000000);
		assert_memory_equal(c[i].body, c[0].body, c[0].body_n);
	}
	assert_int_equal(test.made, 1);
	assert_int_equal(test.freed, 1);
	for (unsigned i = 0; i < 8; i++)
		webclient_close(&c[i]);
	webworld_end(&w);
}

static void a_change_makes_it_anew(void **state)
{
	struct test test = {0};
	struct webworld w;
	struct webclient c;

	(void)state;
	webworld_start(&w, &all, plain, &test);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(webclient_ask(&w, &c, "/text?count=1000000", ""), 200);
		webclient_close(&c);
	}
	assert_int_equal(test.made, 1); /* it is still fresh */
	assert_int_equal(webclient_ask(&w, &c, "/change", "X-Torrentd: 1\r\n"), 200);
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/text?count=1000000", ""), 200);
	webclient_close(&c);
	assert_int_equal(test.made, 2);
	webworld_end(&w);
}

static void packed_says_the_same(void **state)
{
	struct test test = {0};
	struct webworld w;
	struct webclient text, packed, again;
	char tag[64], *out;
	z_stream z = {0};

	(void)state;
	webworld_start(&w, &all, plain, &test);
	assert_int_equal(webclient_ask(&w, &text, "/text?count=500000", ""), 200);
	assert_int_equal(webclient_ask(&w, &packed, "/text?count=500000",
				 "Accept-Encoding: br, gzip;q=0.5\r\n"),
		200);
	assert_null(webclient_header(&text, "Content-Encoding"));
	assert_memory_equal(webclient_header(&packed, "Content-Encoding"), "gzip\r", 5);
	assert_true(packed.body_n < text.body_n / 2);
	out = malloc(text.body_n);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)packed.body;
	z.avail_in = (uInt)packed.body_n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)text.body_n;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, text.body_n);
	assert_memory_equal(out, text.body, text.body_n);
	inflateEnd(&z);
	free(out);
	snprintf(tag, sizeof tag, "If-None-Match: %.*s\r\n",
		(int)strcspn(webclient_header(&text, "ETag"), "\r"),
		webclient_header(&text, "ETag"));
	assert_int_equal(webclient_ask(&w, &again, "/text?count=500000", tag), 304);
	webclient_close(&again);
	assert_int_equal(webclient_ask(&w, &again, "/text?count=500000",
				 "If-None-Match: \"0123456789abcdef\"\r\n"),
		200);
	webclient_close(&again);
	webclient_close(&text);
	webclient_close(&packed);
	webworld_end(&w);
}

/* So many texts are complete, or given up, and on their way. */
static void wait_made(struct webworld *w, const struct test *test, unsigned n)
{
	for (unsigned i = 0; i < 20000 && test->freed < n; i++)
		webworld_turn(w, 1);
	assert_int_equal(test->freed, n);
	webworld_turn(w, 10);
}

/* Of an answer that is not read. */
static unsigned status_of(const struct webclient *c)
{
	char begin[13] = "";

	assert_int_equal(recv(c->fd, begin, 12, MSG_PEEK), 12);
	return (unsigned)strtoul(begin + strlen("HTTP/1.1 "), NULL, 10);
}

/* Somebody asks for much and does not read it: others get small answers, and long ones later. */
static void unread_answers_are_bounded(void **state)
{
	struct test test = {0};
	struct webworld w;
	struct webclient lazy[3], c;
	unsigned refused = 0;

	(void)state;
	webworld_start(&w, &all, plain, &test);
	for (unsigned i = 0; i < 3; i++) {
		char path[64];

		snprintf(path, sizeof path, "/text?count=%u", (60 + i) * MIB);
		webclient_open(&w, &lazy[i]);
		webclient_get(&w, &lazy[i], path, "");
	}
	wait_made(&w, &test, 3);
	for (unsigned i = 0; i < 3; i++) {
		if (status_of(&lazy[i]) != 503)
			continue;
		refused++;
		webclient_read(&w, &lazy[i]);
		assert_non_null(strstr(lazy[i].body, "ask again"));
		assert_non_null(webclient_header(&lazy[i], "Retry-After"));
	}
	assert_int_equal(refused, 1);
	assert_int_equal(webclient_ask(&w, &c, "/text?count=1000", ""), 200);
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/text?count=9000000", ""), 503);
	webclient_close(&c);
	for (unsigned i = 0; i < 3; i++)
		webclient_close(&lazy[i]);
	/* What nobody will read is given back, in seconds at most. */
	for (int64_t end = clock_mono_us() + 10 * USEC_PER_SEC;;) {
		unsigned status = webclient_ask(&w, &c, "/text?count=9000000", "");

		webclient_close(&c);
		if (status == 200)
			break;
		assert_int_equal(status, 503);
		assert_true(clock_mono_us() < end);
		webworld_turn(&w, 1);
	}
	webworld_end(&w);
}

/* One answer may be as long as it is, when it is alone. */
static void one_long_answer_passes(void **state)
{
	struct test test = {0};
	struct webworld w;
	struct webclient c;

	(void)state;
	webworld_start(&w, &all, plain, &test);
	webclient_open(&w, &c);
	webclient_get(&w, &c, "/text?count=150000000", "");
	wait_made(&w, &test, 1);
	assert_int_equal(status_of(&c), 200);
	webclient_close(&c);
	webworld_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_text_serves_all_who_ask_at_once),
		cmocka_unit_test(a_change_makes_it_anew),
		cmocka_unit_test(packed_says_the_same),
		cmocka_unit_test(unread_answers_are_bounded),
		cmocka_unit_test(one_long_answer_passes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
