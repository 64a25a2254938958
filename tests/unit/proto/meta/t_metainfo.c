/* SPDX-License-Identifier: MIT */
/*
 * Torrents: what is read, and what is refused with which words at which byte.  The info-hashes were
 * computed with another implementation.
 */
#include "proto/base/encode.h"
#include "tests/unit/lib/torrents.h"

#include <pthread.h>

static void check_hash(const struct metainfo *m, const char *hex)
{
	char text[41];

	hex_encode(m->infohash.v1, 20, text);
	assert_string_equal(text, hex);
}

static void test_single(void **unused)
{
	struct slice in = S("d8:announce14:http://t/a?k=17:comment4:h\xc3\xa4\n10:created by2:me"
			    "13:creation datei1700000000e4:infod" SINGLE "e4:junkli1eee");
	struct metainfo *m = parse_good(in);

	(void)unused;
	check_hash(m, "9d3898e2f5b7fe85ff480aed18faeea14886d163");
	assert_string_equal(m->name, "a.txt");
	assert_int_equal(m->piece_length, 16384);
	assert_int_equal(m->pieces, 1);
	assert_int_equal(m->size, 10);
	assert_int_equal(m->files_n, 1);
	assert_string_equal(m->files[0].path, "a.txt");
	assert_false(m->multi);
	assert_false(m->is_private);
	assert_int_equal(m->tiers_n, 1);
	assert_string_equal(m->tiers[0].urls[0], "http://t/a?k=1");
	assert_string_equal(m->comment, "h\xc3\xa4 ");
	assert_string_equal(m->created_by, "me");
	assert_int_equal(m->creation_date, 1700000000);
	assert_int_equal(m->url_list_n, 0);
	assert_memory_equal(metainfo_hash(m, 0), H, 20);
	assert_int_equal(m->raw.n, in.n);
	assert_memory_equal(m->raw.p, in.p, in.n);
	assert_memory_equal(m->info.p, "d" SINGLE "e", m->info.n);
	metainfo_unref(&m);
	assert_null(m);
}

static void test_multi(void **unused)
{
	struct metainfo *m = parse_good((
		struct slice)S(INFO("5:filesl" FILE_("3", "1:a1:b") FILE_("0", "5:empty")
			FILE_("7", "1:c") "e4:name3:dir"
					  "12:piece lengthi8e6:pieces40:" H H "7:privatei1e")));

	(void)unused;
	check_hash(m, "4753d7c881b9f2a3c94cd3e40b953383f59420bf");
	assert_true(m->multi && m->is_private);
	assert_int_equal(m->files_n, 3);
	assert_string_equal(m->files[0].path, "dir/a/b");
	assert_string_equal(m->files[1].path, "dir/empty");
	assert_string_equal(m->files[2].path, "dir/c");
	assert_int_equal(m->files[1].offset, 3);
	assert_int_equal(m->files[2].offset, 3);
	assert_int_equal(m->files[2].length, 7);
	assert_int_equal(m->pieces, 2);
	assert_int_equal(m->tiers_n, 0);
	assert_null(m->comment);
	metainfo_unref(&m);
}

/* The hash is over the bytes received, not over what we would write. */
static void test_unsorted(void **unused)
{
	struct metainfo *m = parse_good(
		(struct slice)S("d4:infod4:name5:a.txt6:lengthi10e" PIECES "e1:ai1ee\r\n"));

	(void)unused;
	check_hash(m, "fba69c30a4b14bff069e1415925a44d5bc4f04d4");
	metainfo_unref(&m);
}

/* A torrent of both versions, and a tree of x and y/z. */
#define HYBRID(tree, v1) INFO("9:file treed" tree "e" v1 "12:meta versioni2e4:name1:a" PIECES)
#define TREE_XY          "1:xd0:d6:lengthi4eee1:yd1:zd0:d6:lengthi6eeee"

