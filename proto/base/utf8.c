/* SPDX-License-Identifier: MIT */
/* Strict UTF-8: decoding of one sequence, and the classes of code points that names must not hold.
 */
#include "proto/base/utf8.h"

struct lead {
	uint8_t mask, mark; /* (byte & mask) == mark recognises the first byte */
	uint32_t least;     /* the smallest code point that needs this many bytes */
};

static const struct lead leads[] = {
	{0x80, 0x00, 0},
	{0xe0, 0xc0, 0x80},
	{0xf0, 0xe0, 0x800},
	{0xf8, 0xf0, 0x10000},
};

static bool scalar_ok(uint32_t cp, uint32_t least)
{
	return cp >= least && cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff);
}

unsigned utf8_decode(const uint8_t *p, size_t n, uint32_t *cp)
{
	unsigned len = 0;

	if (n == 0)
		return 0;
	while (len < ARRAY_LEN(leads) && (p[0] & leads[len].mask) != leads[len].mark)
		len++;
	if (len == ARRAY_LEN(leads) || len >= n)
		return 0;
	uint32_t v = p[0] & (uint8_t)~leads[len].mask;

	for (unsigned i = 1; i <= len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (!scalar_ok(v, leads[len].least))
		return 0;
	*cp = v;
	return len + 1;
}

bool utf8_valid(struct slice s)
{
	uint32_t cp;

	for (size_t i = 0; i < s.n;) {
		unsigned len = utf8_decode(s.p + i, s.n - i, &cp);

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

bool utf8_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x2028 || cp == 0x2029;
}

bool utf8_is_direction_mark(uint32_t cp)
{
	return cp == 0x061c || cp == 0x200e || cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

size_t utf8_cut(struct slice s, size_t max)
{
	size_t n = MIN(s.n, max);

	while (n > 0 && n < s.n && (s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}
