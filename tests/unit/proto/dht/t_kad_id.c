/* SPDX-License-Identifier: MIT */
/* Ids: distances, places beside them, and which addresses they fit (BEP 42). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/crc32c.h"
#include "proto/base/encode.h"
#include "proto/dht/id.h"

static struct kad_id id_of(const char *hex)
{
	struct kad_id id = {{0}};

	assert_true(hex_decode(hex, strlen(hex), id.b, strlen(hex) / 2));
	return id;
}

static void t_crc(void **state)
{
	(void)state;
	assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
}

/* BEP 42, "test vectors". */
static const struct {
	const char *at, *id;
} vectors[] = {
	{"124.31.75.21:1", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"},
	{"21.75.31.124:1", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"},
	{"65.23.51.170:1", "a5d43220bc8f112a3d426c84764f8c2a1150e616"},
	{"84.124.73.14:1", "1b0321dd1bb1fe518101ceef99462b947a01ff41"},
	{"43.213.53.83:1", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"},
};

static void t_fits(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct kad_id id = id_of(vectors[i].id), made;
		struct endpoint at;

		assert_int_equal(endpoint_parse(vectors[i].at, &at), E_OK);
		assert_true(kad_id_fits(&id, &at));
		made = kad_id_for(&at, id.b[19], &rng);
		assert_true(kad_id_common(&made, &id) >= 21);
		assert_int_equal(made.b[19], id.b[19]);
		/* Any of the 21 bits, and the free choice, count; what lies between does not. */
		for (unsigned bit = 0; bit < 160; bit++) {
			struct kad_id other = id;

			other.b[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
			assert_int_equal(kad_id_fits(&other, &at), bit >= 21 && bit < 157);
		}
	}
}

static void t_fits_others(void **state)
{
	struct kad_id any = id_of("0102030405060708090a0b0c0d0e0f1011121314"), made;
	static const char *const near[] = {"10.1.2.3:5", "127.0.0.1:5", "192.168.1.1:5",
		"172.16.0.1:5", "169.254.1.1:5", "[fe80::1]:5", "[::1]:5"};
	struct endpoint at;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	for (size_t i = 0; i < ARRAY_LEN(near); i++) {
		assert_int_equal(endpoint_parse(near[i], &at), E_OK);
		assert_true(kad_id_fits(&any, &at));
	}
	/* By the first 64 bits of a v6 address. */
	assert_int_equal(endpoint_parse("[2001:4860:1:2::5]:5", &at), E_OK);
	assert_false(kad_id_fits(&any, &at));
	made = kad_id_for(&at, 77, &rng);
	assert_true(kad_id_fits(&made, &at));
	assert_int_equal(endpoint_parse("[2001:4860:1:2:ffff::1]:9", &at), E_OK);
	assert_true(kad_id_fits(&made, &at));
	assert_int_equal(endpoint_parse("[2001:4860:1:3::5]:5", &at), E_OK);
	assert_false(kad_id_fits(&made, &at));
}

static void t_distance(void **state)
{
	struct kad_id a = id_of("ff00000000000000000000000000000000000000");
	struct kad_id b = id_of("ff00000000000000000000000000000000000001");
	struct kad_id c = id_of("7f00000000000000000000000000000000000000");
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	assert_int_equal(kad_id_common(&a, &a), 160);
	assert_int_equal(kad_id_common(&a, &b), 159);
	assert_int_equal(kad_id_common(&a, &c), 0);
	assert_true(kad_id_nearer(&a, &b, &c) < 0);
	assert_true(kad_id_nearer(&a, &c, &b) > 0);
	assert_true(kad_id_nearer(&b, &b, &a) < 0);
	assert_int_equal(kad_id_nearer(&a, &b, &b), 0);
	for (unsigned bits = 0; bits < KAD_ID_BITS; bits++) {
		struct kad_id id = kad_id_random(&rng), beside = kad_id_beside(&id, bits, &rng);

		assert_int_equal(kad_id_common(&id, &beside), bits);
	}
	/* The same order as byte by byte. */
	for (unsigned i = 0; i < 10000; i++) {
		struct kad_id t = kad_id_random(&rng), x = kad_id_random(&rng), y = x;
		uint8_t dx[20], dy[20];
		int wanted;

		y.b[rng_below(&rng, 20)] ^= (uint8_t)rng_below(&rng, 256);
		for (unsigned k = 0; k < 20; k++) {
			dx[k] = x.b[k] ^ t.b[k];
			dy[k] = y.b[k] ^ t.b[k];
		}
		wanted = memcmp(dx, dy, 20);
		assert_int_equal(kad_id_nearer(&t, &x, &y), (wanted > 0) - (wanted < 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(t_crc), cmocka_unit_test(t_fits),
		cmocka_unit_test(t_fits_others), cmocka_unit_test(t_distance)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
