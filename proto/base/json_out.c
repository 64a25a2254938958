/* SPDX-License-Identifier: MIT */
/* JSON into a growing buffer. */
#include "proto/base/json_out.h"

#include "proto/base/encode.h"
#include "proto/base/utf8.h"

#define FIRST_ROOM 1024u

static const char digits[] = "0123456789abcdef";

/* --- the buffer --- */

static char *reserve(struct json_out *o, size_t more)
{
	if (more > o->room - o->n) {
		o->room = MAX(MAX(o->room + o->room / 2, o->n + more), (size_t)FIRST_ROOM);
		o->p = xrealloc(o->p, o->room);
	}
	return o->p + o->n;
}

/* Room for a value of at most n bytes, behind the comma that it may need. */
static char *begin_value(struct json_out *o, size_t n)
{
	char *at = reserve(o, n + 1);

	if (o->comma) {
		*at++ = ',';
		o->n++;
	}
	o->comma = true;
	return at;
}

static void put_word(struct json_out *o, const char *word, size_t n)
{
	memcpy(begin_value(o, n), word, n);
	o->n += n;
}

char *json_out_take(struct json_out *o, size_t *n)
{
	char *p = o->p;

	*n = o->n;
	*o = (struct json_out){0};
	return p;
}

void json_out_fini(struct json_out *o)
{
	xfree(o->p);
	*o = (struct json_out){0};
}

/* --- structure --- */

void json_out_open(struct json_out *o, char bracket)
{
	*begin_value(o, 1) = bracket;
	o->n++;
	o->comma = false;
}

void json_out_close(struct json_out *o, char bracket)
{
	*reserve(o, 1) = bracket;
	o->n++;
	o->comma = true;
}

void json_out_key_n(struct json_out *o, const char *key, size_t n)
{
	char *at = begin_value(o, n + 3);

	*at++ = '"';
	memcpy(at, key, n);
	at[n] = '"';
	at[n + 1] = ':';
	o->n += n + 3;
	o->comma = false;
}

/* --- strings --- */

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static size_t put_unicode(char *at, uint32_t cp)
{
	memcpy(at, "\\u", 2);
	for (int i = 0; i < 4; i++)
		at[2 + i] = digits[cp >> (12 - 4 * i) & 15];
	return 6;
}

/* What starts at p and is not plain, at most 6 characters for each of its bytes; *n: how many. */
static size_t put_special(char *at, const uint8_t *p, size_t left, unsigned *n)
{
	uint32_t cp = 0;

	*n = utf8_decode(p, left, &cp);
	if (*n == 0) {
		*n = 1;
		memcpy(at, "\\\\x", 3);
		at[3] = digits[*p >> 4];
		at[4] = digits[*p & 15];
		return 5;
	}
	if (cp == '"' || cp == '\\') {
		at[0] = '\\';
		at[1] = (char)cp;
		return 2;
	}
	if (utf8_is_control(cp))
		return put_unicode(at, cp);
	memcpy(at, p, *n);
	return *n;
}

void json_out_slice(struct json_out *o, struct slice s)
{
	char *at;

	*begin_value(o, 1) = '"';
	o->n++;
	for (size_t i = 0; i < s.n;) {
		size_t plain = 0;
		unsigned n = 0;

		while (i + plain < s.n && is_plain(s.p[i + plain]))
			plain++;
		at = reserve(o, plain + 6 * 4);
		memcpy(at, s.p + i, plain);
		o->n += plain;
		i += plain;
		if (i < s.n)
			o->n += put_special(at + plain, s.p + i, s.n - i, &n);
		i += n;
	}
	*reserve(o, 1) = '"';
	o->n++;
}

void json_out_text(struct json_out *o, const char *s)
{
	if (s == NULL)
		json_out_null(o);
	else
		json_out_slice(o, (struct slice){(const uint8_t *)s, strlen(s)});
}

void json_out_key_text(struct json_out *o, const char *key)
{
	json_out_text(o, key);
	*reserve(o, 1) = ':';
	o->n++;
	o->comma = false;
}

void json_out_base64(struct json_out *o, const void *p, size_t n)
{
	char *at = begin_value(o, base64_len(n) + 3);

	*at = '"';
	if (p != NULL)
		base64_encode(p, n, at + 1);
	else
		base64_zeros(n, at + 1);
	at[1 + base64_len(n)] = '"';
	o->n += base64_len(n) + 2;
}

void json_out_hex(struct json_out *o, const void *p, size_t n)
{
	char *at = begin_value(o, 2 * n + 3);

	*at = '"';
	hex_encode(p, n, at + 1);
	at[1 + 2 * n] = '"';
	o->n += 2 * n + 2;
}

