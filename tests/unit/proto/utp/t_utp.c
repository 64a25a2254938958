/* SPDX-License-Identifier: MIT */
/* Which datagrams are a SYN of uTP, and the RESET that answers one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rng.h"
#include "proto/utp/utp.h"

#define SYN "\x41\x00\x12\x34\x00\x00\x10\x00\xaa\xbb\xcc\xdd\x00\x0f\x00\x00\x00\x07\x00\x00"
/* The same, with a first extension. */
#define SYN_X(x) "\x41" x "\x12\x34\x00\x00\x10\x00\xaa\xbb\xcc\xdd\x00\x0f\x00\x00\x00\x07\x00\x00"

static const struct input {
	const char *name, *bytes;
	size_t n;
	bool is_syn;
} inputs[] = {
	{"a SYN", SYN, 20, true},
	{"a SYN with the extension bits of libutp", SYN_X("\x02") "\x00\x08\0\0\0\0\0\0\0\0", 30,
		true},
	{"two extensions", SYN_X("\x02") "\x01\x00\x00\x02\xff\xff", 26, true},
	{"nothing", "", 0, false},
	{"cut", SYN, 19, false},
	{"with payload", SYN "x", 21, false},
	{"an extension without an end", SYN_X("\x02") "\x00", 21, false},
	{"an extension that is too long", SYN_X("\x02") "\x00\x09\0\0\0\0\0\0\0\0", 30, false},
	{"extensions without an end", SYN_X("\x02") "\x02\x00\x02\x00\x02\x00", 26, false},
	{"version 0", "\x40\x00\x12\x34\0\0\x10\0\0\0\0\0\0\x0f\0\0\0\x07\0\0", 20, false},
	{"version 2", "\x42\x00\x12\x34\0\0\x10\0\0\0\0\0\0\x0f\0\0\0\x07\0\0", 20, false},
	{"data", "\x01\x00\x12\x34\0\0\x10\0\0\0\0\0\0\x0f\0\0\0\x07\0\0", 20, false},
	{"a RESET, or two would talk for ever",
		"\x31\x00\x12\x34\0\0\x10\0\0\0\0\0\0\x0f\0\0\0\x07\0\0", 20, false},
	{"a query of the DHT", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", 56,
		false},
};

static void t_inputs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct utp_syn syn;
		uint8_t *exact = xmemdup(inputs[i].bytes, inputs[i].n); /* for the sanitizers */

		if (utp_syn_decode(exact, inputs[i].n, &syn) != inputs[i].is_syn)
			fail_msg("%s", inputs[i].name);
		xfree(exact);
	}
}

static void t_answer(void **state)
{
	static const uint8_t wanted[] = {
		0x31, 0, 0x12, 0x34, 0, 0, 0x30, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0x55, 0x66, 0, 7};
	uint8_t out[UTP_HEADER];
	struct utp_syn syn, again;

	(void)state;
	assert_true(utp_syn_decode((const uint8_t *)SYN, 20, &syn));
	utp_reset_encode(out, &syn, 0x5566, (INT64_C(9) << 32) + 0x3000);
	assert_memory_equal(out, wanted, sizeof wanted);
	assert_false(utp_syn_decode(out, sizeof out, &again));
}

/* Whatever comes: no read beyond it, and what is taken for a SYN looks like one. */
static void t_random(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 11);
	for (unsigned i = 0; i < 200000; i++) {
		size_t n = rng_below(&rng, 140);
		uint8_t *p = xcalloc(1, n + 1);
		struct utp_syn syn;

		for (size_t k = 0; k < n; k++)
			p[k] = (uint8_t)rng_below(&rng, rng_below(&rng, 2) ? 256 : 5);
		if (n > 1 && i % 2)
			p[0] = 0x41;
		if (utp_syn_decode(p, n, &syn))
			assert_true(n >= UTP_HEADER && n <= UTP_SYN_MAX && p[0] == 0x41);
		xfree(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_inputs), cmocka_unit_test(t_answer), cmocka_unit_test(t_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
