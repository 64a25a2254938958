/* SPDX-License-Identifier: MIT */
/*
 * Digests through OpenSSL's EVP, and SipHash for tables.
 *
 * OpenSSL fails here only when it is out of memory or the library lacks SHA; neither can be handled
 * by anyone, so both are must().
 */
#include "proto/hash.h"

#include <openssl/evp.h>

#define HASHER_MAGIC 0x48534852u

struct hasher {
	uint32_t magic;
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

static const char *const names[] = {[HASH_SHA1] = "SHA1", [HASH_SHA256] = "SHA256"};

bool infohash_equal(const struct infohash *a, const struct infohash *b)
{
	if (a->has_v1 != b->has_v1 || a->has_v2 != b->has_v2)
		return false;
	return (!a->has_v1 || memcmp(a->v1, b->v1, sizeof a->v1) == 0) &&
	       (!a->has_v2 || memcmp(a->v2, b->v2, sizeof a->v2) == 0);
}

struct hasher *hasher_new(enum hash_alg alg)
{
	struct hasher *h;

	must((unsigned)alg < ARRAY_LEN(names));
	ALLOC_OBJ(h, HASHER_MAGIC);
	h->md = EVP_MD_fetch(NULL, names[alg], NULL);
	h->ctx = EVP_MD_CTX_new();
	must(h->md != NULL && h->ctx != NULL);
	must(EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1);
	return h;
}

void hasher_free(struct hasher **hp)
{
	struct hasher *h;

	TAKE_OBJ(h, hp, HASHER_MAGIC);
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	FREE_OBJ(h);
}

void hasher_reset(struct hasher *h)
{
	CHECK_OBJ(h, HASHER_MAGIC);
	must(EVP_DigestInit_ex2(h->ctx, NULL, NULL) == 1);
}

void hasher_update(struct hasher *h, const void *p, size_t n)
{
	CHECK_OBJ(h, HASHER_MAGIC);
	must(EVP_DigestUpdate(h->ctx, p, n) == 1);
}

void hasher_final(struct hasher *h, uint8_t *out)
{
	CHECK_OBJ(h, HASHER_MAGIC);
	must(EVP_DigestFinal_ex(h->ctx, out, NULL) == 1);
	hasher_reset(h);
}

void hash_once(enum hash_alg alg, const void *p, size_t n, uint8_t *out)
{
	const EVP_MD *md = alg == HASH_SHA256 ? EVP_sha256() : EVP_sha1();

	must(EVP_Digest(p, n, out, NULL, md, NULL) == 1);
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void mix_rounds(struct sip *s, unsigned rounds)
{
	while (rounds-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate_left(s->v1, 13) ^ s->v0;
		s->v0 = rotate_left(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate_left(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate_left(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate_left(s->v1, 17) ^ s->v2;
		s->v2 = rotate_left(s->v2, 32);
	}
}

static void mix_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	mix_rounds(s, 2);
	s->v0 ^= word;
}

static uint64_t load_little(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint64_t hash_keyed(const uint8_t key[16], const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t k0 = load_little(key, 8), k1 = load_little(key + 8, 8);
	struct sip s = {
		k0 ^ 0x736f6d6570736575u,
		k1 ^ 0x646f72616e646f6du,
		k0 ^ 0x6c7967656e657261u,
		k1 ^ 0x7465646279746573u,
	};

	for (size_t left = n; left >= 8; left -= 8, b += 8)
		mix_word(&s, load_little(b, 8));
	mix_word(&s, load_little(b, n % 8) | (uint64_t)n << 56);
	s.v2 ^= 0xff;
	mix_rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
