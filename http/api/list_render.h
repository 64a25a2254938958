/* SPDX-License-Identifier: MIT */
/*
 * Rows of torrents as JSON, a slice at a time: all of them, or what has changed.
 *
 * Who keeps a list is told in columns what is new, and of the rest the fields that belong to a
 * group that changed; whoever went is a number.  For the http actor's thread.
 */
#ifndef HTTP_API_LIST_RENDER_H
#define HTTP_API_LIST_RENDER_H

#include "actors/msg/msg.h"
#include "proto/base/json_out.h"

/* Where somebody is: an epoch, and a revision in it. */
struct list_point {
	uint64_t epoch, rev;
};

struct list_wish {
	uint32_t fields;        /* bits of list_fields.def; `n` is always among them */
	bool delta;             /* what has changed after `seen`, */
	struct list_point seen; /* or a list to begin with */
	bool more;              /* not its first page: true to the revision of seen */
	bool no_next;           /* leaves out where the next page begins */
};

struct list_render {
	uint32_t magic;
	const struct m_torrent_rows *rows; /* borrowed while it renders */
	struct list_wish wish;
	int64_t now;
	unsigned part; /* which list is next, */
	uint32_t i;    /* and which of its entries */
	uint32_t told; /* rows, changes and numbers that were written */
};

/* All fields. */
#define LIST_FIELDS_ALL UINT32_MAX

/* Names of fields, a comma between two, into *fields.  E_NOT_FOUND: *bad is a name that is not
 * known; E_MISSING: there is none. */
enum err list_fields(uint32_t *fields, const char *names, struct slice *bad);
/* "<16 hex digits>.<revision>", and with `from` another number behind a point; false: it is
 * something else. */
bool list_point_read(const char *, struct list_point *, uint32_t *from);

/* A row's fields as members of the object that is open. */
void list_put_row(struct json_out *, const struct torrent_row *);

/* now: wall clock, seconds. */
void list_render_init(
	struct list_render *, const struct m_torrent_rows *, const struct list_wish *, int64_t now);
/* Writes until the text has grown by `bytes` or a little more; true: it is complete. */
bool list_render_some(struct list_render *, struct json_out *, size_t bytes);
/* Bytes at the begin of the text that change with the clock. */
size_t list_render_varying(int64_t now);

#endif
