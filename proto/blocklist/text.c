/* SPDX-License-Identifier: MIT */
/*
 * A line of a blocklist, of whatever text format: they can be told apart by what stands in them.
 *
 * Names in P2P lists have colons and dashes of their own, so that what counts is the first colon
 * with nothing but a range behind it.
 */
#include "proto/blocklist/priv.h"

#define LINE_MAX    4096u /* bytes that are looked at */
#define LEVEL_BLOCK 127u  /* a DAT file's higher levels are of those that pass */

struct cursor {
	const char *p, *end;
};

static void skip_blank(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
}

static bool take(struct cursor *c, char what)
{
	if (c->p == c->end || *c->p != what)
		return false;
	c->p++;
	return true;
}

/* 1 to 3 digits, or of a prefix or a level a few more; leading zeros do not make it octal. */
static bool take_number(struct cursor *c, unsigned max, unsigned *out)
{
	const char *begin = c->p;
	unsigned v = 0;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && c->p - begin < 5)
		v = v * 10 + (unsigned)(*c->p++ - '0');
	*out = v;
	return c->p > begin && v <= max;
}

static bool take_v4(struct cursor *c, blocklist_ip *out)
{
	struct cursor at = *c;
	uint32_t ip = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned part;

		if ((i > 0 && !take(&at, '.')) || !take_number(&at, 255, &part))
			return false;
		ip = ip << 8 | part;
	}
	*out = BLOCKLIST_V4 | ip;
	*c = at;
	return true;
}

static bool is_v6_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
	       c == ':' || c == '.';
}

static bool take_v6(struct cursor *c, blocklist_ip *out)
{
	const char *p = c->p;
	struct endpoint e;

	while (p < c->end && is_v6_char(*p) && p - c->p < 46)
		p++;
	if (memchr(c->p, ':', (size_t)(p - c->p)) == NULL ||
		endpoint_parse_ip(c->p, (size_t)(p - c->p), &e) != E_OK)
		return false;
	c->p = p;
	*out = blocklist_ip_of(&e);
	return true;
}

static bool take_ip(struct cursor *c, blocklist_ip *out)
{
	return take_v4(c, out) || take_v6(c, out);
}

static bool is_v4(blocklist_ip ip)
{
	return ip >> 32 == 0xffff;
}

/* Behind the slash. */
static bool take_prefix(struct cursor *c, struct blocklist_range *r)
{
	unsigned bits, width = is_v4(r->lo) ? 32 : 128;
	blocklist_ip rest;

	if (!take_number(c, width, &bits))
		return false;
	/* Shifting by all 128 bits is undefined. */
	rest = bits == width ? 0 : ~(blocklist_ip)0 >> (128 - (width - bits));
	r->lo &= ~rest;
	r->hi = r->lo | rest;
	return true;
}

/* An address, a range or a network; `pair`: a range alone. */
static bool take_range(struct cursor *c, bool pair, struct blocklist_range *r)
{
	blocklist_ip swap;

	if (!take_ip(c, &r->lo))
		return false;
	r->hi = r->lo;
	if (!pair && take(c, '/'))
		return take_prefix(c, r);
	skip_blank(c);
	if (!take(c, '-'))
		return !pair;
	skip_blank(c);
	if (!take_ip(c, &r->hi) || is_v4(r->lo) != is_v4(r->hi))
		return false;
	if (r->lo > r->hi) {
		swap = r->lo;
		r->lo = r->hi;
		r->hi = swap;
	}
	return true;
}

/* What may stand behind it: nothing, a comment, or a DAT file's level and name. */
static enum blocklist_line take_rest(struct cursor *c)
{
	unsigned level;

	skip_blank(c);
	if (c->p == c->end || *c->p == '#' || *c->p == ';')
		return LINE_RANGE;
	if (!take(c, ','))
		return LINE_BAD;
	skip_blank(c);
	if (!take_number(c, 99999, &level))
		return LINE_BAD;
	return level > LEVEL_BLOCK ? LINE_ALLOWED : LINE_RANGE;
}

static bool take_p2p(struct cursor c, struct blocklist_range *out)
{
	while ((c.p = memchr(c.p, ':', (size_t)(c.end - c.p))) != NULL) {
		struct cursor at = {c.p + 1, c.end};

		skip_blank(&at);
		if (take_range(&at, true, out)) {
			skip_blank(&at);
			if (at.p == at.end)
				return true;
		}
		c.p++;
	}
	return false;
}

static bool is_comment(const struct cursor *c)
{
	return *c->p == '#' || *c->p == ';' ||
	       (*c->p == '/' && c->end - c->p > 1 && c->p[1] == '/');
}

enum blocklist_line blocklist_line(const char *p, size_t n, struct blocklist_range *out)
{
	struct cursor c = {p, p + MIN(n, (size_t)LINE_MAX)}, at;

	while (c.end > c.p && (c.end[-1] == ' ' || c.end[-1] == '\t' || c.end[-1] == '\r'))
		c.end--;
	skip_blank(&c);
	if (c.p == c.end || is_comment(&c))
		return LINE_EMPTY;
	at = c;
	if (take_range(&at, false, out)) {
		enum blocklist_line line = take_rest(&at);

		if (line != LINE_BAD)
			return line;
	}
	return take_p2p(c, out) ? LINE_RANGE : LINE_BAD;
}
