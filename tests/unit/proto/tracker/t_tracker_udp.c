/* SPDX-License-Identifier: MIT */
/* UDP trackers: BEP 15's own timelines in fake time, answers of every kind, BEP 41's examples,
 * URLs. */
#include "proto/tracker/udp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEC INT64_C(1000000)

struct bench {
	struct announce_params params;
	struct udp_exchange_opts opts;
	struct udp_exchange x;
	struct announce_reply r;
	uint8_t out[UDP_DATAGRAM_MAX];
	size_t n;
};

static void start(struct bench *b, enum udp_action action, int64_t now)
{
	memset(b->params.infohash, 0xaa, 20);
	memset(b->params.peer_id, 0xbb, 20);
	b->params.port = 6881;
	b->params.downloaded = 1;
	b->params.left = 2;
	b->params.uploaded = 3;
	b->params.key = 0x01020304;
	b->params.numwant = ANNOUNCE_NUMWANT_DEFAULT;
	b->opts.params = &b->params;
	b->opts.action = action;
	b->opts.seed = 42;
	udp_exchange_start(&b->x, &b->opts, now);
}

static uint32_t out_action(const struct bench *b)
{
	struct rd r = rd_of(b->out + 8, 4);

	return rd_u32(&r);
}

static bool output(struct bench *b, int64_t now)
{
	b->n = udp_exchange_output(&b->x, b->out, now);
	return b->n > 0;
}

/* An answer to the last datagram: action, its transaction id, then n bytes; len of it is handed in.
 */
static enum err answer(struct bench *b, uint32_t action, const void *p, size_t n, int64_t now)
{
	uint8_t *buf = malloc(8 + n);
	struct wr w = wr_of(buf, 8 + n);
	enum err e;

	assert_non_null(buf);
	wr_u32(&w, action);
	wr_bytes(&w, b->out + 12, 4);
	wr_bytes(&w, p, n);
	e = udp_exchange_input(&b->x, buf, 8 + n, now, &b->r);
	free(buf);
	return e;
}

static void connect_at(struct bench *b, int64_t now)
{
	assert_true(output(b, now));
	assert_int_equal(out_action(b), UDP_CONNECT);
	assert_int_equal(answer(b, UDP_CONNECT, "\1\2\3\4\5\6\7\10", 8, now), E_AGAIN);
	assert_int_equal(udp_exchange_deadline(&b->x), now);
}

static void test_announce_v4(void **state)
{
	struct bench b = {.opts.last_try = 8, .params.event = ANNOUNCE_STARTED};
	static const uint8_t body[] = {0, 0, 7, 8, 0, 0, 0, 5, 0, 0, 0, 6, 1, 2, 3, 4, 0x1a, 0xe1,
		5, 6, 7, 8, 0, 80, 9, 9, 9, 9, 0, 0, 99, 99};
	char text[ENDPOINT_TEXT];

	(void)state;
	start(&b, UDP_ANNOUNCE, 5);
	assert_true(output(&b, 5));
	assert_int_equal(b.n, 16);
	assert_memory_equal(b.out, "\0\0\4\x17\x27\x10\x19\x80\0\0\0\0", 12);
	assert_false(output(&b, 6));
	assert_int_equal(udp_exchange_deadline(&b.x), 5 + 15 * SEC);
	assert_int_equal(answer(&b, UDP_CONNECT, "\1\2\3\4\5\6\7\10", 8, 10), E_AGAIN);
	assert_true(output(&b, 10));
	assert_int_equal(b.n, 98);
	assert_memory_equal(b.out, "\1\2\3\4\5\6\7\10\0\0\0\1", 12);
	assert_memory_equal(b.out + 16, b.params.infohash, 20);
	assert_memory_equal(b.out + 36, b.params.peer_id, 20);
	assert_memory_equal(b.out + 56,
		"\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3"
		"\0\0\0\2\0\0\0\0\1\2\3\4\xff\xff\xff\xff\x1a\xe1",
		42);
	assert_int_equal(answer(&b, UDP_ANNOUNCE, body, sizeof body, 20), E_OK);
	assert_int_equal(udp_exchange_status(&b.x), E_OK);
	assert_int_equal(udp_exchange_deadline(&b.x), INT64_MAX);
	assert_int_equal(b.r.interval, 1800);
	assert_int_equal(b.r.incomplete, 5);
	assert_int_equal(b.r.complete, 6);
	assert_int_equal(b.r.downloaded, -1);
	assert_int_equal(b.r.peers_n, 2);
	endpoint_format(&b.r.peers[0], text, sizeof text);
	assert_string_equal(text, "1.2.3.4:6881");
	endpoint_format(&b.r.peers[1], text, sizeof text);
	assert_string_equal(text, "5.6.7.8:80");
	announce_reply_free(&b.r);
}

