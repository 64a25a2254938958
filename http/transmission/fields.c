/* SPDX-License-Identifier: MIT */
/*
 * Torrents with the fields that were asked for: the table, and a place in it that is kept between
 * two slices.  What lists are made of is in items.c.
 */
#include <stdlib.h>

#include "http/transmission/get.h"
#include "http/transmission/items.h"

#define ERROR_LOCAL 3
#define ETA_NONE    (-1) /* there is nothing to wait for */
#define ETA_UNKNOWN (-2)

/* --- single values --- */

static void put_string(struct json_out *o, const char *s)
{
	json_out_text(o, s != NULL ? s : "");
}

/* kB/s; a limit is never none for being small. */
static uint64_t kilo(uint64_t bytes)
{
	return bytes > 0 && bytes < 1000 ? 1 : bytes / 1000;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (double)MIN(part, whole) / (double)whole;
}

/* Exactly 1 when all that is wanted is there: programs compare with it. */
static double done_of(const struct torrent_view *t)
{
	if (t->wanted == 0)
		return t->meta->bare ? 0 : 1;
	return t->left == 0 ? 1 : share(t->wanted - MIN(t->left, t->wanted), t->wanted);
}

/* Verified bytes; short by less than a piece where some files are not wanted. */
static uint64_t have_of(const struct torrent_view *t)
{
	if (t->have == t->bits)
		return t->size;
	if (t->wanted == t->size)
		return t->size - MIN(t->left, t->size);
	return MIN((uint64_t)t->have * t->piece_length, t->size);
}

static int64_t eta_of(const struct torrent_view *t)
{
	if (t->status != STATUS_DOWNLOADING)
		return t->status == STATUS_METADATA ? ETA_UNKNOWN : ETA_NONE;
	return t->down_rate > 0 ? (int64_t)(t->left / t->down_rate) : ETA_UNKNOWN;
}

static int status_of(const struct torrent_view *t)
{
	static const int numbers[] = {[STATUS_STOPPED] = 0,
		[STATUS_CHECKING] = 2,
		[STATUS_QUEUED] = 3,
		[STATUS_DOWNLOADING] = 4,
		[STATUS_METADATA] = 4,
		[STATUS_SEEDING] = 6,
		[STATUS_ERROR] = 0};

	if (t->status == STATUS_QUEUED && t->left == 0 && !t->meta->bare)
		return 5;
	return numbers[t->status];
}

static double metadata_of(const struct torrent_view *t)
{
	return t->meta->bare ? share(t->metadata.have, t->metadata.pieces) : 1;
}

/* Limits on seeding: as configured, its own, none. */
static int mode_of(int64_t limit)
{
	return limit == SEED_GLOBAL ? 0 : limit > 0 ? 1 : 2;
}

static int64_t limit_of(int64_t own, int64_t configured)
{
	return own == SEED_GLOBAL ? configured : own;
}

static void put_magnet(struct json_out *o, const struct torrent_view *t)
{
	char *link = metainfo_magnet(t->meta);

	put_string(o, link);
	xfree(link);
}

static uint32_t files_of(const struct torrent_view *t)
{
	return t->meta->bare ? 0 : t->meta->files_n;
}

/* --- the table --- */

struct field {
	const char *names[2]; /* by get_scene.snake */
	unsigned part;
	void (*put)(struct json_out *, const struct get_scene *, const struct get_row *);
	uint32_t (*count)(const struct torrent_view *);
	item_f *put_item;
};

#define GLUE_(a, b) a##b
#define GLUE(a, b)  GLUE_(a, b)
#define VALUE(legacy, snake, part, code)                                                           \
	static void GLUE(put_line_, __LINE__)(                                                     \
		struct json_out * o, const struct get_scene *s, const struct get_row *r)           \
	{                                                                                          \
		const struct torrent_view *t = r->t;                                               \
                                                                                                   \
		(void)s;                                                                           \
		(void)t;                                                                           \
		code;                                                                              \
	}
#define LIST(legacy, snake, part, count, put_item)                                                 \
	static uint32_t GLUE(count_line_, __LINE__)(const struct torrent_view *t)                  \
	{                                                                                          \
		(void)t;                                                                           \
		return count;                                                                      \
	}
