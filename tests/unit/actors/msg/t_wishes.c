/* SPDX-License-Identifier: MIT */
/* What a person wishes of a torrent: who owns what after a copy and a move, and what is the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "actors/msg/wishes.h"

static struct wishes some_wishes(void)
{
	struct wishes w;

	wishes_init(&w);
	w.down_limit = 5;
	w.up_limit = 6;
	w.file_priority = xmemdup("\1\0\7", 3);
	w.file_priority_n = 3;
	w.sequential = w.first_last = true;
	return w;
}

static void test_a_copy_owns_its_own(void **state)
{
	struct wishes a = some_wishes(), b;

	(void)state;
	wishes_copy(&b, &a);
	assert_true(wishes_equal(&a, &b));
	assert_ptr_not_equal(a.file_priority, b.file_priority);
	wishes_fini(&a);
	assert_true(b.file_priority[2] == 7);
	wishes_fini(&b);
}

static void test_a_move_leaves_none(void **state)
{
	struct wishes a = some_wishes(), b, none;
	const uint8_t *list = a.file_priority;

	(void)state;
	wishes_init(&none);
	wishes_move(&b, &a);
	assert_ptr_equal(b.file_priority, list);
	assert_true(wishes_equal(&a, &none));
	assert_false(wishes_equal(&b, &none));
	wishes_fini(&b);
}

/* One field at a time. */
static void test_every_wish_counts(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++) {
		struct wishes a = some_wishes(), b = some_wishes();

		assert_true(wishes_equal(&a, &b));
		b.down_limit += i == 0;
		b.up_limit += i == 1;
		b.sequential ^= i == 2;
		b.first_last ^= i == 3;
		b.discreet = i == 6 ? DISCREET_ON : DISCREET_OFF;
		if (i == 4)
			b.file_priority[0] = 0;
		if (i == 5) {
			xfree(b.file_priority);
			b.file_priority = NULL;
			b.file_priority_n = 0;
		}
		if (i == 6)
			b.encryption = WISH_ENCRYPTION_OFF;
		assert_false(wishes_equal(&a, &b));
		assert_int_equal(wishes_same_files(&a, &b), i < 4 || i == 6);
		wishes_fini(&a);
		wishes_fini(&b);
	}
}

static void test_labels(void **unused)
{
	static const struct {
		const char *label;
		enum err err;
		const char *after;
	} rows[] = {
		{"tv", E_OK, "tv"},
		{"n\xc3\xa4w one", E_OK, "tv\nn\xc3\xa4w one"},
		{"tv", E_OK, "tv\nn\xc3\xa4w one"},
		{"t", E_OK, "tv\nn\xc3\xa4w one\nt"},
		{"", E_SYNTAX, NULL},
		{"a,b", E_SYNTAX, NULL},
		{"a\nb", E_SYNTAX, NULL},
		{"a\x7f", E_SYNTAX, NULL},
		{"\xff", E_SYNTAX, NULL},
	};
	char *text = NULL, name[LABEL_MAX + 2];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(
			wishes_add_label(&text, rows[i].label, strlen(rows[i].label)), rows[i].err);
		assert_string_equal(text, rows[i].after != NULL ? rows[i].after : rows[3].after);
	}
	memset(name, 'x', sizeof name);
	assert_int_equal(wishes_add_label(&text, name, LABEL_MAX + 1), E_TOO_BIG);
	assert_int_equal(wishes_add_label(&text, name, LABEL_MAX), E_OK);
	for (unsigned i = 4; i < LABELS_MAX; i++)
		assert_int_equal(wishes_add_label(&text, name, i), E_OK);
	assert_int_equal(wishes_add_label(&text, name, LABELS_MAX), E_TOO_BIG);
	assert_int_equal(wishes_add_label(&text, name, 5), E_OK); /* it is there */
	xfree(text);
}

static void test_label_changes(void **state)
{
	static const struct {
		const char *now, *by;
		enum label_change change;
		const char *then;
	} rows[] = {
		{NULL, "a\nb", LABELS_SET, "a\nb"},
		{"a\nb", NULL, LABELS_SET, NULL},
		{"a\nb", "b\nc", LABELS_SET, "b\nc"},
		{NULL, "a", LABELS_ADD, "a"},
		{"a\nb", "b\nc", LABELS_ADD, "a\nb\nc"},
		{"a", NULL, LABELS_ADD, "a"},
		{"a\nb\nab", "b\nx", LABELS_TAKE, "a\nab"},
		{"a", "a", LABELS_TAKE, NULL},
		{NULL, "a", LABELS_TAKE, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *then = wishes_change_labels(rows[i].now, rows[i].by, rows[i].change);

		if (rows[i].then == NULL)
			assert_null(then);
		else
			assert_string_equal(then, rows[i].then);
		xfree(then);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label_changes),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_a_copy_owns_its_own),
		cmocka_unit_test(test_a_move_leaves_none),
		cmocka_unit_test(test_every_wish_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
