/* SPDX-License-Identifier: MIT */
/* Which resource a path means, and what stands in the place of its parts in braces. */
#include "http/server/route.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct resource first[] = {
	{.path = "/", .methods = METHOD_GET},
	{.path = "/v/{hash}", .methods = METHOD_GET | METHOD_PATCH, .changes = false},
	{.path = "/v/{hash}/files/{file}", .methods = METHOD_POST | METHOD_DELETE, .changes = true},
};
static const struct resource second[] = {
	{.path = "/v/{hash}", .methods = METHOD_POST, .changes = true},
	{.path = "/v/words", .methods = METHOD_GET, .changes = false},
	{.path = "/v/words", .methods = METHOD_DELETE, .changes = true},
	{.path = "/v/actions", .methods = METHOD_POST | METHOD_GET, .changes = true},
};
static const struct resource page[] = {
	{.path = "/", .methods = METHOD_GET},
	{.path = "/{any}", .methods = METHOD_GET},
};
static const struct resources a = {.v = first, .n = ARRAY_LEN(first)},
			      b = {.v = second, .n = ARRAY_LEN(second)},
			      c = {.v = page,
				      .n = ARRAY_LEN(page),
				      .accept = "text/html",
				      .documents = true};
static const struct resources *const tables[] = {&c, &a, &b, NULL};

static void a_path_means_one_resource(void **state)
{
	static const struct {
		const char *path;
		const struct resource *means;
		const char *accept;
	} rows[] = {
		{"/", &first[0], NULL},
		{"/", &first[0], "*/*"},
		{"/", &first[0], "application/json"},
		{"/", &page[0], "text/html,application/xhtml+xml,*/*;q=0.8"},
		{"/app", NULL, "*/*"},
		{"/app", &page[1], "text/html"},
		{"/v/abc", &first[1], NULL},
		{"/v/actions", &second[3], NULL}, /* the words themselves before a part in braces */
		{"/v/abc/files/0", &first[2], NULL},
		{"", NULL, NULL},
		{"/v", NULL, NULL},
		{"/v/", NULL, NULL}, /* a part is not empty */
		{"/v/abc/", NULL, NULL},
		{"/v/abc/files", NULL, NULL},
		{"/v//files/0", NULL, NULL},
		{"/v/abc/files/0/", NULL, NULL},
		{"/v/abc/file/0", NULL, NULL},
		{"//v/abc", NULL, NULL},
		{"/V/abc", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (route_find(tables, rows[i].path, METHOD_GET, rows[i].accept) != rows[i].means)
			fail_msg("%s", rows[i].path);
}

static void methods_of_a_path_are_resources_of_their_own(void **state)
{
	static const struct {
		const char *path;
		unsigned method;
		const struct resource *means;
	} rows[] = {
		{"/v/abc", METHOD_GET, &first[1]},
		{"/v/abc", METHOD_PATCH, &first[1]},
		{"/v/abc", METHOD_POST, &second[0]},
		{"/v/abc", METHOD_DELETE, &first[1]}, /* none takes it: to be refused */
		{"/v/words", METHOD_GET, &second[1]},
		{"/v/words", METHOD_DELETE, &second[2]},
		{"/v/words", METHOD_POST, &second[1]}, /* not what has a part in braces */
		{"/v/words", 0, &second[1]},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (route_find(tables, rows[i].path, rows[i].method, NULL) != rows[i].means)
			fail_msg("%s %u", rows[i].path, rows[i].method);
}

static void what_lies_beneath_a_base_is_its_path_there(void **state)
{
	static const struct {
		const char *base, *path, *beneath; /* NULL: it does not */
	} rows[] = {
		{"/x", "/x/alldata", "/alldata"},
		{"/x", "/x/", "/"},
		{"/x", "/x/x/", "/x/"},
		{"/x/y", "/x/y/z", "/z"},
		{"", "/alldata", "/alldata"},
		{"/x", "/x", NULL},
		{"/x", "/xy/alldata", NULL},
		{"/x", "/alldata", NULL},
		{"/x", "/X/alldata", NULL},
		{"/x/y", "/x/", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *beneath = route_beneath(rows[i].base, rows[i].path);

		if (rows[i].beneath == NULL)
			assert_null(beneath);
		else
			assert_string_equal(beneath, rows[i].beneath);
	}
}

static void documents_are_those_of_their_table(void **state)
{
	(void)state;
	assert_ptr_equal(route_table(tables, &page[0]), tables[0]);
	assert_ptr_equal(route_table(tables, &page[1]), tables[0]);
	assert_ptr_not_equal(route_table(tables, &first[0]), tables[0]);
	assert_null(route_table(tables, NULL));
}

static void parts_are_what_lies_in_their_place(void **state)
{
	struct slice name, value;

	(void)state;
	assert_true(route_part(&first[2], "/v/abc/files/17", 0, &name, &value));
	assert_true(name.n == 4 && memcmp(name.p, "hash", 4) == 0);
	assert_true(value.n == 3 && memcmp(value.p, "abc", 3) == 0);
	assert_true(route_part(&first[2], "/v/abc/files/17", 1, &name, &value));
	assert_true(name.n == 4 && memcmp(name.p, "file", 4) == 0);
	assert_true(value.n == 2 && memcmp(value.p, "17", 2) == 0);
	assert_false(route_part(&first[2], "/v/abc/files/17", 2, &name, &value));
	assert_false(route_part(&first[0], "/", 0, &name, &value));
}

static void methods_are_listed_as_they_are_taken(void **state)
{
	char text[40];

	(void)state;
	route_allow(tables, "/", text, sizeof text);
	assert_string_equal(text, "GET, HEAD");
	route_allow(tables, "/v/abc", text, sizeof text);
	assert_string_equal(text, "GET, HEAD, POST, PATCH");
	route_allow(tables, "/v/abc/files/0", text, sizeof text);
	assert_string_equal(text, "POST, DELETE");
	route_allow(tables, "/v/words", text, sizeof text);
	assert_string_equal(text, "GET, HEAD, DELETE");
	route_allow(tables, "/v/actions", text, sizeof text); /* HEAD must not change anything */
	assert_string_equal(text, "GET, POST");
	route_allow(tables, "/none", text, sizeof text);
	assert_string_equal(text, "");
	assert_int_equal(route_method("HEAD"), METHOD_GET);
	assert_int_equal(route_method("DELETE"), METHOD_DELETE);
	assert_int_equal(route_method("get"), 0);
	assert_int_equal(route_method("TRACE"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_means_one_resource),
		cmocka_unit_test(methods_of_a_path_are_resources_of_their_own),
		cmocka_unit_test(what_lies_beneath_a_base_is_its_path_there),
		cmocka_unit_test(documents_are_those_of_their_table),
		cmocka_unit_test(parts_are_what_lies_in_their_place),
		cmocka_unit_test(methods_are_listed_as_they_are_taken),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
