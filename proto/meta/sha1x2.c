/* SPDX-License-Identifier: MIT */
/*
 * SHA-1 by the processor's own instructions, four rounds a step, two streams side by side.
 *
 * A block is 20 groups of four rounds.  Group i takes the message words w[i % 4]; the words of the
 * groups behind it are made on the way: those of group i + 1 are finished, those of i + 2 and i + 3
 * begun.  The two streams are written out side by side so that neighbours never depend on each
 * other; twelve of the sixteen registers hold what lives through a block.
 */
#include "proto/meta/sha1x2.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define SHA_CODE __attribute__((target("sha,sse4.1")))

bool sha1x2_usable(void)
{
	unsigned a = 0, b = 0, c = 0, d = 0;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

struct lane {
	__m128i abcd, e, w[4];
};

/* The words of the state, the first one in the highest place. */
SHA_CODE static inline void load_state(struct lane *l, const uint32_t s[5])
{
	l->abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)s), 0x1b);
	l->e = _mm_set_epi32((int)s[4], 0, 0, 0);
}

SHA_CODE static inline void save_state(const struct lane *l, uint32_t s[5])
{
	_mm_storeu_si128((__m128i *)(void *)s, _mm_shuffle_epi32(l->abcd, 0x1b));
	s[4] = (uint32_t)_mm_extract_epi32(l->e, 3);
}

/* Big-endian words, the first one in the highest place. */
SHA_CODE static inline __m128i load_words(const uint8_t *p)
{
	const __m128i order = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), order);
}

/* Group i of lane l, whose block is at p.  i is a literal: the instruction wants its round
 * function as a constant, and what does not apply to a group vanishes. */
#define GROUP(l, p, i)                                                                             \
	do {                                                                                       \
		if ((i) < 4)                                                                       \
			(l).w[(i)&3] = load_words((p) + 16 * ((i)&3));                             \
		const __m128i m_ = (l).w[(i)&3];                                                   \
		const __m128i e_ =                                                                 \
			(i) == 0 ? _mm_add_epi32((l).e, m_) : _mm_sha1nexte_epu32((l).e, m_);      \
		(l).e = (l).abcd;                                                                  \
		if ((i) >= 3 && (i) <= 18)                                                         \
			(l).w[((i) + 1) & 3] = _mm_sha1msg2_epu32((l).w[((i) + 1) & 3], m_);       \
		(l).abcd = _mm_sha1rnds4_epu32((l).abcd, e_, (i) / 5);                             \
		if ((i) >= 1 && (i) <= 16)                                                         \
			(l).w[((i) + 3) & 3] = _mm_sha1msg1_epu32((l).w[((i) + 3) & 3], m_);       \
		if ((i) >= 2 && (i) <= 17)                                                         \
			(l).w[((i) + 2) & 3] = _mm_xor_si128((l).w[((i) + 2) & 3], m_);            \
	} while (0)

#define ONE(i) GROUP(l, p, i)
#define PAIR(i)                                                                                    \
	GROUP(l, a, i);                                                                            \
	GROUP(k, b, i)

/* clang-format off */
#define GROUPS(G) \
	G(0); G(1); G(2); G(3); G(4); G(5); G(6); G(7); G(8); G(9); \
	G(10); G(11); G(12); G(13); G(14); G(15); G(16); G(17); G(18); G(19)
/* clang-format on */

/* Adds what the block began with. */
SHA_CODE static inline void end_block(struct lane *l, __m128i abcd, __m128i e)
{
	l->e = _mm_sha1nexte_epu32(l->e, e);
	l->abcd = _mm_add_epi32(l->abcd, abcd);
}

SHA_CODE void sha1x2_one(uint32_t state[5], const uint8_t *p, size_t n)
{
	struct lane l;

	load_state(&l, state);
	for (; n > 0; n--, p += SHA1_BLOCK) {
		const __m128i abcd = l.abcd, e = l.e;

		GROUPS(ONE);
		end_block(&l, abcd, e);
	}
	save_state(&l, state);
}

SHA_CODE void sha1x2_two(
	uint32_t sa[5], const uint8_t *a, uint32_t sb[5], const uint8_t *b, size_t n)
{
	struct lane l, k;

	load_state(&l, sa);
	load_state(&k, sb);
	for (; n > 0; n--, a += SHA1_BLOCK, b += SHA1_BLOCK) {
		const __m128i abcd_l = l.abcd, e_l = l.e, abcd_k = k.abcd, e_k = k.e;

		GROUPS(PAIR);
		end_block(&l, abcd_l, e_l);
		end_block(&k, abcd_k, e_k);
	}
	save_state(&l, sa);
	save_state(&k, sb);
}

#else

bool sha1x2_usable(void)
{
	return false;
}

void sha1x2_one(uint32_t state[5], const uint8_t *p, size_t n)
{
	must(state == NULL && p == NULL && n == 0);
}

void sha1x2_two(uint32_t sa[5], const uint8_t *a, uint32_t sb[5], const uint8_t *b, size_t n)
{
	must(sa == NULL && a == NULL && sb == NULL && b == NULL && n == 0);
}

#endif