#include "http/transmission/fields.def"
#undef VALUE
#undef LIST

static const struct field fields[] = {
#define VALUE(legacy, snake, part, code)                                                           \
	{{legacy, snake}, part, GLUE(put_line_, __LINE__), NULL, NULL},
#define LIST(legacy, snake, part, count, put_item)                                                 \
	{{legacy, snake}, part, NULL, GLUE(count_line_, __LINE__), put_item},
#include "http/transmission/fields.def"
#undef VALUE
#undef LIST
};

_Static_assert(ARRAY_LEN(fields) <= GET_FIELDS_MAX, "room for each in struct get");

bool get_add_field(struct get *g, const char *name)
{
	unsigned at = 0;

	CHECK_OBJ(g, GET_MAGIC);
	while (at < ARRAY_LEN(fields) && strcmp(fields[at].names[0], name) != 0 &&
		strcmp(fields[at].names[1], name) != 0)
		at++;
	if (at == ARRAY_LEN(fields) || memchr(g->fields, (int)at, g->fields_n) != NULL)
		return false;
	g->fields[g->fields_n++] = (uint8_t)at;
	return true;
}

unsigned get_parts(const struct get *g)
{
	unsigned parts = 0;

	CHECK_OBJ(g, GET_MAGIC);
	for (unsigned i = 0; i < g->fields_n; i++)
		parts |= fields[g->fields[i]].part;
	return parts;
}

/* --- slices --- */

static void put_name(const struct get *g, struct json_out *o, unsigned i, bool as_key)
{
	const char *name = fields[g->fields[i]].names[g->scene.snake];

	if (as_key)
		json_out_key_n(o, name, strlen(name));
	else
		json_out_text(o, name);
}

/* The numbers of those removed, the begin of the list, and the names above a table. */
static void put_begin(struct get *g, struct json_out *o)
{
	g->begun = true;
	if (g->recent) {
		json_out_key(o, "removed");
		json_out_open(o, '[');
		for (uint32_t i = 0; i < g->removed_n; i++)
			json_out_int(o, g->removed[i]);
		json_out_close(o, ']');
	}
	json_out_key(o, "torrents");
	json_out_open(o, '[');
	if (!g->table)
		return;
	json_out_open(o, '[');
	for (unsigned i = 0; i < g->fields_n; i++)
		put_name(g, o, i, false);
	json_out_close(o, ']');
}

/* true: that was all of the list. */
static bool put_list(struct get *g, const struct field *f, struct json_out *o, size_t end)
{
	const struct get_row *r = &g->rows[g->row];
	uint32_t n = f->count(r->t);

	if (g->item == 0) {
		json_out_open(o, '[');
		g->item = 1;
	}
	for (; g->item <= n && o->n < end; g->item++)
		f->put_item(o, &g->scene, r->t, g->item - 1);
	if (g->item <= n)
		return false;
	json_out_close(o, ']');
	g->item = 0;
	return true;
}

/* true: that was all of the torrent. */
static bool put_torrent(struct get *g, struct json_out *o, size_t end)
{
	if (g->field == 0 && g->item == 0)
		json_out_open(o, g->table ? '[' : '{');
	for (; g->field < g->fields_n; g->field++) {
		const struct field *f = &fields[g->fields[g->field]];

		if (g->item == 0 && !g->table)
			put_name(g, o, g->field, true);
		if (f->put != NULL)
			f->put(o, &g->scene, &g->rows[g->row]);
		else if (!put_list(g, f, o, end))
			return false;
	}
	json_out_close(o, g->table ? ']' : '}');
	g->field = 0;
	return true;
}

bool get_some(struct get *g, struct json_out *o, size_t end)
{
	CHECK_OBJ(g, GET_MAGIC);
	if (!g->begun)
		put_begin(g, o);
	for (; g->row < g->rows_n && o->n < end; g->row++)
		if (!put_torrent(g, o, end))
			return false;
	if (g->row < g->rows_n)
		return false;
	json_out_close(o, ']');
	return true;
}

void get_free(struct get **pg)
{
	struct get *g;

	TAKE_OBJ(g, pg, GET_MAGIC);
	xfree(g->rows);
	xfree(g->removed);
	FREE_OBJ(g);
}
