/* SPDX-License-Identifier: MIT */
/* HTTP trackers: URLs built, replies of every kind read, garbage refused with words. */
#include "proto/tracker/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HASH20 "%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA%AA"
#define QUERY                                                                                      \
	"info_hash=" HASH20 "&peer_id=-TD0100-%00%20%26%2F%3D%3Fabc_~.&port=6881&uploaded=0"       \
	"&downloaded=18446744073709551615&left=5&key=0001E240&compact=1"

static struct announce_params params(void)
{
	struct announce_params p = {.port = 6881,
		.downloaded = UINT64_MAX,
		.left = 5,
		.key = 123456,
		.numwant = ANNOUNCE_NUMWANT_DEFAULT};

	memset(p.infohash, 0xaa, 20);
	memcpy(p.peer_id, "-TD0100-\0 &/=?abc_~.", 20);
	return p;
}

static void test_announce_urls(void **state)
{
	static const struct {
		const char *base;
		enum err err;
		const char *url;
	} t[] = {
		{"http://t/announce", E_OK, "http://t/announce?" QUERY},
		{"http://t/announce?", E_OK, "http://t/announce?" QUERY},
		{"http://t/a?pass=1", E_OK, "http://t/a?pass=1&" QUERY},
		{"http://t/a?pass=1&", E_OK, "http://t/a?pass=1&" QUERY},
		{"https://t/a#frag", E_OK, "https://t/a?" QUERY},
		{"http://t/a b", E_SYNTAX, ""},
		{"http://t/a\r\nHost: x", E_SYNTAX, ""},
		{"http://t/\xc3\xa9", E_SYNTAX, ""},
		{"", E_SYNTAX, ""},
		{"http://t/a?info_hash=x", E_DENIED, ""},
		{"http://t/a?x=1&event=stopped", E_DENIED, ""},
		{"http://t/a?my_event=1", E_OK, "http://t/a?my_event=1&" QUERY},
	};
	struct announce_params p = params();
	char url[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (announce_http_url(t[i].base, &p, url, sizeof url) != t[i].err)
			fail_msg("%s", t[i].base);
		assert_string_equal(url, t[i].url);
	}
	p.event = ANNOUNCE_COMPLETED;
	p.numwant = 0;
	p.trackerid = "a/b";
	p.ipv4 = "1.2.3.4";
	p.ipv6 = "2001:db8::1";
	assert_int_equal(announce_http_url("http://t/announce", &p, url, sizeof url), E_OK);
	assert_string_equal(url,
		"http://t/announce?" QUERY "&numwant=0&event=completed&trackerid=a%2Fb"
		"&ipv4=1.2.3.4&ipv6=2001%3Adb8%3A%3A1");
	/* No room, whatever is short by one, gives nothing and never writes past the end. */
	for (size_t n = 1; n <= strlen(url); n++) {
		char *small = malloc(n);

		assert_non_null(small);
		assert_int_equal(announce_http_url("http://t/announce", &p, small, n), E_TOO_BIG);
		assert_string_equal(small, "");
		free(small);
	}
}

static void test_scrape_urls(void **state)
{
	static const struct {
		const char *base;
		enum err err;
		const char *url;
	} t[] = {
		{"http://t/announce", E_OK, "http://t/scrape?info_hash=" HASH20},
		{"http://t/x/announce", E_OK, "http://t/x/scrape?info_hash=" HASH20},
		{"http://t/announce.php", E_OK, "http://t/scrape.php?info_hash=" HASH20},
		{"http://t/announce?x=2%0644", E_OK, "http://t/scrape?x=2%0644&info_hash=" HASH20},
		{"http://t/announce?x=/announce", E_OK,
			"http://t/scrape?x=/announce&info_hash=" HASH20},
		{"http://t/a", E_UNSUPPORTED, ""},
		{"http://t/announce/", E_UNSUPPORTED, ""},
		{"http://t/announce/x", E_UNSUPPORTED, ""},
		{"http://t/x_announce", E_UNSUPPORTED, ""},
		{"http://t/?x=/announce", E_UNSUPPORTED, ""},
		/* The last slash must lie behind the host: else another one would be asked. */
		{"http://announce.example:6969?key=SECRET", E_UNSUPPORTED, ""},
		{"http://announce.example:6969", E_UNSUPPORTED, ""},
		{"https://announce", E_UNSUPPORTED, ""},
		{"http://announce.example?x=/announce", E_UNSUPPORTED, ""},
		{"//announce/x", E_UNSUPPORTED, ""},
		{"announce", E_UNSUPPORTED, ""},
		{"", E_SYNTAX, ""},
	};
	uint8_t hash[20];
	char url[512];

	(void)state;
	memset(hash, 0xaa, 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (announce_http_scrape_url(t[i].base, hash, url, sizeof url) != t[i].err)
			fail_msg("%s", t[i].base);
		assert_string_equal(url, t[i].url);
	}
	assert_int_equal(announce_http_scrape_url("http://t/announce", hash, url, 40), E_TOO_BIG);
}

