/* SPDX-License-Identifier: MIT */
/* Tags and categories, and what labels mean by them. */
#include "http/qbittorrent/nameset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void put(struct nameset *s, const char *name, enum name_kind kind, const char *path)
{
	nameset_put(s, &(const struct name_record){
			       (char *)(uintptr_t)name, kind, (char *)(uintptr_t)path});
}

/* "category: tag tag" */
static const char *meaning(const struct nameset *s, const char *labels)
{
	static char text[200];
	struct slice one = nameset_category(s, labels);
	size_t n = (size_t)snprintf(text, sizeof text, "%.*s:", (int)one.n, (const char *)one.p);

	while (nameset_next_tag(s, &labels, &one))
		n += (size_t)snprintf(
			text + n, sizeof text - n, " %.*s", (int)one.n, (const char *)one.p);
	return text;
}

static void the_first_label_that_is_a_category_is_it(void **state)
{
	struct nameset *s = nameset_new();

	(void)state;
	put(s, "tv", NAME_CATEGORY, "/tv");
	put(s, "films", NAME_CATEGORY, NULL);
	put(s, "seen", NAME_TAG, NULL);
	assert_string_equal(meaning(s, NULL), ":");
	assert_string_equal(meaning(s, "seen"), ": seen");
	assert_string_equal(meaning(s, "a\nfilms\nseen\ntv"), "films: a seen");
	assert_string_equal(meaning(s, "tvx\nt"), ": tvx t");
	put(s, "films", NAME_NONE, NULL);
	assert_string_equal(meaning(s, "a\nfilms\nseen\ntv"), "tv: a films seen");
	nameset_free(&s);
}

static void names_are_in_order_and_know_their_age(void **state)
{
	struct nameset *s = nameset_new();
	uint64_t serial, age;

	(void)state;
	put(s, "b", NAME_CATEGORY, "/b");
	put(s, "c", NAME_TAG, NULL);
	put(s, "a", NAME_TAG, NULL);
	serial = nameset_serial(s);
	age = nameset_age(s);
	assert_string_equal(nameset_at(s, 0)->name, "a");
	assert_string_equal(nameset_at(s, 1)->path, "/b");
	assert_null(nameset_at(s, 3));
	nameset_see(s, "a\nnew\nb");
	assert_int_equal(nameset_serial(s), serial + 1);
	assert_int_equal(nameset_age(s), age);
	assert_true(nameset_at(s, 3)->serial > serial && !nameset_at(s, 3)->stored);
	assert_int_equal(nameset_stored(s), 3);
	put(s, "b", NAME_CATEGORY, NULL); /* what was told of it is old */
	assert_null(nameset_at(s, 1)->path);
	assert_true(nameset_age(s) > age);
	age = nameset_age(s);
	put(s, "d", NAME_TAG, NULL);
	assert_int_equal(nameset_age(s), age);
	put(s, "e", NAME_CATEGORY, NULL); /* labels may have been tags until now */
	assert_true(nameset_age(s) > age);
	put(s, "none", NAME_NONE, NULL);
	nameset_free(&s);
}

static void very_many_are_not_followed(void **state)
{
	struct nameset *s = nameset_new();
	char name[20];

	(void)state;
	for (unsigned i = 0; i < 3 * NAMES_MAX; i++) {
		snprintf(name, sizeof name, "%u", i);
		nameset_see(s, name);
	}
	assert_null(nameset_at(s, 2 * NAMES_MAX));
	assert_non_null(nameset_at(s, 2 * NAMES_MAX - 1));
	nameset_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_label_that_is_a_category_is_it),
		cmocka_unit_test(names_are_in_order_and_know_their_age),
		cmocka_unit_test(very_many_are_not_followed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
