/* SPDX-License-Identifier: MIT */
/*
 * Bencode: what is accepted, what is refused and at which byte, the node view, the writer.
 *
 * The reader takes whole inputs, so the streaming question is asked as: does every proper prefix of
 * a valid input say that it is truncated, and nothing else.
 */
#include "proto/meta/bencode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define S(text)                                                                                    \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static const struct row {
	struct slice in;
	enum err err;
	size_t offset; /* of the error */
} rows[] = {
	{S("i0e"), E_OK, 0},
	{S("i-1e"), E_OK, 0},
	{S("i9223372036854775807e"), E_OK, 0},
	{S("i-9223372036854775808e"), E_OK, 0},
	{S("0:"), E_OK, 0},
	{S("4:spam"), E_OK, 0},
	{S("3:\0\xff"
	   "e"),
		E_OK, 0},
	{S("le"), E_OK, 0},
	{S("de"), E_OK, 0},
	{S("lllleeee"), E_OK, 0},
	{S("d0:i1e1:ai2ee"), E_OK, 0},
	{S("d1:\0i1e2:\0\0i2ee"), E_OK, 0},
	{S("d1:ad1:bli1e1:ceee"), E_OK, 0},
	/* integers */
	{S("ie"), E_SYNTAX, 1},
	{S("i-e"), E_SYNTAX, 2},
	{S("i-0e"), E_SYNTAX, 2},
	{S("i--1e"), E_SYNTAX, 2},
	{S("i+1e"), E_SYNTAX, 1},
	{S("i 1e"), E_SYNTAX, 1},
	{S("i01e"), E_SYNTAX, 1},
	{S("i00e"), E_SYNTAX, 1},
	{S("i-01e"), E_SYNTAX, 2},
	{S("i1.5e"), E_SYNTAX, 2},
	{S("i1xe"), E_SYNTAX, 2},
	{S("i0x1e"), E_SYNTAX, 2},
	{S("i1:e"), E_SYNTAX, 2},
	{S("i9223372036854775808e"), E_RANGE, 1},
	{S("i-9223372036854775809e"), E_RANGE, 2},
	{S("i18446744073709551616e"), E_RANGE, 20},
	{S("i99999999999999999999999999e"), E_RANGE, 20},
	/* string lengths */
	{S("-1:a"), E_SYNTAX, 0},
	{S("+1:a"), E_SYNTAX, 0},
	{S(":a"), E_SYNTAX, 0},
	{S("01:a"), E_SYNTAX, 0},
	{S("00:"), E_SYNTAX, 0},
	{S("1a"), E_SYNTAX, 1},
	{S("1e"), E_SYNTAX, 1},
	{S("2:a"), E_TRUNCATED, 0},
	{S("l2:ae"), E_TRUNCATED, 5},
	{S("l3:ae"), E_TRUNCATED, 1},
	{S("4294967296:a"), E_TRUNCATED, 0},
	{S("18446744073709551615:a"), E_TRUNCATED, 0},
	{S("18446744073709551616:a"), E_RANGE, 19},
	{S("99999999999999999999999999:a"), E_RANGE, 19},
	/* dictionaries */
	{S("di1ei2ee"), E_TYPE, 1},
	{S("dlei2ee"), E_TYPE, 1},
	{S("ddei2ee"), E_TYPE, 1},
	{S("d1:ae"), E_SYNTAX, 4},
	{S("d1:ai1e1:be"), E_SYNTAX, 10},
	{S("d1:ad1:bee"), E_SYNTAX, 8},
	/* structure */
	{S(""), E_TRUNCATED, 0},
	{S("e"), E_SYNTAX, 0},
	{S("x"), E_SYNTAX, 0},
	{S(" i1e"), E_SYNTAX, 0},
	{S("i1ei2e"), E_TRAILING, 3},
	{S("i1e\n"), E_TRAILING, 3},
	{S("lee"), E_TRAILING, 2},
	{S("l"), E_TRUNCATED, 1},
	{S("li1e"), E_TRUNCATED, 4},
	{S("l\0e"), E_SYNTAX, 1},
};

/* Parses an exact copy, so that the sanitizers see a byte too far. */
static enum err parse_copy(
	struct slice in, const struct benc_limits *limits, struct benc_report *report)
{
	uint8_t *copy = malloc(in.n > 0 ? in.n : 1);
	struct benc root;
	enum err e;

	assert_non_null(copy);
	if (in.n > 0)
		memcpy(copy, in.p, in.n);
	e = benc_parse((struct slice){copy, in.n}, limits, &root, report);
	free(copy);
	return e;
}

