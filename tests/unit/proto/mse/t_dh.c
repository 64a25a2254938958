/* SPDX-License-Identifier: MIT */
/* Keys against the recorded exchanges, and which public keys are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/mse/dh.h"
#include "tests/unit/proto/mse/recorded.h"

static void t_recorded(void **state)
{
	static const uint8_t dialled_begins[] = {
		0x21, 0x8f, 0x45, 0xc4, 0xe4, 0x25, 0xdc, 0x91, 0xb8, 0xa7, 0x4d, 0xf5};
	static const uint8_t answered_ends[] = {0xf0, 0x3f, 0x33, 0xbd};
	uint8_t secret[DH_PUBLIC];
	struct dh_key k;

	(void)state;
	dh_make(&k, recorded_private);
	assert_memory_equal(k.public, dialled_ya, DH_PUBLIC);
	dh_agree(&k, dialled_ya, secret);
	assert_memory_equal(secret, dialled_begins, sizeof dialled_begins);
	dh_agree(&k, answered_yb, secret);
	assert_memory_equal(secret + DH_PUBLIC - 4, answered_ends, 4);
}

/* A secret keeps its leading zeros: whatever it is, both sides have all 96 bytes of it. */
static void t_both_sides(void **state)
{
	uint8_t random[DH_PRIVATE] = {0};
	bool zero_led = false;

	(void)state;
	for (unsigned i = 1; i <= 600; i++) {
		uint8_t sa[DH_PUBLIC], sb[DH_PUBLIC];
		struct dh_key a, b;

		random[0] = (uint8_t)i;
		random[1] = (uint8_t)(i >> 8);
		random[DH_PRIVATE - 1] = 1;
		dh_make(&a, random);
		random[DH_PRIVATE - 1] = 2;
		dh_make(&b, random);
		dh_agree(&a, b.public, sa);
		dh_agree(&b, a.public, sb);
		assert_memory_equal(sa, sb, sizeof sa);
		zero_led = zero_led || sa[0] == 0;
	}
	assert_true(zero_led);
}

static void t_sound(void **state)
{
	static const uint8_t tail[] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x05, 0x63};
	static const struct {
		uint8_t last;
		int from_prime; /* 1: the prime with another last byte; 0: a small number */
		bool sound;
	} rows[] = {{0, 0, false}, {1, 0, false}, {2, 0, true}, {0x61, 1, true}, {0x62, 1, false},
		{0x63, 1, false}, {0xff, 1, false}};
	uint8_t prime[DH_PUBLIC], y[DH_PUBLIC];
	struct dh_key k;

	(void)state;
	memcpy(prime,
		"\xff\xff\xff\xff\xff\xff\xff\xff\xc9\x0f\xda\xa2\x21\x68\xc2\x34\xc4\xc6\x62\x8b"
		"\x80\xdc\x1c\xd1\x29\x02\x4e\x08\x8a\x67\xcc\x74\x02\x0b\xbe\xa6\x3b\x13\x9b\x22"
		"\x51\x4a\x08\x79\x8e\x34\x04\xdd\xef\x95\x19\xb3\xcd\x3a\x43\x1b\x30\x2b\x0a\x6d"
		"\xf2\x5f\x14\x37\x4f\xe1\x35\x6d\x6d\x51\xc2\x45\xe4\x85\xb5\x76\x62\x5e\x7e\xc6"
		"\xf4\x4c\x42\xe9\xa6\x3a\x36\x21",
		88);
	memcpy(prime + 88, tail, sizeof tail);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(y, 0, sizeof y);
		if (rows[i].from_prime)
			memcpy(y, prime, sizeof y);
		y[DH_PUBLIC - 1] = rows[i].last;
		if (dh_is_sound(y) != rows[i].sound)
			fail_msg("row %zu", i);
	}
	memset(y, 0xff, sizeof y);
	assert_false(dh_is_sound(y));
	dh_make(&k, recorded_private);
	assert_true(dh_is_sound(k.public));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_recorded),
		cmocka_unit_test(t_both_sides),
		cmocka_unit_test(t_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
