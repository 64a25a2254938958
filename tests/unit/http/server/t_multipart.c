/* SPDX-License-Identifier: MIT */
/* The file in a form: where it lies, and the forms that are refused. */
#include "http/server/multipart.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TYPE "multipart/form-data; boundary=xyz"

static const char *unpack(const char *type, const char *body, struct slice *file)
{
	return multipart_file(type, (struct slice){(const uint8_t *)body, strlen(body)}, file);
}

static void types(void **state)
{
	(void)state;
	assert_true(multipart_is(TYPE));
	assert_true(multipart_is("Multipart/Form-Data;boundary=x"));
	assert_false(multipart_is("multipart/form-data-x"));
	assert_false(multipart_is("application/x-bittorrent"));
	assert_false(multipart_is(NULL));
}

static void one_part_is_unpacked(void **state)
{
	static const char *const heads[] = {TYPE, "multipart/form-data; boundary=\"xyz\"",
		"multipart/form-data; charset=x; Boundary=xyz; a=b"};
	struct slice file;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		assert_null(unpack(heads[i],
			"--xyz\r\nContent-Disposition: form-data; "
			"name=\"f\"\r\n\r\nd1:\r\n--xye\r\n--"
			"xyz--\r\n",
			&file));
		assert_int_equal(file.n, strlen("d1:\r\n--xye"));
		assert_memory_equal(file.p, "d1:\r\n--xye", file.n);
	}
	assert_null(unpack(TYPE, "--xyz\r\nA: b\r\n\r\n\r\n--xyz--", &file));
	assert_int_equal(file.n, 0);
}

static void others_are_refused(void **state)
{
	struct slice file;

	(void)state;
	assert_non_null(unpack("multipart/form-data", "--xyz\r\nA: b\r\n\r\nx\r\n--xyz--", &file));
	assert_non_null(
		unpack("multipart/form-data; boundary=", "--\r\nA: b\r\n\r\nx\r\n----", &file));
	assert_non_null(unpack(TYPE, "", &file));
	assert_non_null(unpack(TYPE, "--xyz--\r\n", &file));
	assert_non_null(unpack(TYPE, "--xyz\r\nA: b\r\nx\r\n--xyz--", &file));
	assert_non_null(unpack(TYPE, "--xyz\r\nA: b\r\n\r\nx\r\n--xy", &file));
	assert_non_null(
		unpack(TYPE, "--xyz\r\nA: b\r\n\r\nx\r\n--xyz\r\nC: d\r\n\r\ny\r\n--xyz--", &file));
	assert_non_null(unpack(TYPE, "--xyz\r\nA: b\r\n\r\nx\r\n--xyz", &file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(one_part_is_unpacked),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