static const struct refused {
	struct slice in;
	enum err err;
	const char *what; /* how the words begin */
} refused[] = {
	{S(""), E_TRUNCATED, "the torrent is empty"},
	{S("<html>"), E_TYPE, "not a torrent"},
	{S("le"), E_TYPE, "not a torrent"},
	{S("d"), E_TRUNCATED, "bencoding: "},
	{S("de"), E_MISSING, "info: missing"},
	{S("d4:infoi1ee"), E_TYPE, "info: not a dictionary"},
	{S("d4:infode4:infodee"), E_SYNTAX, "info: appears twice"},
	{S(INFO("")), E_MISSING, "info.pieces: missing"},
	{S(INFO(SINGLE) "x"), E_TRAILING, "bencoding: "},
	/* piece length */
	{S(INFO("6:lengthi10e4:name1:a6:pieces20:" H)), E_MISSING, "info.piece length: missing"},
	{S(INFO("6:lengthi10e4:name1:a12:piece lengthi0e6:pieces20:" H)), E_RANGE,
		"info.piece length: 0 "},
	{S(INFO("6:lengthi10e4:name1:a12:piece lengthi-1e6:pieces20:" H)), E_RANGE,
		"info.piece length: -1 "},
	{S(INFO("6:lengthi10e4:name1:a12:piece length2:996:pieces20:" H)), E_TYPE,
		"info.piece length: not"},
	{S(INFO("6:lengthi10e4:name1:a12:piece lengthi134217729e6:pieces20:" H)), E_TOO_BIG,
		"info.piece length: 134217729 is more"},
	/* pieces */
	{S(INFO("6:lengthi10e4:name1:a12:piece lengthi8e")), E_MISSING, "info.pieces: missing"},
	{S(INFO("6:lengthi10e4:name1:a12:piece lengthi8e6:pieces0:")), E_RANGE,
		"info.pieces: 0 hashes"},
	{S(INFO("6:lengthi10e4:name1:a12:piece lengthi8e6:piecesi1e")), E_TYPE, "info.pieces: not"},
	{S(INFO("6:lengthi10e4:name1:a12:piece lengthi8e6:pieces39:a" H "bcdefghijklmnopqrs")),
		E_RANGE, "info.pieces: length 39 is not a multiple of 20"},
	{S(INFO("6:lengthi10e4:name1:a12:piece lengthi8e6:pieces20:" H)), E_RANGE,
		"info.pieces: 1 hashes, but the content has 2"},
	{S(INFO("6:lengthi10e4:name1:a12:piece lengthi8e6:pieces60:" H H H)), E_RANGE,
		"info.pieces: 3 hashes, but the content has 2"},
	{S(INFO("6:lengthi10e4:name1:a" PIECES "6:pieces20:" H)), E_SYNTAX,
		"info.pieces: appears twice"},
	{S(INFO("6:lengthi10e4:name1:a6:pieces20:" H PIECES)), E_SYNTAX,
		"info.pieces: appears twice"},
	{S(INFO("6:lengthi4194305e4:name1:a12:piece lengthi1e6:pieces20:" H)), E_TOO_BIG,
		"info.pieces: 4194305 pieces are more"},
	/* length */
	{S(INFO("4:name1:a" PIECES)), E_MISSING, "info.length and info.files: both missing"},
	{S(INFO("6:lengthi0e4:name1:a12:piece lengthi1e6:pieces0:")), E_RANGE,
		"info.length: the torrent has no content"},
	{S(INFO("6:lengthi-1e4:name1:a" PIECES)), E_RANGE, "info.length: -1 is not positive"},
	{S(INFO("6:length1:14:name1:a" PIECES)), E_TYPE, "info.length: not an integer"},
	{S(INFO("6:lengthi17592186044417e4:name1:a" PIECES)), E_TOO_BIG,
		"info.length: 17592186044417 is"},
	{S(INFO("6:lengthi9223372036854775807e4:name1:a" PIECES)), E_TOO_BIG, "info.length: "},
	/* name */
	{S(INFO("6:lengthi10e" PIECES)), E_MISSING, "info.name: missing"},
	{S(INFO("6:lengthi10e4:namei1e" PIECES)), E_TYPE, "info.name: not a string"},
	{S(INFO("6:lengthi10e4:name1:a4:name1:b" PIECES)), E_SYNTAX, "info.name: appears twice"},
	/* files */
	{S(INFO("5:filesi1e4:name1:n" PIECES)), E_TYPE, "info.files: not a list"},
	{S(FILES("")), E_SYNTAX, "info.files: empty"},
	{S(FILES("i1e")), E_TYPE, "info.files[0]: not a dictionary"},
	{S(FILES("de")), E_MISSING, "info.files[0].length: missing"},
	{S(FILES(FILE_("10", "1:a") "d6:lengthi1ee")), E_MISSING, "info.files[1].path: missing"},
	{S(FILES("d6:lengthi1e4:path1:ae")), E_TYPE, "info.files[0].path: not a list"},
	{S(FILES(FILE_("1", ""))), E_SYNTAX, "info.files[0].path: empty"},
	{S(FILES(FILE_("1", "i1e"))), E_TYPE, "info.files[0].path: a component"},
	{S(FILES(FILE_("-1", "1:a") FILE_("11", "1:b"))), E_RANGE,
		"info.files[0].length: -1 is negative"},
	{S(FILES("d6:length1:14:pathl1:aee")), E_TYPE, "info.files[0].length: not an integer"},
	{S(FILES(FILE_("0", "1:a"))), E_RANGE, "info.files: the torrent has no content"},
	{S(FILES("d6:lengthi1e6:lengthi1e4:pathl1:aee")), E_SYNTAX,
		"info.files[0].length: appears twice"},
	{S(FILES(FILE_("9223372036854775807", "1:a"))), E_TOO_BIG,
		"info.files[0].length: the content"},
	{S(FILES(FILE_("17592186044416", "1:a") FILE_("1", "1:b"))), E_TOO_BIG,
		"info.files[1].length: the content"},
	/* version 2 alone (BEP 52) */
	{S(INFO("9:file treede12:meta versioni2e4:name1:a12:piece lengthi16384e")), E_UNSUPPORTED,
		"a version 2 torrent"},
	/* hybrids whose halves differ */
	{S(HYBRID("", "6:lengthi10e")), E_RANGE, "info.file tree: its version 2 files"},
	{S(HYBRID("1:ad0:d6:lengthi9eee", "6:lengthi10e")), E_RANGE, "info.file tree: its"},
	{S(HYBRID("1:bd0:d6:lengthi10eee", "6:lengthi10e")), E_RANGE, "info.file tree: its"},
	{S(HYBRID("1:ad0:d6:lengthi10eee1:bd0:d6:lengthi1eee", "6:lengthi10e")), E_RANGE,
		"info.file tree: its"},
	{S(HYBRID("1:bd1:ad0:d6:lengthi10eeee", "6:lengthi10e")), E_RANGE, "info.file tree: its"},
	{S(HYBRID(TREE_XY, "5:filesl" FILE_("10", "1:x") "e")), E_RANGE, "info.file tree: its"},
	{S(HYBRID(TREE_XY, "5:filesl" FILE_("6", "1:y1:z") FILE_("4", "1:x") "e")), E_RANGE,
		"info.file tree: its"},
	{S(HYBRID(TREE_XY, "5:filesl" FILE_("4", "1:x") FILE_("6", "1:y") "e")), E_RANGE,
		"info.file tree: its"},
	{S(HYBRID("1:ai1e", "6:lengthi10e")), E_SYNTAX, "info.file tree: not a tree"},
	{S(HYBRID("1:ad0:i1ee", "6:lengthi10e")), E_SYNTAX, "info.file tree: not a tree"},
	{S(HYBRID("1:ad0:dee", "6:lengthi10e")), E_SYNTAX, "info.file tree: not a tree"},
	{S(HYBRID("0:d6:lengthi10ee", "6:lengthi10e")), E_SYNTAX, "info.file tree: not a tree"},
	{S(INFO("9:file treei1e6:lengthi10e12:meta versioni2e4:name1:a" PIECES)), E_TYPE,
		"info.file tree: not a dictionary"},
};

