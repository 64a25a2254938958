/* SPDX-License-Identifier: MIT */
/* The fields of forms: both kinds of bodies, and those that are refused. */
#include "http/server/form.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MULTI "multipart/form-data; boundary=xyz"
#define PART  "--xyz\r\nContent-Disposition: form-data; "

static const char *read_body(struct form **f, const char *type, const char *body, size_t n)
{
	*f = form_new();
	return form_body(*f, type, n > 0 ? xmemdup(body, n) : NULL, n);
}

static void urlencoded_bodies_are_decoded(void **state)
{
	static const struct {
		const char *body, *name, *value; /* NULL: it is not there */
	} rows[] = {
		{"a=b&c=d", "c", "d"}, {"a=b", "b", NULL}, {"a=1&a=2", "a", "2"}, {"a", "a", ""},
		{"a=", "a", ""}, {"=b", "", "b"}, {"&&a=b&", "a", "b"}, {"a=b=c", "a", "b=c"},
		{"a=x+y%20z%2B", "a", "x y z+"}, {"%61%3D=%e2%82%AC", "a=", "\xe2\x82\xac"},
		{"a=%&b=%4&c=%zz", "a", "%"}, {"a=%&b=%4&c=%zz", "b", "%4"},
		{"a=%&b=%4&c=%zz", "c", "%zz"}, {"a=%00b", "a", NULL}, /* no text */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct form *f;
		const char *value;

		assert_null(read_body(&f, NULL, rows[i].body, strlen(rows[i].body)));
		value = form_text(f, rows[i].name);
		if (rows[i].value == NULL ? value != NULL
					  : value == NULL || strcmp(value, rows[i].value) != 0)
			fail_msg("%s: %s", rows[i].body, value != NULL ? value : "(none)");
		form_free(&f);
	}
}

static void parts_are_fields_and_files(void **state)
{
	static const char body[] = PART "name=\"a\"\r\n\r\n1\r\n" PART
					"name=\"f\"; filename=\"x.torrent\"\r\nContent-Type: "
					"x/y\r\n\r\nd\0e\r\n"
					"--xyz\r\nX: y\r\ncontent-disposition: "
					"form-data;name=\"b\"\r\n\r\n\r\n--xyz--\r\n";
	const struct form_field *file;
	struct form *f;

	(void)state;
	assert_null(read_body(&f, MULTI, body, sizeof body - 1));
	assert_string_equal(form_text(f, "a"), "1");
	assert_string_equal(form_text(f, "b"), "");
	file = form_find(f, "f");
	assert_true(file->is_file && !form_at(f, 0)->is_file);
	assert_int_equal(file->value.n, 3);
	assert_memory_equal(file->value.p, "d\0e", 4);
	assert_null(form_text(f, "f"));
	assert_null(form_at(f, 3));
	form_free(&f);
}

static void what_is_no_form_is_refused(void **state)
{
	static const struct {
		const char *type, *body;
	} rows[] = {
		{"multipart/form-data", "--xyz--"},
		{MULTI, ""},
		{MULTI, "--xy"},
		{MULTI, "--xyz"},
		{MULTI, "--xyz\r\n\r\n\r\n--xyz--"},
		{MULTI, PART "name=\"a\"\r\n\r\n1"},
		{MULTI, PART "name=\"a\"\r\n"},
		{MULTI, PART "filename=\"a\"\r\n\r\n1\r\n--xyz--"},
		{MULTI, PART "name=\"a\r\n\r\n1\r\n--xyz--"},
		{MULTI, "--xyz\r\nA: name=\"a\"\r\n\r\n1\r\n--xyz--"},
		{MULTI, PART "name=\"a\"\r\n\r\n1\r\n--xyz!"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct form *f;

		if (read_body(&f, rows[i].type, rows[i].body, strlen(rows[i].body)) == NULL)
			fail_msg("row %zu", i);
		form_free(&f);
	}
}

static void there_are_not_too_many(void **state)
{
	struct form *f = form_new();
	char *body = xcalloc(2, FORM_FIELDS_MAX);

	(void)state;
	memset(body, 'a', (size_t)2 * FORM_FIELDS_MAX);
	for (uint32_t i = 0; i < FORM_FIELDS_MAX; i++)
		body[2 * i + 1] = '&';
	assert_true(form_add(f, "q", (struct slice){(const uint8_t *)"v", 1}));
	assert_non_null(form_body(f, NULL, (uint8_t *)body, (size_t)2 * FORM_FIELDS_MAX));
	assert_string_equal(form_text(f, "q"), "v");
	assert_false(form_add(f, "r", (struct slice){NULL, 0}));
	form_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urlencoded_bodies_are_decoded),
		cmocka_unit_test(parts_are_fields_and_files),
		cmocka_unit_test(what_is_no_form_is_refused),
		cmocka_unit_test(there_are_not_too_many),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