static void test_announce_v6(void **state)
{
	struct bench b = {.opts = {.last_try = 8, .v6 = true}};
	uint8_t body[12 + 18] = {[12] = 0x20, [13] = 0x01, [27] = 1, [28] = 0x1a, [29] = 0xe1};
	char text[ENDPOINT_TEXT];

	(void)state;
	start(&b, UDP_ANNOUNCE, 0);
	connect_at(&b, 0);
	assert_true(output(&b, 0));
	assert_int_equal(answer(&b, UDP_ANNOUNCE, body, sizeof body, 1), E_OK);
	assert_int_equal(b.r.peers_n, 1);
	endpoint_format(&b.r.peers[0], text, sizeof text);
	assert_string_equal(text, "[2001::1]:6881");
	announce_reply_free(&b.r);
}

static void test_scrape(void **state)
{
	struct bench b = {.opts.last_try = 8};

	(void)state;
	start(&b, UDP_SCRAPE, 0);
	connect_at(&b, 0);
	assert_true(output(&b, 0));
	assert_int_equal(b.n, 36);
	assert_int_equal(out_action(&b), UDP_SCRAPE);
	assert_int_equal(answer(&b, UDP_SCRAPE, "\0\0\0\1\0\0\0\2\xff\0\0\3", 12, 1), E_OK);
	assert_int_equal(b.r.complete, 1);
	assert_int_equal(b.r.downloaded, 2);
	assert_int_equal(b.r.incomplete, -1);
}

/* BEP 15, "Connect times out", to the end. */
static void test_connect_times_out(void **state)
{
	static const int64_t at[] = {0, 15, 45, 105, 225, 465, 945, 1905, 3825};
	struct bench b = {.opts.last_try = 8};

	(void)state;
	start(&b, UDP_ANNOUNCE, 0);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		assert_int_equal(udp_exchange_deadline(&b.x), at[i] * SEC);
		assert_false(output(&b, at[i] * SEC - 1));
		assert_true(output(&b, at[i] * SEC));
		assert_int_equal(out_action(&b), UDP_CONNECT);
	}
	assert_int_equal(udp_exchange_deadline(&b.x), (3825 + 3840) * SEC);
	assert_int_equal(udp_exchange_status(&b.x), E_AGAIN);
	assert_false(output(&b, (3825 + 3840) * SEC));
	assert_int_equal(udp_exchange_status(&b.x), E_TIMEOUT);
}

/* BEP 15, "Announce times out", shifted so that the connect is answered at 1. */
static void test_announce_times_out(void **state)
{
	static const struct {
		int64_t at;
		enum udp_action action;
	} t[] = {{2, UDP_ANNOUNCE}, {17, UDP_ANNOUNCE}, {47, UDP_ANNOUNCE}, {107, UDP_CONNECT},
		{227, UDP_CONNECT}};
	struct bench b = {.opts.last_try = 8};

	(void)state;
	start(&b, UDP_ANNOUNCE, 0);
	connect_at(&b, 1 * SEC);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_true(output(&b, t[i].at * SEC));
		assert_int_equal(out_action(&b), t[i].action);
	}
}

/* A tracker that answers connects alone does not keep the exchange going. */
static void test_endless_connects_end(void **state)
{
	struct bench b = {.opts.last_try = 8};
	unsigned sent = 0;

	(void)state;
	start(&b, UDP_ANNOUNCE, 0);
	while (udp_exchange_status(&b.x) == E_AGAIN && sent < 1000) {
		int64_t now = udp_exchange_deadline(&b.x);

		if (!output(&b, now))
			continue;
		sent++;
		if (out_action(&b) == UDP_CONNECT)
			answer(&b, UDP_CONNECT, "12345678", 8, now + 1);
	}
	assert_int_equal(udp_exchange_status(&b.x), E_TIMEOUT);
	assert_true(sent <= 12);
}