static void test_accept(void **unused)
{
	struct benc_report report;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum err e = parse_copy(rows[i].in, NULL, &report);
		size_t want = e == E_OK ? rows[i].in.n : rows[i].offset;

		if (e != rows[i].err || report.offset != want)
			fail_msg("row %zu '%.*s': %s at %zu", i, (int)rows[i].in.n,
				(const char *)rows[i].in.p, err_name(e), report.offset);
	}
}

static void test_prefixes(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t n = 0; rows[i].err == E_OK && n < rows[i].in.n; n++)
			assert_int_equal(parse_copy((struct slice){rows[i].in.p, n}, NULL, NULL),
				E_TRUNCATED);
}

static void test_order(void **unused)
{
	static const struct {
		struct slice in;
		bool unsorted, duplicate;
		size_t disorder;
	} cases[] = {
		{S("d1:ai1e1:bi2ee"), false, false, 0},
		{S("d1:bi1e1:ai2ee"), true, false, 7},
		{S("d1:ai1e1:ai2ee"), true, true, 7},
		{S("d2:aai1e1:ai2ee"), true, false, 8},
		{S("d1:ai1e2:aai2ee"), false, false, 0},
		{S("d0:i1e0:i2ee"), true, true, 6},
		{S("d1:bd1:ai1eee"), false, false, 0},
		{S("ld1:bi1eed1:ai1eee"), false, false, 0},
		{S("d1:\x7fi1e1:\x80i2ee"), false, false, 0},
		{S("d1:ad1:bi1ee1:ai2ee"), true, true, 12},
	};
	struct benc_report report;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(parse_copy(cases[i].in, NULL, &report), E_OK);
		assert_int_equal(report.unsorted, cases[i].unsorted);
		assert_int_equal(report.duplicate, cases[i].duplicate);
		assert_int_equal(report.disorder, cases[i].disorder);
	}
}

static void test_depth(void **unused)
{
	struct benc_limits limits = {.depth = 3, .items = 100};
	char deep[3 * BENC_DEPTH_MAX + 8];
	struct benc_report report;

	(void)unused;
	assert_int_equal(parse_copy((struct slice)S("lllee"
						    "e"),
				 &limits, NULL),
		E_OK);
	assert_int_equal(parse_copy((struct slice)S("llllee"
						    "ee"),
				 &limits, &report),
		E_TOO_DEEP);
	assert_int_equal(report.offset, 3);
	for (int n = BENC_DEPTH_MAX; n <= BENC_DEPTH_MAX + 1; n++) {
		memset(deep, 'l', (size_t)n);
		memset(deep + n, 'e', (size_t)n);
		assert_int_equal(
			parse_copy((struct slice){(uint8_t *)deep, (size_t)(2 * n)}, NULL, NULL),
			n > BENC_DEPTH_MAX ? E_TOO_DEEP : E_OK);
	}
	limits.depth = 0;
	assert_int_equal(parse_copy((struct slice)S("i1e"), &limits, NULL), E_OK);
	assert_int_equal(parse_copy((struct slice)S("le"), &limits, NULL), E_TOO_DEEP);
}

static void test_items(void **unused)
{
	struct benc_limits limits = {.depth = 8, .items = 4};

	(void)unused;
	assert_int_equal(parse_copy((struct slice)S("li1ei2ei3ee"), &limits, NULL), E_OK);
	assert_int_equal(parse_copy((struct slice)S("li1ei2ei3ei4ee"), &limits, NULL), E_TOO_BIG);
	assert_int_equal(parse_copy((struct slice)S("d1:ai1e1:bi1ee"), &limits, NULL), E_TOO_BIG);
}

static void test_trailing(void **unused)
{
	struct benc_limits limits = {.depth = 8, .items = 4, .trailing = true};
	struct benc_report report;

	(void)unused;
	assert_int_equal(parse_copy((struct slice)S("d1:ai1eeDATA"), &limits, &report), E_OK);
	assert_int_equal(report.offset, 8);
}

static void test_tokens(void **unused)
{
	static const struct {
		enum benc_type type;
		size_t at;
	} want[] = {
		{BENC_DICT, 0},
		{BENC_KEY, 1},
		{BENC_LIST, 4},
		{BENC_INT, 5},
		{BENC_STR, 8},
		{BENC_CLOSE, 11},
		{BENC_CLOSE, 12},
		{BENC_EOF, 13},
		{BENC_EOF, 13},
	};
	struct benc_reader r;
	struct benc_token t;

	(void)unused;
	benc_reader_init(&r, (struct slice)S("d1:ali7e1:xee"), NULL);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(benc_next(&r, &t), E_OK);
		assert_int_equal(t.type, want[i].type);
		assert_int_equal(t.at, want[i].at);
	}
	benc_reader_init(&r, (struct slice)S("lxe"), NULL);
	assert_int_equal(benc_next(&r, &t), E_OK);
	assert_int_equal(benc_next(&r, &t), E_SYNTAX);
	assert_int_equal(benc_next(&r, &t), E_SYNTAX);
}

