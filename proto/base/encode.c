/* SPDX-License-Identifier: MIT */
/* Bytes as base64, as base32, as hexadecimal digits, and as a URL has them. */
#include "proto/base/encode.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits[] = "0123456789abcdef";

static void encode_group(uint32_t v, char out[4])
{
	out[0] = alphabet[v >> 18];
	out[1] = alphabet[v >> 12 & 63];
	out[2] = alphabet[v >> 6 & 63];
	out[3] = alphabet[v & 63];
}

void base64_encode(const void *p, size_t n, char *out)
{
	const uint8_t *b = p;

	for (; n >= 3; n -= 3, b += 3, out += 4)
		encode_group((uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2], out);
	if (n > 0) {
		encode_group((uint32_t)b[0] << 16 | (n > 1 ? (uint32_t)b[1] << 8 : 0), out);
		if (n == 1)
			out[2] = '=';
		out[3] = '=';
		out += 4;
	}
	*out = '\0';
}

void base64_zeros(size_t n, char *out)
{
	size_t pad = (3 - n % 3) % 3;

	memset(out, 'A', base64_len(n) - pad);
	memset(out + base64_len(n) - pad, '=', pad);
	out[base64_len(n)] = '\0';
}

/* -1: it is none of base64. */
static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t base64_decode(const char *text, size_t n, uint8_t *out)
{
	size_t written = 0, read = 0, padding = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		int v = sextet(text[i]);

		if (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r'))
			continue;
		padding += text[i] == '=';
		if (text[i] == '=')
			continue;
		if (v < 0 || padding > 0)
			return 0;
		bits = bits << 6 | (uint32_t)v;
		if (read++ % 4 != 0)
			out[written++] = (uint8_t)(bits >> (6 - 2 * ((read - 1) % 4)));
	}
	return padding > 2 || read % 4 == 1 ? 0 : written;
}

void hex_encode(const void *p, size_t n, char *out)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = '\0';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *text, size_t text_n, uint8_t *out, size_t n)
{
	if (text_n % 2 != 0 || text_n / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool is_unreserved(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void percent_encode(struct wr *w, const void *p, size_t n)
{
	static const char hex[] = "0123456789ABCDEF";
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++) {
		if (is_unreserved(s[i])) {
			wr_u8(w, s[i]);
			continue;
		}
		wr_u8(w, '%');
		wr_u8(w, (uint8_t)hex[s[i] >> 4]);
		wr_u8(w, (uint8_t)hex[s[i] & 15]);
	}
}

static int base32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

bool base32_decode(const char *text, size_t text_n, uint8_t *out, size_t n)
{
	must(n % 5 == 0);
	if (text_n % 8 != 0 || text_n / 8 != n / 5)
		return false;
	for (size_t i = 0; i < n; i += 5, text += 8) {
		uint64_t v = 0;

		for (size_t k = 0; k < 8; k++) {
			int five = base32_value(text[k]);

			if (five < 0)
				return false;
			v = v << 5 | (uint64_t)five;
		}
		for (size_t k = 0; k < 5; k++)
			out[i + k] = (uint8_t)(v >> (32 - 8 * k));
	}
	return true;
}
