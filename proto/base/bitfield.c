/* SPDX-License-Identifier: MIT */
/*
 * A set of piece indices in wire order, and the two summaries of its words.
 *
 * Whole-set operations go 64 bits at a time: a word is loaded big-endian, so that its highest bit
 * is the lowest index; the summaries go from their high bits too.  Invariant: a bit of a summary is
 * set exactly when the word it stands for is not zero.
 */
#include "proto/base/bitfield.h"

static const uint64_t first_bit = UINT64_C(1) << 63;

/* Word w was zero and is not; and back. */
static void mark_word(struct bitfield *b, uint32_t w)
{
	b->sum[w / 64] |= first_bit >> (w % 64);
	b->top[w / 4096] |= first_bit >> (w / 64 % 64);
}

static void unmark_word(struct bitfield *b, uint32_t w)
{
	b->sum[w / 64] &= ~(first_bit >> (w % 64));
	if (b->sum[w / 64] == 0)
		b->top[w / 4096] &= ~(first_bit >> (w / 64 % 64));
}

static size_t size_of(const struct bitfield *b)
{
	return ((size_t)bitfield_words(b) + bitfield_sums(b) + bitfield_tops(b)) * sizeof(uint64_t);
}

static void own_memory(struct bitfield *b, uint64_t *memory)
{
	b->bytes = (uint8_t *)memory;
	b->sum = memory != NULL ? memory + bitfield_words(b) : NULL;
	b->top = memory != NULL ? b->sum + bitfield_sums(b) : NULL;
}

/* Counts and sums up words that are there. */
static void take_stock(struct bitfield *b)
{
	uint32_t words = bitfield_words(b);

	memset(b->sum, 0, size_of(b) - words * sizeof(uint64_t));
	b->count = 0;
	for (uint32_t w = 0; w < words; w++) {
		uint64_t v = bitfield_word(b, w);

		b->count += (uint32_t)__builtin_popcountll(v);
		if (v != 0)
			mark_word(b, w);
	}
}

void bitfield_init(struct bitfield *b, uint32_t bits)
{
	*b = (struct bitfield){.bits = bits};
	own_memory(b, bits > 0 ? xcalloc(1, size_of(b)) : NULL);
}

void bitfield_free(struct bitfield *b)
{
	xfree(b->bytes);
	*b = (struct bitfield){0};
}

void bitfield_copy(struct bitfield *dst, const struct bitfield *src)
{
	*dst = *src;
	own_memory(dst, src->bits > 0 ? xmemdup(src->bytes, size_of(src)) : NULL);
}

bool bitfield_set(struct bitfield *b, uint32_t i)
{
	if (bitfield_get(b, i))
		return false;
	if (bitfield_word(b, i / 64) == 0)
		mark_word(b, i / 64);
	b->bytes[i >> 3] |= (uint8_t)(0x80u >> (i & 7));
	b->count++;
	return true;
}

bool bitfield_clear(struct bitfield *b, uint32_t i)
{
	if (!bitfield_get(b, i))
		return false;
	b->bytes[i >> 3] &= (uint8_t) ~(0x80u >> (i & 7));
	if (bitfield_word(b, i / 64) == 0)
		unmark_word(b, i / 64);
	b->count--;
	return true;
}

/* The last byte's bits that stand for no index. */
static uint8_t spare_mask(uint32_t bits)
{
	return (uint8_t)(bits % 8 != 0 ? 0xffu >> (bits % 8) : 0);
}

void bitfield_set_all(struct bitfield *b)
{
	size_t n = bitfield_bytes(b->bits);

	if (n == 0)
		return;
	memset(b->bytes, 0xff, n);
	b->bytes[n - 1] &= (uint8_t)~spare_mask(b->bits);
	take_stock(b);
}

void bitfield_clear_all(struct bitfield *b)
{
	if (b->count > 0)
		memset(b->bytes, 0, size_of(b));
	b->count = 0;
}

