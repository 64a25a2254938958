/* SPDX-License-Identifier: MIT */
/*
 * Digests through OpenSSL's EVP or, for SHA-1 where the processor has instructions for it, by
 * sha1x2.c; and SipHash for tables.
 *
 * OpenSSL hashes one stream at a time and does not show its state, so what is to be hashed two at a
 * time is ours from the first byte.  OpenSSL fails here only when it is out of memory or the
 * library lacks SHA; neither can be handled by anyone, so both are must().
 */
#include "proto/meta/hash.h"

#include "proto/base/bytes.h"
#include "proto/meta/sha1x2.h"

#include <openssl/evp.h>

#define HASHER_MAGIC 0x48534852u

struct hasher {
	uint32_t magic;
	bool own; /* by sha1x2.c: the fields below count, and OpenSSL has no part in it */
	EVP_MD *md;
	EVP_MD_CTX *ctx;
	uint32_t state[5];
	uint64_t n; /* bytes so far; the last n % SHA1_BLOCK of them are in tail */
	uint8_t tail[SHA1_BLOCK];
};

static const char *const names[] = {[HASH_SHA1] = "SHA1", [HASH_SHA256] = "SHA256"};

bool infohash_equal(const struct infohash *a, const struct infohash *b)
{
	if (a->has_v1 != b->has_v1 || a->has_v2 != b->has_v2)
		return false;
	return (!a->has_v1 || memcmp(a->v1, b->v1, sizeof a->v1) == 0) &&
	       (!a->has_v2 || memcmp(a->v2, b->v2, sizeof a->v2) == 0);
}

/* --- streams of our own --- */

static void begin_own(struct hasher *h)
{
	static const uint32_t first[5] = {
		0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

	memcpy(h->state, first, sizeof first);
	h->n = 0;
}

/* Completes the block left over by the call before: what is left of p begins a block or is nothing.
 */
static void fill_tail(struct hasher *h, const uint8_t **p, size_t *n)
{
	size_t have = h->n % SHA1_BLOCK, take = have > 0 ? MIN(SHA1_BLOCK - have, *n) : 0;

	if (take == 0)
		return;
	memcpy(h->tail + have, *p, take);
	h->n += take;
	*p += take;
	*n -= take;
	if (h->n % SHA1_BLOCK == 0)
		sha1x2_one(h->state, h->tail, 1);
}

static void update_own(struct hasher *h, const uint8_t *p, size_t n)
{
	fill_tail(h, &p, &n);
	if (n == 0)
		return;
	sha1x2_one(h->state, p, n / SHA1_BLOCK);
	memcpy(h->tail, p + n / SHA1_BLOCK * SHA1_BLOCK, n % SHA1_BLOCK);
	h->n += n;
}

static void update_two_own(struct hasher *a, const uint8_t *pa, size_t na, struct hasher *b,
	const uint8_t *pb, size_t nb)
{
	size_t blocks;

	fill_tail(a, &pa, &na);
	fill_tail(b, &pb, &nb);
	blocks = MIN(na, nb) / SHA1_BLOCK;
	if (blocks > 0) {
		size_t n = blocks * SHA1_BLOCK;

		sha1x2_two(a->state, pa, b->state, pb, blocks);
		a->n += n;
		b->n += n;
		pa += n;
		pb += n;
		na -= n;
		nb -= n;
	}
	update_own(a, pa, na);
	update_own(b, pb, nb);
}

/* A one bit, zeros, and the length in bits in the last eight bytes of a block. */
static void final_own(struct hasher *h, uint8_t *out)
{
	uint8_t end[2 * SHA1_BLOCK] = {0x80};
	size_t n = (SHA1_BLOCK * 2 - 9 - h->n % SHA1_BLOCK) % SHA1_BLOCK + 1;
	struct wr length = wr_of(end + n, 8), words = wr_of(out, HASH_SHA1_SIZE);

	wr_u64(&length, h->n * 8);
	update_own(h, end, n + 8);
	must(h->n % SHA1_BLOCK == 0);
	for (size_t i = 0; i < ARRAY_LEN(h->state); i++)
		wr_u32(&words, h->state[i]);
}

/* --- hashers --- */

struct hasher *hasher_new(enum hash_alg alg)
{
	struct hasher *h;

	must((unsigned)alg < ARRAY_LEN(names));
	ALLOC_OBJ(h, HASHER_MAGIC);
	h->own = alg == HASH_SHA1 && sha1x2_usable();
	if (!h->own) {
		h->md = EVP_MD_fetch(NULL, names[alg], NULL);
		h->ctx = EVP_MD_CTX_new();
		must(h->md != NULL && h->ctx != NULL);
		must(EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1);
	}
	hasher_reset(h);
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
	if (h->own)
		begin_own(h);
	else
		must(EVP_DigestInit_ex2(h->ctx, NULL, NULL) == 1);
}

void hasher_update(struct hasher *h, const void *p, size_t n)
{
	CHECK_OBJ(h, HASHER_MAGIC);
	if (h->own)
		update_own(h, p, n);
	else
		must(EVP_DigestUpdate(h->ctx, p, n) == 1);
}

void hasher_update_two(
	struct hasher *a, const void *pa, size_t na, struct hasher *b, const void *pb, size_t nb)
{
	CHECK_OBJ(a, HASHER_MAGIC);
	CHECK_OBJ(b, HASHER_MAGIC);
	must(a != b);
	if (a->own && b->own) {
		update_two_own(a, pa, na, b, pb, nb);
		return;
	}
	hasher_update(a, pa, na);
	hasher_update(b, pb, nb);
}

void hasher_final(struct hasher *h, uint8_t *out)
{
	CHECK_OBJ(h, HASHER_MAGIC);
	if (h->own)
		final_own(h, out);
	else
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
