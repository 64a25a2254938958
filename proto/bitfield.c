/* SPDX-License-Identifier: MIT */
/*
 * A set of piece indices in wire order.
 *
 * Whole-set operations go 64 bits at a time: a word is loaded big-endian, so that its highest bit
 * is the lowest index, and the bytes missing from the last word read as zero.
 */
#include "proto/bitfield.h"

#include <endian.h>

static size_t count_words(const struct bitfield *b)
{
	return ((size_t)b->bits + 63) / 64;
}

static uint64_t load_word(const struct bitfield *b, size_t w)
{
	size_t left = bitfield_bytes(b->bits) - 8 * w;
	uint64_t v = 0;

	memcpy(&v, b->bytes + 8 * w, MIN(left, sizeof v));
	return be64toh(v);
}

static void store_word(struct bitfield *b, size_t w, uint64_t v)
{
	size_t left = bitfield_bytes(b->bits) - 8 * w;

	v = htobe64(v);
	memcpy(b->bytes + 8 * w, &v, MIN(left, sizeof v));
}

static uint32_t count_bits(const struct bitfield *b)
{
	uint32_t count = 0;

	for (size_t w = 0; w < count_words(b); w++)
		count += (uint32_t)__builtin_popcountll(load_word(b, w));
	return count;
}

void bitfield_init(struct bitfield *b, uint32_t bits)
{
	b->bytes = bits > 0 ? xcalloc(1, bitfield_bytes(bits)) : NULL;
	b->bits = bits;
	b->count = 0;
}

void bitfield_free(struct bitfield *b)
{
	xfree(b->bytes);
	*b = (struct bitfield){0};
}

void bitfield_copy(struct bitfield *dst, const struct bitfield *src)
{
	dst->bytes = src->bits > 0 ? xmemdup(src->bytes, bitfield_bytes(src->bits)) : NULL;
	dst->bits = src->bits;
	dst->count = src->count;
}

bool bitfield_set(struct bitfield *b, uint32_t i)
{
	if (bitfield_get(b, i))
		return false;
	b->bytes[i >> 3] |= (uint8_t)(0x80u >> (i & 7));
	b->count++;
	return true;
}

bool bitfield_clear(struct bitfield *b, uint32_t i)
{
	if (!bitfield_get(b, i))
		return false;
	b->bytes[i >> 3] &= (uint8_t) ~(0x80u >> (i & 7));
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
	b->count = b->bits;
}

void bitfield_clear_all(struct bitfield *b)
{
	if (b->bits > 0)
		memset(b->bytes, 0, bitfield_bytes(b->bits));
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
	b->count = count_bits(b);
	return E_OK;
}

uint32_t bitfield_or(struct bitfield *dst, const struct bitfield *src)
{
	uint32_t added = 0;

	must(dst->bits == src->bits);
	for (size_t w = 0; w < count_words(dst); w++) {
		uint64_t have = load_word(dst, w), more = load_word(src, w) & ~have;

		if (more == 0)
			continue;
		store_word(dst, w, have | more);
		added += (uint32_t)__builtin_popcountll(more);
	}
	dst->count += added;
	return added;
}

uint32_t bitfield_count_minus(const struct bitfield *a, const struct bitfield *b)
{
	uint32_t count = 0;

	must(a->bits == b->bits);
	for (size_t w = 0; w < count_words(a); w++)
		count += (uint32_t)__builtin_popcountll(load_word(a, w) & ~load_word(b, w));
	return count;
}

/* First index >= from whose bit, xored with flip's, is set; or b->bits. */
static uint32_t find_bit(const struct bitfield *b, uint32_t from, uint64_t flip)
{
	if (from >= b->bits)
		return b->bits;
	size_t w = from / 64;
	uint64_t v = (load_word(b, w) ^ flip) & (~UINT64_C(0) >> (from % 64));

	while (v == 0) {
		if (++w >= count_words(b))
			return b->bits;
		v = load_word(b, w) ^ flip;
	}
	uint64_t i = 64 * (uint64_t)w + (uint64_t)__builtin_clzll(v);

	return (uint32_t)MIN(i, (uint64_t)b->bits);
}

uint32_t bitfield_next_set(const struct bitfield *b, uint32_t from)
{
	return find_bit(b, from, 0);
}

uint32_t bitfield_next_clear(const struct bitfield *b, uint32_t from)
{
	return find_bit(b, from, ~UINT64_C(0));
}
