/* SPDX-License-Identifier: MIT */
/* Torrents as JSON: the same text however it is cut into slices, what is shown on demand,
 * strangers' strings. */
#include "http/api/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/base/utf8.h"

static struct metainfo_file files[] = {
	{.path = (char *)"a \"quoted\" name", .length = 5},
	{.path = (char *)".pad/1", .length = 3, .pad = true},
	{.path = (char *)"latin \xe9", .length = 7},
};
static struct metainfo meta = {.magic = METAINFO_MAGIC,
	.name = "n",
	.files = files,
	.files_n = ARRAY_LEN(files)};
static struct file_view done[] = {{1, 0}, {0, 0}, {7, 4}};
static struct tracker_view trackers[] = {
	{.url = (char *)"http://t/", .leechers = -1, .seeders = 3},
	{.url = (char *)"udp://t", .contacted = true, .message = "no\x01\xff"},
	{.url = (char *)"udp://u", .contacted = true, .working = true},
};
static uint8_t bits[2] = {0xff, 0xc0};
static struct peer_view peers[] = {
	{.bits = 10},
	{.connected = true, .bitfield = bits, .bits = 10, .down_rate = 1536, .client = "\"\\"},
};
static struct torrent_view torrents[2];
static struct m_torrent_view view = {.torrents = torrents, .torrents_n = 2, .all = true};

static void prepare(void)
{
	meta.name = (char *)"n\xc3\xa4me\n";
	for (unsigned i = 0; i < 2; i++)
		torrents[i] = (struct torrent_view){.meta = &meta,
			.path = (char *)"/dl",
			.status = STATUS_SEEDING,
			.bitfield = bits,
			.bits = 10,
			.wanted = 3,
			.left = 1,
			.files = done,
			.trackers = trackers,
			.trackers_n = 3,
			.peers = peers,
			.peers_n = 2};
}

/* The whole text, in slices of so many bytes; valid until the next call. */
static const char *text_of(const struct render_wish *wish, size_t slice)
{
	static char text[65536];
	struct json_out o = {0};
	struct render r;

	render_init(&r, &view, wish, 1000000000);
	while (!render_some(&r, &o, slice))
		assert_true(o.n < sizeof text);
	assert_true(utf8_valid((struct slice){(const uint8_t *)o.p, o.n}));
	memcpy(text, o.p, o.n);
	text[o.n] = '\0';
	json_out_fini(&o);
	return text;
}

static void test_slices(void **unused)
{
	struct render_wish wish = {.files = true, .bitfields = true, .legacy = true};
	char *whole;

	(void)unused;
	prepare();
	whole = xstrdup(text_of(&wish, 1 << 20));
	for (size_t slice = 1; slice < 600; slice += 7)
		assert_string_equal(text_of(&wish, slice), whole);
	assert_int_equal(memcmp(whole + render_varying(&view), ",\"sessions\":[{\"name\"", 20), 0);
	xfree(whole);
}

static void test_a_slice_is_short(void **unused)
{
	struct render_wish wish = {.files = true, .bitfields = true};
	struct json_out o = {0};
	struct render r;
	size_t before = 0;

	(void)unused;
	prepare();
	render_init(&r, &view, &wish, 1);
	while (!render_some(&r, &o, 1)) {
		assert_true(o.n > before && o.n - before < 2048);
		before = o.n;
	}
	json_out_fini(&o);
}

static void test_strings(void **unused)
{
	struct render_wish wish = {.files = true, .bitfields = true};
	const char *text;

	(void)unused;
	prepare();
	text = text_of(&wish, 1 << 20);
	assert_non_null(strstr(text, "\"name\":\"n\xc3\xa4me\\u000a\""));
	assert_non_null(strstr(text, "\"path\":\"a \\\"quoted\\\" name\""));
	assert_non_null(strstr(text, "\"path\":\"latin \\\\xe9\""));
	assert_null(strstr(text, ".pad"));
	assert_non_null(strstr(text, "\"message\":\"no\\u0001\\\\xff\""));
	assert_non_null(strstr(text, "\"client\":\"\\\"\\\\\""));
}

static void test_states(void **unused)
{
	struct render_wish wish = {.bitfields = true};
	const char *text, *at;

	(void)unused;
	prepare();
	text = text_of(&wish, 1 << 20);
	at = strstr(
		text, "\"url\":\"http://t/\",\"status\":\"waiting\",\"leechers\":0,\"seeders\":3");
	assert_non_null(at);
	assert_non_null(strstr(at, "\"url\":\"udp://t\",\"status\":\"error\""));
	assert_non_null(strstr(at, "\"url\":\"udp://u\",\"status\":\"working\""));
	assert_non_null(strstr(text, "\"progress\":0.666666667"));
	assert_non_null(strstr(text, "\"bitfield_base64\":\"AAA=\",\"bitfield_length\":10"));
	assert_non_null(strstr(text, "\"downrate\":1.5"));
	assert_null(strstr(text, "\"files\""));
	assert_null(strstr(text, "\"peers\":["));
}

static void test_fields(void **unused)
{
	struct render_wish wish = {.bitfields = true};
	struct slice bad = {0};

	(void)unused;
	prepare();
	assert_int_equal(render_fields(&wish, "status,,progress", &bad), E_OK);
	assert_int_equal(render_parts(&wish), 0);
	assert_string_equal(text_of(&wish, 1 << 20),
		"{\"time\":\"2001-09-09T01:46:40Z\",\"sessions\":["
		"{\"status\":\"seeding\",\"progress\":0.666666667},"
		"{\"status\":\"seeding\",\"progress\":0.666666667}],\"maxdown\":0.0,\"maxup\":0."
		"0}");
	assert_int_equal(render_fields(&wish, "status,Status", &bad), E_NOT_FOUND);
	assert_int_equal(bad.n, 6);
	assert_int_equal(render_fields(&wish, "peers", &bad), E_NOT_FOUND);
	assert_int_equal(render_fields(&wish, ",", &bad), E_MISSING);
	wish.legacy = true;
	assert_int_equal(render_fields(&wish, "peers", &bad), E_OK);
}

static void test_parts(void **unused)
{
	struct render_wish usual = {.bitfields = true}, lean = {.files = true}, peers_only = lean;
	struct slice bad;

	(void)unused;
	assert_int_equal(
		render_parts(&usual), VIEW_BITFIELDS | VIEW_PEERS | VIEW_TRACKERS | VIEW_WEB_SEEDS);
	assert_int_equal(
		render_parts(&lean), VIEW_FILES | VIEW_PEERS | VIEW_TRACKERS | VIEW_WEB_SEEDS);
	peers_only.bitfields = true;
	assert_int_equal(render_fields(&peers_only, "Peers", &bad), E_OK);
	assert_int_equal(render_parts(&peers_only), VIEW_PEERS | VIEW_BITFIELDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_a_slice_is_short),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
