/* SPDX-License-Identifier: MIT */
/* JSON written straight out: structure, every byte a string may hold, numbers and times at their
 * edges. */
#include "proto/base/json_out.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "proto/base/utf8.h"

/* What was written, as text; frees it. */
static char *text_of(struct json_out *o)
{
	static char text[4096];
	size_t n;
	char *p = json_out_take(o, &n);

	assert_true(n < sizeof text);
	memcpy(text, p, n);
	text[n] = '\0';
	xfree(p);
	return text;
}

static void test_structure(void **unused)
{
	struct json_out o = {0};

	(void)unused;
	json_out_open(&o, '{');
	json_out_key(&o, "a");
	json_out_open(&o, '[');
	json_out_close(&o, ']');
	json_out_key(&o, "b");
	json_out_open(&o, '[');
	json_out_uint(&o, 1);
	json_out_open(&o, '{');
	json_out_close(&o, '}');
	json_out_text(&o, NULL);
	json_out_bool(&o, true);
	json_out_close(&o, ']');
	json_out_key(&o, "c");
	json_out_bool(&o, false);
	json_out_put(&o, "d", raw, "{ }", 3);
	json_out_put(&o, "e", raw, "7", 1);
	json_out_close(&o, '}');
	assert_string_equal(
		text_of(&o), "{\"a\":[],\"b\":[1,{},null,true],\"c\":false,\"d\":{ },\"e\":7}");
}

static void test_strings(void **unused)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} rows[] = {
		{"", 0, "\"\""},
		{"plain", 5, "\"plain\""},
		{"q\"b\\s/", 6, "\"q\\\"b\\\\s/\""},
		{"\0\t\n\x1f\x7f", 5, "\"\\u0000\\u0009\\u000a\\u001f\\u007f\""},
		{"gr\xc3\xbc\xc3\x9f \xe7\x8c\xab \xf0\x9f\x90\x8b", 15,
			"\"gr\xc3\xbc\xc3\x9f \xe7\x8c\xab \xf0\x9f\x90\x8b\""},
		{"latin \xe9", 7, "\"latin \\\\xe9\""},
		{"\xc0\x80", 2, "\"\\\\xc0\\\\x80\""},
		{"\xed\xa0\x80", 3, "\"\\\\xed\\\\xa0\\\\x80\""},
		{"\xf0\x9f\x90", 3, "\"\\\\xf0\\\\x9f\\\\x90\""},
		{"\xe2\x80\xa8", 3, "\"\\u2028\""},
		{"\xc2\x85", 2, "\"\\u0085\""},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json_out o = {0};

		json_out_slice(&o, (struct slice){(const uint8_t *)rows[i].in, rows[i].n});
		assert_string_equal(text_of(&o), rows[i].out);
	}
}

/* Any two bytes, and any first byte before a letter, come out as UTF-8 without a bare control or
 * quote. */
static void test_any_bytes(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 65536; i++) {
		uint8_t in[3] = {(uint8_t)(i >> 8), (uint8_t)i, 'x'};
		struct json_out o = {0};
		struct slice got;

		json_out_slice(&o, (struct slice){in, sizeof in});
		got = (struct slice){(const uint8_t *)o.p, o.n};
		assert_true(utf8_valid(got));
		for (size_t k = 1; k + 1 < got.n; k++)
			assert_true(got.p[k] >= 0x20 && (got.p[k] != '"' || got.p[k - 1] == '\\'));
		json_out_fini(&o);
	}
}

static void test_numbers(void **unused)
{
	struct json_out o = {0};

	(void)unused;
	json_out_open(&o, '[');
	json_out_uint(&o, 0);
	json_out_uint(&o, INT64_MAX);
	json_out_uint(&o, UINT64_MAX);
	json_out_int(&o, INT64_MIN);
	json_out_int(&o, -1);
	json_out_kib(&o, 0);
	json_out_kib(&o, 1);
	json_out_kib(&o, 1023);
	json_out_kib(&o, 1536);
	json_out_kib(&o, UINT64_MAX);
	json_out_close(&o, ']');
	assert_string_equal(text_of(&o),
		"[0,9223372036854775807,9223372036854775807,-9223372036854775808,-1,"
		"0.0,0.0009765625,0.9990234375,1.5,18014398509481983.9990234375]");
}

static void test_reals(void **unused)
{
	static const struct {
		double in;
		const char *out;
	} rows[] = {{0, "0.0"}, {1, "1.0"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {2.0 / 3, "0.666666667"},
		{0.9999999999, "1.0"}, {1e-12, "0.0"}, {123456789.25, "123456789.25"},
		{8e18, "8000000000000000000.0"}, {NAN, "null"}, {INFINITY, "null"},
		{-INFINITY, "null"}, {1e300, "null"}};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json_out o = {0};

		json_out_real(&o, rows[i].in);
		assert_string_equal(text_of(&o), rows[i].out);
	}
}

static void test_bytes(void **unused)
{
	struct json_out o = {0};

	(void)unused;
	json_out_open(&o, '[');
	json_out_base64(&o, "foob", 4);
	json_out_base64(&o, "", 0);
	json_out_hex(&o, "\x01\xff", 2);
	json_out_close(&o, ']');
	assert_string_equal(text_of(&o), "[\"Zm9vYg==\",\"\",\"01ff\"]");
}

/* The C library's calendar says the same, in every century and around every leap day. */
static void test_times(void **unused)
{
	static const int64_t edges[] = {
		1, -1, 951782399, 951782400, 951868800, 4107542400, 253402300799, -62135596800};

	(void)unused;
	for (int64_t i = 0; i < 4000 + (int64_t)ARRAY_LEN(edges); i++) {
		int64_t t = i < 4000 ? (i - 1900) * 31556952 + i * 977 : edges[i - 4000];
		struct json_out o = {0};
		char want[64];
		time_t clock = (time_t)t;
		struct tm tm;

		gmtime_r(&clock, &tm);
		strftime(want, sizeof want, "\"%Y-%m-%dT%H:%M:%SZ\"", &tm);
		if (tm.tm_year + 1900 < 1000)
			continue;
		json_out_time(&o, t);
		assert_string_equal(text_of(&o), want);
	}
}

static void test_no_times(void **unused)
{
	static const int64_t rows[] = {0, 253402300800, -62135596801, INT64_MAX, INT64_MIN};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json_out o = {0};

		json_out_time(&o, rows[i]);
		assert_string_equal(text_of(&o), "null");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_reals),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_no_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
