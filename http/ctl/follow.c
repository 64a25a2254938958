/* SPDX-License-Identifier: MIT */
/* Following the list by text/event-stream (docs/sync.md). */
#include "http/ctl/follow.h"

#include <poll.h>
#include <stdio.h>

#include "http/ctl/rows.h"
#include "proto/base/array.h"

#define LINE_MAX_BYTES ((uint32_t)256 << 20) /* of an event: all torrents */
#define AGAIN_MS       1000

/* --- the form of a stream --- */

struct stream {
	char *line; /* owned: what has come of it */
	uint32_t n, room;
	char name[32], id[CTL_POINT];
	char *data; /* owned; NULL: none yet */
	bool (*event)(void *ctx, const char *name, const char *id, const char *data);
	void *ctx;
};

static void stream_fini(struct stream *s)
{
	xfree(s->line);
	xfree(s->data);
	*s = (struct stream){0};
}

/* A field of an event, or the empty line at its end. */
static bool take_line(struct stream *s)
{
	bool more = true;

	if (s->line[0] == '\0') {
		if (s->data != NULL)
			more = s->event(s->ctx, s->name, s->id, s->data);
		xfree(s->data);
		s->data = NULL;
	} else if (strncmp(s->line, "event: ", 7) == 0) {
		snprintf(s->name, sizeof s->name, "%s", s->line + 7);
	} else if (strncmp(s->line, "id: ", 4) == 0) {
		snprintf(s->id, sizeof s->id, "%s", s->line + 4);
	} else if (strncmp(s->line, "data: ", 6) == 0) { /* the daemon writes one to an event */
		xfree(s->data);
		s->data = xstrdup(s->line + 6);
	}
	return more;
}

static bool take_bytes(void *ctx, const char *p, size_t n)
{
	struct stream *s = ctx;

	for (size_t i = 0; i < n; i++) {
		if (s->n == LINE_MAX_BYTES)
			return false;
		ARRAY_PUSH(s->line, s->n, s->room, p[i]);
		if (p[i] != '\n')
			continue;
		s->line[s->n - 1] = '\0';
		s->n = 0;
		if (!take_line(s))
			return false;
	}
	return true;
}

static enum ctl_status run_stream(
	struct ctl *c, struct stream *s, const char *since, const char *every)
{
	const char *const params[] = {"since", since, "every", every, NULL};
	struct ctl_reader reader = {.take = take_bytes, .ctx = s};
	enum ctl_status status = ctl_stream(c->client, "/api/v1/events", params, &reader);

	stream_fini(s);
	return status;
}

/* --- events as they are --- */

struct teller {
	void (*event)(void *ctx, const char *name, const char *id, const char *data);
	void *ctx;
};

static bool tell_event(void *ctx, const char *name, const char *id, const char *data)
{
	struct teller *t = ctx;

	t->event(t->ctx, name, id, data);
	return true;
}

enum ctl_status ctl_follow_events(struct ctl *c, const char *every, const char *since,
	void (*event)(void *ctx, const char *name, const char *id, const char *data), void *ctx)
{
	struct teller t = {event, ctx};
	struct stream s = {.event = tell_event, .ctx = &t};

	return run_stream(c, &s, since, every);
}

/* --- the list --- */

struct follow {
	const struct ctl_watcher *w;
	json_t *rows;
	bool enough;
};

/* Where the torrent of that number is; the end: nowhere. */
static size_t find_row(const json_t *rows, json_int_t n)
{
	size_t i = 0;

	while (i < json_array_size(rows) && ctl_int(json_array_get(rows, i), "n") != n)
		i++;
	return i;
}

static void tell_row(struct follow *f, const json_t *row, bool gone)
{
	if (f->w->row != NULL)
		f->w->row(f->w->ctx, row, gone);
}

static void drop_row(struct follow *f, json_int_t n)
{
	size_t i = find_row(f->rows, n);

	if (i == json_array_size(f->rows))
		return;
	tell_row(f, json_array_get(f->rows, i), true);
	json_array_remove(f->rows, i);
}

/* n and what is other now. */
static void set_row(struct follow *f, const json_t *pair)
{
	json_t *row = json_array_get(
		f->rows, find_row(f->rows, json_integer_value(json_array_get(pair, 0))));

	if (row == NULL)
		return;
	json_object_update(row, json_array_get(pair, 1));
	tell_row(f, row, false);
}

static void put_row(struct follow *f, json_t *row)
{
	size_t i = find_row(f->rows, ctl_int(row, "n"));

	if (i < json_array_size(f->rows))
		json_array_set(f->rows, i, row);
	else
		json_array_append(f->rows, row);
	tell_row(f, row, false);
	json_decref(row);
}

static void apply(struct follow *f, const json_t *news)
{
	const json_t *gone = json_object_get(news, "gone"), *add = json_object_get(news, "add"),
		     *set = json_object_get(news, "set");

	for (size_t i = 0; i < json_array_size(gone); i++)
		drop_row(f, json_integer_value(json_array_get(gone, i)));
	for (size_t i = 0; i < json_array_size(add); i++)
		put_row(f, ctl_row_of(json_object_get(news, "fields"), json_array_get(add, i)));
	for (size_t i = 0; i < json_array_size(set); i++)
		set_row(f, json_array_get(set, i));
	f->enough = !f->w->turn(f->w->ctx, f->rows);
}

/* false: what follows is of no use, or nothing follows. */
static bool on_event(void *ctx, const char *name, const char *id, const char *data)
{
	struct follow *f = ctx;
	json_t *news;

	(void)id;
	if (strcmp(name, "reset") == 0)
		return false;
	if (strcmp(name, "torrents") != 0)
		return true;
	news = json_loads(data, 0, NULL);
	if (news != NULL)
		apply(f, news);
	json_decref(news);
	return news != NULL && !f->enough;
}

/* The list as it is, then what changes. */
static enum ctl_status follow_once(struct ctl *c, struct follow *f, const char *every)
{
	struct stream s = {.event = on_event, .ctx = f};
	char point[CTL_POINT];
	enum ctl_status status;

	json_decref(f->rows);
	status = ctl_rows_get(c, &f->rows, point);
	if (status != CTL_DONE)
		return status;
	for (size_t i = 0; i < json_array_size(f->rows); i++)
		tell_row(f, json_array_get(f->rows, i), false);
	f->enough = !f->w->turn(f->w->ctx, f->rows);
	return f->enough ? CTL_DONE : run_stream(c, &s, point, every);
}

enum ctl_status ctl_follow(struct ctl *c, const char *every, const struct ctl_watcher *w)
{
	struct follow f = {.w = w, .rows = json_array()};
	bool met = false;
	enum ctl_status status;

	do {
		status = follow_once(c, &f, every);
		met = met || status == CTL_DONE;
		if (!f.enough && met)
			(void)poll(NULL, 0, AGAIN_MS);
	} while (!f.enough &&
		 (status == CTL_DONE || (status == CTL_UNREACHABLE && met && w->patient)));
	json_decref(f.rows);
	return status;
}
