/* SPDX-License-Identifier: MIT */
/* Peer exchange messages: tables of what others send, what we send to the byte, and the bounds. */
#include "proto/meta/bencode.h"
#include "proto/wire/pex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Addresses 1.2.3.N:6881 and 2001::N port 6881. */
#define A4(n) "\1\2\3" n "\x1a\xe1"
#define A6(n) "\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0" n "\x1a\xe1"

static enum err parse(const void *p, size_t n, struct pex_message *out)
{
	uint8_t *copy = malloc(n ? n : 1); /* so that a read beyond the end is seen */
	enum err e;

	assert_non_null(copy);
	memcpy(copy, p, n);
	e = pex_parse((struct slice){copy, n}, out);
	free(copy);
	return e;
}

struct row {
	const char *name, *in;
	size_t n;
	enum err err;
	unsigned added, dropped;
	uint8_t flags; /* of the first added */
};
#define ROW(name, in, err, added, dropped, flags)                                                  \
	{                                                                                          \
		name, in, sizeof in - 1, err, added, dropped, flags                                \
	}

static const struct row rows[] = {
	ROW("both families",
		"d5:added12:" A4("\1")
			A4("\2") "7:added.f2:\x10\2"
				 "6:added618:" A6("\1") "8:added6.f1:\1"
							"7:dropped6:" A4("\3") "8:dropped618:" A6(
								"\2") "e",
		E_OK, 3, 2, 0x10),
	ROW("no flags", "d5:added6:" A4("\1") "e", E_OK, 1, 0, 0),
	ROW("too few flags are none",
		"d5:added12:" A4("\1") A4("\2") "7:added.f1:\x10"
						"e",
		E_OK, 2, 0, 0),
	ROW("too many, too",
		"d5:added6:" A4("\1") "7:added.f2:\x10\x10"
				      "e",
		E_OK, 1, 0, 0),
	ROW("flags of no type", "d5:added6:" A4("\1") "7:added.fi3ee", E_OK, 1, 0, 0),
	ROW("unknown flags",
		"d5:added6:" A4("\1") "7:added.f1:\xff"
				      "e",
		E_OK, 1, 0, 0x1f),
	ROW("a ragged list alone is ignored",
		"d5:added7:" A4("\1") "x"
				      "7:added.f1:\0"
				      "6:added618:" A6("\1") "e",
		E_OK, 1, 0, 0),
	ROW("a list of no type", "d5:addedi7e7:dropped6:" A4("\1") "e", E_OK, 0, 1, 0),
	ROW("ports 0 and 1",
		"d5:added12:\1\2\3\4\0\0\1\2\3\4\0\1"
		"e",
		E_OK, 0, 0, 0),
	ROW("nowhere",
		"d5:added6:\0\0\0\0\x1a\xe1"
		"e",
		E_OK, 0, 0, 0),
	ROW("unsorted", "d7:dropped0:5:added6:" A4("\1") "e", E_OK, 1, 0, 0),
	ROW("the first of two", "d5:added6:" A4("\1") "5:added0:e", E_OK, 1, 0, 0),
	ROW("more behind it", "dexyz", E_OK, 0, 0, 0),
	ROW("nothing", "de", E_OK, 0, 0, 0),
	ROW("a list", "le", E_TYPE, 0, 0, 0),
	ROW("no bytes", "", E_TRUNCATED, 0, 0, 0),
	ROW("too deep", "d5:addedlllllleeeeeee", E_TOO_DEEP, 0, 0, 0),
	ROW("noise", "\x80\1\2", E_SYNTAX, 0, 0, 0),
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct pex_message m;

		print_message("%s\n", r->name);
		assert_int_equal(parse(r->in, r->n, &m), r->err);
		assert_int_equal(m.added_n, r->added);
		assert_int_equal(m.dropped_n, r->dropped);
		if (r->added > 0)
			assert_int_equal(m.added[0].flags, r->flags);
	}
}

/* Whatever part of a message has come, what is read of it is nothing. */
static void test_every_cut(void **state)
{
	struct pex_message m;

	(void)state;
	for (size_t n = 0; n < rows[0].n; n++) {
		assert_int_equal(parse(rows[0].in, n, &m), E_TRUNCATED);
		assert_int_equal(m.added_n + m.dropped_n, 0);
	}
}

static struct endpoint nth(unsigned i, bool v4)
{
	uint8_t ip[16] = {
		0x20, 1, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, (uint8_t)(i >> 8), (uint8_t)i};

