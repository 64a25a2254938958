/* SPDX-License-Identifier: MIT */
/*
 * Peer ids: ours, and the names in others'.
 *
 * An id is twenty bytes of a stranger's choice: whatever it says, what leaves here is printable
 * ASCII.
 */
#include "proto/wire/peer_id.h"

void peer_id_generate(uint8_t out[20], const char version[4], const uint8_t random[12])
{
	static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789_~";

	memcpy(out, "-TD", 3);
	memcpy(out + 3, version, 4);
	out[7] = '-';
	for (unsigned i = 0; i < 12; i++)
		out[8 + i] = (uint8_t)alphabet[random[i] & 63];
}

static bool is_plain(uint8_t c)
{
	return c > 0x20 && c < 0x7f && c != '%' && c != '"' && c != '\\';
}

void peer_id_printable(const uint8_t id[20], char out[PEER_ID_PRINTABLE])
{
	static const char hex[] = "0123456789ABCDEF";

	for (unsigned i = 0; i < 20; i++) {
		if (is_plain(id[i])) {
			*out++ = (char)id[i];
			continue;
		}
		*out++ = '%';
		*out++ = hex[id[i] >> 4];
		*out++ = hex[id[i] & 15];
	}
	*out = '\0';
}

/* --- names --- */

struct text {
	char *p;
	size_t room; /* for characters, without the NUL */
};

static void put_char(struct text *t, char c)
{
	if (t->room == 0)
		return;
	*t->p++ = c;
	*t->p = '\0';
	t->room--;
}

static void put_string(struct text *t, const char *s)
{
	while (*s != '\0')
		put_char(t, *s++);
}

static void put_number(struct text *t, unsigned v)
{
	if (v >= 10)
		put_number(t, v / 10);
	put_char(t, (char)('0' + v % 10));
}

/* 0-9, A-Z as 10-35, a-z as 36-61; -1 for anything else. */
static int digit_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'z' ? c - 'a' + 36 : -1;
}

/* The value of digits as a dotted version; zeros at the end say nothing, save the second. */
static void put_dots(struct text *t, const uint8_t *v, size_t n)
{
	while (n > 2 && digit_value(v[n - 1]) <= 0)
		n--;
	for (size_t i = 0; i < n && digit_value(v[i]) >= 0; i++) {
		put_char(t, i == 0 ? ' ' : '.');
		put_number(t, (unsigned)digit_value(v[i]));
	}
}

/* Two numbers of two digits: the first without its zero. */
static void put_pair(struct text *t, const uint8_t v[4])
{
	put_char(t, ' ');
	if (v[0] != '0')
		put_char(t, (char)v[0]);
	put_char(t, (char)v[1]);
	put_char(t, '.');
	put_char(t, (char)v[2]);
	put_char(t, (char)v[3]);
}

static bool all_decimal(const uint8_t v[4])
{
	for (unsigned i = 0; i < 4; i++)
		if (v[i] < '0' || v[i] > '9')
			return false;
	return true;
}

enum style { STYLE_DOTS, STYLE_PAIR, STYLE_TR };

static const struct azureus {
	char code[3];
	uint8_t style;
	const char *name;
} azureus[] = {
#define AZUREUS(code, name, style) {code, STYLE_##style, name},
#define SHADOW(letter, name)
#define PREFIX(text, name)
#include "proto/wire/client.def"
#undef AZUREUS
#undef SHADOW
#undef PREFIX
};

static const struct shadow {
	char letter;
	const char *name;
} shadow[] = {
#define AZUREUS(code, name, style)
#define SHADOW(letter, name) {letter, name},
#define PREFIX(text, name)
#include "proto/wire/client.def"
#undef AZUREUS
#undef SHADOW
#undef PREFIX
};

static const struct prefix {
	const char *text, *name;
} prefixes[] = {
#define AZUREUS(code, name, style)
#define SHADOW(letter, name)
#define PREFIX(text, name) {text, name},
#include "proto/wire/client.def"
#undef AZUREUS
#undef SHADOW
#undef PREFIX
};

