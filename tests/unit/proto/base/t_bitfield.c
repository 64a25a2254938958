/* SPDX-License-Identifier: MIT */
/* Bit sets against a plain array of bools, over every size around word and byte boundaries. */
#include "proto/base/bitfield.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define BITS_MAX 200u
#define BIG      (64u * 64 * 64 * 2 + 65) /* two words of the second summary and some */

struct model {
	bool bit[BITS_MAX + 1];
	uint32_t n;
};

/* A fixed sequence of numbers, so that a failure can be repeated. */
static uint32_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void check_walk(const struct bitfield *b, const struct model *m)
{
	struct bitwalk walk = bitfield_walk(b);
	uint32_t i, next = 0;

	while (bitwalk_next(&walk, &i)) {
		for (; next < i; next++)
			assert_false(m->bit[next]);
		assert_int_equal(next++, i);
		assert_true(m->bit[i]);
	}
	for (; next < m->n; next++)
		assert_false(m->bit[next]);
}

static void check_same(const struct bitfield *b, const struct model *m)
{
	uint32_t count = 0, set = m->n;

	bitfield_check(b);
	check_walk(b, m);

	for (uint32_t i = m->n; i-- > 0;) {
		assert_int_equal(bitfield_get(b, i), m->bit[i]);
		count += m->bit[i];
		set = m->bit[i] ? i : set;
		assert_int_equal(bitfield_next_set(b, i), set);
	}
	assert_int_equal(bitfield_next_set(b, m->n), m->n);
	assert_int_equal(b->count, count);
	assert_int_equal(bitfield_full(b), count == m->n);
}

static void fill_random(struct bitfield *b, struct model *m, uint64_t *state)
{
	uint32_t density = draw(state) % 5;

	for (uint32_t i = 0; i < m->n; i++) {
		bool want = draw(state) % 4 < density;

		assert_int_equal(
			want ? bitfield_set(b, i) : bitfield_clear(b, i), want != m->bit[i]);
		m->bit[i] = want;
	}
}

static void test_every_size(void **unused)
{
	uint64_t state = 1;

	(void)unused;
	for (uint32_t n = 0; n <= BITS_MAX; n++) {
		struct model m = {.n = n};
		struct bitfield b;

		bitfield_init(&b, n);
		check_same(&b, &m);
		for (int round = 0; round < 3; round++) {
			fill_random(&b, &m, &state);
			check_same(&b, &m);
		}
		bitfield_set_all(&b);
		memset(m.bit, true, n);
		check_same(&b, &m);
		bitfield_clear_all(&b);
		memset(m.bit, false, n);
		check_same(&b, &m);
		bitfield_free(&b);
		assert_null(b.bytes);
	}
}

static void test_two_sets(void **unused)
{
	uint64_t state = 2;

	(void)unused;
	for (uint32_t n = 0; n <= BITS_MAX; n++) {
		struct model ma = {.n = n}, mb = {.n = n};
		struct bitfield a, b, c;
		uint32_t minus = 0;

		bitfield_init(&a, n);
		bitfield_init(&b, n);
		fill_random(&a, &ma, &state);
		fill_random(&b, &mb, &state);
		bitfield_copy(&c, &a);
		check_same(&c, &ma);
		for (uint32_t i = 0; i < n; i++)
			minus += ma.bit[i] && !mb.bit[i];
		assert_int_equal(bitfield_count_minus(&a, &b), minus);
		check_same(&a, &ma);
		check_same(&b, &mb);
		bitfield_free(&a);
		bitfield_free(&b);
		bitfield_free(&c);
	}
}

/* Few indices far apart, so that whole words of both summaries are zero between them. */
static void fill_sparse(struct bitfield *b, uint8_t *model, uint32_t n, uint64_t *state)
{
	bitfield_clear_all(b);
	memset(model, 0, BIG);
	while (n-- > 0) {
		uint32_t i = draw(state) % BIG, run = 1 + draw(state) % 70;

		for (; run > 0 && i < BIG; run--, i++)
			model[i] |= bitfield_set(b, i);
	}
	bitfield_check(b);
}

static void clear_some(struct bitfield *b, uint8_t *model, uint64_t *state)
{
	struct bitwalk walk = bitfield_walk(b);
	uint32_t i;

	while (bitwalk_next(&walk, &i)) {
		if (draw(state) % 4 == 0)
			continue;
		assert_true(bitfield_clear(b, i));
		model[i] = 0;
	}
	bitfield_check(b);
}

