/* SPDX-License-Identifier: MIT */
/* Magnet links as they are found, and what is wrong with others, in words and at which byte. */
#include "proto/base/encode.h"
#include "proto/meta/magnet.h"
#include "tests/unit/lib/torrents.h"

#define IH   "000102030405060708090a0b0c0d0e0f10111213"
#define IH2  "ffffffffffffffffffffffffffffffffffffffff"
#define B32  "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT"
#define V2   "1220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY  "8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e"
#define LINK "magnet:?xt=urn:btih:" IH

/* An exact copy, so that the sanitizers see a byte too far. */
static enum err parse(const char *text, struct magnet *m, struct parse_error *pe)
{
	size_t n = strlen(text);
	char *copy = malloc(n + 1);
	enum err e;

	memcpy(copy, text, n);
	e = magnet_parse(copy, n, m, pe);
	free(copy);
	return e;
}

/* Everything a magnet says, in one line. */
static void tell(const struct magnet *m, char *out, size_t size)
{
	size_t n = 0;
	char hex[65];

#define PUT(...) n += (size_t)snprintf(out + n, size - n, __VA_ARGS__)
	if (m->infohash.has_v1) {
		hex_encode(m->infohash.v1, 20, hex);
		PUT("%s", hex);
	}
	if (m->infohash.has_v2)
		PUT(" v2");
	if (m->has_key) {
		hex_encode(m->key, 32, hex);
		PUT("key %s salt %u", hex, m->salt_n);
	}
	if (m->name != NULL)
		PUT(" dn '%s'", m->name);
	if (m->size > 0)
		PUT(" xl %llu", (unsigned long long)m->size);
	for (uint32_t i = 0; i < m->trackers_n; i++)
		PUT(" tr %s", m->trackers[i]);
	for (uint32_t i = 0; i < m->seeds_n; i++)
		PUT(" ws %s", m->seeds[i]);
	for (uint32_t i = 0; i < m->peers_n; i++)
		PUT(" pe %s %u%s", m->peers[i].host, m->peers[i].port,
			m->peers[i].is_literal ? "" : "?");
	for (uint32_t i = 0; i < m->ranges_n; i++)
		PUT(" so %u-%u", m->ranges[i].first, m->ranges[i].last);
#undef PUT
}

