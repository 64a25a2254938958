/* SPDX-License-Identifier: MIT */
/* A magnet's torrent before and after its info dictionary came, and trackers that are added. */
#include "proto/base/encode.h"
#include "proto/meta/bencode.h"
#include "proto/meta/magnet.h"
#include "tests/unit/lib/torrents.h"

#define DICT(text) "d" text "e"

static struct metainfo *bare_of(const char *link)
{
	struct parse_error pe;
	struct metainfo *m;

	if (metainfo_from_magnet(link, strlen(link), &m, &pe) != E_OK)
		fail_msg("%s: %s", link, pe.what);
	assert_true(m->bare && !m->is_private && m->infohash.has_v1 && !m->infohash.has_v2);
	assert_int_equal(m->pieces, 0);
	assert_int_equal(m->files_n, 0);
	assert_int_equal(m->size, 0);
	return m;
}

/* The link of the torrent whose info dictionary is info, with what follows. */
static char *link_of(struct slice info, const char *rest)
{
	static char link[2048];
	uint8_t hash[20];
	char hex[41];

	hash_once(HASH_SHA1, info.p, info.n, hash);
	hex_encode(hash, 20, hex);
	snprintf(link, sizeof link, "magnet:?xt=urn:btih:%s%s", hex, rest);
	return link;
}

static struct metainfo *complete(const struct metainfo *bare, struct slice info)
{
	struct parse_error pe;
	struct metainfo *m;

	if (metainfo_complete(bare, info, &m, &pe) != E_OK)
		fail_msg("%s", pe.what);
	assert_false(m->bare);
	assert_true(infohash_equal(&m->infohash, &bare->infohash));
	assert_int_equal(m->info.n, info.n);
	assert_memory_equal(m->info.p, info.p, info.n);
	return m;
}

static void test_bare(void **unused)
{
	static const struct {
		const char *dn, *name;
	} names[] = {
		{"&dn=Some+thing", "Some thing"},
		{"&dn=a%2Fb%2F..", "a%2Fb%2F.."},
		{"&dn=..", "000102030405060708090a0b0c0d0e0f10111213"},
		{"&dn=.", "000102030405060708090a0b0c0d0e0f10111213"},
		{"", "000102030405060708090a0b0c0d0e0f10111213"},
	};
	char link[256];
	struct metainfo *m;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(link, sizeof link,
			"magnet:?xt=urn:btih:000102030405060708090a0b0c0d0e0f10111213%s",
			names[i].dn);
		m = bare_of(link);
		assert_string_equal(m->name, names[i].name);
		metainfo_unref(&m);
	}
	m = bare_of("magnet:?xt=urn:btih:AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT&tr=http://t/a&tr=udp://u"
		    "&ws=http://w/&so=1");
	assert_int_equal(m->tiers_n, 2);
	assert_int_equal(m->tiers[1].urls_n, 1);
	assert_string_equal(m->tiers[0].urls[0], "http://t/a");
	assert_string_equal(m->tiers[1].urls[0], "udp://u");
	assert_int_equal(m->url_list_n, 1);
	assert_string_equal(m->url_list[0], "http://w/");
	assert_true(slice_equals(m->raw,
		"magnet:?xt=urn:btih:000102030405060708090a0b0c0d0e0f10111213&so=1"
		"&tr=http%3A%2F%2Ft%2Fa&tr=udp%3A%2F%2Fu&ws=http%3A%2F%2Fw%2F"));
	metainfo_unref(&m);
}

static void test_refused(void **unused)
{
	struct parse_error pe;
	struct metainfo *m;
	const char *link = "magnet:?xs=urn:btpk:"
			   "8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e";

	(void)unused;
	assert_int_equal(metainfo_from_magnet(link, strlen(link), &m, &pe), E_UNSUPPORTED);
	assert_null(m);
	assert_non_null(strstr(pe.what, "BEP 46"));
	assert_int_equal(metainfo_from_magnet("x", 1, &m, NULL), E_SYNTAX);
}

