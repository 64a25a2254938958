/* SPDX-License-Identifier: MIT */
/*
 * One torrent as JSON, from one side: an overview, its files, peers, trackers or pieces.
 *
 * A side is an object: some members, and of most sides one list, which may be long; so it is
 * written a slice at a time.  The same text answers a request and goes into a stream of events. For
 * the http actor's thread.
 */
#ifndef HTTP_API_ASPECT_H
#define HTTP_API_ASPECT_H

#include "actors/msg/msg.h"
#include "proto/base/json_out.h"

enum aspect {
	ASPECT_OVERVIEW,
	ASPECT_FILES,
	ASPECT_PEERS,
	ASPECT_TRACKERS,
	ASPECT_PIECES,
	ASPECTS
};

#define PIECE_BUCKETS_USUAL 512u
#define PIECE_BUCKETS_MOST  4096u

/* Compared as bytes: it begins as zeros. */
struct aspect_wish {
	enum aspect of;
	uint32_t fields;  /* of files: bits of file_fields.def */
	uint32_t buckets; /* of pieces: at most so many, from 1 */
	bool full;        /* of pieces: each, as run lengths */
};

#define FILE_FIELDS_ALL UINT32_MAX

struct aspect_render {
	uint32_t magic;
	const struct torrent_view *view; /* borrowed while it renders */
	struct aspect_wish wish;
	bool begun;
	uint32_t i; /* which entry of the list is next */
};

/* By enum aspect; ends with NULL. */
extern const char *const aspect_words[];
/* What the view must have for it: enum view_part, or-ed. */
unsigned aspect_parts(enum aspect);
/* Names of fields, a comma between two, into *fields.  E_NOT_FOUND: *bad is a name that is not
 * known; E_MISSING: there is none. */
enum err aspect_file_fields(uint32_t *fields, const char *names, struct slice *bad);

void aspect_init(struct aspect_render *, const struct torrent_view *, const struct aspect_wish *);
/* Writes until the text has grown by `bytes` or a little more; true: it is complete. */
bool aspect_some(struct aspect_render *, struct json_out *, size_t bytes);

/* --- the sides; only aspect.c calls them --- */

/* Members before the list. */
typedef void aspect_head_f(
	struct json_out *, const struct torrent_view *, const struct aspect_wish *);
/* Writes at least one entry from *i on, and moves *i behind what it wrote. */
typedef void aspect_item_f(
	struct json_out *, const struct torrent_view *, const struct aspect_wish *, uint32_t *i);

aspect_head_f aspect_overview;
aspect_item_f aspect_file;
aspect_item_f aspect_peer;
aspect_item_f aspect_tracker;
uint32_t aspect_trackers_n(const struct torrent_view *);
aspect_head_f aspect_pieces;
aspect_item_f aspect_piece_run; /* runs of pieces in the same state */

#endif
