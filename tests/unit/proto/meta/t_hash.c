/* SPDX-License-Identifier: MIT */
/* Digests against published vectors, whole and in every cut; the keyed hash against its own. */
#include "proto/base/encode.h"
#include "proto/meta/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct row {
	enum hash_alg alg;
	const char *text, *digest;
} rows[] = {
	{HASH_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	{HASH_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
	{HASH_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
	{HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{HASH_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void check_digest(const struct row *r, const uint8_t *digest)
{
	char hex[2 * HASH_SHA256_SIZE + 1];

	hex_encode(digest, hash_size(r->alg), hex);
	assert_string_equal(hex, r->digest);
}

static void test_once(void **unused)
{
	uint8_t digest[HASH_SHA256_SIZE];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		hash_once(rows[i].alg, rows[i].text, strlen(rows[i].text), digest);
		check_digest(&rows[i], digest);
	}
}

static void test_cuts(void **unused)
{
	uint8_t digest[HASH_SHA256_SIZE];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hasher *h = hasher_new(rows[i].alg);
		size_t n = strlen(rows[i].text);

		for (size_t cut = 0; cut <= n; cut++) {
			hasher_update(h, rows[i].text, cut);
			hasher_update(h, rows[i].text + cut, n - cut);
			hasher_final(h, digest);
			check_digest(&rows[i], digest);
		}
		hasher_update(h, "left behind", 11);
		hasher_reset(h);
		for (size_t at = 0; at < n; at++)
			hasher_update(h, rows[i].text + at, 1);
		hasher_final(h, digest);
		check_digest(&rows[i], digest);
		hasher_free(&h);
		assert_null(h);
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* What OpenSSL says of one run of bytes. */
static void check_sum(struct hasher *h, const uint8_t *p, size_t n)
{
	uint8_t digest[HASH_SHA1_SIZE], want[HASH_SHA1_SIZE];

	hasher_final(h, digest);
	hash_once(HASH_SHA1, p, n, want);
	assert_memory_equal(digest, want, sizeof want);
}

/* Every length around the edges of a block, padding included. */
static void test_lengths(void **unused)
{
	struct hasher *a = hasher_new(HASH_SHA1), *b = hasher_new(HASH_SHA1);
	uint8_t text[300];
	uint32_t seed = 7;

	(void)unused;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)next_random(&seed);
	for (size_t n = 0; n <= sizeof text; n++) {
		hasher_update(a, text, n);
		check_sum(a, text, n);
		hasher_update_two(a, text, n, b, text, sizeof text - n);
		check_sum(a, text, n);
		check_sum(b, text, sizeof text - n);
	}
	hasher_free(&a);
	hasher_free(&b);
}

/* Two streams of random lengths in random cuts, together and alone, against OpenSSL. */
static void test_two(void **unused)
{
	enum { SIZE = 200000 };
	struct hasher *a = hasher_new(HASH_SHA1), *b = hasher_new(HASH_SHA1);
	uint8_t *text = malloc(SIZE);
	uint32_t seed = 99;

	(void)unused;
	for (size_t i = 0; i < SIZE; i++)
		text[i] = (uint8_t)next_random(&seed);
	for (int round = 0; round < 300; round++) {
		const uint8_t *pa = text + next_random(&seed) % 100, *pb = text + 100;
		size_t na = next_random(&seed) % (round < 200 ? 3000 : SIZE - 100), ia = 0;
		size_t nb = next_random(&seed) % (round < 200 ? 3000 : SIZE - 100), ib = 0;
		size_t most = round % 3 == 0 ? 70 : round % 3 == 1 ? 1000 : 70000;

		while (ia < na || ib < nb) {
			size_t ka = next_random(&seed) % most, kb = next_random(&seed) % most;

			ka = MIN(ka, na - ia);
			kb = MIN(kb, nb - ib);
			if (next_random(&seed) % 4 == 0) {
				hasher_update(a, pa + ia, ka);
				kb = 0;
			} else {
				hasher_update_two(a, pa + ia, ka, b, pb + ib, kb);
			}
			ia += ka;
			ib += kb;
		}
		check_sum(a, pa, na);
		check_sum(b, pb, nb);
	}
	free(text);
	hasher_free(&a);
	hasher_free(&b);
}

/* Algorithms that cannot go side by side go one after the other. */
static void test_two_kinds(void **unused)
{
	struct hasher *a = hasher_new(HASH_SHA1), *b = hasher_new(HASH_SHA256);
	uint8_t digest[HASH_SHA256_SIZE];

	(void)unused;
	hasher_update_two(a, "ab", 2, b, "a", 1);
	hasher_update_two(a, "c", 1, b, "bc", 2);
	hasher_final(a, digest);
	check_digest(&rows[1], digest);
	hasher_final(b, digest);
	check_digest(&rows[4], digest);
	hasher_free(&a);
	hasher_free(&b);
}

/* The vectors of the reference implementation: key 00..0f, input 00, 0001, ... */
static void test_keyed(void **unused)
{
	static const struct {
		size_t n;
		uint64_t hash;
	} vectors[] = {
		{0, 0x726fdb47dd0e0e31},
		{1, 0x74f839c593dc67fd},
		{7, 0xab0200f58b01d137},
		{8, 0x93f5f5799a932462},
		{15, 0xa129ca6149be45e5},
		{63, 0x958a324ceb064572},
	};
	uint8_t key[16], text[64];

	(void)unused;
	for (unsigned i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)i;
	memcpy(key, text, sizeof key);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
		assert_true(hash_keyed(key, text, vectors[i].n) == vectors[i].hash);
}

static void test_infohash(void **unused)
{
	struct infohash a = {.v1 = {1}, .has_v1 = true}, b = a;

	(void)unused;
	assert_true(infohash_equal(&a, &b));
	b.v2[31] = 9; /* a form that is absent does not count */
	assert_true(infohash_equal(&a, &b));
	b.has_v2 = true;
	assert_false(infohash_equal(&a, &b));
	a.has_v2 = true;
	assert_false(infohash_equal(&a, &b));
	a.v2[31] = 9;
	assert_true(infohash_equal(&a, &b));
	a.v1[19] = 1;
	assert_false(infohash_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_two_kinds),
		cmocka_unit_test(test_keyed),
		cmocka_unit_test(test_infohash),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
