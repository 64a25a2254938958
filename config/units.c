/* SPDX-License-Identifier: MIT */
/* Numbers with units, read exactly and written shortest. */
#include "config/units.h"

#include <inttypes.h>
#include <stdio.h>

static const struct unit sizes[] = {
	{"B", 1},
	{"KiB", INT64_C(1) << 10},
	{"MiB", INT64_C(1) << 20},
	{"GiB", INT64_C(1) << 30},
	{"TiB", INT64_C(1) << 40},
	{NULL, 0},
};

static const struct unit rates[] = {
	{"B/s", 1},
	{"KiB/s", INT64_C(1) << 10},
	{"MiB/s", INT64_C(1) << 20},
	{"GiB/s", INT64_C(1) << 30},
	{NULL, 0},
};

static const struct unit durations[] = {
	{"us", 1},
	{"ms", INT64_C(1000)},
	{"s", INT64_C(1000000)},
	{"m", INT64_C(60000000)},
	{"h", INT64_C(3600000000)},
	{"d", INT64_C(86400000000)},
	{NULL, 0},
};

const struct units units_size = {"a size", "10MiB", sizes};
const struct units units_rate = {"a rate", "10MiB/s", rates};
const struct units units_duration = {"a duration", "90m", durations};

/* Digits of a fraction: a million times the largest scale still fits 63 bits. */
#define FRACTION_DIGITS 6

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits into *n; at most `max` of them. */
static bool read_digits(const char **p, int max, int64_t *n, int *count)
{
	*n = 0;
	for (*count = 0; is_digit(**p); ++*p, ++*count)
		if (*count >= max || !mul_ok(*n, INT64_C(10), n) || !add_ok(*n, **p - '0', n))
			return false;
	return true;
}

static int64_t find_scale(const struct units *u, const char *name)
{
	for (const struct unit *unit = u->list; unit->name != NULL; unit++)
		if (strcmp(unit->name, name) == 0)
			return unit->scale;
	return 0;
}

enum err units_parse(const struct units *u, const char *text, int64_t *out)
{
	int64_t whole, part = 0, total, scale, tens = 1;
	int n, parts = 0;

	if (!read_digits(&text, 19, &whole, &n))
		return E_RANGE;
	if (n == 0)
		return E_SYNTAX;
	if (*text == '.') {
		text++;
		if (!read_digits(&text, FRACTION_DIGITS, &part, &parts) || parts == 0)
			return E_SYNTAX;
	}
	while (*text == ' ')
		text++;
	scale = *text == '\0' && whole == 0 && part == 0 ? 1 : find_scale(u, text);
	if (scale == 0)
		return E_SYNTAX;
	while (parts-- > 0)
		tens *= 10;
	if (!mul_ok(whole, scale, &total) || !add_ok(total, part * scale / tens, &total))
		return E_RANGE;
	/* Less than one of the smallest unit must not turn into 0, which often means unlimited. */
	if (total == 0 && part > 0)
		return E_RANGE;
	*out = total;
	return E_OK;
}

void units_format(const struct units *u, int64_t n, char *buf, size_t size)
{
	const struct unit *best = u->list;

	for (const struct unit *unit = u->list; unit->name != NULL; unit++)
		if (n % unit->scale == 0)
			best = unit;
	if (n == 0)
		snprintf(buf, size, "0");
	else
		snprintf(buf, size, "%" PRId64 "%s", n / best->scale, best->name);
}

void units_explain(const struct units *u, char *buf, size_t size)
{
	int used = snprintf(buf, size, "%s is a number and a unit (", u->kind);

	for (const struct unit *unit = u->list; unit->name != NULL; unit++)
		if (used > 0 && (size_t)used < size)
			used += snprintf(buf + used, size - (size_t)used, "%s%s",
				unit == u->list ? "" : ", ", unit->name);
	if (used > 0 && (size_t)used < size)
		snprintf(buf + used, size - (size_t)used, "), such as %s", u->example);
}