static void test_complete(void **unused)
{
	struct slice info = S(DICT(SINGLE));
	struct metainfo *bare, *m;

	(void)unused;
	bare = bare_of(link_of(info, "&dn=other&tr=http://t/a&tr=http://u/a&ws=http://w/"));
	m = complete(bare, info);
	assert_string_equal(m->name, "a.txt");
	assert_int_equal(m->tiers_n, 2);
	assert_string_equal(m->tiers[1].urls[0], "http://u/a");
	assert_int_equal(m->url_list_n, 1);
	assert_int_equal(m->raw.n, strlen("d8:announce10:http://t/a13:announce-list"
					  "ll10:http://t/ael10:http://u/aee4:info" DICT(
						  SINGLE) "8:url-listl9:http://w/ee"));
	assert_memory_equal(m->raw.p,
		"d8:announce10:http://t/a13:announce-listll10:http://t/ael10:http://u/aee"
		"4:info" DICT(SINGLE) "8:url-listl9:http://w/ee",
		m->raw.n);
	metainfo_unref(&m);
	metainfo_unref(&bare);
	bare = bare_of(link_of(info, ""));
	m = complete(bare, info);
	assert_memory_equal(m->raw.p, "d4:info" DICT(SINGLE) "e", m->raw.n);
	metainfo_unref(&m);
	metainfo_unref(&bare);
}

/* The info dictionary is kept as it came, whatever its order. */
static void test_complete_private(void **unused)
{
	struct slice info = S("d7:privatei1e4:name5:a.txt6:lengthi10e" PIECES "e");
	struct metainfo *bare = bare_of(link_of(info, "&tr=http://t/a")), *m = complete(bare, info);

	(void)unused;
	assert_true(m->is_private);
	assert_int_equal(m->tiers_n, 1);
	metainfo_unref(&m);
	metainfo_unref(&bare);
}

static void test_complete_bad(void **unused)
{
	static const struct {
		struct slice info;
		enum err err;
	} rows[] = {
		{S(""), E_SYNTAX},
		{S("i1e"), E_SYNTAX},
		{S("d"), E_SYNTAX},
		{S("le"), E_SYNTAX},
		{S("de"), E_MISSING},
		{S("de4:infod1:ai1ee"), E_SYNTAX},
		{S(DICT("6:lengthi10e4:name5:a.txt12:piece lengthi16384e6:pieces39:" H
			"aaaaaaaaaaaaaaaaaaa")),
			E_RANGE},
		{S(DICT("9:file treede12:meta versioni2e4:name1:a12:piece lengthi16384e")),
			E_UNSUPPORTED},
	};
	struct slice other = S(DICT(SINGLE));
	struct metainfo *bare, *m;
	struct parse_error pe;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bare = bare_of(link_of(rows[i].info, ""));
		assert_int_equal(metainfo_complete(bare, rows[i].info, &m, &pe), rows[i].err);
		assert_null(m);
		assert_true(pe.what[0] != '\0');
		assert_int_equal(metainfo_complete(bare, other, &m, &pe), E_BADHASH);
		metainfo_unref(&bare);
	}
}

/* Where the link names both versions, both must be right. */
static void test_complete_v2(void **unused)
{
	struct slice info = S(DICT(SINGLE));
	char rest[128], hex[65];
	uint8_t v2[32];
	struct metainfo *bare, *m;

	(void)unused;
	hash_once(HASH_SHA256, info.p, info.n, v2);
	for (unsigned flip = 0; flip < 2; flip++) {
		v2[31] ^= (uint8_t)flip;
		hex_encode(v2, 32, hex);
		snprintf(rest, sizeof rest, "&xt=urn:btmh:1220%s", hex);
		bare = bare_of(link_of(info, rest));
		assert_int_equal(metainfo_complete(bare, info, &m, NULL), flip ? E_BADHASH : E_OK);
		if (m != NULL)
			metainfo_unref(&m);
		metainfo_unref(&bare);
	}
}