static void check_sparse(const struct bitfield *b, const uint8_t *model)
{
	struct bitwalk walk = bitfield_walk(b);
	uint32_t next = BIG, word = BITFIELD_NO_WORD, i, seen = 0;

	for (i = BIG; i-- > 0;) {
		if (model[i])
			next = i;
		if (i % 97 == 0 || model[i])
			assert_int_equal(bitfield_next_set(b, i), next);
		if (model[i])
			word = i / 64;
		if (i % 64 == 0)
			assert_int_equal(bitfield_next_word(b, i / 64), word);
	}
	while (bitwalk_next(&walk, &i)) {
		assert_int_equal(i, next);
		next = bitfield_next_set(b, i + 1);
		seen++;
	}
	assert_int_equal(next, BIG);
	assert_int_equal(seen, b->count);
}

static void check_common(const struct bitfield *a, const struct bitfield *b)
{
	uint32_t common = BITFIELD_NO_WORD;

	for (uint32_t w = bitfield_words(a); w-- > 0;) {
		if ((bitfield_word(a, w) & bitfield_word(b, w)) != 0)
			common = w;
		assert_int_equal(bitfield_next_common(a, b, w), common);
	}
	assert_int_equal(bitfield_next_common(a, b, bitfield_words(a)), BITFIELD_NO_WORD);
}

static void add_all(struct bitfield *dst, const struct bitfield *src)
{
	struct bitwalk walk = bitfield_walk(src);

	for (uint32_t i; bitwalk_next(&walk, &i);)
		bitfield_set(dst, i);
}

static void test_sparse(void **unused)
{
	static const uint32_t fills[][2] = {{0, 0}, {1, 1}, {3, 900}, {40, 40}, {900, 900}};
	uint8_t *ma = calloc(BIG, 1), *mb = calloc(BIG, 1);
	uint64_t state = 3;
	struct bitfield a, b, copy;

	(void)unused;
	bitfield_init(&a, BIG);
	bitfield_init(&b, BIG);
	for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
		fill_sparse(&a, ma, fills[i][0], &state);
		fill_sparse(&b, mb, fills[i][1], &state);
		check_sparse(&a, ma);
		check_common(&a, &b);
		clear_some(&a, ma, &state);
		check_sparse(&a, ma);
		check_common(&b, &a);
		bitfield_copy(&copy, &a);
		add_all(&copy, &b);
		bitfield_check(&copy);
		assert_int_equal(copy.count, b.count + bitfield_count_minus(&a, &b));
		assert_int_equal(bitfield_load(&a, copy.bytes, bitfield_bytes(BIG)), E_OK);
		bitfield_check(&a);
		assert_int_equal(a.count, copy.count);
		bitfield_free(&copy);
	}
	bitfield_set_all(&a);
	bitfield_check(&a);
	bitfield_free(&a);
	bitfield_free(&b);
	free(ma);
	free(mb);
}

static void test_load(void **unused)
{
	static const struct {
		uint32_t bits;
		const char *bytes;
		size_t n;
		enum err err;
		uint32_t count;
	} rows[] = {
		{0, "", 0, E_OK, 0},
		{0, "\x00", 1, E_RANGE, 0},
		{1, "\x80", 1, E_OK, 1},
		{1, "\x40", 1, E_RANGE, 0},
		{8, "\xff", 1, E_OK, 8},
		{9, "\xff\x80", 2, E_OK, 9},
		{9, "\xff\x40", 2, E_RANGE, 0},
		{9, "\xff", 1, E_RANGE, 0},
		{9, "\xff\x80\x00", 3, E_RANGE, 0},
		{15, "\xff\x01", 2, E_RANGE, 0},
		{15, "\xff\xfe", 2, E_OK, 15},
		{70, "\x80\0\0\0\0\0\0\0\x04", 9, E_OK, 2},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bitfield b;

		bitfield_init(&b, rows[i].bits);
		assert_int_equal(bitfield_load(&b, rows[i].bytes, rows[i].n), rows[i].err);
		assert_int_equal(b.count, rows[i].count);
		bitfield_free(&b);
	}
}

static void test_wire_order(void **unused)
{
	struct bitfield b;

	(void)unused;
	bitfield_init(&b, 12);
	bitfield_set(&b, 0);
	bitfield_set(&b, 9);
	assert_int_equal(b.bytes[0], 0x80);
	assert_int_equal(b.bytes[1], 0x40);
	bitfield_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_two_sets),
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_wire_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
