/* SPDX-License-Identifier: MIT */
/* torrents/info and torrents/count: filters, order, a part of the list. */
#include <jansson.h>
#include <stdlib.h>

#include "http/qbittorrent/fields.h"
#include "http/qbittorrent/priv.h"

#define LISTING_MAGIC 0x514c5354u

/* One torrent with what it is sorted by. */
struct item {
	const struct torrent_row *row; /* borrowed */
	double number;
	char *text; /* owned; NULL: the number counts */
};

struct listing {
	uint32_t magic;
	struct qscene scene;
	struct item *items; /* owned, with their texts */
	uint32_t n, at, end;
	bool begun;
};

static void free_listing(void *ctx)
{
	struct listing *l;

	CAST_OBJ(l, ctx, LISTING_MAGIC);
	for (uint32_t i = 0; i < l->n; i++)
		free(l->items[i].text);
	xfree(l->items);
	FREE_OBJ(l);
}

/* --- filters --- */

static bool is_active(const struct torrent_row *r)
{
	return r->rates.down > 0 || r->rates.up > 0;
}

static bool is_stopped(const struct torrent_row *r)
{
	return r->status.status == STATUS_STOPPED;
}

static bool is_stalled_up(const struct torrent_row *r)
{
	return strcmp(qfield_state(r), "stalledUP") == 0;
}

static bool is_stalled_down(const struct torrent_row *r)
{
	return strcmp(qfield_state(r), "stalledDL") == 0;
}

static bool is_stalled(const struct torrent_row *r)
{
	return is_stalled_up(r) || is_stalled_down(r);
}

static bool is_downloading(const struct torrent_row *r)
{
	return !qfield_complete(r) && r->status.status != STATUS_ERROR;
}

static bool is_seeding(const struct torrent_row *r)
{
	return qfield_complete(r) && !is_stopped(r) && r->status.status != STATUS_ERROR;
}

static bool is_running(const struct torrent_row *r)
{
	return !is_stopped(r);
}

static bool is_inactive(const struct torrent_row *r)
{
	return !is_active(r);
}

static bool is_checking(const struct torrent_row *r)
{
	return r->status.status == STATUS_CHECKING;
}

static bool is_errored(const struct torrent_row *r)
{
	return r->status.status == STATUS_ERROR;
}

static bool is_nothing(const struct torrent_row *r)
{
	(void)r;
	return false;
}

/* Of the names before 5.0 and after; what is none is all. */
static const struct {
	const char *name;
	bool (*fn)(const struct torrent_row *);
} filters[] = {
	{"downloading", is_downloading},
	{"seeding", is_seeding},
	{"completed", qfield_complete},
	{"stopped", is_stopped},
	{"paused", is_stopped},
	{"running", is_running},
	{"resumed", is_running},
	{"active", is_active},
	{"inactive", is_inactive},
	{"stalled", is_stalled},
	{"stalled_uploading", is_stalled_up},
	{"stalled_downloading", is_stalled_down},
	{"checking", is_checking},
	{"moving", is_nothing},
	{"errored", is_errored},
};

static bool has_tag(const struct nameset *names, const struct torrent_row *r, const char *tag)
{
	const char *labels = label_text(r->status.labels);
	struct slice one;
	bool any = false;

	while (nameset_next_tag(names, &labels, &one)) {
		if (qlist_is(one, tag))
			return true;
		any = true;
	}
	return tag[0] == '\0' && !any;
}

static bool passes(const struct qcall *c, const struct torrent_row *r)
{
	const char *filter = qcall_param(c, "filter"), *category = qcall_param(c, "category");
	const char *tag = qcall_param(c, "tag"), *private = qcall_param(c, "private");

	for (size_t i = 0; filter != NULL && i < ARRAY_LEN(filters); i++)
		if (strcmp(filters[i].name, filter) == 0 && !filters[i].fn(r))
			return false;
	if (category != NULL &&
		!qlist_is(nameset_category(c->q->names, label_text(r->status.labels)), category))
		return false;
	if (tag != NULL && !has_tag(c->q->names, r, tag))
		return false;
	return private == NULL || private[0] == '\0' ||
	       r->identity.is_private == qcall_bool(c, "private", false);
}

