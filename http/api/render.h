/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of torrents as JSON, a slice at a time.
 *
 * An answer may be of any length (every file of every torrent), and whoever else asks must not wait
 * for it: render_some() writes about as much as it is told to and is called again.  For the http
 * actor's thread.
 */
#ifndef HTTP_API_RENDER_H
#define HTTP_API_RENDER_H

#include "actors/msg/msg.h"
#include "proto/base/json_out.h"

/* What is shown. */
struct render_wish {
	uint64_t fields; /* bits of fields.def; 0: all but those whose part is not wanted */
	bool files;      /* with the files; not looked at when fields are named */
	bool bitfields;  /* of torrents and peers */
	bool legacy;     /* api.legacy_names */
};

struct render {
	uint32_t magic;
	const struct m_torrent_view *view; /* borrowed while it renders */
	struct render_wish wish;
	struct json_out *out; /* borrowed while render_some() runs */
	int64_t now;
	bool begun;
	uint32_t torrent; /* which one is next, */
	unsigned field;   /* at which of its fields, */
	uint32_t item;    /* and of a list at which entry plus one; 0: before the list */
	bool done;
};

/*
 * Names of fields, a comma between two, into wish->fields.  E_NOT_FOUND: *bad is a name that is not
 * known; E_MISSING: there is none.
 */
enum err render_fields(struct render_wish *, const char *names, struct slice *bad);
/* What the snapshot must have for it: enum view_part, or-ed. */
unsigned render_parts(const struct render_wish *);

/* A view of all torrents, or of one.  now: wall clock, seconds. */
void render_init(
	struct render *, const struct m_torrent_view *, const struct render_wish *, int64_t now);
/* Writes until the text has grown by `bytes` or a little more; true: it is complete. */
bool render_some(struct render *, struct json_out *, size_t bytes);
/* Bytes at the begin of the text that change with the clock. */
size_t render_varying(const struct m_torrent_view *);

/* Parts of a torrent that more than one view of it has: labels, one a line, as a list; the link, or
 * null; how a magnet is getting on, or null. */
void render_labels(struct json_out *, const char *text);
void render_moment(struct json_out *, int64_t unix_s); /* never (0) is null */
void render_magnet(struct json_out *, const struct torrent_view *);
void render_metadata(struct json_out *, const struct metadata_view *);
const char *render_priority(uint8_t priority); /* of a file: "skip", "low", "normal", "high" */

void render_health(struct json_out *o, const struct m_health *);
void render_counters(struct json_out *o, const struct m_counters *);

extern const char *const status_words[STATUS_MAX_];
/* By enum peer_source: "manual", "lsd", "tracker", "incoming", "dht", "pex". */
extern const char *const render_sources[PEER_SOURCES];
/* By enum wish_encryption; ends with NULL. */
extern const char *const encryption_words[];

#endif
