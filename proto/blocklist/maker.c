/* SPDX-License-Identifier: MIT */
/*
 * Making a list: reading what is added, then sorting, merging, and taking out what always passes.
 *
 * Both families are one space of 128 bits here, so that all of it is written once; only the
 * finished list (blocklist.c) has IPv4 in 8 bytes a range.
 */
#include <stdlib.h>

#include "proto/blocklist/priv.h"

#define MAKER_MAGIC 0x424c4d4bu
#define P2B_MAGIC   "\xff\xff\xff\xffP2B"
#define P2B_HEAD    8u /* with the version */

struct blocklist_maker {
	uint32_t magic;
	struct blocklist_set blocked, allowed;
};

static bool push(struct blocklist_set *s, blocklist_ip lo, blocklist_ip hi)
{
	struct blocklist_range r = {lo, hi};

	if (s->n >= BLOCKLIST_RANGES_MAX)
		return false;
	if (s->n > 0 && lo < s->v[s->n - 1].lo)
		s->sorted = false;
	ARRAY_PUSH(s->v, s->n, s->room, r);
	return true;
}

/* A range of IPv6 that has the numbers of IPv4 in its midst says nothing of them. */
static bool set_add(struct blocklist_set *s, const struct blocklist_range *r)
{
	if (r->lo >= BLOCKLIST_V4 || r->hi < BLOCKLIST_V4)
		return push(s, r->lo, r->hi);
	return push(s, r->lo, BLOCKLIST_V4 - 1) &&
	       (r->hi < BLOCKLIST_V4_END || push(s, BLOCKLIST_V4_END, r->hi));
}

struct blocklist_maker *blocklist_maker_new(void)
{
	struct blocklist_maker *m;

	ALLOC_OBJ(m, MAKER_MAGIC);
	m->blocked.sorted = m->allowed.sorted = true;
	return m;
}

void blocklist_maker_free(struct blocklist_maker **pm)
{
	struct blocklist_maker *m;

	TAKE_OBJ(m, pm, MAKER_MAGIC);
	xfree(m->blocked.v);
	xfree(m->allowed.v);
	FREE_OBJ(m);
}

/* --- text --- */

static void note_bad(struct blocklist_report *r, uint32_t line, const char *p, size_t n)
{
	size_t shown = MIN(n, sizeof r->bad_text - 1);

	if (r->bad++ > 0)
		return;
	r->bad_line = line;
	memcpy(r->bad_text, p, shown);
	r->bad_text[shown] = '\0';
}

static enum err add_text(
	struct blocklist_maker *m, const char *p, const char *end, struct blocklist_report *r)
{
	for (uint32_t line = 1; p < end; line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl != NULL ? nl : end) - p);
		struct blocklist_range range;

		switch (blocklist_line(p, n, &range)) {
		case LINE_EMPTY:
			break;
		case LINE_RANGE:
			if (!set_add(&m->blocked, &range))
				return E_TOO_BIG;
			r->ranges++;
			break;
		case LINE_ALLOWED:
			r->allowed++;
			break;
		case LINE_BAD:
			note_bad(r, line, p, n);
			break;
		}
		p = nl != NULL ? nl + 1 : end;
	}
	return E_OK;
}

/* --- P2B --- */

/* The range of a record; false: there is no more, or no room. */
static bool add_p2b_range(struct blocklist_maker *m, struct rd *rd, struct blocklist_report *r)
{
	uint32_t lo = rd_u32(rd), hi = rd_u32(rd);
	struct blocklist_range range = {
		BLOCKLIST_V4 | MIN(lo, hi), BLOCKLIST_V4 | (blocklist_ip)MAX(lo, hi)};

	if (rd->bad)
		return false;
	if (!set_add(&m->blocked, &range))
		return false;
	r->ranges++;
	return true;
}

static bool skip_name(struct rd *rd)
{
	const uint8_t *end = rd_left(rd) > 0 ? memchr(rd->p, 0, rd_left(rd)) : NULL;

	if (end == NULL)
		return false;
	rd->p = end + 1;
	return true;
}

/* A list of names, then ranges with the number of a name. */
static void add_p2b3(struct blocklist_maker *m, struct rd *rd, struct blocklist_report *r)
{
	uint32_t names = rd_u32(rd), ranges;

	for (uint32_t i = 0; i < names; i++)
		if (!skip_name(rd)) {
			rd->bad = true;
			return;
		}
	ranges = rd_u32(rd);
	for (uint32_t i = 0; i < ranges; i++) {
		(void)rd_u32(rd);
		if (!add_p2b_range(m, rd, r))
			return;
	}
}

static enum err add_p2b(
	struct blocklist_maker *m, const uint8_t *p, size_t n, struct blocklist_report *r)
{
	struct rd rd = rd_of(p + P2B_HEAD, n - P2B_HEAD);
	unsigned version = p[P2B_HEAD - 1];

	if (version < 1 || version > 3)
		return E_UNSUPPORTED;
	if (version == 3)
		add_p2b3(m, &rd, r);
	else
		while (skip_name(&rd) && add_p2b_range(m, &rd, r))
			continue;
	if (m->blocked.n >= BLOCKLIST_RANGES_MAX)
		return E_TOO_BIG;
	if (rd.bad || rd_left(&rd) > 0)
		note_bad(r, r->ranges + 1, "cut", 3);
	return E_OK;
}