static void test_last_try_is_configurable(void **state)
{
	struct bench b = {.opts.last_try = 1};

	(void)state;
	start(&b, UDP_ANNOUNCE, 0);
	assert_true(output(&b, 0));
	assert_true(output(&b, 15 * SEC));
	assert_false(output(&b, 45 * SEC));
	assert_int_equal(udp_exchange_status(&b.x), E_TIMEOUT);
}

static void test_connection_id_is_reused(void **state)
{
	struct bench b = {.opts = {.last_try = 8, .conn_id = 77, .conn_until = 60 * SEC}};
	int64_t until;

	(void)state;
	start(&b, UDP_ANNOUNCE, 59 * SEC);
	assert_true(output(&b, 59 * SEC));
	assert_int_equal(out_action(&b), UDP_ANNOUNCE);
	assert_memory_equal(b.out, "\0\0\0\0\0\0\0\x4d", 8);
	/* The tracker has forgotten it: that is no failure yet, the second time is. */
	assert_int_equal(answer(&b, UDP_ERROR, "bad connection id", 17, 59 * SEC), E_AGAIN);
	connect_at(&b, 59 * SEC);
	assert_int_equal(udp_exchange_conn(&b.x, &until), 0x0102030405060708);
	assert_int_equal(until, 119 * SEC);
	assert_true(output(&b, 59 * SEC));
	assert_int_equal(answer(&b, UDP_ERROR, "no\n", 3, 59 * SEC), E_TRACKER);
	start(&b, UDP_ANNOUNCE, 60 * SEC);
	assert_true(output(&b, 60 * SEC));
	assert_int_equal(out_action(&b), UDP_CONNECT);
}

