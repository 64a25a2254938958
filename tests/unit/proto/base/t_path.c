/* SPDX-License-Identifier: MIT */
/* Names made safe, paths joined and contained: every way out of a directory that we know of. */
#include "proto/base/path.h"
#include "proto/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define S(text)                                                                                    \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static void test_sanitise(void **unused)
{
	static const struct {
		struct slice in;
		const char *out; /* NULL: refused */
	} rows[] = {
		{S("a"), "a"},
		{S("file.txt"), "file.txt"},
		{S("..."), "..."},
		{S(".hidden"), ".hidden"},
		{S("..a"), "..a"},
		{S("a.."), "a.."},
		{S("dots. . "), "dots. . "},
		{S("CON"), "CON"},
		{S("back\\slash"), "back\\slash"},
		{S("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
		{S(""), NULL},
		{S("."), NULL},
		{S(".."), NULL},
		{S("/"), "%2F"},
		{S("../x"), "..%2Fx"},
		{S("a/b"), "a%2Fb"},
		{S(".\0"), ".%00"},
		{S("..\0"), "..%00"},
		{S("a\nb\x7f"), "a%0Ab%7F"},
		{S("\xc2\x85"), "%C2%85"},
		{S("a\xe2\x80\xa8"
		   "b"),
			"a_b"},
		{S("exe.\xe2\x80\xaegpj"), "exe._gpj"},
		{S("\xe2\x80\x8f"), "_"},
		{S("\xe2\x81\xa6x"), "_x"},
		{S("\xd8\x9cx"), "_x"},
		/* Latin-1, overlong '/', overlong '.', a surrogate, above U+10FFFF, cut short */
		{S("caf\xe9"), "caf%E9"},
		{S("caf\xe8"), "caf%E8"},
		{S("\xc0\xaf"), "%C0%AF"},
		{S("\xc0\xae\xc0\xae"), "%C0%AE%C0%AE"},
		{S("\xe0\x80\xaf"), "%E0%80%AF"},
		{S("\xed\xa0\x80"), "%ED%A0%80"},
		{S("\xf4\x90\x80\x80"), "%F4%90%80%80"},
		{S("\xf0\x9f\x98"), "%F0%9F%98"},
		{S("\x83\x65\x83\x58"), "%83e%83X"},
	};
	char out[PATH_NAME_BUF];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum err e = path_sanitise(rows[i].in, out, sizeof out);

		assert_int_equal(e, rows[i].out != NULL ? E_OK : E_PATH);
		assert_string_equal(out, rows[i].out != NULL ? rows[i].out : "");
	}
}

/* What must hold for any name at all. */
static void check_name(struct slice raw)
{
	char out[PATH_NAME_BUF];
	size_t n;

	if (path_sanitise(raw, out, sizeof out) != E_OK)
		return;
	n = strlen(out);
	assert_true(n > 0 && n <= PATH_NAME_MAX);
	assert_true(path_relative_ok(out));
	assert_null(strchr(out, '/'));
	assert_true(utf8_valid((struct slice){(const uint8_t *)out, n}));
}

static void test_every_short_name(void **unused)
{
	uint8_t raw[2];

	(void)unused;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			raw[0] = (uint8_t)a;
			raw[1] = (uint8_t)b;
			check_name((struct slice){raw, 2});
		}
		check_name((struct slice){raw, 1});
	}
}

static void fill_name(uint8_t *raw, size_t n, const char *unit, const char *ext)
{
	size_t len = strlen(unit), ext_n = strlen(ext);

	for (size_t i = 0; i < n; i++)
		raw[i] = (uint8_t)unit[i % len];
	memcpy(raw + n - ext_n, ext, ext_n);
}

