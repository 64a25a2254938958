/* SPDX-License-Identifier: MIT */
/*
 * A set of piece indices in wire order: bit 0 is the high bit of byte 0 (BEP 3, "bitfield").
 * The spare bits of the last byte are always zero.
 *
 * A peer of a large torrent may have next to nothing, and we may lack next to nothing: what is done
 * for each index in a set must not cost by the size of the torrent.  So 64 indices are a word; a
 * summary has a bit for each word that is not zero, and a second one a bit for each such word of
 * the first.  They take 1/63 more memory, and the next set index, or the next word that two sets
 * share, is found in a few steps.  Not thread-safe: one owner.
 */
#ifndef PROTO_BASE_BITFIELD_H
#define PROTO_BASE_BITFIELD_H

#include <endian.h>

#include "proto/base/base.h"

struct bitfield {
	uint8_t *bytes; /* owned, bitfield_bytes(bits) long and zeros to a word; NULL: no bits */
	uint64_t *sum;  /* in the same allocation: a bit for each word that is not zero */
	uint64_t *top;  /* and one for each word of sum */
	uint32_t bits;  /* how many indices */
	uint32_t count; /* how many are set, always exact */
};

#define BITFIELD_NO_WORD UINT32_MAX

/* Where a walk over the set indices stands. */
struct bitwalk {
	const struct bitfield *b; /* borrowed */
	uint32_t t, s, w;         /* words of the summaries and of the set */
	uint64_t top, sum, word;  /* what is to come of them */
};

static inline size_t bitfield_bytes(uint32_t bits)
{
	return ((size_t)bits + 7) / 8;
}

/* Raw bitmaps in the same order, for who needs neither count nor walk.  i is the caller's to check.
 */
static inline bool bits_get(const uint8_t *bits, uint32_t i)
{
	return (bits[i >> 3] >> (7 - (i & 7))) & 1;
}

static inline void bits_set(uint8_t *bits, uint32_t i)
{
	bits[i >> 3] |= (uint8_t)(0x80u >> (i & 7));
}

static inline void bits_clear(uint8_t *bits, uint32_t i)
{
	bits[i >> 3] &= (uint8_t) ~(0x80u >> (i & 7));
}

static inline bool bitfield_get(const struct bitfield *b, uint32_t i)
{
	must(i < b->bits);
	return bits_get(b->bytes, i);
}

static inline uint32_t bitfield_words(const struct bitfield *b)
{
	return (uint32_t)(((uint64_t)b->bits + 63) / 64);
}

/* How many words its summaries have. */
static inline uint32_t bitfield_sums(const struct bitfield *b)
{
	return (uint32_t)(((uint64_t)b->bits + 4095) / 4096);
}

static inline uint32_t bitfield_tops(const struct bitfield *b)
{
	return (bitfield_sums(b) + 63) / 64;
}

/* The indices from 64 * w on, which must be in range; the first is the high bit. */
static inline uint64_t bitfield_word(const struct bitfield *b, uint32_t w)
{
	uint64_t v;

	memcpy(&v, b->bytes + (size_t)w * 8, sizeof v);
	return be64toh(v);
}

/* Takes the lowest index off word w, which is not zero. */
static inline uint32_t bitfield_take(uint64_t *word, uint32_t w)
{
	uint32_t i = (uint32_t)__builtin_clzll(*word);

	*word ^= UINT64_C(1) << 63 >> i;
	return w * 64 + i;
}

/* Every set index, lowest first.  Only those given out may be cleared meanwhile, none be set. */
static inline struct bitwalk bitfield_walk(const struct bitfield *b)
{
	return (struct bitwalk){.b = b, .t = UINT32_MAX};
}

/* The next word that is not zero. */
static inline bool bitwalk_word(struct bitwalk *k)
{
	while (k->sum == 0) {
		while (k->top == 0) {
			if (++k->t >= bitfield_tops(k->b))
				return false;
			k->top = k->b->top[k->t];
		}
		k->s = bitfield_take(&k->top, k->t);
		k->sum = k->b->sum[k->s];
	}
	k->w = bitfield_take(&k->sum, k->s);
	k->word = bitfield_word(k->b, k->w);
	return true;
}

/* false: that was all. */
static inline bool bitwalk_next(struct bitwalk *k, uint32_t *i)
{
	if (k->word == 0 && !bitwalk_word(k))
		return false;
	*i = bitfield_take(&k->word, k->w);
	return true;
}

static inline bool bitfield_full(const struct bitfield *b)
{
	return b->count == b->bits;
}

/* All clear.  The caller calls bitfield_free(). */
void bitfield_init(struct bitfield *b, uint32_t bits);
void bitfield_free(struct bitfield *b);
void bitfield_copy(
	struct bitfield *dst, const struct bitfield *src); /* dst is overwritten, not freed */

/* Return true when the bit changed.  i must be in range. */
bool bitfield_set(struct bitfield *b, uint32_t i);
bool bitfield_clear(struct bitfield *b, uint32_t i);
void bitfield_set_all(struct bitfield *b);
void bitfield_clear_all(struct bitfield *b);

/*
 * Takes over bytes from the wire or the database.  E_RANGE when n is not bitfield_bytes(bits) or a
 * spare bit is set (BEP 3: such a connection is dropped); *b is then unchanged.
 */
enum err bitfield_load(struct bitfield *b, const void *bytes, size_t n);

/* How many bits are set in a and clear in b; same size. */
uint32_t bitfield_count_minus(const struct bitfield *a, const struct bitfield *b);
/*
 * With bitfield_word(): the first word >= w that is not zero; in which a and b, of the same size,
 * have an index in common.  BITFIELD_NO_WORD when there is none.
 */
uint32_t bitfield_next_word(const struct bitfield *b, uint32_t w);
uint32_t bitfield_next_common(const struct bitfield *a, const struct bitfield *b, uint32_t w);
/* First set index >= from, or b->bits. */
uint32_t bitfield_next_set(const struct bitfield *b, uint32_t from);

/* Panics when an invariant does not hold.  O(bits / 64): tests and fuzzing. */
void bitfield_check(const struct bitfield *b);

#endif
