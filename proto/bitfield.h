/* SPDX-License-Identifier: MIT */
/*
 * A set of piece indices in wire order: bit 0 is the high bit of byte 0 (BEP 3, "bitfield").
 * The spare bits of the last byte are always zero.  Not thread-safe: one owner.
 */
#ifndef PROTO_BITFIELD_H
#define PROTO_BITFIELD_H

#include "proto/base.h"

struct bitfield {
	uint8_t *bytes; /* owned, bitfield_bytes(bits) long; NULL when bits is 0 */
	uint32_t bits;  /* how many indices */
	uint32_t count; /* how many are set, always exact */
};

static inline size_t bitfield_bytes(uint32_t bits)
{
	return ((size_t)bits + 7) / 8;
}

static inline bool bitfield_get(const struct bitfield *b, uint32_t i)
{
	must(i < b->bits);
	return (b->bytes[i >> 3] >> (7 - (i & 7))) & 1;
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

/* dst |= src; same size.  Number of bits that became set. */
uint32_t bitfield_or(struct bitfield *dst, const struct bitfield *src);
/* How many bits are set in a and clear in b; same size. */
uint32_t bitfield_count_minus(const struct bitfield *a, const struct bitfield *b);
/* First set index >= from, or b->bits. */
uint32_t bitfield_next_set(const struct bitfield *b, uint32_t from);
/* First clear index >= from, or b->bits. */
uint32_t bitfield_next_clear(const struct bitfield *b, uint32_t from);

#endif