static void test_nodes(void **unused)
{
	static const struct slice in = S("d1:ai-5e1:bl1:x1:ye1:cd1:ki1ee1:d3:abc1:ai9e1:zlee");
	static const char *const keys[] = {"d", "none", "a"};
	struct benc root, node, item, f[3];
	struct benc_iter it;
	struct slice s = {NULL, 0};
	int64_t i = 0;

	(void)unused;
	assert_int_equal(benc_parse(in, NULL, &root, NULL), E_OK);
	assert_int_equal(root.type, BENC_DICT);
	assert_int_equal(root.raw.n, in.n);
	assert_true(bdict_int(&root, "a", &i)); /* the first of two */
	assert_int_equal(i, -5);
	assert_false(bdict_int(&root, "d", &i));
	assert_true(bdict_str(&root, "d", &s));
	assert_true(slice_equals(s, "abc"));
	assert_false(bdict_str(&root, "missing", &s));
	assert_true(bdict_list(&root, "b", &node));
	assert_false(bdict_list(&root, "c", &item));
	it = benc_iter_of(&node);
	assert_true(blist_next(&it, &item) && slice_equals(item.s, "x"));
	assert_true(blist_next(&it, &item) && slice_equals(item.s, "y"));
	assert_false(blist_next(&it, &item));
	assert_true(bdict_dict(&root, "c", &node));
	assert_int_equal(node.raw.n, 8);
	assert_memory_equal(node.raw.p, "d1:ki1ee", 8);
	assert_true(bdict_list(&root, "z", &node));
	it = benc_iter_of(&node);
	assert_false(blist_next(&it, &item));
	assert_false(bdict_get(&item, "a", &node)); /* not a dictionary */
	assert_int_equal(node.type, BENC_NONE);
	assert_int_equal(bdict_fields(&root, keys, 3, f), 1u << 2);
	assert_true(slice_equals(f[0].s, "abc"));
	assert_int_equal(f[1].type, BENC_NONE);
	assert_int_equal(f[2].i, -5);
}

/* Writes what a reader reads; canonical input must come back byte for byte. */
static void copy_through(struct slice in, struct benc_out *o)
{
	struct benc_reader r;
	struct benc_token t;
	bool dict[BENC_DEPTH_MAX];
	uint32_t depth = 0;

	benc_reader_init(&r, in, NULL);
	while (benc_next(&r, &t) == E_OK && t.type != BENC_EOF) {
		switch (t.type) {
		case BENC_INT:
			benc_int(o, t.i);
			break;
		case BENC_STR:
			benc_str(o, t.s.p, t.s.n);
			break;
		case BENC_KEY:
			benc_key_bytes(o, t.s.p, t.s.n);
			break;
		case BENC_LIST:
			benc_list_begin(o);
			dict[depth++] = false;
			break;
		case BENC_DICT:
			benc_dict_begin(o);
			dict[depth++] = true;
			break;
		default:
			if (dict[--depth])
				benc_dict_end(o);
			else
				benc_list_end(o);
		}
	}
}

static void test_round_trip(void **unused)
{
	int copied = 0;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct benc_out o = {0};
		struct slice out;

		if (rows[i].err != E_OK)
			continue;
		copy_through(rows[i].in, &o);
		out = benc_out_done(&o);
		assert_int_equal(out.n, rows[i].in.n);
		assert_memory_equal(out.p, rows[i].in.p, out.n);
		benc_out_free(&o);
		copied++;
	}
	assert_true(copied > 10);
}

static void test_writer(void **unused)
{
	struct benc_out o = {0};
	char big[1000];
	struct slice s;

	(void)unused;
	memset(big, 'x', sizeof big);
	benc_dict_begin(&o);
	benc_key(&o, "");
	benc_cstr(&o, "text");
	benc_key(&o, "a");
	benc_raw(&o, "li1ee", 5);
	benc_key(&o, "aa");
	benc_list_begin(&o);
	benc_int(&o, INT64_MIN);
	benc_list_end(&o);
	benc_key(&o, "b");
	benc_str(&o, big, sizeof big);
	benc_dict_end(&o);
	s = benc_out_done(&o);
	assert_memory_equal(s.p, "d0:4:text1:ali1ee2:aali-9223372036854775808ee1:b1000:xxx", 56);
	assert_int_equal(s.n, 53 + 1000 + 1);
	assert_int_equal(parse_copy(s, NULL, NULL), E_OK);
	benc_out_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_writer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