static void test_refused(void **unused)
{
	struct parse_error pe;
	struct metainfo *m;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const struct refused *r = &refused[i];
		enum err e = parse_copy(r->in, &m, &pe);

		assert_null(m);
		if (e != r->err || pe.err != e || strncmp(pe.what, r->what, strlen(r->what)) != 0)
			fail_msg("row %zu: %s '%s', not '%s'", i, err_name(e), pe.what, r->what);
		assert_true(pe.offset <= r->in.n);
	}
}

static void test_offset(void **unused)
{
	struct parse_error pe;
	struct metainfo *m;

	(void)unused;
	assert_int_equal(parse_copy((struct slice)S(INFO("6:lengthi-1e4:name1:a" PIECES)), &m, &pe),
		E_RANGE);
	assert_int_equal(pe.offset, 16);
	assert_int_equal(parse_copy((struct slice)S("d4:infod6:lengthi01ee"), &m, &pe), E_SYNTAX);
	assert_int_equal(pe.offset, 17);
	assert_int_equal(parse_copy((struct slice)S("d4:infod6:lengthi01ee"), &m, NULL), E_SYNTAX);
}

static void test_prefixes(void **unused)
{
	static const struct slice in = S(INFO(SINGLE));
	struct metainfo *m;

	(void)unused;
	for (size_t n = 0; n < in.n; n++)
		assert_int_equal(parse_copy((struct slice){in.p, n}, &m, NULL), E_TRUNCATED);
}

