/* SPDX-License-Identifier: MIT */
/*
 * torrent-get: which fields are asked for, and torrents written with them, a slice at a time.
 *
 * Written of snapshots, so that it can be looked at without a session.  For the http actor's
 * thread.
 */
#ifndef HTTP_TRANSMISSION_GET_H
#define HTTP_TRANSMISSION_GET_H

#include "actors/msg/msg.h"
#include "proto/base/json_out.h"

#define GET_MAGIC      0x54474554u
#define GET_FIELDS_MAX 128u

/* What values need besides the torrent. */
struct get_scene {
	bool snake;          /* the JSON-RPC dialect */
	int64_t now;         /* seconds since 1970 */
	uint32_t peer_limit; /* of one torrent */
	int64_t seed_ratio;  /* thousandths, as configured; 0: none */
	int64_t seed_idle;   /* seconds, likewise */
};

struct get_row {
	const struct torrent_view *t; /* borrowed from one of the views */
	int64_t id;
	int64_t active; /* seconds since 1970; 0: never in this run */
};

struct get {
	uint32_t magic;
	struct get_scene scene;
	uint8_t fields[GET_FIELDS_MAX]; /* places in the table, in the order asked for */
	unsigned fields_n;
	bool table;           /* rows are lists, of which the first has the names */
	struct get_row *rows; /* owned */
	uint32_t rows_n, rows_room;
	bool recent;      /* with the numbers of those removed */
	int64_t *removed; /* owned */
	uint32_t removed_n, removed_room;
	uint32_t row;   /* which one is next, */
	unsigned field; /* at which of its fields, */
	uint32_t item;  /* and of a list at which entry plus one; 0: before the list */
	bool begun;
};

/* By either of its names; false: there is none, or it is there already. */
bool get_add_field(struct get *, const char *name);
/* What the snapshots must have: enum view_part, or-ed. */
unsigned get_parts(const struct get *);
/* Writes members of an object until the text is `end` bytes or a little more; true: all are there.
 */
bool get_some(struct get *, struct json_out *, size_t end);
void get_free(struct get **);

#endif
