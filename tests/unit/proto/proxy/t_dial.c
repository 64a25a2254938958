/* SPDX-License-Identifier: MIT */
/* Having a proxy connect: what is said and what its answers mean, whole and byte by byte. */
#include "proto/proxy/dial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/base/encode.h"

struct row {
	const char *name;
	enum proxy_kind kind;
	const char *user, *password, *to;
	const char *said;    /* hex, all of it */
	const char *answers; /* hex; for HTTP text */
	enum proxy_step end;
	enum err err;
	bool broken;
};

#define V4 "192.0.2.1:6881"
#define V6 "[2001:db8::1]:6881"
#define BOUND                                                                                      \
	"00000000"                                                                                 \
	"0000"

static const struct row rows[] = {
	{"plain", PROXY_SOCKS5, "", "", V4,
		"050100"
		"050100"
		"01c00002011ae1",
		"0500"
		"05000001" BOUND,
		PROXY_OPEN, E_OK, false},
	{"v6, and a name in the answer", PROXY_SOCKS5, "", "", V6,
		"050100"
		"050100"
		"0420010db8000000000000000000000001"
		"1ae1",
		"0500"
		"05000003"
		"02"
		"6162"
		"0001",
		PROXY_OPEN, E_OK, false},
	{"v6 in the answer, an empty name", PROXY_SOCKS5, "", "", V4,
		"050100"
		"050100"
		"01c00002011ae1",
		"0500"
		"05000004"
		"00000000000000000000000000000000"
		"0000",
		PROXY_OPEN, E_OK, false},
	{"an empty name", PROXY_SOCKS5, "", "", V4,
		"050100"
		"050100"
		"01c00002011ae1",
		"0500"
		"05000003"
		"00"
		"0000",
		PROXY_OPEN, E_OK, false},
	{"password", PROXY_SOCKS5, "me", "pw", V4,
		"05020002"
		"01026d65027077"
		"050100"
		"01c00002011ae1",
		"0502"
		"0100"
		"05000001" BOUND,
		PROXY_OPEN, E_OK, false},
	{"password not wanted", PROXY_SOCKS5, "me", "pw", V4,
		"05020002"
		"050100"
		"01c00002011ae1",
		"0500"
		"05000001" BOUND,
		PROXY_OPEN, E_OK, false},
	{"wrong password", PROXY_SOCKS5, "me", "pw", V4,
		"05020002"
		"01026d65027077",
		"0502"
		"0101",
		PROXY_REFUSED, E_DENIED, true},
	{"a password is wanted", PROXY_SOCKS5, "", "", V4, "050100", "05ff", PROXY_REFUSED,
		E_DENIED, true},
	{"chooses what was not offered", PROXY_SOCKS5, "", "", V4, "050100", "0502", PROXY_REFUSED,
		E_DENIED, true},
	{"not SOCKS5", PROXY_SOCKS5, "", "", V4, "050100", "4854", PROXY_REFUSED, E_PROTOCOL, true},
	{"refused", PROXY_SOCKS5, "", "", V4,
		"050100"
		"050100"
		"01c00002011ae1",
		"0500"
		"0505000100",
		PROXY_REFUSED, E_REFUSED, false},
	{"no way", PROXY_SOCKS5, "", "", V4,
		"050100"
		"050100"
		"01c00002011ae1",
		"0500"
		"0504000100",
		PROXY_REFUSED, E_UNREACHABLE, false},
	{"not allowed", PROXY_SOCKS5, "", "", V4,
		"050100"
		"050100"
		"01c00002011ae1",
		"0500"
		"0502000100",
		PROXY_REFUSED, E_DENIED, false},
	{"unknown reply", PROXY_SOCKS5, "", "", V4,
		"050100"
		"050100"
		"01c00002011ae1",
		"0500"
		"0577000100",
		PROXY_REFUSED, E_PROTOCOL, false},
	{"unknown kind of address", PROXY_SOCKS5, "", "", V4,
		"050100"
		"050100"
		"01c00002011ae1",
		"0500"
		"0500000900",
		PROXY_REFUSED, E_PROTOCOL, true},
	{"http", PROXY_HTTP, "", "", V4, "CONNECT " V4 " HTTP/1.1\r\nHost: " V4 "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n", PROXY_OPEN, E_OK, false},
	{"http with a password", PROXY_HTTP, "me", "pw", V6,
		"CONNECT " V6 " HTTP/1.1\r\nHost: " V6
		"\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\n",
		"HTTP/1.0 200\r\n\r\n", PROXY_OPEN, E_OK, false},
	{"http wants a password", PROXY_HTTP, "", "", V4,
		"CONNECT " V4 " HTTP/1.1\r\nHost: " V4 "\r\n\r\n", "HTTP/1.1 407 No\r\n\r\n",
		PROXY_REFUSED, E_DENIED, true},
	{"http forbids", PROXY_HTTP, "", "", V4, "CONNECT " V4 " HTTP/1.1\r\nHost: " V4 "\r\n\r\n",
		"HTTP/1.1 403 No\r\n\r\n", PROXY_REFUSED, E_DENIED, false},
	{"http cannot", PROXY_HTTP, "", "", V4, "CONNECT " V4 " HTTP/1.1\r\nHost: " V4 "\r\n\r\n",
		"HTTP/1.1 502 Bad\r\nA: \r\r\n\r\n", PROXY_REFUSED, E_REFUSED, false},
	{"no http", PROXY_HTTP, "", "", V4, "CONNECT " V4 " HTTP/1.1\r\nHost: " V4 "\r\n\r\n",
		"SSH-2.0-what\r\n\r\n", PROXY_REFUSED, E_PROTOCOL, true},
};