/* Parses from an allocation of exactly the text's size. */
static enum err parse(const char *text, size_t n, struct announce_reply *r)
{
	uint8_t *copy = malloc(n ? n : 1);
	enum err e;

	assert_non_null(copy);
	memcpy(copy, text, n);
	e = announce_http_parse((struct slice){copy, n}, r);
	free(copy);
	return e;
}

#define PARSE(text, r) parse(text, sizeof(text) - 1, r)

static void assert_peer(const struct announce_reply *r, unsigned i, const char *text)
{
	char buf[ENDPOINT_TEXT];

	assert_true(i < r->peers_n);
	endpoint_format(&r->peers[i], buf, sizeof buf);
	assert_string_equal(buf, text);
}

static const char full[] = "d8:completei7e10:downloadedi9e11:external ip4:\1\2\3\4"
			   "10:incompletei8e8:intervali1800e12:min intervali900e"
			   "5:peers18:\1\2\3\4\x1a\xe1\5\6\7\10\0\0\x7f\0\0\1\x1a\xe2"
			   "6:peers618:\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x1a\xe1"
			   "10:tracker id3:a\1b15:warning message4:oo\nhe";

static void test_compact_reply(void **state)
{
	struct announce_reply r;
	char text[ENDPOINT_TEXT];

	(void)state;
	assert_int_equal(PARSE(full, &r), E_OK);
	assert_string_equal(r.failure, "");
	assert_string_equal(r.warning, "oo h");
	assert_int_equal(r.interval, 1800);
	assert_int_equal(r.min_interval, 900);
	assert_int_equal(r.complete, 7);
	assert_int_equal(r.incomplete, 8);
	assert_int_equal(r.downloaded, 9);
	assert_string_equal(r.trackerid, "a\1b");
	endpoint_format_ip(&r.external_ip, text, sizeof text);
	assert_string_equal(text, "1.2.3.4");
	assert_int_equal(r.peers_n, 3);
	assert_peer(&r, 0, "1.2.3.4:6881");
	assert_peer(&r, 1, "127.0.0.1:6882");
	assert_peer(&r, 2, "[2001::1]:6881");
	announce_reply_free(&r);
	assert_null(r.peers);
	assert_int_equal(r.complete, -1);
	for (size_t n = 0; n < sizeof full - 1; n++) {
		assert_int_equal(parse(full, n, &r), E_SYNTAX);
		assert_true(r.failure[0] != '\0');
		announce_reply_free(&r);
	}
}

static void test_dictionary_peers(void **state)
{
	struct announce_reply r;

	(void)state;
	assert_int_equal(PARSE("d8:intervali60e5:peersl"
			       "d2:ip7:1.2.3.47:peer id20:aaaaaaaaaaaaaaaaaaaa4:porti6881ee"
			       "d2:ip11:example.com4:porti1ee"
			       "d2:ip3:::14:porti5ee"
			       "d2:ip7:1.2.3.44:porti0ee"
			       "d2:ip7:1.2.3.44:porti65536ee"
			       "d2:ip7:1.2.3.44:porti-1ee"
			       "d4:porti1eed2:ip7:1.2.3.4ei5e3:abcl2:ipee"
			       "ee",
				 &r),
		E_OK);
	assert_int_equal(r.peers_n, 2);
	assert_peer(&r, 0, "1.2.3.4:6881");
	assert_peer(&r, 1, "[::1]:5");
	assert_int_equal(r.complete, -1);
	announce_reply_free(&r);
}

static void test_peers_are_bounded(void **state)
{
	size_t n = 6 * 5000;
	char *text = malloc(n + 64);
	int head = snprintf(text, 64, "d5:peers%zu:", n);
	struct announce_reply r;

	(void)state;
	memset(text + head, 9, n);
	text[(size_t)head + n] = 'e';
	assert_int_equal(parse(text, (size_t)head + n + 1, &r), E_OK);
	assert_int_equal(r.peers_n, ANNOUNCE_PEERS_MAX);
	announce_reply_free(&r);
	free(text);
}