static const struct {
	const char *link, *says;
} good[] = {
	{LINK, IH},
	{"MAGNET:?XT=URN:BTIH:" B32, IH},
	{"magnet:?xt=urn:btih:aaaqeayeaudaocajbifqydiob4ibceqt", IH},
	{"magnet:?xt=urn:btih:000102030405060708090A0B0C0D0E0F10111213", IH},
	{"magnet:///?xt=urn:btih:" IH, IH},
	{"magnet://?xt=urn:btih:" IH, IH},
	{"magnet:/?xt=urn:btih:" IH, IH},
	{" \t" LINK "\r\n", IH},
	{IH, IH},
	{B32, IH},
	{"magnet:?xt=urn%3Abtih%3A" IH, IH},
	{"magnet:?dn=a&xt=urn:btih:" IH, IH " dn 'a'"},
	{"magnet:?xt.1=urn:sha1:" B32 "&xt.2=urn:btih:" IH "&xt.3=urn:tree:tiger:x", IH},
	{LINK "&xt=urn:btih:" B32, IH},
	{LINK "&xt=urn:btmh:" V2, IH " v2"},
	{"magnet:?xt=urn:btmh:" V2 "&xt=urn:btih:" IH, IH " v2"},
	/* dn */
	{LINK "&dn=a+b%2Bc%20d", IH " dn 'a b+c d'"},
	{LINK "&dn=100%&dn=second", IH " dn '100%'"},
	{LINK "&dn=%zz%4", IH " dn '%zz%4'"},
	{LINK "&dn=%D0%B4\xd0\xb0", IH " dn '\xd0\xb4\xd0\xb0'"},
	{LINK "&dn=a%0Ab%00c%ff", IH " dn 'a b c\xef\xbf\xbd'"},
	{LINK "&dn=", IH},
	{LINK "&dn", IH},
	{LINK "&&dn=a=b&", IH " dn 'a=b'"},
	{LINK "&DN=a", IH " dn 'a'"},
	{LINK "&amp;dn=a&amp;tr=http://t/a", IH " dn 'a' tr http://t/a"},
	/* xl */
	{LINK "&xl=10826029", IH " xl 10826029"},
	{LINK "&xl=-1", IH},
	{LINK "&xl=99999999999999999999999", IH},
	/* tr, ws */
	{LINK "&tr=udp%3A%2F%2Ft.example%3A80%2Fa%2Bb+c&tr.1=http://u/a&tr.22=udp%3A//v:1",
		IH " tr udp://t.example:80/a+b+c tr http://u/a tr udp://v:1"},
	{LINK "&tr=http://t/a&tr=http://t/a&tr=&tr=%20&tr=a%00b", IH " tr http://t/a"},
	{LINK "&ws=http://h/a%2520b&ws.1=https://i/", IH " ws http://h/a%20b ws https://i/"},
	/* x.pe */
	{LINK "&x.pe=1.2.3.4:6881&x.pe=%5B::1%5D:1&x.pe=host.example:65535",
		IH " pe 1.2.3.4 6881 pe ::1 1 pe host.example 65535?"},
	{LINK "&x.pe=1.2.3.4:6881&x.pe=1.2.3.4:6881&x.pe.3=1.2.3.4:6882",
		IH " pe 1.2.3.4 6881 pe 1.2.3.4 6882"},
	{LINK "&x.pe=1.2.3.4:0&x.pe=1.2.3.4:65536&x.pe=1.2.3.4&x.pe=1.2.3.4:&x.pe=:1"
	      "&x.pe=[::1]&x.pe=[]:1&x.pe=[h]:1&x.pe=a/b:1&x.pe=::1:1&x.pe=h:1x&x.pe=",
		IH},
	/* so */
	{LINK "&so=0,2,4,6-8", IH " so 0-0 so 2-2 so 4-4 so 6-8"},
	{LINK "&so=3-3&so=", IH " so 3-3"},
	{LINK "&so=", IH},
	{LINK "&so=7,0-1000000", IH " so 7-7 so 0-1000000"},
	/* BEP 46, "magnet links" */
	{"magnet:?xs=urn:btpk:" KEY, "key " KEY " salt 0"},
	{"magnet:?xs=urn:btpk:" KEY "&s=6e", "key " KEY " salt 1"},
	{LINK "&xs=urn:btpk:" KEY, IH},
	{LINK "&xs=http://cache/a.torrent&as=http://b&kt=x&unknown=1", IH},
};

static void test_good(void **unused)
{
	char says[2048];
	struct magnet m;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct parse_error pe;

		if (parse(good[i].link, &m, &pe) != E_OK)
			fail_msg("%s: %s", good[i].link, pe.what);
		tell(&m, says, sizeof says);
		assert_string_equal(says, good[i].says);
		magnet_fini(&m);
	}
}

