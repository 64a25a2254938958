/* SPDX-License-Identifier: MIT */
/*
 * The strict bencode reader, and the node view on what it accepted.
 *
 * One function, read_lexeme(), knows what an integer, a string and a bracket look like; the pull
 * reader adds grammar and limits, the node view only steps.  Both check bounds, so that a node over
 * bytes that nobody validated is empty and not dangerous.
 */
#include "proto/meta/bencode.h"

const struct benc_limits benc_limits_default = {
	.depth = BENC_DEPTH_MAX,
	.items = BENC_ITEMS_MAX,
	.trailing = false,
};

struct lexeme {
	enum benc_type
		type; /* BENC_INT, BENC_STR, BENC_LIST, BENC_DICT (both: opened) or BENC_CLOSE */
	int64_t i;
	struct slice s;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/*
 * Decimal digits at *p up to the byte `stop`, without leading zeros.  *p ends behind stop, or at
 * the byte that is wrong.
 */
static enum err read_digits(const uint8_t **p, const uint8_t *end, uint8_t stop, uint64_t *out)
{
	const uint8_t *first = *p;
	uint64_t v = 0;

	for (; *p < end && is_digit(**p); ++*p) {
		if (*p > first && *first == '0') {
			*p = first;
			return E_SYNTAX;
		}
		if (!mul_ok(v, (uint64_t)10, &v) || !add_ok(v, (uint64_t)(**p - '0'), &v))
			return E_RANGE;
	}
	if (*p == end)
		return E_TRUNCATED;
	if (*p == first || **p != stop)
		return E_SYNTAX;
	++*p;
	*out = v;
	return E_OK;
}

/* "i-42e", with *p on the i. */
static enum err read_int(const uint8_t **p, const uint8_t *end, int64_t *out)
{
	const uint8_t *digits;
	uint64_t v;
	bool minus = false;
	enum err e;

	++*p;
	if (*p < end && **p == '-') {
		minus = true;
		++*p;
	}
	digits = *p;
	e = read_digits(p, end, 'e', &v);
	if (e != E_OK)
		return e;
	if (minus && v == 0) {
		*p = digits;
		return E_SYNTAX;
	}
	if (v > (uint64_t)INT64_MAX + minus) {
		*p = digits;
		return E_RANGE;
	}
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return E_OK;
}

/* "4:spam", with *p on its first digit. */
static enum err read_str(const uint8_t **p, const uint8_t *end, struct slice *out)
{
	const uint8_t *first = *p;
	uint64_t n;
	enum err e = read_digits(p, end, ':', &n);

