/* SPDX-License-Identifier: MIT */
/* Metadata messages: built to the byte, and read from what others send (BEP 9). */
#include "proto/wire/ext_metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static enum err parse(const char *text, size_t n, struct metadata_message *m)
{
	static uint8_t *copy; /* to the byte, so that reading past it is seen */

	free(copy);
	copy = malloc(n ? n : 1);
	assert_non_null(copy);
	memcpy(copy, text, n);
	return ext_metadata_parse((struct slice){copy, n}, m);
}

static void test_built(void **state)
{
	static const struct {
		enum metadata_type type;
		uint32_t piece, size;
		const char *text;
	} t[] = {
		{METADATA_REQUEST, 0, 0, "d8:msg_typei0e5:piecei0ee"},
		{METADATA_DATA, 12, 34256, "d8:msg_typei1e5:piecei12e10:total_sizei34256ee"},
		{METADATA_REJECT, 2047, 0, "d8:msg_typei2e5:piecei2047ee"},
		{METADATA_DATA, 2047, METADATA_SIZE_MAX,
			"d8:msg_typei1e5:piecei2047e10:total_sizei33554432ee"},
	};
	struct metadata_message m;
	uint8_t buf[METADATA_HEAD_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct wr w = wr_of(buf, sizeof buf);

		ext_metadata_build(&w, t[i].type, t[i].piece, t[i].size);
		assert_false(w.full);
		assert_int_equal(w.p - buf, strlen(t[i].text));
		assert_memory_equal(buf, t[i].text, strlen(t[i].text));
		assert_int_equal(parse(t[i].text, strlen(t[i].text), &m), E_OK);
		assert_int_equal(m.type, t[i].type);
		assert_int_equal(m.piece, t[i].piece);
		assert_int_equal(m.total_size, t[i].size);
		assert_int_equal(m.data.n, 0);
	}
}

static void test_read(void **state)
{
	static const struct {
		const char *text;
		enum err err;
		enum metadata_type type;
		uint32_t piece, size;
		const char *data;
	} t[] = {
		{"d8:msg_typei1e5:piecei0e10:total_sizei5eehello", E_OK, METADATA_DATA, 0, 5,
			"hello"},
		/* Another order, other keys, data that looks like bencode. */
		{"d10:total_sizei5e5:piecei3e8:msg_typei1e1:xl1:yeeee", E_OK, METADATA_DATA, 3, 5,
			"ee"},
		/* A request with something behind it carries nothing. */
		{"d8:msg_typei0e5:piecei1eexx", E_OK, METADATA_REQUEST, 1, 0, ""},
		{"d8:msg_typei9ee", E_OK, METADATA_UNKNOWN, 0, 0, ""},
		{"d8:msg_typei-1e5:piecei0ee", E_OK, METADATA_UNKNOWN, 0, 0, ""},
		{"d8:msg_typei1e5:piecei0e10:total_sizei-5ee", E_OK, METADATA_DATA, 0, 0, ""},
		{"d8:msg_typei1e5:piecei0e10:total_sizei99999999999ee", E_OK, METADATA_DATA, 0, 0,
			""},
		{"d8:msg_typei1e5:piecei0e10:total_size1:5e", E_OK, METADATA_DATA, 0, 0, ""},
		{"d8:msg_typei2e5:piecei2048ee", E_PROTOCOL, 0, 0, 0, NULL},
		{"d8:msg_typei2e5:piecei-1ee", E_PROTOCOL, 0, 0, 0, NULL},
		{"d8:msg_typei2e5:piecei4294967296ee", E_PROTOCOL, 0, 0, 0, NULL},
		{"d8:msg_typei0ee", E_PROTOCOL, 0, 0, 0, NULL},
		{"d5:piecei0ee", E_PROTOCOL, 0, 0, 0, NULL},
		{"d8:msg_type1:15:piecei0ee", E_PROTOCOL, 0, 0, 0, NULL},
		{"le", E_PROTOCOL, 0, 0, 0, NULL},
		{"", E_PROTOCOL, 0, 0, 0, NULL},
		{"d8:msg_typei1e1:xlllllleeeeeee", E_PROTOCOL, 0, 0, 0, NULL},
	};
	struct metadata_message m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (parse(t[i].text, strlen(t[i].text), &m) != t[i].err)
			fail_msg("%s", t[i].text);
		if (t[i].err != E_OK)
			continue;
		assert_int_equal(m.type, t[i].type);
		assert_int_equal(m.piece, t[i].piece);
		assert_int_equal(m.total_size, t[i].size);
		assert_int_equal(m.data.n, strlen(t[i].data));
		assert_memory_equal(m.data.p, t[i].data, m.data.n);
	}
	/* No truncation of a dictionary is one. */
	for (size_t n = 0; n < strlen(t[0].text) - 5; n++)
		assert_int_equal(parse(t[0].text, n, &m), E_PROTOCOL);
}

static void test_sizes(void **state)
{
	static const struct {
		uint32_t size, pieces, last;
	} t[] = {
		{1, 1, 1},
		{METADATA_PIECE, 1, METADATA_PIECE},
		{METADATA_PIECE + 1, 2, 1},
		{3 * METADATA_PIECE, 3, METADATA_PIECE},
		{METADATA_SIZE_MAX, 2048, METADATA_PIECE},
		{UINT32_MAX, 262144, METADATA_PIECE - 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(metadata_pieces(t[i].size), t[i].pieces);
		assert_int_equal(metadata_piece_size(t[i].size, t[i].pieces - 1), t[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_sizes),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
