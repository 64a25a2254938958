/* SPDX-License-Identifier: MIT */
/* The extension handshake: built canonically, read back, changed, and read from what others send.
 */
#include "proto/meta/bencode.h"
#include "proto/wire/ext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static enum err parse(const char *text, size_t n, struct ext_handshake *h)
{
	uint8_t *copy = malloc(n ? n : 1);
	enum err e;

	assert_non_null(copy);
	memcpy(copy, text, n);
	e = ext_handshake_parse((struct slice){copy, n}, h);
	free(copy);
	return e;
}

static enum err parse_text(const char *text, struct ext_handshake *h)
{
	return parse(text, strlen(text), h);
}

static void test_built_and_read_back(void **state)
{
	static const uint8_t ip[] = {1, 2, 3, 4};
	static const char expect[] = "d1:md11:lt_donthavei7e11:ut_metadatai2e6:ut_pexi1ee"
				     "13:metadata_sizei31235e1:pi6881e4:reqqi500e11:upload_onlyi1e"
				     "1:v8:torrentd6:yourip4:\1\2\3\4e";
	struct endpoint you = endpoint_from_v4(ip, 0);
	struct ext_params p = {.reqq = 500,
		.metadata_size = 31235,
		.port = 6881,
		.upload_only = true,
		.client = "torrentd",
		.yourip = &you};
	struct ext_handshake h;
	struct benc_report report;
	struct benc root;
	uint8_t buf[256];
	struct wr w = wr_of(buf, sizeof buf);
	size_t n;

	(void)state;
	p.ids[EXT_PEX] = 1;
	p.ids[EXT_METADATA] = 2;
	p.ids[EXT_DONTHAVE] = 7;
	ext_handshake_build(&w, &p);
	n = (size_t)(w.p - buf);
	assert_false(w.full);
	assert_int_equal(n, sizeof expect - 1);
	assert_memory_equal(buf, expect, n);
	assert_int_equal(benc_parse((struct slice){buf, n}, NULL, &root, &report), E_OK);
	assert_false(report.unsorted);
	ext_handshake_init(&h);
	assert_int_equal(h.reqq, EXT_REQQ_DEFAULT);
	assert_int_equal(parse((const char *)buf, n, &h), E_OK);
	assert_int_equal(h.ids[EXT_PEX], 1);
	assert_int_equal(h.ids[EXT_METADATA], 2);
	assert_int_equal(h.ids[EXT_DONTHAVE], 7);
	assert_int_equal(h.ids[EXT_UPLOAD_ONLY], 0);
	assert_int_equal(h.reqq, 500);
	assert_int_equal(h.metadata_size, 31235);
	assert_int_equal(h.port, 6881);
	assert_true(h.upload_only);
	assert_string_equal(h.client, "torrentd");
	assert_true(endpoint_equal(&h.yourip, &you));
	w = wr_of(buf, 20);
	ext_handshake_build(&w, &p);
	assert_true(w.full);
	/* Every truncation is an error and changes nothing. */
	for (n = 0; n < sizeof expect - 1; n++) {
		struct ext_handshake before = h;

		assert_int_not_equal(parse(expect, n, &h), E_OK);
		assert_memory_equal(&before, &h, sizeof h);
	}
}

/* What a later handshake does not offer any more is named with 0, and taken as that. */
static void test_withdrawn(void **state)
{
	static const uint8_t v4[] = {9, 8, 7, 6},
			     v6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
	static const char expect[] = "d1:ei1e4:ipv44:\x09\x08\x07\x06"
				     "4:ipv616:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
				     "1:md11:ut_metadatai2e6:ut_pexi0ee11:upload_onlyi0ee";
	struct endpoint a = endpoint_from_v4(v4, 0), b = endpoint_from_v6(v6, 0);
	struct ext_params p = {.ids = {[EXT_METADATA] = 2},
		.withdrawn = 1u << EXT_PEX,
		.was_upload_only = true,
		.encrypts = true,
		.ipv4 = &a,
		.ipv6 = &b};
	struct ext_handshake h;
	uint8_t buf[256];
	struct wr w = wr_of(buf, sizeof buf);

	(void)state;
	ext_handshake_build(&w, &p);
	assert_int_equal(w.p - buf, sizeof expect - 1);
	assert_memory_equal(buf, expect, sizeof expect - 1);
	ext_handshake_init(&h);
	h.ids[EXT_PEX] = 5;
	h.upload_only = true;
	assert_int_equal(parse((const char *)buf, (size_t)(w.p - buf), &h), E_OK);
	assert_int_equal(h.ids[EXT_PEX], 0);
	assert_int_equal(h.ids[EXT_METADATA], 2);
	assert_true(h.encrypts);
	assert_false(h.upload_only);
	assert_true(endpoint_equal(&h.ipv4, &a));
	assert_true(endpoint_equal(&h.ipv6, &b));
}