	if (e != E_OK)
		return e;
	if (n > (uint64_t)(end - *p)) {
		*p = first;
		return E_TRUNCATED;
	}
	*out = (struct slice){*p, (size_t)n};
	*p += n;
	return E_OK;
}

static enum err read_lexeme(const uint8_t **p, const uint8_t *end, struct lexeme *l)
{
	if (*p >= end)
		return E_TRUNCATED;
	switch (**p) {
	case 'i':
		l->type = BENC_INT;
		return read_int(p, end, &l->i);
	case 'l':
		l->type = BENC_LIST;
		break;
	case 'd':
		l->type = BENC_DICT;
		break;
	case 'e':
		l->type = BENC_CLOSE;
		break;
	default:
		l->type = BENC_STR;
		return read_str(p, end, &l->s);
	}
	++*p;
	return E_OK;
}

void benc_reader_init(struct benc_reader *r, struct slice in, const struct benc_limits *limits)
{
	r->in = in;
	r->pos = 0;
	r->err = E_OK;
	r->unsorted = r->duplicate = false;
	r->disorder = 0;
	r->depth = 0;
	r->limits = limits != NULL ? *limits : benc_limits_default;
	must(r->limits.depth <= BENC_DEPTH_MAX);
	r->items = 0;
	r->dicts = r->values = 0;
	r->complete = false;
}

static uint64_t top_bit(const struct benc_reader *r)
{
	return UINT64_C(1) << (r->depth - 1);
}

static bool is_key_due(const struct benc_reader *r)
{
	return r->depth > 0 && (r->dicts & top_bit(r)) != 0 && (r->values & top_bit(r)) == 0;
}

/* A value has been read whole: its dictionary wants a key again, or the root is complete. */
static void end_value(struct benc_reader *r)
{
	if (r->depth == 0)
		r->complete = true;
	else
		r->values &= ~top_bit(r);
}

static enum err open_container(struct benc_reader *r, bool dict)
{
	if (r->depth == r->limits.depth)
		return E_TOO_DEEP;
	r->depth++;
	r->values &= ~top_bit(r);
	r->dicts = dict ? r->dicts | top_bit(r) : r->dicts & ~top_bit(r);
	r->key[r->depth - 1] = (struct slice){NULL, 0};
	return E_OK;
}

static enum err close_container(struct benc_reader *r)
{
	if (r->depth == 0 || (r->values & top_bit(r)) != 0)
		return E_SYNTAX;
	r->depth--;
	end_value(r);
	return E_OK;
}

static int compare_slices(struct slice a, struct slice b)
{
	size_t n = MIN(a.n, b.n);
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static void note_key(struct benc_reader *r, struct slice key, size_t at)
{
	struct slice *last = &r->key[r->depth - 1];
	int order = last->p != NULL ? compare_slices(key, *last) : 1;

	if (order <= 0 && !r->unsorted)
		r->disorder = at;
	if (order <= 0)
		r->unsorted = true;
	if (order == 0)
		r->duplicate = true;
	*last = key;
	r->values |= top_bit(r);
}

/* Checks a lexeme against the grammar and the limits. */
static enum err step_reader(struct benc_reader *r, const struct lexeme *l, struct benc_token *t)
{
	t->type = l->type;
	if (l->type == BENC_CLOSE)
		return close_container(r);
	if (r->items++ >= r->limits.items)
		return E_TOO_BIG;
	if (is_key_due(r)) {
		if (l->type != BENC_STR)
			return E_TYPE;
		t->type = BENC_KEY;
		t->s = l->s;
		note_key(r, l->s, t->at);
		return E_OK;
	}
	if (l->type == BENC_LIST || l->type == BENC_DICT)
		return open_container(r, l->type == BENC_DICT);
	if (l->type == BENC_INT)
		t->i = l->i;
	else
		t->s = l->s;
	end_value(r);
	return E_OK;
}

static enum err finish_reader(struct benc_reader *r, struct benc_token *t)
{
	t->type = BENC_EOF;
	t->at = r->pos;
	if (!r->limits.trailing && r->pos < r->in.n)
		r->err = E_TRAILING;
	return r->err;
}

enum err benc_next(struct benc_reader *r, struct benc_token *t)
{
	const uint8_t *p = r->in.p, *end = p;
	struct lexeme l;

	if (r->err != E_OK)
		return r->err;
	if (r->complete)
		return finish_reader(r, t);
	if (r->in.n > 0) {
		p += r->pos;
		end += r->in.n;
	}
	t->at = r->pos;
	r->err = read_lexeme(&p, end, &l);
	if (r->err != E_OK) {
		r->pos = r->in.n > 0 ? (size_t)(p - r->in.p) : 0;
		return r->err;
	}
	r->err = step_reader(r, &l, t);
	if (r->err == E_OK)
		r->pos = (size_t)(p - r->in.p);
	return r->err;
}

/* Reads one value at *p and steps over it; false at the end. */
static bool read_node(const uint8_t **p, const uint8_t *end, struct benc *out)
{
	const uint8_t *first = *p;
	struct lexeme l = {0};
	size_t depth = 0;

	if (read_lexeme(p, end, &l) != E_OK || l.type == BENC_CLOSE)
		return false;
	out->type = l.type;
	out->i = l.i;
	out->s = l.s;
	if (l.type == BENC_LIST || l.type == BENC_DICT) {
		for (depth = 1; depth > 0;) {
			if (read_lexeme(p, end, &l) != E_OK)
				return false;
			if (l.type == BENC_CLOSE)
				depth--;
			else if (l.type == BENC_LIST || l.type == BENC_DICT)
				depth++;
		}
		out->s = (struct slice){first + 1, (size_t)(*p - first) - 2};
	}
	out->raw = (struct slice){first, (size_t)(*p - first)};
	return true;
}

enum err benc_parse(struct slice in, const struct benc_limits *limits, struct benc *root,
	struct benc_report *report)
{
	struct benc_reader r;
	struct benc_token t = {0};
	enum err e;

	benc_reader_init(&r, in, limits);
	do
		e = benc_next(&r, &t);
	while (e == E_OK && t.type != BENC_EOF);
	if (report != NULL)
		*report = (struct benc_report){r.pos, r.unsorted, r.duplicate, r.disorder};
	*root = (struct benc){.type = BENC_NONE};
	if (e == E_OK) {
		const uint8_t *p = in.p;

		must(read_node(&p, in.p + r.pos, root));
	}
	return e;
}

bool bint(const struct benc *node, int64_t *out)
{
	if (node->type != BENC_INT)
		return false;
	*out = node->i;
	return true;
}

bool bstr(const struct benc *node, struct slice *out)
{
	if (node->type != BENC_STR)
		return false;
	*out = node->s;
	return true;
}

struct benc_iter benc_iter_of(const struct benc *c)
{
	if (c->type != BENC_LIST && c->type != BENC_DICT)
		return (struct benc_iter){NULL, NULL};
	return (struct benc_iter){c->s.p, c->s.p + c->s.n};
}

bool blist_next(struct benc_iter *it, struct benc *item)
{
	return read_node(&it->p, it->end, item);
}

bool bdict_next(struct benc_iter *it, struct slice *key, struct benc *value)
{
	struct benc k;

	if (!read_node(&it->p, it->end, &k) || k.type != BENC_STR)
		return false;
	*key = k.s;
	return read_node(&it->p, it->end, value);
}

bool slice_equals(struct slice s, const char *text)
{
	return s.n == strlen(text) && (s.n == 0 || memcmp(s.p, text, s.n) == 0);
}

bool bdict_get(const struct benc *dict, const char *key, struct benc *out)
{
	struct benc_iter it = {NULL, NULL};
	struct slice k;

	if (dict->type == BENC_DICT)
		it = benc_iter_of(dict);
	while (bdict_next(&it, &k, out))
		if (slice_equals(k, key))
			return true;
	*out = (struct benc){.type = BENC_NONE};
	return false;
}

bool bdict_int(const struct benc *dict, const char *key, int64_t *out)
{
	struct benc node;

	return bdict_get(dict, key, &node) && bint(&node, out);
}

bool bdict_str(const struct benc *dict, const char *key, struct slice *out)
{
	struct benc node;

	return bdict_get(dict, key, &node) && bstr(&node, out);
}

static bool get_typed(
	const struct benc *dict, const char *key, enum benc_type type, struct benc *out)
{
	struct benc node;

	if (!bdict_get(dict, key, &node) || node.type != type)
		return false;
	*out = node;
	return true;
}

bool bdict_list(const struct benc *dict, const char *key, struct benc *out)
{
	return get_typed(dict, key, BENC_LIST, out);
}

bool bdict_dict(const struct benc *dict, const char *key, struct benc *out)
{
	return get_typed(dict, key, BENC_DICT, out);
}

uint32_t bdict_fields(
	const struct benc *dict, const char *const keys[], unsigned n, struct benc out[])
{
	struct benc_iter it = {NULL, NULL};
	struct slice k;
	struct benc v;
	uint32_t twice = 0;

	must(n <= 32);
	for (unsigned i = 0; i < n; i++)
		out[i] = (struct benc){.type = BENC_NONE};
	if (dict->type == BENC_DICT)
		it = benc_iter_of(dict);
	while (bdict_next(&it, &k, &v)) {
		unsigned i = 0;

		while (i < n && !slice_equals(k, keys[i]))
			i++;
		if (i == n)
			continue;
		if (out[i].type == BENC_NONE)
			out[i] = v;
		else
			twice |= UINT32_C(1) << i;
	}
	return twice;
}