static void test_join(void **unused)
{
	static const char kept[] = "&so=3&dn=n&x.pe=1.2.3.4%3A5&tr=";
	struct slice info = S(DICT(SINGLE));
	struct metainfo *more = bare_of(link_of(info, "&tr=http://t/a&tr=http://n/a&ws=http://w/"));
	struct metainfo *m = parse_good((struct slice)S(
				"d1:zi1e8:announce10:http://t/a7:comment2:hi4:info" DICT(
					SINGLE) "e")),
			*out, *same;

	(void)unused;
	assert_int_equal(metainfo_join(m, more, &out, NULL), E_OK);
	assert_int_equal(out->tiers_n, 2);
	assert_string_equal(out->tiers[0].urls[0], "http://t/a");
	assert_string_equal(out->tiers[1].urls[0], "http://n/a");
	assert_string_equal(out->url_list[0], "http://w/");
	assert_string_equal(out->comment, "hi");
	assert_memory_equal(out->raw.p,
		"d8:announce10:http://t/a13:announce-listll10:http://t/ael10:http://n/aee"
		"7:comment2:hi4:info" DICT(SINGLE) "8:url-listl9:http://w/e1:zi1ee",
		out->raw.n);
	assert_int_equal(metainfo_join(out, more, &same, NULL), E_OK);
	assert_ptr_equal(same, out);
	metainfo_unref(&same);
	metainfo_unref(&out);
	metainfo_unref(&m);
	/* A bare one. */
	m = bare_of(link_of(info, "&dn=n&so=3&x.pe=1.2.3.4:5"));
	assert_int_equal(metainfo_join(m, more, &out, NULL), E_OK);
	assert_true(out->bare);
	assert_int_equal(out->tiers_n, 2);
	assert_string_equal(out->name, "n");
	assert_non_null(memmem(out->raw.p, out->raw.n, kept, strlen(kept)));
	metainfo_unref(&out);
	metainfo_unref(&m);
	metainfo_unref(&more);
}

static void test_join_private(void **unused)
{
	struct slice info = S(DICT(SINGLE "7:privatei1e"));
	struct metainfo *more = bare_of(link_of(info, "&tr=http://n/a")), *out;
	struct metainfo *m = parse_good((struct slice)S(INFO(SINGLE "7:privatei1e")));

	(void)unused;
	assert_int_equal(metainfo_join(m, more, &out, NULL), E_OK);
	assert_ptr_equal(out, m);
	metainfo_unref(&out);
	metainfo_unref(&m);
	metainfo_unref(&more);
}

static void test_link(void **unused)
{
	struct metainfo *m = parse_good((struct slice)S(
		"d8:announce10:http://t/a4:info" DICT(SINGLE) "8:url-list9:http://w/e"));
	struct metainfo *bare;
	char *link = metainfo_magnet(m);

	(void)unused;
	bare = bare_of(link);
	assert_true(infohash_equal(&bare->infohash, &m->infohash));
	assert_string_equal(bare->name, "a.txt");
	assert_string_equal(bare->tiers[0].urls[0], "http://t/a");
	assert_string_equal(bare->url_list[0], "http://w/");
	assert_non_null(strstr(link, "&xl=10&"));
	xfree(link);
	metainfo_unref(&bare);
	metainfo_unref(&m);
}

/* Trackers of private torrents know people by a key in their address. */
static void test_passkey(void **unused)
{
	static const struct {
		const char *url;
		bool has;
	} rows[] = {
		{"http://t.example/announce", false},
		{"udp://tracker.opentrackr.org:1337/announce", false},
		{"http://t.example/announce.php?passkey=0a1b2c3d4e5f60718293a4b5c6d7e8f9", true},
		{"https://t.example/0a1b2c3d4e5f60718293a4b5c6d7e8f9/announce", true},
		{"https://t.example/announce/0A1b2C3d4E5f6071", true},
		{"https://t.example/announce/0a1b2c3d4e5f607", false},
		{"https://a0b1c2d3e4f5a6b7c8d9.example/announce", false},
		{"http://t.example/internationalisation2/announce", false},
		{"http://t.example/12345678901234567890/announce", false},
		{"x", false},
		{"http://", false},
	};
	char link[256];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct metainfo *m;

		snprintf(link, sizeof link,
			"magnet:?xt=urn:btih:000102030405060708090a0b0c0d0e0f10111213&tr=%s",
			rows[i].url);
		m = bare_of(link);
		if (metainfo_has_passkey(m) != rows[i].has)
			fail_msg("%s", rows[i].url);
		metainfo_unref(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_complete_private),
		cmocka_unit_test(test_complete_bad),
		cmocka_unit_test(test_complete_v2),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_join_private),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_passkey),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
