/* SPDX-License-Identifier: MIT */
/* Rows as JSON: the parts of the text one after the other, each in as many slices as it takes. */
#include "http/api/list_render.h"
#include "http/api/field_names.h"

#include <inttypes.h>
#include <stdio.h>

#include "actors/msg/env.h"
#include "http/api/render.h"
#include "proto/base/encode.h"

#define LIST_MAGIC 0x4c495354u

static const char *const why_names[WHY_MAX_] = {
#define WHY(name, text, doc) [WHY_##name] = #text,
#include "actors/msg/why.def"
#undef WHY
};

/* --- the table of fields --- */

#define FIELD(name, group, code)                                                                   \
	static void field_##name(struct json_out *o, const struct torrent_row *t)                  \
	{                                                                                          \
		code;                                                                              \
	}
#include "http/api/list_fields.def"
#undef FIELD

static const struct field {
	const char *key;
	size_t key_n;
	enum row_group group;
	void (*put)(struct json_out *, const struct torrent_row *);
} fields[] = {
#define FIELD(name, group, code) {#name, sizeof #name - 1, group, field_##name},
#include "http/api/list_fields.def"
#undef FIELD
};

_Static_assert(ARRAY_LEN(fields) <= 32, "a bit each in list_wish.fields");

static uint32_t find_field(struct slice name)
{
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].key_n == name.n && memcmp(fields[i].key, name.p, name.n) == 0)
			return UINT32_C(1) << i;
	return 0;
}

enum err list_fields(uint32_t *out, const char *names, struct slice *bad)
{
	return field_names_read(find_field, out, names, bad);
}

void api_put_row(struct json_out *o, const struct torrent_row *t, unsigned groups)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if ((groups >> fields[i].group & 1) != 0) {
			json_out_key_n(o, fields[i].key, fields[i].key_n);
			fields[i].put(o, t);
		}
}

void api_put_stats(struct json_out *o, const struct m_torrent_rows *m)
{
	json_out_put(o, "down", uint, m->down_rate);
	json_out_put(o, "up", uint, m->up_rate);
	json_out_put(o, "down_limit", uint, m->down_limit);
	json_out_put(o, "up_limit", uint, m->up_limit);
	json_out_key(o, "counts");
	json_out_open(o, '{');
	for (unsigned i = 0; i < STATUS_MAX_; i++) {
		json_out_key_n(o, status_words[i], strlen(status_words[i]));
		json_out_uint(o, m->counts[i]);
	}
	json_out_close(o, '}');
}

/* --- where somebody is --- */

/* Behind a point; *p is moved behind it. */
static bool read_number(const char **p, uint64_t max, uint64_t *out)
{
	const char *from = *p + 1;
	uint64_t n = 0;

	if (**p != '.')
		return false;
	for ((*p)++; **p >= '0' && **p <= '9'; (*p)++) {
		if (n > (max - (uint64_t)(**p - '0')) / 10)
			return false;
		n = n * 10 + (uint64_t)(**p - '0');
	}
	*out = n;
	return *p > from;
}

bool list_point_read(const char *text, struct list_point *p, uint32_t *from)
{
	const char *at = text + 16;
	uint8_t epoch[8];
	uint64_t n = 0;

	if (strlen(text) < 16 || !hex_decode(text, 16, epoch, sizeof epoch))
		return false;
	p->epoch = 0;
	for (size_t i = 0; i < sizeof epoch; i++)
		p->epoch = p->epoch << 8 | epoch[i];
	if (!read_number(&at, INT64_MAX, &p->rev))
		return false;
	if (from != NULL && !read_number(&at, UINT32_MAX, &n))
		return false;
	if (from != NULL)
		*from = (uint32_t)n;
	return *at == '\0';
}

/* --- one row --- */

static bool is_shown(const struct list_render *r, unsigned i)
{
	return (r->wish.fields >> i & 1) != 0;
}

static void put_row(struct list_render *r, struct json_out *o, const struct torrent_row *t)
{
	r->told++;
	json_out_open(o, '[');
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
		if (is_shown(r, i))
			fields[i].put(o, t);
	json_out_close(o, ']');
}

void list_put_row(struct json_out *o, const struct torrent_row *t)
{
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
		json_out_key_n(o, fields[i].key, fields[i].key_n);
		fields[i].put(o, t);
	}
}

static bool is_news(const struct list_render *r, const struct torrent_row *t, unsigned i)
{
	return i > 0 && is_shown(r, i) && t->changed[fields[i].group] > r->wish.seen.rev;
}

