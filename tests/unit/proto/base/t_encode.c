/* SPDX-License-Identifier: MIT */
/* Base64, base32 and hexadecimal against the vectors of RFC 4648, and the edges of both. */
#include "proto/base/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_base64(void **unused)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} rows[] = {
		{"", 0, ""},
		{"f", 1, "Zg=="},
		{"fo", 2, "Zm8="},
		{"foo", 3, "Zm9v"},
		{"foob", 4, "Zm9vYg=="},
		{"fooba", 5, "Zm9vYmE="},
		{"foobar", 6, "Zm9vYmFy"},
		{"\0", 1, "AA=="},
		{"\0\0", 2, "AAA="},
		{"\0\0\0", 3, "AAAA"},
		{"\0\0\0\0", 4, "AAAAAA=="},
		{"\xff\xff\xff", 3, "////"},
		{"\xfb\xef\xbe", 3, "++++"},
	};
	char out[16];
	uint8_t back[16];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(out, '#', sizeof out);
		base64_encode(rows[i].in, rows[i].n, out);
		assert_string_equal(out, rows[i].out);
		assert_int_equal(strlen(out), base64_len(rows[i].n));
		assert_int_equal(out[base64_len(rows[i].n) + 1], '#');
		assert_int_equal(base64_decode(out, strlen(out), back), rows[i].n);
		assert_memory_equal(back, rows[i].in, rows[i].n);
		if (rows[i].in[0] != '\0')
			continue;
		base64_zeros(rows[i].n, out);
		assert_string_equal(out, rows[i].out);
	}
}

static void test_base64_read(void **unused)
{
	static const struct {
		const char *in, *out; /* NULL: it is none */
	} rows[] = {
		{"Zm9v\r\nYmFy\n", "foobar"},
		{" Z m 8 ", "fo"},
		{"Zg=\n=", "f"},
		{"Zm9vYg", "foob"},
		{"Z", NULL},
		{"Zm9vY", NULL},
		{"Zg===", NULL},
		{"Zg==Zg==", NULL},
		{"Zm9-", NULL},
		{"Zm9\xff", NULL},
	};
	uint8_t out[16];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = base64_decode(rows[i].in, strlen(rows[i].in), out);

		assert_true(n <= base64_room(strlen(rows[i].in)));
		assert_int_equal(n, rows[i].out != NULL ? strlen(rows[i].out) : 0);
		assert_memory_equal(out, rows[i].out != NULL ? rows[i].out : "", n);
	}
}

static void test_hex(void **unused)
{
	uint8_t bytes[20], back[20];
	char text[41];

	(void)unused;
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 13);
	hex_encode(bytes, sizeof bytes, text);
	assert_string_equal(text, "000d1a2734414e5b6875828f9ca9b6c3d0ddeaf7");
	assert_true(hex_decode(text, 40, back, 20));
	assert_memory_equal(bytes, back, sizeof back);
	assert_true(hex_decode("AbCdEf", 6, back, 3));
	assert_memory_equal(back, "\xab\xcd\xef", 3);
	assert_true(hex_decode("", 0, back, 0));
}

static void test_hex_refused(void **unused)
{
	static const char *const rows[] = {
		"0",
		"000",
		"00000",
		"0g00",
		"g000",
		"00 0",
		"-100",
		"0x00",
		"00\xff"
		"0",
		"/000",
		":000",
		"@000",
		"`000",
		"000000",
	};
	uint8_t out[2];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(hex_decode(rows[i], strlen(rows[i]), out, sizeof out));
}

static void test_base32(void **unused)
{
	uint8_t out[20];

	(void)unused;
	assert_true(base32_decode("MZXW6YTB", 8, out, 5));
	assert_memory_equal(out, "fooba", 5);
	assert_true(base32_decode("mzxw6yTBAAAAAAAA", 16, out, 10));
	assert_memory_equal(out, "fooba\0\0\0\0\0", 10);
	assert_true(base32_decode("77777777", 8, out, 5));
	assert_memory_equal(out, "\xff\xff\xff\xff\xff", 5);
	assert_true(base32_decode("", 0, out, 0));
	assert_false(base32_decode("MZXW6YT", 7, out, 5));
	assert_false(base32_decode("MZXW6YTBA", 9, out, 5));
	assert_false(base32_decode("MZXW6YT1", 8, out, 5));
	assert_false(base32_decode("MZXW6Y==", 8, out, 5));
	assert_false(base32_decode("MZXW6YTB", 8, out, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_read),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base32),
		cmocka_unit_test(test_hex_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