	return v4 ? endpoint_from_v4((uint8_t[]){8, 8, (uint8_t)(i >> 8), (uint8_t)i}, 6881)
		  : endpoint_from_v6(ip, 6881);
}

/* A message of n addresses in each of the four lists. */
static void flood(struct benc_out *o, unsigned n)
{
	static const char *const lists[] = {"added", "added6", "dropped", "dropped6"};
	uint8_t bytes[18 * 200];

	benc_dict_begin(o);
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		struct wr w = wr_of(bytes, sizeof bytes);

		for (unsigned i = 0; i < n; i++) {
			struct endpoint e = nth(i, k % 2 == 0);

			if (k % 2 == 0)
				endpoint_write_compact4(&w, &e);
			else
				endpoint_write_compact6(&w, &e);
		}
		benc_key(o, lists[k]);
		benc_str(o, bytes, (size_t)(w.p - bytes));
	}
	benc_dict_end(o);
}

static void test_bounds(void **state)
{
	static char big[PEX_BYTES_MAX + 1];
	struct benc_out o = {0};
	struct pex_message m;

	(void)state;
	flood(&o, 200);
	assert_int_equal(parse(benc_out_done(&o).p, benc_out_done(&o).n, &m), E_OK);
	assert_int_equal(m.added_n, 2 * PEX_FAMILY_MAX);
	assert_int_equal(m.dropped_n, 2 * PEX_FAMILY_MAX);
	for (unsigned i = 0; i < PEX_FAMILY_MAX; i++) {
		struct endpoint v4 = nth(i, true), v6 = nth(i, false);

		assert_true(endpoint_equal(&m.added[i].at, &v4));
		assert_true(endpoint_equal(&m.added[PEX_FAMILY_MAX + i].at, &v6));
	}
	benc_out_free(&o);
	memset(big, 'x', sizeof big);
	memcpy(big, "de", 2);
	assert_int_equal(parse(big, sizeof big - 1, &m), E_OK);
	assert_int_equal(parse(big, sizeof big, &m), E_TOO_BIG);
}

static void test_built(void **state)
{
	static const char expect[] =
		"d5:added6:\x08\x08\0\1\x1a\xe1"
		"7:added.f1:\x12"
		"6:added618:"
		"\x20\1\0\0\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\0\2\x1a\xe1"
		"8:added6.f1:\1"
		"7:dropped6:\x08\x08\0\3\x1a\xe1"
		"8:dropped60:e";
	struct pex_message m = {.added_n = 2, .dropped_n = 1};
	uint8_t buf[PEX_BUILD_MAX];
	struct wr w = wr_of(buf, sizeof buf);

	(void)state;
	m.added[0] = (struct pex_peer){nth(2, false), PEX_ENCRYPTION};
	m.added[1] = (struct pex_peer){nth(1, true), 0xf2}; /* what nobody defined is not sent */
	m.dropped[0] = nth(3, true);
	pex_build(&w, &m);
	assert_int_equal(w.p - buf, sizeof expect - 1);
	assert_memory_equal(buf, expect, sizeof expect - 1);
}

static void test_built_full_and_read_back(void **state)
{
	struct pex_message m = {.added_n = PEX_MAX, .dropped_n = PEX_MAX}, back;
	uint8_t buf[PEX_BUILD_MAX];
	struct wr w = wr_of(buf, sizeof buf);

	(void)state;
	for (unsigned i = 0; i < PEX_MAX; i++) {
		m.added[i] = (struct pex_peer){nth(i, false), PEX_SEED};
		m.dropped[i] = nth(PEX_MAX + i, false);
	}
	pex_build(&w, &m);
	assert_false(w.full);
	assert_true((size_t)(w.p - buf) <= PEX_BYTES_MAX);
	assert_int_equal(parse(buf, (size_t)(w.p - buf), &back), E_OK);
	assert_int_equal(back.added_n, PEX_MAX);
	assert_int_equal(back.dropped_n, PEX_MAX);
	for (unsigned i = 0; i < PEX_MAX; i++) {
		assert_true(endpoint_equal(&back.added[i].at, &m.added[i].at));
		assert_true(endpoint_equal(&back.dropped[i], &m.dropped[i]));
		assert_int_equal(back.added[i].flags, PEX_SEED);
	}
	w = wr_of(buf, 100);
	pex_build(&w, &m);
	assert_true(w.full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_built),
		cmocka_unit_test(test_built_full_and_read_back),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
