/* SPDX-License-Identifier: MIT */
/*
 * RC4, eight bytes at a time.
 *
 * What bounds the speed is the way from one y to the next, through the table.  So the next entry is
 * loaded as early as it is known, before the byte in hand is made, and a word of key stream is
 * gathered in a register and leaves with one store.  A table of bytes lies in four lines of the
 * cache and is as fast as one of words.
 */
#include "proto/mse/rc4.h"

void rc4_init(struct rc4 *r, const void *key, size_t n)
{
	const uint8_t *k = key;
	uint8_t j = 0;

	must(n > 0 && n <= sizeof r->s);
	for (unsigned i = 0; i < 256; i++)
		r->s[i] = (uint8_t)i;
	for (unsigned i = 0; i < 256; i++) {
		uint8_t t = r->s[i];

		j = (uint8_t)(j + t + k[i % n]);
		r->s[i] = r->s[j];
		r->s[j] = t;
	}
	r->x = r->y = 0;
}

/* One byte of key stream; x is the place of a, which the next one takes over. */
static inline uint8_t next(uint8_t *s, uint8_t *x, uint8_t *y, uint8_t *a)
{
	uint8_t b, at;

	*y = (uint8_t)(*y + *a);
	b = s[*y];
	s[*y] = *a;
	s[*x] = b;
	at = (uint8_t)(*a + b);
	*x = (uint8_t)(*x + 1);
	*a = s[*x];
	return s[at];
}

void rc4_apply(struct rc4 *r, uint8_t *p, size_t n)
{
	uint8_t x = (uint8_t)(r->x + 1), y = r->y, a = r->s[x];

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t word, key = 0;

		memcpy(&word, p, 8);
#pragma GCC unroll 8
		for (unsigned i = 0; i < 8; i++)
			key |= (uint64_t)next(r->s, &x, &y, &a) << (8 * i);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		key = __builtin_bswap64(key);
#endif
		word ^= key;
		memcpy(p, &word, 8);
	}
	for (; n > 0; n--)
		*p++ ^= next(r->s, &x, &y, &a);
	r->x = (uint8_t)(x - 1);
	r->y = y;
}

void rc4_skip(struct rc4 *r, size_t n)
{
	uint8_t x = (uint8_t)(r->x + 1), y = r->y, a = r->s[x];

	for (; n > 0; n--)
		(void)next(r->s, &x, &y, &a);
	r->x = (uint8_t)(x - 1);
	r->y = y;
}
