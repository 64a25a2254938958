/* SPDX-License-Identifier: MIT */
/*
 * One source of the blocklist: where its ranges come from, the last good ones, and how the last
 * attempt went.
 *
 * It is told what was read or fetched; what is no list changes nothing but the words that say so.
 * It logs what becomes of it.  The blocklist's own thread; one owner.
 */
#ifndef ACTORS_BLOCKLIST_ORIGIN_H
#define ACTORS_BLOCKLIST_ORIGIN_H

#include "actors/msg/blocked.h"

#define ORIGIN_PACKED_MAX   (64u << 20)  /* bytes of a file or a body, as it comes */
#define ORIGIN_UNPACKED_MAX (256u << 20) /* of what gzip makes of it */

struct origin {
	uint32_t magic;
	char *text;  /* owned: as it is configured */
	char *shown; /* owned: the same without what may be a secret of the user's */
	bool is_url;
	bool kept;       /* its ranges lie on the shelf */
	uint8_t *packed; /* owned: its ranges, by blocklist_pack(); NULL: there were none yet */
	size_t packed_n;
	uint32_t ranges; /* of these, as they were counted */
	uint32_t bad, bad_line;
	int64_t updated;   /* seconds since 1970: when these came; 0: never */
	int64_t tried;     /* likewise: the last attempt */
	int64_t due;       /* us: the next one; INT64_MAX: when somebody asks for it */
	unsigned failures; /* attempts without a list since the last good one */
	char error[192];   /* words of the last attempt; empty: it went well */
};

struct origin *origin_new(const char *text);
void origin_free(struct origin **);

/* Reads its file.  true: it has other ranges than before. */
bool origin_read(struct origin *);
/* What has come of it, plain or packed by gzip.  true: it has other ranges than before. */
bool origin_take(struct origin *, const uint8_t *p, size_t n);
/* Nothing has come, and why. */
void origin_fail(struct origin *, const char *why);

/* Takes what lies on the shelf (shelf.h), and lays there what it has. */
void origin_unshelve(struct origin *, const char *dir);
void origin_shelve(struct origin *, const char *dir);

/* When it is due after an attempt at `now` (us), with updates so far apart (us; 0: none). */
void origin_rest(struct origin *, int64_t now, int64_t every);

void origin_view(const struct origin *, struct blocklist_source_view *out);

#endif