static const struct {
	const char *link;
	enum err err;
	size_t at;
	const char *what; /* a part of it */
} bad[] = {
	{"", E_SYNTAX, 0, "begins with magnet:?"},
	{"http://a/b.torrent", E_SYNTAX, 0, "begins with magnet:?"},
	{"magnet:xt=urn:btih:" IH, E_SYNTAX, 7, "begins with magnet:?"},
	{"magnet:?", E_MISSING, 0, "no urn:btih:"},
	{"magnet:?dn=a&tr=http://t/a", E_MISSING, 0, "no urn:btih:"},
	{"magnet:?xt=urn:sha1:" B32, E_MISSING, 0, "no urn:btih:"},
	{"magnet:?xt=", E_MISSING, 0, "no urn:btih:"},
	{"magnet:?xt=urn:btih:", E_SYNTAX, 8, "here are 0"},
	{"magnet:?xt=urn:btih:0001", E_SYNTAX, 8, "here are 4"},
	{"magnet:?xt=urn:btih:" IH "00", E_SYNTAX, 8, "here are 42"},
	{"magnet:?xt=urn:btih:g00102030405060708090a0b0c0d0e0f10111213", E_SYNTAX, 8, "40 hex"},
	{"magnet:?xt=urn:btih:1AAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT", E_SYNTAX, 8, "base32"},
	{"1AAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT", E_SYNTAX, 0, "base32"},
	{LINK "&xt=urn:btih:" IH2, E_RANGE, 61, "two different"},
	{"magnet:?xt=urn:btmh:" V2, E_UNSUPPORTED, 0, "version 2"},
	{LINK "&xt=urn:btmh:1220", E_SYNTAX, 61, "64 hex"},
	{LINK "&xt=urn:btmh:1120" IH IH2, E_SYNTAX, 61, "1220"},
	{"magnet:?xs=urn:btpk:" IH, E_SYNTAX, 8, "64 hex"},
	{"magnet:?s=123&xs=urn:btpk:" KEY, E_SYNTAX, 8, "salt"},
	{LINK "&so=a", E_SYNTAX, 61, "0,2,5-7"},
	{LINK "&so=3-1", E_SYNTAX, 61, "0,2,5-7"},
	{LINK "&so=1,", E_SYNTAX, 61, "0,2,5-7"},
	{LINK "&so=1;2", E_SYNTAX, 61, "0,2,5-7"},
	{LINK "&so=-1", E_SYNTAX, 61, "0,2,5-7"},
	{LINK "&so=1000001", E_SYNTAX, 61, "below"},
	{LINK "&so=4294967296", E_SYNTAX, 61, "below"},
	{LINK "&so=1&so=2", E_SYNTAX, 66, "twice"},
	{LINK "&dn=a\nb", E_SYNTAX, 65, "one line"},
};

static void test_bad(void **unused)
{
	struct magnet m;
	struct parse_error pe;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		enum err e = parse(bad[i].link, &m, &pe);

		if (e != bad[i].err || pe.err != e || pe.offset != bad[i].at ||
			strstr(pe.what, bad[i].what) == NULL)
			fail_msg("%s: %s at %zu: %s", bad[i].link, err_name(e), pe.offset, pe.what);
		assert_int_equal(parse(bad[i].link, &m, NULL), e);
	}
}

/* A link whose list of one kind is longer than may be; the rest is left out. */
static void check_many(
	const char *pair, unsigned n, uint32_t (*count)(const struct magnet *), uint32_t most)
{
	char *link = malloc(MAGNET_BYTES_MAX + 1);
	size_t at = (size_t)snprintf(link, MAGNET_BYTES_MAX, LINK);
	struct magnet m;

	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(link + at, MAGNET_BYTES_MAX - at, "&%s%u", pair, i + 1);
	assert_true(at <= MAGNET_BYTES_MAX);
	assert_int_equal(parse(link, &m, NULL), E_OK);
	assert_int_equal(count(&m), most);
	magnet_fini(&m);
	free(link);
}

static uint32_t count_trackers(const struct magnet *m)
{
	return m->trackers_n;
}

static uint32_t count_seeds(const struct magnet *m)
{
	return m->seeds_n;
}

static uint32_t count_peers(const struct magnet *m)
{
	return m->peers_n;
}

