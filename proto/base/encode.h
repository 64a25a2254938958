/* SPDX-License-Identifier: MIT */
/*
 * Bytes as text: standard base64 with padding and base32 (RFC 4648, sections 4 and 6), hexadecimal,
 * and what a URL may hold.  Pure functions; any thread.
 */
#ifndef PROTO_BASE_ENCODE_H
#define PROTO_BASE_ENCODE_H

#include "proto/base/base.h"
#include "proto/base/bytes.h"

/* Characters base64_encode() writes for n bytes, without the NUL. */
static inline size_t base64_len(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* Writes base64_len(n) characters and a NUL to out. */
void base64_encode(const void *p, size_t n, char *out);

/* The same of n bytes of zero. */
void base64_zeros(size_t n, char *out);

/* Bytes that n characters of base64 mean, at most. */
static inline size_t base64_room(size_t n)
{
	return n / 4 * 3 + 3;
}

/*
 * Reads n characters, with or without padding and with white space anywhere, into out, which has
 * room for base64_room(n) bytes.  How many there are; 0 when something else is found.
 */
size_t base64_decode(const char *text, size_t n, uint8_t *out);

/* Writes 2 * n lower-case digits and a NUL to out. */
void hex_encode(const void *p, size_t n, char *out);

/*
 * Reads exactly 2 * n digits of either case, all text_n characters of text, into n bytes.
 * False, with out in any state, when the length differs or something else is found.
 */
bool hex_decode(const char *text, size_t text_n, uint8_t *out, size_t n);

/*
 * Reads exactly 8 characters of base32, of either case and without padding, for every 5 bytes of n,
 * which is a multiple of 5.  False as above.
 */
bool base32_decode(const char *text, size_t text_n, uint8_t *out, size_t n);

/* Writes the bytes with all but RFC 3986's unreserved characters as "%XX". */
void percent_encode(struct wr *w, const void *p, size_t n);

#endif
