/* SPDX-License-Identifier: MIT */
/* Conditions of a request. */
#include "http/server/range.h"

#include <strings.h>

/* Digits; false: there are none, or too many. */
static bool read_number(const char **p, uint64_t *out)
{
	const char *from = *p;

	*out = 0;
	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (!mul_ok(*out, UINT64_C(10), out) || !add_ok(*out, (uint64_t)(**p - '0'), out))
			return false;
	return *p > from;
}

static enum range clamp(uint64_t first, uint64_t last, uint64_t size, uint64_t *from, uint64_t *n)
{
	if (first >= size)
		return RANGE_NONE;
	*from = first;
	*n = MIN(last, size - 1) - first + 1;
	return RANGE_PART;
}

/* "-n": the last n bytes. */
static enum range read_suffix(const char *p, uint64_t size, uint64_t *from, uint64_t *n)
{
	uint64_t last;

	if (!read_number(&p, &last) || *p != '\0')
		return RANGE_ALL;
	if (last == 0 || size == 0)
		return RANGE_NONE;
	last = MIN(last, size);
	return clamp(size - last, size - 1, size, from, n);
}

enum range range_parse(const char *header, uint64_t size, uint64_t *from, uint64_t *n)
{
	uint64_t first, last = UINT64_MAX;

	if (header == NULL || strncasecmp(header, "bytes=", 6) != 0)
		return RANGE_ALL;
	header += 6 + strspn(header + 6, " \t");
	if (*header == '-')
		return read_suffix(header + 1, size, from, n);
	if (!read_number(&header, &first) || *header++ != '-')
		return RANGE_ALL;
	if (*header != '\0' && (!read_number(&header, &last) || last < first))
		return RANGE_ALL;
	return *header == '\0' ? clamp(first, last, size, from, n) : RANGE_ALL;
}

/* Tags of ours hold no quotes but their own. */
bool tag_is_named(const char *header, const char *quoted)
{
	return header != NULL && (strcmp(header, "*") == 0 || strstr(header, quoted) != NULL);
}