/* --- packed --- */

static blocklist_ip read_ip(struct rd *rd, bool v4)
{
	uint64_t high;

	if (v4)
		return BLOCKLIST_V4 | rd_u32(rd);
	high = rd_u64(rd);
	return (blocklist_ip)high << 64 | rd_u64(rd);
}

/* It was written by us alone: where anything is wrong with it nothing is right. */
static enum err add_packed(
	struct blocklist_maker *m, const uint8_t *p, size_t n, struct blocklist_report *r)
{
	struct rd rd = rd_of(p + BLOCKLIST_PACKED_HEAD, n - BLOCKLIST_PACKED_HEAD);
	uint32_t v4 = rd_u32(&rd), v6 = rd_u32(&rd);

	if (rd.bad || rd_left(&rd) != (size_t)v4 * 8 + (size_t)v6 * 32)
		return E_SYNTAX;
	for (size_t i = 0; i < (size_t)v4 + v6; i++) {
		struct blocklist_range range;

		range.lo = read_ip(&rd, i < v4);
		range.hi = read_ip(&rd, i < v4);
		if (range.lo > range.hi)
			return E_SYNTAX;
		if (!set_add(&m->blocked, &range))
			return E_TOO_BIG;
		r->ranges++;
	}
	return E_OK;
}

/* --- for everybody --- */

enum err blocklist_add(
	struct blocklist_maker *m, const uint8_t *p, size_t n, struct blocklist_report *r)
{
	enum err err;

	CHECK_OBJ(m, MAKER_MAGIC);
	*r = (struct blocklist_report){0};
	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) { /* a mark of UTF-8 */
		p += 3;
		n -= 3;
	}
	if (n >= P2B_HEAD && memcmp(p, P2B_MAGIC, P2B_HEAD - 1) == 0)
		err = add_p2b(m, p, n, r);
	else if (n >= BLOCKLIST_PACKED_HEAD &&
		 memcmp(p, BLOCKLIST_PACKED, BLOCKLIST_PACKED_HEAD) == 0)
		err = add_packed(m, p, n, r);
	else
		err = n > 0 ? add_text(m, (const char *)p, (const char *)p + n, r) : E_OK;
	if (err == E_OK && r->ranges == 0)
		return E_SYNTAX;
	return err;
}

enum err blocklist_allow(struct blocklist_maker *m, const char *text)
{
	struct blocklist_range range;

	CHECK_OBJ(m, MAKER_MAGIC);
	if (blocklist_line(text, strlen(text), &range) != LINE_RANGE)
		return E_SYNTAX;
	return set_add(&m->allowed, &range) ? E_OK : E_TOO_BIG;
}

/* --- sorting, merging, taking out --- */

static int compare(const void *a, const void *b)
{
	const struct blocklist_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static bool continues(const struct blocklist_range *last, const struct blocklist_range *r)
{
	/* An end that is the last address of all has none behind it. */
	return blocklist_is_v4(last->lo) == blocklist_is_v4(r->lo) &&
	       (r->lo <= last->hi || r->lo == last->hi + 1);
}

/* Overlapping and adjacent ones of a family become one. */
static void merge(struct blocklist_set *s)
{
	uint32_t n = 0;

	if (!s->sorted)
		qsort(s->v, s->n, sizeof *s->v, compare);
	for (uint32_t i = 0; i < s->n; i++) {
		struct blocklist_range *last = n > 0 ? &s->v[n - 1] : NULL;

		if (last != NULL && continues(last, &s->v[i]))
			last->hi = MAX(last->hi, s->v[i].hi);
		else
			s->v[n++] = s->v[i];
	}
	s->n = n;
}

/* What is left of a range when the allowed ones from *k on are taken out of it. */
static void cut(struct blocklist_set *out, struct blocklist_range r,
	const struct blocklist_set *allowed, uint32_t *k)
{
	while (*k < allowed->n && allowed->v[*k].hi < r.lo)
		++*k;
	for (uint32_t i = *k; i < allowed->n && allowed->v[i].lo <= r.hi; i++) {
		struct blocklist_range before = {r.lo, allowed->v[i].lo - 1};

		if (allowed->v[i].lo > r.lo)
			ARRAY_PUSH(out->v, out->n, out->room, before);
		if (allowed->v[i].hi >= r.hi)
			return;
		r.lo = allowed->v[i].hi + 1;
	}
	ARRAY_PUSH(out->v, out->n, out->room, r);
}

static void take_out(struct blocklist_set *s, const struct blocklist_set *allowed)
{
	struct blocklist_set out = {.sorted = true};
	uint32_t k = 0;

	if (allowed->n == 0)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		cut(&out, s->v[i], allowed, &k);
	xfree(s->v);
	*s = out;
}

const struct blocklist *blocklist_make(struct blocklist_maker **pm, uint64_t refusals)
{
	const struct blocklist *list;
	struct blocklist_maker *m = *pm;

	CHECK_OBJ(m, MAKER_MAGIC);
	merge(&m->blocked);
	merge(&m->allowed);
	take_out(&m->blocked, &m->allowed);
	list = blocklist_of(&m->blocked, refusals);
	blocklist_maker_free(pm);
	return list;
}