static void test_long_names(void **unused)
{
	static const char *const units[] = {"a", "\xe2\x82\xac", "\xff", "/", "\xf0\x9f\x98\x80"};
	uint8_t raw[400];
	char one[PATH_NAME_BUF], two[PATH_NAME_BUF];

	(void)unused;
	for (size_t u = 0; u < ARRAY_LEN(units); u++) {
		for (size_t n = 60; n < sizeof raw; n++) {
			fill_name(raw, n, units[u], ".mkv");
			check_name((struct slice){raw, n});
			assert_int_equal(
				path_sanitise((struct slice){raw, n}, one, sizeof one), E_OK);
			assert_string_equal(one + strlen(one) - 4, ".mkv");
			if (strlen(one) < 250)
				continue;
			raw[n - 5] = 'z'; /* far behind the cut */
			assert_int_equal(
				path_sanitise((struct slice){raw, n}, two, sizeof two), E_OK);
			assert_string_not_equal(one, two);
		}
	}
	fill_name(raw, 255, "a", "");
	assert_int_equal(path_sanitise((struct slice){raw, 255}, one, sizeof one), E_OK);
	assert_memory_equal(one, raw, 255);
	fill_name(raw, 256, "a", "");
	assert_int_equal(path_sanitise((struct slice){raw, 256}, one, sizeof one), E_OK);
	assert_int_equal(one[PATH_NAME_MAX - 17], '~');
	/* What follows the last dot is too long to be an extension. */
	fill_name(raw, 300, "a", ".bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
	check_name((struct slice){raw, 300});
}

static void test_relative(void **unused)
{
	static const char *const good[] = {"a", "a/b", "...", "a/..b/c..", ".a"};
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".", "..", "a/.", "a/..",
		"../a", "./a", "a/../b", "a/./b"};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(path_relative_ok(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(path_relative_ok(bad[i]));
}

static void test_join(void **unused)
{
	static const struct {
		const char *base, *path, *out; /* NULL: E_PATH */
	} rows[] = {
		{"/d", "a", "/d/a"},
		{"/d/", "a/b/", "/d/a/b"},
		{"/d", ".", "/d"},
		{"/d", "./a/.//b", "/d/a/b"},
		{"/d", "a/../b", "/d/b"},
		{"/d", "..", "/"},
		{"/d", "../e", "/e"},
		{"/d", "../../e", NULL},
		{"/d/e", "../../f", "/f"},
		{"/", "a", "/a"},
		{"/", ".", "/"},
		{"/", "..", NULL},
		{"/d", "/", "/"},
		{"/d", "/x/../y", "/y"},
		{"/d", "/..", NULL},
		{"/d", "//x//", "/x"},
		{"/d", "...", "/d/..."},
		{"d", "a", NULL},
		{"d", "/a", "/a"},
		{"", "a", NULL},
		{"/d", "", NULL},
	};
	char out[64];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum err e = path_join_clean(rows[i].base, rows[i].path, out, sizeof out);

		assert_int_equal(e, rows[i].out != NULL ? E_OK : E_PATH);
		assert_string_equal(out, rows[i].out != NULL ? rows[i].out : "");
	}
}

static void test_join_room(void **unused)
{
	char out[9];

	(void)unused;
	assert_int_equal(path_join_clean("/abc", "def", out, 9), E_OK);
	assert_string_equal(out, "/abc/def");
	for (size_t size = 2; size < 9; size++) {
		assert_int_equal(path_join_clean("/abc", "def", out, size), E_TOO_BIG);
		assert_string_equal(out, "");
	}
	assert_int_equal(path_join_clean("/abc", "..", out, 6), E_OK);
	assert_string_equal(out, "/");
}

static void test_beneath(void **unused)
{
	static const struct {
		const char *root, *path;
		bool beneath;
	} rows[] = {
		{"/a", "/a", true},
		{"/a", "/a/b", true},
		{"/a/", "/a/b", true},
		{"/a/", "/a", true},
		{"/a", "/ab", false},
		{"/a/b", "/a", false},
		{"/", "/a", true},
		{"/", "/", true},
		{"/a", "/", false},
		{"/a", "/a/../b", false},
		{"/a", "/a/./b", false},
		{"/a", "/a//b", false},
		{"/a", "a/b", false},
		{"a", "/a", false},
		{"", "/a", false},
		{"/a", "", false},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(path_beneath(rows[i].root, rows[i].path), rows[i].beneath);
}

static void test_utf8_cut(void **unused)
{
	struct slice s = S("a\xc3\xa4\xe2\x82\xac");
	static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6};

	(void)unused;
	for (size_t max = 0; max < ARRAY_LEN(want); max++)
		assert_int_equal(utf8_cut(s, max), want[max]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sanitise),
		cmocka_unit_test(test_every_short_name),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_relative),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_join_room),
		cmocka_unit_test(test_beneath),
		cmocka_unit_test(test_utf8_cut),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
