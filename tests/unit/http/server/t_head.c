/* SPDX-License-Identifier: MIT */
/* Heads that not everybody reads alike. */
#include "tests/unit/lib/http_world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *judge(const char *text, size_t n)
{
	static struct http_world w;

	headworld_init(&w);
	headworld_head(&w, text, n);
	return head_is_plain(&w.head);
}

#define LINE       "POST /a?b=%41 HTTP/1.1\r\n"
#define HOST       "Host: x\r\n"
#define GOOD(text) assert_null(judge(text, sizeof text - 1))
#define BAD(text)  assert_non_null(judge(text, sizeof text - 1))

static void plain_heads(void **state)
{
	(void)state;
	GOOD(LINE HOST "\r\n");
	GOOD(LINE HOST "Content-Length: 5\r\n\r\n");
	GOOD(LINE HOST "Content-Length:5\r\n\r\n");
	GOOD(LINE HOST "Content-Length:\t 5\r\n\r\n");
	GOOD(LINE HOST "Transfer-Encoding: Chunked\r\nA: \r\nB:\r\n\r\n");
	GOOD(LINE HOST "Content-Type: a; b=\"c\td\"\r\nX-Content-Length: 7\r\n\r\n");
}

static void names_that_are_no_tokens(void **state)
{
	(void)state;
	BAD(LINE HOST "Content-Length : 5\r\n\r\n");
	BAD(LINE HOST "Content-Length\t: 5\r\n\r\n");
	BAD(LINE HOST "Transfer-Encoding : chunked\r\n\r\n");
	BAD(LINE HOST " Content-Length: 5\r\n\r\n");
	BAD(LINE HOST "Content-Length5: x\r\n\r\n");
	BAD(LINE HOST "Content-Length-: 5\r\n\r\n");
	BAD(LINE HOST "Hosts: y\r\n\r\n");
	BAD(LINE HOST "A(b): c\r\n\r\n");
	BAD(LINE HOST "A\x80: c\r\n\r\n");
	BAD(LINE HOST ": c\r\n\r\n");
}

static void lines_that_others_see_elsewhere(void **state)
{
	(void)state;
	BAD("POST / HTTP/1.1\n" HOST "\r\n");
	BAD(LINE "Host: x\n\r\n");
	BAD(LINE "Host: x\nA: b\r\n\r\n");
	BAD(LINE HOST "\n");
	BAD(LINE HOST "A: b\n\r\n");
	BAD(LINE HOST "A: b\r\n\n");
	BAD(LINE HOST "A: b\n\n");
	BAD(LINE HOST "A: b\rContent-Length: 5\r\n\r\n");
	BAD(LINE HOST "A: b\0c\r\n\r\n");
	BAD(LINE HOST "A\0: b\r\n\r\n");
	BAD(LINE HOST "A: b\r\n c\r\n\r\n");
	BAD(LINE HOST "A: b\r\nnocolon\r\n\r\n");
	BAD(LINE HOST "A: \x01\r\n\r\n");
	BAD("POST /a\0b HTTP/1.1\r\n" HOST "\r\n");
}

static void bodies_that_end_in_two_places(void **state)
{
	(void)state;
	BAD(LINE HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n");
	BAD(LINE HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n");
	BAD(LINE HOST "Transfer-Encoding: gzip, chunked\r\n\r\n");
	BAD(LINE HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n");
	BAD("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
	BAD(LINE HOST "Content-Length: +5\r\n\r\n");
	BAD(LINE HOST "Content-Length: \r\n\r\n");
	BAD(LINE HOST "Content-Length: 5 \r\n\r\n");
	BAD(LINE HOST HOST "\r\n");
	BAD(LINE "A: b\r\n\r\n");
}

static void too_many_headers(void **state)
{
	char text[4000] = LINE HOST;
	size_t n = strlen(text);

	(void)state;
	for (unsigned i = 0; i < HEAD_FIELDS; i++, n += 6)
		memcpy(text + n, "A: b\r\n", 6);
	memcpy(text + n, "\r\n", 2);
	assert_non_null(judge(text, n + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_heads),
		cmocka_unit_test(names_that_are_no_tokens),
		cmocka_unit_test(lines_that_others_see_elsewhere),
		cmocka_unit_test(bodies_that_end_in_two_places),
		cmocka_unit_test(too_many_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