static void test_limits(void **unused)
{
	char text[300];
	struct metainfo *m;

	(void)unused;
	(void)snprintf(text, sizeof text, "%s",
		INFO("6:lengthi1e4:name1:a12:piece lengthi1e6:pieces20:" H));
	m = parse_good((struct slice){(const uint8_t *)text, strlen(text)});
	assert_int_equal(m->size, 1);
	metainfo_unref(&m);
	/* A piece may be longer than the content, and of any length. */
	m = parse_good((struct slice)S(
		INFO("6:lengthi100000001e4:name1:a12:piece lengthi33333333e6:pieces80:" H H H H)));
	assert_int_equal(m->pieces, 4);
	metainfo_unref(&m);
	m = parse_good((struct slice)S(
		INFO("6:lengthi134217729e4:name1:a12:piece lengthi134217728e6:pieces40:" H H)));
	assert_int_equal(m->pieces, 2);
	metainfo_unref(&m);
	assert_int_equal(metainfo_parse("d", METAINFO_BYTES_MAX + 1, &m, NULL), E_TOO_BIG);
}

/* 16 TiB in 4 Mi pieces: the largest that is taken. */
static void test_largest(void **unused)
{
	static const char head[] =
		"d4:infod6:lengthi17592186044416e4:name1:a12:piece lengthi4194304e"
		"6:pieces83886080:";
	size_t hashes = (size_t)METAINFO_PIECES_MAX * 20, n = sizeof head - 1 + hashes + 2;
	uint8_t *p = malloc(n);
	struct metainfo *m;

	(void)unused;
	assert_non_null(p);
	memset(p, 'x', n);
	memcpy(p, head, sizeof head - 1);
	memcpy(p + n - 2, "ee", 2);
	m = parse_good((struct slice){p, n});
	assert_int_equal(m->pieces, METAINFO_PIECES_MAX);
	assert_true(m->size == METAINFO_SIZE_MAX);
	assert_memory_equal(metainfo_hash(m, METAINFO_PIECES_MAX - 1), "xxxxxxxxxxxxxxxxxxxx", 20);
	metainfo_unref(&m);
	free(p);
}

static void test_private(void **unused)
{
	static const struct {
		struct slice in;
		bool is_private;
	} rows[] = {
		{S(INFO(SINGLE "7:privatei1e")), true}, {S(INFO(SINGLE "7:privatei0e")), false},
		{S(INFO(SINGLE)), false},
		{S("d4:infod" SINGLE "e7:privatei1ee"), false}, /* outside info it means nothing */
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct metainfo *m = parse_good(rows[i].in);

		assert_int_equal(m->is_private, rows[i].is_private);
		metainfo_unref(&m);
	}
}

static void test_hybrid(void **unused)
{
	static const struct slice rows[] = {
		S(HYBRID("1:ad0:d6:lengthi10eee", "6:lengthi10e")),
		/* padding and links have no part in it */
		S(HYBRID(TREE_XY, "5:filesl" FILE_("4", "1:x") FILE_("6", "1:y1:z") "e")),
		S(HYBRID(TREE_XY "1:zd0:d4:attr1:l6:lengthi0eee",
			"5:filesl" FILE_(
				"4", "1:x") "d4:attr1:p6:lengthi0e4:pathl4:.pad1:0ee" FILE_("6",
				"1:y1:z") "d4:attr1:l4:pathl1:ze12:symlink pathl1:xeee")),
		/* without a version there is no version 2 part */
		S(INFO("9:file treede" SINGLE)),
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct metainfo *m = parse_good(rows[i]);

		assert_true(m->infohash.has_v1);
		metainfo_unref(&m);
	}
}