/* --- order --- */

static void read_key(struct listing *l, struct item *one, unsigned field)
{
	struct json_out o = {0};
	json_t *value;

	qfield_put(&o, &l->scene, one->row, field);
	value = json_loadb(o.p, o.n, JSON_DECODE_ANY, NULL);
	if (json_is_string(value))
		one->text = strdup(json_string_value(value));
	else if (json_is_number(value))
		one->number = json_number_value(value);
	else
		one->number = json_is_true(value);
	json_decref(value);
	json_out_fini(&o);
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = x->text != NULL && y->text != NULL
			    ? strcasecmp(x->text, y->text)
			    : (x->number > y->number) - (x->number < y->number);

	return order != 0 ? order : (x->row->n > y->row->n) - (x->row->n < y->row->n);
}

static void reverse(struct listing *l)
{
	for (uint32_t i = 0; i < l->n / 2; i++) {
		struct item swap = l->items[i];

		l->items[i] = l->items[l->n - 1 - i];
		l->items[l->n - 1 - i] = swap;
	}
}

/* Without a word the list is in the order in which torrents came. */
static void sort(const struct qcall *c, struct listing *l)
{
	const char *by = qcall_param(c, "sort");
	unsigned field;

	if (by != NULL && qfield_find(by, &field))
		for (uint32_t i = 0; i < l->n; i++)
			read_key(l, &l->items[i], field);
	if (l->n > 1)
		qsort(l->items, l->n, sizeof *l->items, compare_items);
	if (qcall_bool(c, "reverse", false))
		reverse(l);
}

/* An offset below 0 counts from the end. */
static void cut(const struct qcall *c, struct listing *l)
{
	int64_t limit = 0, offset = 0, n = l->n;

	(void)qcall_int(c, "limit", &limit);
	(void)qcall_int(c, "offset", &offset);
	if (offset < 0)
		offset = MAX(n + MAX(offset, -n), INT64_C(0));
	offset = MIN(offset, n);
	if (limit <= 0 || limit > n - offset)
		limit = n - offset;
	l->at = (uint32_t)offset;
	l->end = (uint32_t)(offset + limit);
}

/* --- the answer --- */

static bool write_some(struct qcall *c, struct json_out *o, size_t end)
{
	struct listing *l;

	CAST_OBJ(l, c->work, LISTING_MAGIC);
	if (!l->begun)
		json_out_open(o, '[');
	l->begun = true;
	for (; l->at < l->end && o->n < end; l->at++) {
		json_out_open(o, '{');
		qfields_put(o, &l->scene, l->items[l->at].row, QFIELDS_ALL, true);
		json_out_close(o, '}');
	}
	if (l->at < l->end)
		return false;
	json_out_close(o, ']');
	return true;
}

static void on_rows(struct qcall *c)
{
	struct listing *l;

	ALLOC_OBJ(l, LISTING_MAGIC);
	c->work = l;
	c->work_free = free_listing;
	l->scene = qscene_of(c->config, c->q->names, actor_now(c->q->actor));
	l->items = xcalloc(MAX(c->rows->n, 1u), sizeof *l->items);
	for (uint32_t i = 0; i < c->rows->n; i++) {
		nameset_see(c->q->names, label_text(c->rows->v[i]->status.labels));
		if (passes(c, c->rows->v[i]))
			l->items[l->n++].row = c->rows->v[i];
	}
	sort(c, l);
	cut(c, l);
	qcall_write(c, write_some);
}

void qb_torrents_info(struct qcall *c)
{
	const char *hashes = qcall_param(c, "hashes");

	qrows_ask(c, hashes != NULL && hashes[0] != '\0' ? hashes : NULL, on_rows);
}

static void on_count(struct qcall *c)
{
	const struct m_torrent_rows *m = qrows_head(c->rows);
	char text[16];
	uint32_t n = 0;

	for (unsigned i = 0; i < STATUS_MAX_; i++)
		n += m->counts[i];
	snprintf(text, sizeof text, "%u", n);
	qcall_text(c, text);
}

void qb_torrents_count(struct qcall *c)
{
	qrows_ask(c, NULL, on_count);
}