static void test_bounds(void **unused)
{
	struct parse_error pe;
	struct magnet m;
	char *link = malloc(MAGNET_BYTES_MAX + 2);

	(void)unused;
	check_many("tr=http://t/", 1000, count_trackers, MAGNET_TRACKERS_MAX);
	check_many("ws=http://w/", 1000, count_seeds, MAGNET_SEEDS_MAX);
	check_many("x.pe=1.2.3.4:", 1000, count_peers, MAGNET_PEERS_MAX);
	memset(link, 'a', MAGNET_BYTES_MAX + 1);
	link[MAGNET_BYTES_MAX + 1] = '\0';
	memcpy(link, LINK "&dn=", sizeof LINK "&dn=" - 1);
	assert_int_equal(parse(link, &m, &pe), E_TOO_BIG);
	link[MAGNET_BYTES_MAX] = '\0';
	assert_int_equal(parse(link, &m, &pe), E_OK);
	assert_int_equal(strlen(m.name), 1024);
	magnet_fini(&m);
	/* No character is cut in two. */
	for (size_t i = sizeof LINK "&dn=a" - 1; i + 2 <= MAGNET_BYTES_MAX; i += 2)
		memcpy(link + i, "\xd0\xb0", 2);
	link[MAGNET_BYTES_MAX - MAGNET_BYTES_MAX % 2 - 1] = '\0';
	assert_int_equal(parse(link, &m, &pe), E_OK);
	assert_int_equal(strlen(m.name), 1023);
	assert_string_equal(m.name + 1021, "\xd0\xb0");
	magnet_fini(&m);
	/* As many ranges as fit, which is as much memory as they take. */
	memcpy(link, LINK "&so=", sizeof LINK "&so=" - 1);
	for (size_t i = sizeof LINK "&so=" - 1; i < MAGNET_BYTES_MAX - 1; i += 2)
		memcpy(link + i, "1,", 2);
	link[MAGNET_BYTES_MAX - 3] = '\0';
	assert_int_equal(parse(link, &m, &pe), E_OK);
	assert_true(m.ranges_n > 32000);
	magnet_fini(&m);
	free(link);
}

/* What is written says the same, and is written the same again. */
static void test_written(void **unused)
{
	char says[2048], again[2048];
	struct magnet m, back;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char *link, *second;

		assert_int_equal(parse(good[i].link, &m, NULL), E_OK);
		link = magnet_write(&m);
		assert_int_equal(parse(link, &back, NULL), E_OK);
		tell(&m, says, sizeof says);
		tell(&back, again, sizeof again);
		assert_string_equal(says, again);
		second = magnet_write(&back);
		assert_string_equal(link, second);
		xfree(link);
		xfree(second);
		magnet_fini(&m);
		magnet_fini(&back);
	}
	assert_int_equal(
		parse(LINK "&so=1,5-9&dn=a b&tr=http://t/a?k=1%262&x.pe=[::1]:2", &m, NULL), E_OK);
	char *link = magnet_write(&m);
	assert_string_equal(link,
		LINK "&so=1,5-9&dn=a%20b&x.pe=%5B%3A%3A1%5D%3A2&tr=http%3A%2F%2Ft%2Fa%3Fk%3D1%262");
	xfree(link);
	magnet_fini(&m);
}

/* What does not fit into a link is left out. */
static void test_written_large(void **unused)
{
	struct magnet m, back;
	char url[1500], *link;

	(void)unused;
	assert_int_equal(parse(LINK, &m, NULL), E_OK);
	for (unsigned i = 0; i < 200; i++) {
		int n = snprintf(url, sizeof url, "http://t/%u/%01200d", i, 0);

		assert_int_equal(magnet_add_tracker(&m, (struct slice){(uint8_t *)url, (size_t)n}),
			i < MAGNET_TRACKERS_MAX);
	}
	assert_false(magnet_add_seed(&m, (struct slice)S("no url")));
	link = magnet_write(&m);
	assert_true(strlen(link) <= MAGNET_BYTES_MAX);
	assert_int_equal(parse(link, &back, NULL), E_OK);
	assert_true(back.trackers_n > 45 && back.trackers_n < MAGNET_TRACKERS_MAX);
	xfree(link);
	magnet_fini(&back);
	magnet_fini(&m);
}

/* Any piece of a link is a link, or is refused. */
static void test_cuts(void **unused)
{
	static const char link[] = LINK "&dn=%41+b&tr=http%3A%2F%2Ft%2Fa&so=1,2-3&x.pe=[::1]:2";
	struct magnet m;
	char cut[sizeof link];

	(void)unused;
	for (size_t from = 0; from < sizeof link - 1; from += 7)
		for (size_t n = 0; n <= sizeof link - 1 - from; n++) {
			memcpy(cut, link + from, n);
			cut[n] = '\0';
			if (parse(cut, &m, NULL) == E_OK)
				magnet_fini(&m);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_written_large),
		cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
