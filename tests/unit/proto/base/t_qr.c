/* SPDX-License-Identifier: MIT */
/* QR codes: one as a reader of another make has read it, what every code has, and the limits. */
#include "proto/base/qr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* zbarimg 0.23 reads this as "torrentd". */
static void test_known(void **unused)
{
	static const char *const rows[] = {
		"####### #  ## #######",
		"#     #  # #  #     #",
		"# ### #  # ## # ### #",
		"# ### # # # # # ### #",
		"# ### # ## ## # ### #",
		"#     # #   # #     #",
		"####### # # # #######",
		"        #            ",
		"#   # ##### ######  #",
		" ##     # # # # ## # ",
		" # #  # #   #   # ## ",
		"#   #   #  ##  ##    ",
		"### # ## # # ### #  #",
		"        #  ##  ## #  ",
		"####### ## #  # #### ",
		"#     #   #  ###     ",
		"# ### # # # ###### # ",
		"# ### #  ## ### # ###",
		"# ### #  ## ##  ###  ",
		"#     #  # ##   #    ",
		"####### ## #  ##    #",
	};
	struct qr q;

	(void)unused;
	assert_int_equal(qr_make(&q, "torrentd", 8), E_OK);
	assert_int_equal(q.size, ARRAY_LEN(rows));
	for (uint32_t y = 0; y < q.size; y++)
		for (uint32_t x = 0; x < q.size; x++)
			assert_int_equal(qr_dark(&q, x, y), rows[y][x] == '#');
}

/* The most that each version holds, and one byte more. */
static void test_sizes(void **unused)
{
	static const unsigned most[] = {14, 26, 42, 62, 84, 106, 122, 152, 180, 213};
	char text[QR_BYTES_MAX + 1];
	struct qr q;

	(void)unused;
	memset(text, 'x', sizeof text);
	for (unsigned v = 1; v <= ARRAY_LEN(most); v++) {
		assert_int_equal(qr_make(&q, text, most[v - 1]), E_OK);
		assert_int_equal(q.size, 17 + 4 * v);
		assert_int_equal(qr_make(&q, text, most[v - 1] + 1), v < 10 ? E_OK : E_TOO_BIG);
		assert_int_equal(q.size, v < 10 ? 21 + 4 * v : 0);
	}
	assert_int_equal(qr_make(&q, "", 0), E_OK);
	assert_int_equal(q.size, 21);
}

/* By these a reader finds it: three large squares, and rows that alternate between them. */
static void test_patterns(void **unused)
{
	static const uint64_t square[] = {0x7f, 0x41, 0x5d, 0x5d, 0x5d, 0x41, 0x7f, 0x00};
	char text[QR_BYTES_MAX];
	struct qr q;

	(void)unused;
	for (unsigned n = 0; n <= QR_BYTES_MAX; n++) {
		if (n > 0)
			text[n - 1] = (char)(n * 37);
		assert_int_equal(qr_make(&q, text, n), E_OK);
		for (unsigned y = 0; y < 8; y++) {
			assert_int_equal(q.dark[y] & 0xff, square[y]);
			assert_int_equal(q.dark[y] >> (q.size - 7), square[y]);
			assert_int_equal(q.dark[q.size - 1 - y] & 0xff, square[y]);
		}
		for (unsigned i = 8; i < q.size - 8; i++) {
			assert_int_equal(qr_dark(&q, i, 6), i % 2 == 0);
			assert_int_equal(qr_dark(&q, 6, i), i % 2 == 0);
		}
		assert_true(qr_dark(&q, 8, q.size - 8));
	}
}

static void test_drawn(void **unused)
{
	char text[QR_BYTES_MAX], out[QR_TEXT];
	struct qr q;
	unsigned lines = 0;
	size_t n;

	(void)unused;
	memset(text, '#', sizeof text);
	assert_int_equal(qr_make(&q, text, sizeof text), E_OK);
	n = qr_draw(&q, out);
	assert_int_equal(n, strlen(out));
	for (const char *p = out; *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, (q.size + 2 * QR_QUIET + 1) / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