static void put_change(struct list_render *r, struct json_out *o, const struct torrent_row *t)
{
	bool any = false;

	for (unsigned i = 0; i < ARRAY_LEN(fields); i++)
		any |= is_news(r, t, i);
	if (!any)
		return;
	r->told++;
	json_out_open(o, '[');
	json_out_uint(o, t->n);
	json_out_open(o, '{');
	for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
		if (!is_news(r, t, i))
			continue;
		json_out_key_n(o, fields[i].key, fields[i].key_n);
		fields[i].put(o, t);
	}
	json_out_close(o, '}');
	json_out_close(o, ']');
}

/* --- the parts --- */

/* Whether it is told as a whole. */
static bool is_new(const struct list_render *r, const struct torrent_row *t)
{
	return !r->wish.delta || r->rows->reset || t->born > r->wish.seen.rev;
}

static void put_added(struct list_render *r, struct json_out *o, uint32_t i)
{
	if (is_new(r, &r->rows->rows[i]))
		put_row(r, o, &r->rows->rows[i]);
}

static void put_changed(struct list_render *r, struct json_out *o, uint32_t i)
{
	if (!is_new(r, &r->rows->rows[i]))
		put_change(r, o, &r->rows->rows[i]);
}

static void put_gone(struct list_render *r, struct json_out *o, uint32_t i)
{
	r->told++;
	json_out_uint(o, r->rows->gone[i].n);
}

static void put_name(struct list_render *r, struct json_out *o, uint32_t i)
{
	if (is_shown(r, i))
		json_out_text(o, fields[i].key);
}

static uint32_t count_names(const struct list_render *r)
{
	(void)r;
	return ARRAY_LEN(fields);
}

static uint32_t count_rows(const struct list_render *r)
{
	return r->rows->rows_n;
}

static uint32_t count_gone(const struct list_render *r)
{
	return r->rows->gone_n;
}

static const struct {
	const char *key;
	uint32_t (*count)(const struct list_render *);
	void (*put)(struct list_render *, struct json_out *, uint32_t i);
} parts[] = {
	{"fields", count_names, put_name},
	{"add", count_rows, put_added},
	{"set", count_rows, put_changed},
	{"gone", count_gone, put_gone},
};

/* --- slices --- */

void list_render_init(struct list_render *r, const struct m_torrent_rows *rows,
	const struct list_wish *wish, int64_t now)
{
	*r = (struct list_render){.magic = LIST_MAGIC, .rows = rows, .wish = *wish, .now = now};
	if (rows->reset)
		r->wish.more = false;
}

size_t list_render_varying(int64_t now)
{
	return (size_t)snprintf(NULL, 0, "{\"now\":%" PRId64, now);
}

static uint64_t rev_of(const struct list_render *r)
{
	return r->wish.more ? MIN(r->wish.seen.rev, r->rows->rev) : r->rows->rev;
}

static void put_begin(const struct list_render *r, struct json_out *o)
{
	char epoch[17];

	snprintf(epoch, sizeof epoch, "%016" PRIx64, r->rows->epoch_now);
	json_out_open(o, '{');
	json_out_put(o, "now", int, r->now);
	json_out_put(o, "epoch", text, epoch);
	json_out_put(o, "rev", uint, rev_of(r));
	json_out_put(o, "reset", bool, r->rows->reset || (!r->wish.delta && !r->wish.more));
}

static void put_end(const struct list_render *r, struct json_out *o)
{
	char next[64];

	if (!r->wish.no_next) {
		snprintf(next, sizeof next, "%016" PRIx64 ".%" PRIu64 ".%" PRIu32,
			r->rows->epoch_now, rev_of(r), r->rows->next);
		json_out_put(o, "next", text, r->rows->next != 0 ? next : NULL);
	}
	json_out_close(o, '}');
}

/* true: that was all of the list. */
static bool put_part(struct list_render *r, struct json_out *o, size_t end)
{
	uint32_t n = parts[r->part].count(r);

	if (r->i == 0) {
		json_out_key_n(o, parts[r->part].key, strlen(parts[r->part].key));
		json_out_open(o, '[');
	}
	while (r->i < n && (r->i == 0 || o->n < end))
		parts[r->part].put(r, o, r->i++);
	if (r->i < n)
		return false;
	json_out_close(o, ']');
	r->i = 0;
	return true;
}

bool list_render_some(struct list_render *r, struct json_out *o, size_t bytes)
{
	size_t end = o->n + bytes;

	CHECK_OBJ(r, LIST_MAGIC);
	if (r->part == 0 && r->i == 0)
		put_begin(r, o);
	while (r->part < ARRAY_LEN(parts)) {
		if (!put_part(r, o, end))
			return false;
		r->part++;
	}
	put_end(r, o);
	return true;
}