/* Tiers as text: URLs by ' ', tiers by '|'. */
static void check_tiers(const struct metainfo *m, const char *want)
{
	char text[512];
	size_t n = 0;

	text[0] = '\0';
	for (uint32_t t = 0; t < m->tiers_n; t++)
		for (uint32_t u = 0; u < m->tiers[t].urls_n; u++)
			n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
				u > 0   ? " "
				: t > 0 ? "|"
					: "",
				m->tiers[t].urls[u]);
	assert_string_equal(text, want);
}

static void test_trackers(void **unused)
{
#define T(extra) S("d" extra "4:infod" SINGLE "ee")
	static const struct {
		struct slice in;
		const char *tiers;
	} rows[] = {
		{T(""), ""},
		{T("8:announce1:a"), "a"},
		{T("8:announce3: a\n"), "a"},
		{T("8:announce0:"), ""},
		{T("8:announcei1e"), ""},
		{T("8:announce3:a b"), ""},
		{T("8:announce2:a\0"), ""},
		{T("8:announce1:\xff"), ""},
		{T("8:announce1:a13:announce-listll1:b1:cel1:dee"), "b c|d"},
		{T("8:announce1:a13:announce-listle"), "a"},
		{T("8:announce1:a13:announce-listllel0:eli1eee"), "a"},
		{T("8:announce1:a13:announce-list1:x"), "a"},
		{T("13:announce-listll1:b1:bel1:b1:c2: bee"), "b|c"},
		{T("13:announce-listl1:b1:ce"), "b|c"},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct metainfo *m = parse_good(rows[i].in);

		check_tiers(m, rows[i].tiers);
		metainfo_unref(&m);
	}
}

static void test_many_trackers(void **unused)
{
	size_t room = 4u << 20, n = 0;
	char *p = malloc(room);
	struct metainfo *m;

	(void)unused;
	assert_non_null(p);
	n += (size_t)snprintf(p + n, room - n, "d13:announce-listl");
	for (int i = 0; i < 100000; i++)
		n += (size_t)snprintf(p + n, room - n, "l8:t%07de", i);
	n += (size_t)snprintf(p + n, room - n, "e4:infod" SINGLE "ee");
	m = parse_good((struct slice){(uint8_t *)p, n});
	assert_int_equal(m->tiers_n, METAINFO_URLS_MAX);
	assert_string_equal(m->tiers[METAINFO_URLS_MAX - 1].urls[0], "t0000999");
	metainfo_unref(&m);
	free(p);
}

static void test_url_list(void **unused)
{
	static const struct {
		struct slice in;
		uint32_t n;
	} rows[] = {
		{T("8:url-list1:x"), 1},
		{T("8:url-list0:"), 0},
		{T("8:url-listl1:x1:y1:xe"), 2},
		{T("8:url-listi1e"), 0},
		{T("8:url-listde"), 0},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct metainfo *m;

		/* Keys behind "info" are as good as those before. */
		m = parse_good(rows[i].in);
		assert_int_equal(m->url_list_n, rows[i].n);
		if (rows[i].n > 0)
			assert_string_equal(m->url_list[0], "x");
		metainfo_unref(&m);
	}
}

static void test_texts(void **unused)
{
	struct metainfo *m =
		parse_good((struct slice)T("7:comment1:c13:comment.utf-86:\x00\xff\xe2\x80\xae"
					   "u10:created byi1e"));

	(void)unused;
	assert_string_equal(m->comment, " \xef\xbf\xbd u");
	assert_null(m->created_by);
	assert_int_equal(m->creation_date, 0);
	metainfo_unref(&m);
}

static void *hold_and_drop(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		struct metainfo *m = metainfo_ref(arg);

		metainfo_unref(&m);
	}
	metainfo_unref((struct metainfo **)&arg);
	return NULL;
}

static void test_threads(void **unused)
{
	struct metainfo *m = parse_good((struct slice)S(INFO(SINGLE)));
	pthread_t t[4];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, hold_and_drop, metainfo_ref(m)), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(m->refs, 1);
	metainfo_unref(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_multi),
		cmocka_unit_test(test_unsorted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_hybrid),
		cmocka_unit_test(test_trackers),
		cmocka_unit_test(test_many_trackers),
		cmocka_unit_test(test_url_list),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_threads),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