static void test_strange_answers(void **state)
{
	static const struct {
		uint32_t action;
		const char *body;
		size_t n;
		enum err err;
		const char *failure;
	} t[] = {
		{UDP_ANNOUNCE, "", 0, E_TRUNCATED, ""},
		{UDP_ANNOUNCE, "12345678901", 11, E_TRUNCATED, ""},
		{UDP_ANNOUNCE, "123456789012345", 15, E_OK, ""},
		{UDP_CONNECT, "12345678", 8, E_PROTOCOL, ""},
		{UDP_SCRAPE, "123456789012", 12, E_PROTOCOL, ""},
		{9, "123456789012", 12, E_PROTOCOL, ""},
		{UDP_ERROR, "", 0, E_TRACKER, "refused without a reason"},
		{UDP_ERROR, "not\x1b here\0\0", 11, E_TRACKER, "not  here"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct bench b = {.opts.last_try = 8};

		start(&b, UDP_ANNOUNCE, 0);
		connect_at(&b, 0);
		assert_true(output(&b, 0));
		assert_int_equal(answer(&b, t[i].action, t[i].body, t[i].n, 1), t[i].err);
		assert_int_equal(udp_exchange_status(&b.x), t[i].err);
		assert_string_equal(b.r.failure, t[i].failure);
		announce_reply_free(&b.r);
	}
}

static void test_what_is_not_ours_is_ignored(void **state)
{
	struct bench b = {.opts.last_try = 8};
	uint8_t wrong[16] = {0};

	(void)state;
	start(&b, UDP_ANNOUNCE, 0);
	assert_true(output(&b, 0));
	memcpy(wrong + 4, b.out + 12, 4);
	wrong[7] ^= 1;
	assert_int_equal(udp_exchange_input(&b.x, wrong, 16, 1, &b.r), E_AGAIN);
	for (size_t n = 0; n < 8; n++)
		assert_int_equal(udp_exchange_input(&b.x, wrong, n, 1, &b.r), E_AGAIN);
	assert_int_equal(udp_exchange_input(&b.x, NULL, 0, 1, &b.r), E_AGAIN);
	assert_int_equal(udp_exchange_status(&b.x), E_AGAIN);
	assert_int_equal(b.x.step, UDP_CONNECT);
	/* The truncated answer to us is another matter. */
	assert_int_equal(answer(&b, UDP_CONNECT, "1234567", 7, 1), E_TRUNCATED);
	assert_int_equal(answer(&b, UDP_CONNECT, "12345678", 8, 1), E_AGAIN);
	assert_int_equal(udp_exchange_status(&b.x), E_TRUNCATED);
}

static void test_urldata(void **state)
{
	struct bench b = {.opts = {.last_try = 8, .urldata = "/dir?a=b&c=d#no"}};
	char longer[400];

	(void)state;
	start(&b, UDP_ANNOUNCE, 0);
	connect_at(&b, 0);
	assert_true(output(&b, 0));
	assert_int_equal(b.n, 98 + 14);
	assert_memory_equal(b.out + 98, "\2\14/dir?a=b&c=d", 14);
	memset(longer, 'x', sizeof longer);
	longer[300] = '\0';
	b.opts.urldata = longer;
	start(&b, UDP_ANNOUNCE, 0);
	connect_at(&b, 0);
	assert_true(output(&b, 0));
	assert_int_equal(b.n, 98 + 2 + 255 + 2 + 45);
	assert_memory_equal(b.out + 98 + 257, "\2\x2dxx", 4);
}

static void test_urls(void **state)
{
	static const struct {
		const char *url;
		enum err err;
		const char *host;
		uint16_t port;
		const char *data;
	} t[] = {
		{"udp://tracker.example.com:80/dir?a=b", E_OK, "tracker.example.com", 80,
			"/dir?a=b"},
		{"udp://tracker.example.com:80", E_OK, "tracker.example.com", 80, NULL},
		{"udp://[::1]:6969/announce", E_OK, "::1", 6969, "/announce"},
		{"udp://1.2.3.4:65535?x", E_OK, "1.2.3.4", 65535, "?x"},
		{"udp://h:1#frag", E_OK, "h", 1, NULL},
		{"udp://host/announce", E_MISSING, NULL, 0, NULL},
		{"udp://host:/announce", E_MISSING, NULL, 0, NULL},
		{"udp://host:0", E_RANGE, NULL, 0, NULL},
		{"udp://host:65536", E_RANGE, NULL, 0, NULL},
		{"udp://host:123456", E_RANGE, NULL, 0, NULL},
		{"udp://host:12a", E_SYNTAX, NULL, 0, NULL},
		{"udp://", E_SYNTAX, NULL, 0, NULL},
		{"udp://:80", E_SYNTAX, NULL, 0, NULL},
		{"udp:///x", E_SYNTAX, NULL, 0, NULL},
		{"udp://[::1", E_SYNTAX, NULL, 0, NULL},
		{"udp://[::1]80", E_SYNTAX, NULL, 0, NULL},
		{"udp://[::1]", E_MISSING, NULL, 0, NULL},
		{"udp://[]:1", E_SYNTAX, NULL, 0, NULL},
		{"udp://user@host:1", E_SYNTAX, NULL, 0, NULL},
		{"udp://ho st:1", E_SYNTAX, NULL, 0, NULL},
		{"http://host:1", E_SYNTAX, NULL, 0, NULL},
		{"udp://a-host-that-is-too-long-for-the-room-it-has:1", E_TOO_BIG, NULL, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char host[24];
		uint16_t port = 0;
		const char *data = NULL;

		if (announce_udp_url(t[i].url, host, sizeof host, &port, &data) != t[i].err)
			fail_msg("%s", t[i].url);
		if (t[i].err != E_OK)
			continue;
		assert_string_equal(host, t[i].host);
		assert_int_equal(port, t[i].port);
		assert_int_equal(data == NULL, t[i].data == NULL);
		if (data != NULL)
			assert_string_equal(data, t[i].data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announce_v4),
		cmocka_unit_test(test_announce_v6),
		cmocka_unit_test(test_scrape),
		cmocka_unit_test(test_connect_times_out),
		cmocka_unit_test(test_announce_times_out),
		cmocka_unit_test(test_endless_connects_end),
		cmocka_unit_test(test_last_try_is_configurable),
		cmocka_unit_test(test_connection_id_is_reused),
		cmocka_unit_test(test_strange_answers),
		cmocka_unit_test(test_what_is_not_ours_is_ignored),
		cmocka_unit_test(test_urldata),
		cmocka_unit_test(test_urls),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
