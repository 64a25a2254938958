/* SPDX-License-Identifier: MIT */
/* Announcements in the local network: read as others write them, and written as BEP 14 has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/lsd/lsd.h"

#define HEX  "0102030405060708090a0b0c0d0e0f1011121314"
#define HEX2 "0102030405060708090A0B0C0D0E0F10111213FF"
#define HEAD "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\n"

static bool parse(const char *text, size_t n, struct lsd_message *m)
{
	uint8_t *copy = malloc(n ? n : 1);
	bool good;

	assert_non_null(copy);
	memcpy(copy, text, n);
	good = btsearch_parse((struct slice){copy, n}, m);
	free(copy);
	return good;
}

static const struct row {
	const char *name, *text;
	uint16_t port; /* 0: it is none */
	unsigned n;
	const char *cookie;
} rows[] = {
	{"BEP 14", HEAD "Port: 6881\r\nInfohash: " HEX "\r\ncookie: 7f\r\n\r\n\r\n", 6881, 1, "7f"},
	{"one empty line", HEAD "Port: 6881\r\nInfohash: " HEX "\r\n\r\n", 6881, 1, ""},
	{"none", HEAD "Port: 6881\r\nInfohash: " HEX, 6881, 1, ""},
	{"bare LF", "BT-SEARCH * HTTP/1.1\nPort: 6881\nInfohash: " HEX "\n\n", 6881, 1, ""},
	{"many", HEAD "Infohash: " HEX "\r\nPort: 1\r\nInfohash: " HEX2 "\r\n\r\n", 1, 2, ""},
	{"any case and space", HEAD "PORT:6881 \r\nINFOHASH:\t" HEX "\r\nCookie:x y\r\n\r\n", 6881,
		1, "x?y"},
	{"a later version", "BT-SEARCH * HTTP/2.0\r\nPort: 6881\r\nInfohash: " HEX "\r\n\r\n", 6881,
		1, ""},
	{"bad hashes are passed over",
		HEAD "Port: 6881\r\nInfohash: 12\r\nInfohash: " HEX "0\r\nInfohash: " HEX
		     "\r\n\r\n",
		6881, 1, ""},
	{"what follows the end is not read",
		HEAD "Port: 6881\r\nInfohash: " HEX "\r\n\r\nInfohash: " HEX2 "\r\n", 6881, 1, ""},
	{"no hash", HEAD "Port: 6881\r\n\r\n", 0, 0, ""},
	{"no port", HEAD "Infohash: " HEX "\r\n\r\n", 0, 0, ""},
	{"port 0", HEAD "Port: 0\r\nInfohash: " HEX "\r\n\r\n", 0, 0, ""},
	{"port too great", HEAD "Port: 65536\r\nInfohash: " HEX "\r\n\r\n", 0, 0, ""},
	{"port of words", HEAD "Port: -1\r\nInfohash: " HEX "\r\n\r\n", 0, 0, ""},
	{"a long port", HEAD "Port: 000006881\r\nInfohash: " HEX "\r\n\r\n", 0, 0, ""},
	{"another verb", "M-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: " HEX "\r\n\r\n", 0, 0,
		""},
	{"nothing", "", 0, 0, ""},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct lsd_message m;

		if (parse(r->text, strlen(r->text), &m) != (r->port != 0))
			fail_msg("%s", r->name);
		if (r->port == 0)
			continue;
		if (m.port != r->port || m.n != r->n || strcmp(m.cookie, r->cookie) != 0)
			fail_msg("%s", r->name);
		assert_int_equal(m.infohash[0][0], 1);
	}
}

/* Every cut is read without a step beyond the end, and what is whole in it is taken. */
static void test_every_cut(void **state)
{
	size_t n = strlen(rows[0].text);

	(void)state;
	for (size_t k = 0; k < n; k++) {
		struct lsd_message m;

		assert_int_equal(parse(rows[0].text, k, &m),
			k >= strlen(HEAD "Port: 6881\r\nInfohash: " HEX));
	}
}

static void test_built(void **state)
{
	static const char v4[] = HEAD "Port: 6881\r\nInfohash: " HEX "\r\ncookie: abc\r\n\r\n\r\n";
	static const char v6[] =
		"BT-SEARCH * HTTP/1.1\r\nHost: [ff15::efc0:988f]:6771\r\nPort: 6881\r\n"
		"Infohash: " HEX "\r\ncookie: abc\r\n\r\n\r\n";
	struct lsd_message m = {.port = 6881, .cookie = "abc", .n = 1}, back;
	uint8_t out[LSD_DATAGRAM];

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		m.infohash[0][i] = (uint8_t)(i + 1);
	assert_int_equal(btsearch_build(out, false, &m), sizeof v4 - 1);
	assert_memory_equal(out, v4, sizeof v4 - 1);
	assert_int_equal(btsearch_build(out, true, &m), sizeof v6 - 1);
	assert_memory_equal(out, v6, sizeof v6 - 1);
	/* The longest there is fits, and comes back. */
	m.n = LSD_HASHES;
	m.port = 65535;
	memset(m.cookie, 'c', sizeof m.cookie - 1);
	assert_true(parse((const char *)out, btsearch_build(out, true, &m), &back));
	assert_int_equal(back.n, LSD_HASHES);
	assert_memory_equal(back.infohash, m.infohash, sizeof m.infohash);
	assert_string_equal(back.cookie, m.cookie);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_built),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