static size_t bytes_of(const struct row *r, const char *text, uint8_t *out)
{
	size_t n = strlen(text);

	if (r->kind == PROXY_HTTP) {
		memcpy(out, text, n);
		return n;
	}
	assert_true(hex_decode(text, n, out, n / 2));
	return n / 2;
}

static void begin(struct proxy_dial *d, const struct row *r)
{
	struct endpoint to;

	assert_int_equal(endpoint_parse(r->to, &to), E_OK);
	proxy_dial_begin(d, r->kind, r->user, r->password, &to);
}

/* step: bytes that are brought at once at most; what is said is taken in two parts. */
static void converse(const struct row *r, size_t step)
{
	uint8_t said[1024], want[1024], answers[512];
	size_t said_n = 0, want_n = bytes_of(r, r->said, want),
	       n = bytes_of(r, r->answers, answers);
	enum proxy_step s = PROXY_MORE;
	struct proxy_dial d;

	begin(&d, r);
	for (size_t i = 0;; i += step) {
		while (d.out_n > 0) {
			size_t k = (d.out_n + 1) / 2;

			memcpy(said + said_n, d.out, k);
			said_n += k;
			proxy_dial_sent(&d, k);
		}
		if (s != PROXY_MORE || i >= n)
			break;
		step = MIN(MIN(step, proxy_dial_room(&d)), n - i);
		assert_true(step > 0);
		s = proxy_dial_input(&d, answers + i, step);
	}
	assert_int_equal(s, r->end);
	assert_int_equal(d.err, r->err);
	assert_int_equal(d.broken, r->broken);
	assert_int_equal(said_n, want_n);
	assert_memory_equal(said, want, want_n);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("# %s\n", rows[i].name);
		converse(&rows[i], 512);
		converse(&rows[i], 1);
		converse(&rows[i], 3);
	}
}

/* Nothing of what follows an answer of SOCKS5 is taken, and an HTTP proxy may say nothing more. */
static void test_ends(void **state)
{
	static const uint8_t method[] = {5, 0}, more[] = "HTTP/1.1 200 OK\r\n\r\nx";
	struct proxy_dial d;

	(void)state;
	begin(&d, &rows[0]);
	assert_int_equal(proxy_dial_room(&d), 2);
	assert_int_equal(proxy_dial_input(&d, method, 2), PROXY_MORE);
	assert_int_equal(proxy_dial_room(&d), 5);
	begin(&d, &(struct row){.kind = PROXY_HTTP, .user = "", .password = "", .to = V4});
	assert_int_equal(proxy_dial_input(&d, more, sizeof more - 1), PROXY_REFUSED);
	assert_int_equal(d.err, E_PROTOCOL);
}

static void test_head_has_an_end(void **state)
{
	uint8_t line[128];
	enum proxy_step s = PROXY_MORE;
	struct proxy_dial d;
	unsigned n = 0;

	(void)state;
	memset(line, 'x', sizeof line);
	begin(&d, &(struct row){.kind = PROXY_HTTP, .user = "", .password = "", .to = V4});
	for (; s == PROXY_MORE && n < 1000; n++)
		s = proxy_dial_input(&d, line, sizeof line);
	assert_int_equal(s, PROXY_REFUSED);
	assert_int_equal(d.err, E_TOO_BIG);
}

static void test_longest_words_fit(void **state)
{
	char word[PROXY_WORD + 1];
	struct proxy_dial d;

	(void)state;
	memset(word, 'w', PROXY_WORD);
	word[PROXY_WORD] = '\0';
	begin(&d, &(struct row){.kind = PROXY_HTTP, .user = word, .password = word, .to = V6});
	assert_memory_equal(d.out + d.out_n - 4, "\r\n\r\n", 4);
	begin(&d, &(struct row){.kind = PROXY_SOCKS5, .user = word, .password = word, .to = V6});
	assert_int_equal(proxy_dial_input(&d, (const uint8_t *)"\5\2", 2), PROXY_MORE);
	assert_int_equal(d.out_n, 4 + 3 + 2 * PROXY_WORD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_head_has_an_end),
		cmocka_unit_test(test_longest_words_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