static void test_odd_replies(void **state)
{
	static const struct {
		const char *text;
		enum err err;
		const char *failure;
	} t[] = {
		{"d14:failure reason9:not knowne", E_OK, "not known"},
		{"d14:failure reason0:e", E_OK, "refused without a reason"},
		{"d14:failure reasoni5ee", E_OK, "refused without a reason"},
		{"d14:failure reason5:a\r\nb\x1b"
		 "e",
			E_OK, "a  b "},
		{"d8:intervali60ee", E_OK, ""},
		{"d8:intervali60ee\r\n", E_OK, ""},
		{"d5:peers0:e", E_OK, ""},
		{"d5:peers7:abcdefge", E_OK, ""},
		{"d8:interval2:605:peersi5ee", E_OK, ""},
		{"d8:intervali-5ee", E_OK, ""},
		{"de", E_TYPE, "the tracker's answer has neither peers nor an interval"},
		{"le", E_TYPE, "the tracker's answer is not a dictionary"},
		{"i5e", E_TYPE, "the tracker's answer is not a dictionary"},
		{"", E_SYNTAX, "the tracker's answer is empty"},
		{"<html>", E_SYNTAX, "the tracker answered with a web page"},
		{"not found", E_SYNTAX, "the tracker's answer is not bencoded"},
		{"d8:interval", E_SYNTAX, "the tracker's answer is not bencoded"},
		{"d5:peers9999999999:e", E_SYNTAX, "the tracker's answer is not bencoded"},
		{"dddddddddddddddddddddddddddd", E_SYNTAX, "the tracker's answer is not bencoded"},
		{"llllllllllllllllllllllllllll", E_SYNTAX, "the tracker's answer is not bencoded"},
	};
	struct announce_reply r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (parse(t[i].text, strlen(t[i].text), &r) != t[i].err)
			fail_msg("%s", t[i].text);
		assert_string_equal(r.failure, t[i].failure);
		announce_reply_free(&r);
	}
}

static void test_odd_numbers(void **state)
{
	struct announce_reply r;

	(void)state;
	assert_int_equal(PARSE("d8:completei-1e10:downloadedi9999999999e10:incomplete1:5"
			       "8:intervali99999999999ee",
				 &r),
		E_OK);
	assert_int_equal(r.complete, -1);
	assert_int_equal(r.downloaded, -1);
	assert_int_equal(r.incomplete, -1);
	assert_int_equal(r.interval, INT32_MAX);
	announce_reply_free(&r);
}

static void test_scrape_replies(void **state)
{
	static const char two[] = "d5:filesd20:xxxxxxxxxxxxxxxxxxxxd8:completei1e10:downloadedi2e"
				  "10:incompletei3ee20:yyyyyyyyyyyyyyyyyyyyd8:completei4eee"
				  "5:flagsdee";
	static const struct {
		const char *text, *hash;
		enum err err;
		int64_t complete, downloaded, incomplete;
	} t[] = {
		{two, "xxxxxxxxxxxxxxxxxxxx", E_OK, 1, 2, 3},
		{two, "yyyyyyyyyyyyyyyyyyyy", E_OK, 4, -1, -1},
		{two, "zzzzzzzzzzzzzzzzzzzz", E_NOT_FOUND, -1, -1, -1},
		{"d5:filesdee", "zzzzzzzzzzzzzzzzzzzz", E_NOT_FOUND, -1, -1, -1},
		{"d14:failure reason2:noe", "zzzzzzzzzzzzzzzzzzzz", E_OK, -1, -1, -1},
		{"de", "zzzzzzzzzzzzzzzzzzzz", E_TYPE, -1, -1, -1},
		{"<html>", "zzzzzzzzzzzzzzzzzzzz", E_SYNTAX, -1, -1, -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct slice body = {(const uint8_t *)t[i].text, strlen(t[i].text)};
		struct announce_reply r;

		assert_int_equal(
			announce_http_scrape_parse(body, (const uint8_t *)t[i].hash, &r), t[i].err);
		assert_int_equal(r.complete, t[i].complete);
		assert_int_equal(r.downloaded, t[i].downloaded);
		assert_int_equal(r.incomplete, t[i].incomplete);
		announce_reply_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announce_urls),
		cmocka_unit_test(test_scrape_urls),
		cmocka_unit_test(test_compact_reply),
		cmocka_unit_test(test_dictionary_peers),
		cmocka_unit_test(test_peers_are_bounded),
		cmocka_unit_test(test_odd_replies),
		cmocka_unit_test(test_odd_numbers),
		cmocka_unit_test(test_scrape_replies),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