static void put_azureus_version(struct text *t, const uint8_t v[4], unsigned style)
{
	if (style == STYLE_PAIR && all_decimal(v)) {
		put_pair(t, v);
	} else if (style == STYLE_TR && v[0] < '4' && all_decimal(v)) {
		/* Before 4.0 Transmission wrote 2.94 as 2940. */
		put_char(t, ' ');
		put_char(t, (char)v[0]);
		put_char(t, '.');
		put_char(t, (char)v[1]);
		put_char(t, (char)v[2]);
	} else {
		put_dots(t, v, 4);
	}
}

/* "-XXvvvv-": a code from the table, or the code itself when it is unknown. */
static bool name_azureus(const uint8_t id[20], struct text *t)
{
	if (id[0] != '-' || digit_value(id[1]) < 0 || !is_plain(id[2]) || digit_value(id[3]) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(azureus); i++) {
		if (memcmp(azureus[i].code, id + 1, 2) != 0)
			continue;
		put_string(t, azureus[i].name);
		put_azureus_version(t, id + 3, azureus[i].style);
		return true;
	}
	if (id[7] != '-')
		return false;
	put_char(t, (char)id[1]);
	put_char(t, (char)id[2]);
	put_dots(t, id + 3, 4);
	return true;
}

/* "7-10-2--" and "1-37-0-": up to three numbers, one dash between them. */
static void put_dashed(struct text *t, const uint8_t *v, size_t n)
{
	size_t i = 0;

	for (unsigned k = 0; k < 3 && i < n && v[i] >= '0' && v[i] <= '9'; k++) {
		put_char(t, k == 0 ? ' ' : '.');
		for (; i < n && v[i] >= '0' && v[i] <= '9'; i++)
			put_char(t, (char)v[i]);
		if (i < n && v[i] == '-')
			i++;
	}
}

/* A dashed version: digits, at least two dashes between numbers, then a dash. */
static bool is_dashed(const uint8_t *v, size_t n)
{
	size_t dashes = 0, i = 0;

	for (; i < n && (v[i] == '-' || (v[i] >= '0' && v[i] <= '9')); i++) {
		dashes += v[i] == '-';
		if (i > 0 && v[i] == '-' && v[i - 1] == '-')
			return dashes >= 3;
		if (i == 0 && v[i] == '-')
			return false;
	}
	return false;
}

/* "Svvvvv---": one letter, up to five digits, padded with dashes; and Mainline's dashed form. */
static bool name_shadow(const uint8_t id[20], struct text *t)
{
	const char *name = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(shadow); i++)
		if (shadow[i].letter == (char)id[0])
			name = shadow[i].name;
	if (name == NULL)
		return false;
	if (is_dashed(id + 1, 8)) {
		put_string(t, name);
		put_dashed(t, id + 1, 8);
		return true;
	}
	while (n < 5 && digit_value(id[1 + n]) >= 0)
		n++;
	if (n < 3 || memcmp(id + 1 + n, "---", 3) != 0)
		return false;
	put_string(t, name);
	put_dots(t, id + 1, n);
	return true;
}

static bool name_prefix(const uint8_t id[20], struct text *t)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t n = strlen(prefixes[i].text);

		if (memcmp(prefixes[i].text, id, n) != 0)
			continue;
		put_string(t, prefixes[i].name);
		if (prefixes[i].text[n - 1] == '-')
			put_dashed(t, id + n, 9);
		return true;
	}
	return false;
}

void peer_id_client(const uint8_t id[20], char *out, size_t n)
{
	struct text t = {.p = out, .room = n - 1};

	must(n > 0);
	*out = '\0';
	if (!name_azureus(id, &t) && !name_shadow(id, &t) && !name_prefix(id, &t))
		put_string(&t, "unknown");
}
