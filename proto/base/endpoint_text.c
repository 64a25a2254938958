/* SPDX-License-Identifier: MIT */
/*
 * Endpoints as text, both ways: dotted quads, RFC 5952 for IPv6, and the port.
 *
 * Written by hand because the C library's routines belong to sockets, accept octal and zones, and
 * differ between systems.
 */
#include "proto/base/endpoint.h"

/* --- to text --- */

/* A text that grows in a buffer which is large enough for any endpoint. */
struct text {
	char buf[ENDPOINT_TEXT];
	size_t n;
};

static void put_char(struct text *t, char c)
{
	t->buf[t->n++] = c;
}

static void put_number(struct text *t, unsigned v, unsigned base)
{
	char digits[8];
	size_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v > 0);
	while (n > 0)
		put_char(t, digits[--n]);
}

static void put_v4(struct text *t, const uint8_t ip[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			put_char(t, '.');
		put_number(t, ip[i], 10);
	}
}

static unsigned group_of(const uint8_t ip[16], unsigned i)
{
	return (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
}

/* The first longest run of two or more zero groups; length 0: none. */
static unsigned find_zeros(const uint8_t ip[16], unsigned *at)
{
	unsigned best = 1, run = 0;

	*at = 8;
	for (unsigned i = 0; i < 8; i++) {
		run = group_of(ip, i) == 0 ? run + 1 : 0;
		if (run > best) {
			best = run;
			*at = i + 1 - run;
		}
	}
	return *at == 8 ? 0 : best;
}

static void put_v6(struct text *t, const uint8_t ip[16])
{
	unsigned at, zeros = find_zeros(ip, &at);

	for (unsigned i = 0; i < 8; i++) {
		if (i == at) {
			put_char(t, ':');
			put_char(t, ':');
			i += zeros - 1;
			continue;
		}
		if (i > 0 && (zeros == 0 || i != at + zeros))
			put_char(t, ':');
		put_number(t, group_of(ip, i), 16);
	}
}

static size_t give_text(const struct text *t, char *buf, size_t n)
{
	if (n == 0)
		return 0;
	buf[0] = '\0';
	if (t->n >= n)
		return 0;
	memcpy(buf, t->buf, t->n);
	buf[t->n] = '\0';
	return t->n;
}

static void put_ip(struct text *t, const struct endpoint *e)
{
	if (endpoint_is_v4(e))
		put_v4(t, endpoint_v4_bytes(e));
	else
		put_v6(t, e->ip);
}

size_t endpoint_format_ip(const struct endpoint *e, char *buf, size_t n)
{
	struct text t = {.n = 0};

	put_ip(&t, e);
	return give_text(&t, buf, n);
}

size_t endpoint_format(const struct endpoint *e, char *buf, size_t n)
{
	struct text t = {.n = 0};
	bool v4 = endpoint_is_v4(e);

	if (!v4)
		put_char(&t, '[');
	put_ip(&t, e);
	if (!v4)
		put_char(&t, ']');
	put_char(&t, ':');
	put_number(&t, e->port, 10);
	return give_text(&t, buf, n);
}

/* --- from text --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four decimal bytes without leading zeros, nothing else. */
static bool parse_v4(const char *s, size_t n, uint8_t ip[4])
{
	size_t at = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned v = 0;
		size_t digits = 0;

		if (i > 0 && (at >= n || s[at++] != '.'))
			return false;
		for (; at < n && is_digit(s[at]) && digits < 3; at++, digits++)
			v = v * 10 + (unsigned)(s[at] - '0');
		if (digits == 0 || v > 255 || (digits > 1 && s[at - digits] == '0'))
			return false;
		ip[i] = (uint8_t)v;
	}
	return at == n;
}

/* Bytes of an IPv6 address as they are read; gap is where "::" stood, or SIZE_MAX. */
struct v6_parse {
	uint8_t ip[16];
	size_t n, gap;
};

/* Reads one group, or the dotted quad that may end the text.  Steps *at. */
static bool parse_group(struct v6_parse *v, const char *s, size_t n, size_t *at)
{
	size_t from = *at, to = from;
	unsigned group = 0;

	while (to < n && to - from < 5 && hex_value(s[to]) >= 0)
		group = group << 4 | (unsigned)hex_value(s[to++]);
	if (to < n && s[to] == '.') {
		if (v->n > 12 || !parse_v4(s + from, n - from, v->ip + v->n))
			return false;
		v->n += 4;
		*at = n;
		return true;
	}
	if (to == from || to - from > 4 || v->n > 14)
		return false;
	v->ip[v->n++] = (uint8_t)(group >> 8);
	v->ip[v->n++] = (uint8_t)group;
	*at = to;
	return true;
}

static bool spread_gap(struct v6_parse *v)
{
	size_t tail, zeros;

	if (v->gap == SIZE_MAX)
		return v->n == 16;
	if (v->n > 14)
		return false;
	tail = v->n - v->gap;
	zeros = 16 - v->n;
	memmove(v->ip + v->gap + zeros, v->ip + v->gap, tail);
	memset(v->ip + v->gap, 0, zeros);
	return true;
}

static bool parse_v6(const char *s, size_t n, uint8_t ip[16])
{
	struct v6_parse v = {.n = 0, .gap = SIZE_MAX};
	size_t at = 0;

	if (n >= 2 && s[0] == ':' && s[1] == ':') {
		v.gap = 0;
		at = 2;
	}
	while (at < n) {
		if (!parse_group(&v, s, n, &at))
			return false;
		if (at == n)
			break;
		if (s[at++] != ':' || at == n)
			return false;
		if (s[at] == ':') {
			if (v.gap != SIZE_MAX)
				return false;
			v.gap = v.n;
			at++;
		}
	}
	if (!spread_gap(&v))
		return false;
	memcpy(ip, v.ip, 16);
	return true;
}

enum err endpoint_parse_ip(const char *text, size_t n, struct endpoint *out)
{
	uint8_t ip[16];

	if (parse_v4(text, n, ip)) {
		*out = endpoint_from_v4(ip, 0);
		return E_OK;
	}
	if (parse_v6(text, n, ip)) {
		*out = endpoint_from_v6(ip, 0);
		return E_OK;
	}
	return E_SYNTAX;
}

static enum err parse_port(const char *s, uint16_t *out)
{
	unsigned v = 0;
	size_t n = 0;

	for (; is_digit(s[n]) && n < 6; n++)
		v = v * 10 + (unsigned)(s[n] - '0');
	if (n == 0 || s[n] != '\0')
		return E_SYNTAX;
	if (v > 65535)
		return E_RANGE;
	*out = (uint16_t)v;
	return E_OK;
}

enum err endpoint_parse(const char *text, struct endpoint *out)
{
	bool bracket = text[0] == '[';
	const char *ip = text + bracket;
	const char *end = strchr(ip, bracket ? ']' : ':');
	struct endpoint e;
	uint16_t port = 0;
	enum err err;

	if (end == NULL || (bracket && end[1] != ':'))
		return E_SYNTAX;
	err = endpoint_parse_ip(ip, (size_t)(end - ip), &e);
	/* Brackets belong to what is written as IPv6, a v4-mapped address included. */
	if (err == E_OK && bracket && memchr(ip, ':', (size_t)(end - ip)) == NULL)
		err = E_SYNTAX;
	if (err == E_OK)
		err = parse_port(end + 1 + bracket, &port);
	if (err != E_OK)
		return err;
	*out = e;
	out->port = port;
	return E_OK;
}