enum err bitfield_load(struct bitfield *b, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	if (n != bitfield_bytes(b->bits))
		return E_RANGE;
	if (n == 0)
		return E_OK;
	if ((p[n - 1] & spare_mask(b->bits)) != 0)
		return E_RANGE;
	memcpy(b->bytes, p, n);
	take_stock(b);
	return E_OK;
}

uint32_t bitfield_count_minus(const struct bitfield *a, const struct bitfield *b)
{
	uint32_t count = 0;

	must(a->bits == b->bits);
	for (uint32_t w = bitfield_next_word(a, 0); w != BITFIELD_NO_WORD;
		w = bitfield_next_word(a, w + 1))
		count += (uint32_t)__builtin_popcountll(bitfield_word(a, w) & ~bitfield_word(b, w));
	return count;
}

/* The first word >= w that is not zero, by the summaries; w may be one past the end. */
static uint32_t search_sums(const struct bitfield *b, uint32_t w)
{
	uint32_t sums = bitfield_sums(b), s = w / 64, t;
	uint64_t v = s < sums ? b->sum[s] & (~UINT64_C(0) >> (w % 64)) : 0;

	if (v != 0)
		return 64 * s + (uint32_t)__builtin_clzll(v);
	s++;
	t = s / 64;
	v = s < sums ? b->top[t] & (~UINT64_C(0) >> (s % 64)) : 0;
	while (v == 0) {
		if (++t >= bitfield_tops(b))
			return BITFIELD_NO_WORD;
		v = b->top[t];
	}
	s = 64 * t + (uint32_t)__builtin_clzll(v);
	return 64 * s + (uint32_t)__builtin_clzll(b->sum[s]);
}

uint32_t bitfield_next_word(const struct bitfield *b, uint32_t w)
{
	if (w >= bitfield_words(b))
		return BITFIELD_NO_WORD;
	/* In a set that is not sparse it is the next one. */
	return bitfield_word(b, w) != 0 ? w : search_sums(b, w + 1);
}

uint32_t bitfield_next_common(const struct bitfield *a, const struct bitfield *b, uint32_t w)
{
	must(a->bits == b->bits);
	for (;;) {
		uint32_t at = bitfield_next_word(a, w);

		if (at == BITFIELD_NO_WORD)
			return at;
		w = bitfield_next_word(b, at);
		if (w == BITFIELD_NO_WORD)
			return w;
		if (w == at && (bitfield_word(a, w) & bitfield_word(b, w)) != 0)
			return w;
		w += w == at;
	}
}

uint32_t bitfield_next_set(const struct bitfield *b, uint32_t from)
{
	uint32_t w = from / 64;
	uint64_t v;

	if (from >= b->bits)
		return b->bits;
	v = bitfield_word(b, w) & (~UINT64_C(0) >> (from % 64));
	if (v == 0) {
		w = bitfield_next_word(b, w + 1);
		if (w == BITFIELD_NO_WORD)
			return b->bits;
		v = bitfield_word(b, w);
	}
	return 64 * w + (uint32_t)__builtin_clzll(v);
}

static bool is_marked(const uint64_t *summary, uint32_t w)
{
	return (summary[w / 64] & first_bit >> (w % 64)) != 0;
}

void bitfield_check(const struct bitfield *b)
{
	uint32_t words = bitfield_words(b), sums = bitfield_sums(b), count = 0;

	for (uint32_t w = 0; w < 64 * sums; w++) {
		must(is_marked(b->sum, w) == (w < words && bitfield_word(b, w) != 0));
		count += w < words ? (uint32_t)__builtin_popcountll(bitfield_word(b, w)) : 0;
	}
	for (uint32_t s = 0; s < 64 * bitfield_tops(b); s++)
		must(is_marked(b->top, s) == (s < sums && b->sum[s] != 0));
	must(count == b->count);
	must(b->bits % 64 == 0 ||
		(bitfield_word(b, b->bits / 64) & ~UINT64_C(0) >> (b->bits % 64)) == 0);
}