static void test_nothing_to_say(void **state)
{
	struct ext_params p = {.reqq = 0};
	uint8_t buf[8];
	struct wr w = wr_of(buf, sizeof buf);

	(void)state;
	ext_handshake_build(&w, &p);
	assert_int_equal(w.p - buf, 7);
	assert_memory_equal(buf, "d1:mdee", 7);
}

static void test_later_ones_change_parts(void **state)
{
	struct ext_handshake h;

	(void)state;
	ext_handshake_init(&h);
	assert_int_equal(parse_text("d1:md11:ut_metadatai3e6:ut_pexi1ee1:v3:abce", &h), E_OK);
	assert_int_equal(parse_text("d1:md6:ut_pexi0eee", &h), E_OK);
	assert_int_equal(h.ids[EXT_METADATA], 3);
	assert_int_equal(h.ids[EXT_PEX], 0);
	assert_string_equal(h.client, "abc");
	assert_int_equal(parse_text("d11:upload_onlyi1ee", &h), E_OK);
	assert_true(h.upload_only);
	assert_int_equal(parse_text("d11:upload_onlyi0ee", &h), E_OK);
	assert_false(h.upload_only);
}

static void test_odd_fields_are_ignored(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} t[] = {
		{"de", E_OK},
		{"d1:mi1ee", E_OK},
		{"d1:md6:ut_pexi256eee", E_OK},
		{"d1:md6:ut_pexi-1eee", E_OK},
		{"d1:md6:ut_pex1:1ee", E_OK},
		{"d1:pi0ee", E_OK},
		{"d1:pi65536ee", E_OK},
		{"d4:reqqi0ee", E_OK},
		{"d4:reqqi-5ee", E_OK},
		{"d13:metadata_sizei-1ee", E_OK},
		{"d13:metadata_sizei4294967296ee", E_OK},
		{"d6:yourip3:abce", E_OK},
		{"d4:ipv416:abcdefghijklmnope", E_OK},
		{"d4:ipv64:abcde", E_OK},
		{"d1:e0:e", E_OK},
		{"d1:vi5ee", E_OK},
		{"le", E_TYPE},
		{"i5e", E_TYPE},
		{"d1:m", E_TRUNCATED},
		{"", E_TRUNCATED},
		{"x", E_SYNTAX},
	};
	struct ext_handshake h, fresh;

	(void)state;
	ext_handshake_init(&fresh);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ext_handshake_init(&h);
		if (parse_text(t[i].text, &h) != t[i].err)
			fail_msg("%s", t[i].text);
		assert_memory_equal(&h, &fresh, sizeof h);
	}
}

static void test_strangers_values_are_tamed(void **state)
{
	struct ext_handshake h;

	(void)state;
	ext_handshake_init(&h);
	assert_int_equal(parse_text("d4:reqqi99999999999e1:v5:a\n\xff"
				    "bce",
				 &h),
		E_OK);
	assert_int_equal(h.reqq, UINT32_MAX);
	assert_string_equal(h.client, "a ?bc");
	assert_int_equal(
		parse_text("d1:v80:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			   "aaaaaaaaaaaaaaaaaae",
			&h),
		E_OK);
	assert_int_equal(strlen(h.client), sizeof h.client - 1);
	/* Keys in any order, twice, and bytes after the end: all seen in the field. */
	assert_int_equal(parse_text("d1:v1:x1:pi5e1:md6:ut_pexi9eee\n", &h), E_OK);
	assert_int_equal(h.port, 5);
	assert_int_equal(h.ids[EXT_PEX], 9);
	assert_int_equal(parse("d6:yourip16:\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1e", 29, &h), E_OK);
	assert_false(endpoint_is_v4(&h.yourip));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_and_read_back),
		cmocka_unit_test(test_withdrawn),
		cmocka_unit_test(test_nothing_to_say),
		cmocka_unit_test(test_later_ones_change_parts),
		cmocka_unit_test(test_odd_fields_are_ignored),
		cmocka_unit_test(test_strangers_values_are_tamed),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