/* --- words and numbers --- */

void json_out_raw(struct json_out *o, const char *p, size_t n)
{
	put_word(o, p, n);
}

void json_out_null(struct json_out *o)
{
	put_word(o, "null", 4);
}

void json_out_bool(struct json_out *o, bool b)
{
	put_word(o, b ? "true" : "false", b ? 4 : 5);
}

/* At most 20 digits; how many. */
static size_t put_digits(char *at, uint64_t n)
{
	char back[20];
	size_t len = 0;

	do {
		back[len++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	for (size_t i = 0; i < len; i++)
		at[i] = back[len - 1 - i];
	return len;
}

/* Behind the point: `width` digits, without the zeros at the end but one. */
static size_t put_fraction(char *at, uint64_t n, size_t width)
{
	size_t len = width;

	for (size_t i = width; i > 0; i--, n /= 10)
		at[i - 1] = (char)('0' + n % 10);
	while (len > 1 && at[len - 1] == '0')
		len--;
	return len;
}

void json_out_uint(struct json_out *o, uint64_t n)
{
	o->n += put_digits(begin_value(o, 20), MIN(n, (uint64_t)INT64_MAX));
}

void json_out_int(struct json_out *o, int64_t n)
{
	char *at = begin_value(o, 21);

	if (n < 0) {
		*at++ = '-';
		o->n++;
	}
	o->n += put_digits(at, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

/* The comma must have been written. */
static void put_real(struct json_out *o, char *at, uint64_t whole, uint64_t fraction, size_t width)
{
	size_t n = put_digits(at, whole);

	at[n++] = '.';
	n += put_fraction(at + n, fraction, width);
	o->n += n;
}

/* 1/1024 is 9765625 / 10^10. */
void json_out_kib(struct json_out *o, uint64_t bytes)
{
	put_real(o, begin_value(o, 32), bytes / 1024, bytes % 1024 * UINT64_C(9765625), 10);
}

void json_out_real(struct json_out *o, double x)
{
	const uint64_t unit = 1000000000;
	double whole;
	uint64_t fraction;
	char *at;

	if (!(x > -9e18 && x < 9e18)) { /* no number, too */
		json_out_null(o);
		return;
	}
	at = begin_value(o, 40);
	if (x < 0) {
		*at++ = '-';
		o->n++;
		x = -x;
	}
	whole = (double)(uint64_t)x;
	fraction = (uint64_t)((x - whole) * (double)unit + 0.5);
	put_real(o, at, (uint64_t)whole + fraction / unit, fraction % unit, 9);
}

/* --- times --- */

static char *put_two(char *at, unsigned n, char behind)
{
	at[0] = (char)('0' + n / 10 % 10);
	at[1] = (char)('0' + n % 10);
	at[2] = behind;
	return at + 3;
}

/*
 * The date of a day counted from 1970-01-01, in the proleptic Gregorian calendar; years begin in
 * March, so that the leap day is the last one.
 */
static void date_of(int64_t day, unsigned *year, unsigned *month, unsigned *mday)
{
	int64_t z = day + 719468; /* from 0000-03-01 */
	unsigned in_era = (unsigned)(z % 146097);
	unsigned y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year = in_era - (365 * y + y / 4 - y / 100);
	unsigned march = (5 * in_year + 2) / 153;

	*mday = in_year - (153 * march + 2) / 5 + 1;
	*month = march < 10 ? march + 3 : march - 9;
	*year = (unsigned)(z / 146097) * 400 + y + (*month <= 2);
}

void json_out_time(struct json_out *o, int64_t t)
{
	const int64_t day_s = 86400, first = -719162 * day_s, last = 2932896 * day_s + day_s - 1;
	int64_t day = t / day_s - (t % day_s < 0);
	unsigned s = (unsigned)(t - day * day_s), year, month, mday;
	char *at;

	if (t == 0 || t < first || t > last) {
		json_out_null(o);
		return;
	}
	date_of(day, &year, &month, &mday);
	at = begin_value(o, 24);
	*at++ = '"';
	at = put_two(at, year / 100, '0') - 1; /* the next two digits follow at once */
	at = put_two(at, year % 100, '-');
	at = put_two(at, month, '-');
	at = put_two(at, mday, 'T');
	at = put_two(at, s / 3600, ':');
	at = put_two(at, s / 60 % 60, ':');
	at = put_two(at, s % 60, 'Z');
	*at = '"';
	o->n += 22;
}
