/* SPDX-License-Identifier: MIT */
/* The key stream of RFC 6229, in any cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/base/rng.h"
#include "proto/mse/rc4.h"

static const struct row {
	uint8_t key[32];
	size_t key_n, at;
	uint8_t stream[16];
} rows[] = {
	{{1, 2, 3, 4, 5}, 5, 0,
		{0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27, 0xcc, 0xc3, 0x52, 0x4a, 0x0a, 0x11,
			0x18, 0xa8}},
	{{1, 2, 3, 4, 5}, 5, 1024,
		{0x30, 0xab, 0xbc, 0xc7, 0xc2, 0x0b, 0x01, 0x60, 0x9f, 0x23, 0xee, 0x2d, 0x5f, 0x6b,
			0xb7, 0xdf}},
	{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
		 26, 27, 28, 29, 30, 31, 32},
		32, 1024,
		{0x7f, 0xec, 0x5b, 0xfd, 0x9f, 0x9b, 0x89, 0xce, 0x65, 0x48, 0x30, 0x90, 0x92, 0xd7,
			0xe9, 0x58}},
};

static void t_stream(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t out[16] = {0};
		struct rc4 r;

		rc4_init(&r, rows[i].key, rows[i].key_n);
		rc4_skip(&r, rows[i].at);
		rc4_apply(&r, out, sizeof out);
		assert_memory_equal(out, rows[i].stream, sizeof out);
	}
}

/* However the bytes are cut and whatever part is skipped, the rest is the same. */
static void t_cuts(void **state)
{
	uint8_t whole[1000] = {0}, cut[1000] = {0};
	struct rc4 r;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	rc4_init(&r, "key", 3);
	rc4_apply(&r, whole, sizeof whole);
	for (int round = 0; round < 200; round++) {
		memset(cut, 0, sizeof cut);
		rc4_init(&r, "key", 3);
		for (size_t at = 0, n; at < sizeof cut; at += n) {
			n = 1 + rng_below(&rng, 40);
			n = MIN(n, sizeof cut - at);
			if (rng_below(&rng, 3) > 0) {
				rc4_apply(&r, cut + at, n);
			} else {
				rc4_skip(&r, n);
				memcpy(cut + at, whole + at, n);
			}
		}
		assert_memory_equal(cut, whole, sizeof cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_stream),
		cmocka_unit_test(t_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
