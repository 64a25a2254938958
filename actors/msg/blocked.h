/* SPDX-License-Identifier: MIT */
/*
 * The payloads of the blocklist's messages, and what people are shown of it.
 *
 * "owned" means that the destructor of the message frees it (msg.c).
 */
#ifndef ACTORS_MSG_BLOCKED_H
#define ACTORS_MSG_BLOCKED_H

#include "actors/kernel/actor.h"
#include "proto/blocklist/blocklist.h"

/* The list from now on. */
struct m_blocklist {
	struct msg h;
	const struct blocklist *list; /* owned reference; NULL: there is none */
};

/* Where a part of the blocklist comes from. */
struct blocklist_source_view {
	char *source;                         /* owned: without what may be a secret */
	uint32_t ranges, bad_lines, bad_line; /* bad_line: the first of them */
	int64_t updated, tried;               /* seconds since 1970; 0: never */
	char error[192];                      /* of the last attempt; empty: it went well */
};

struct m_blocklist_view {
	struct msg h;
	/* reply */
	bool enabled;
	bool updating; /* sources are being read, or will be at once */
	uint32_t ranges;
	uint64_t bytes;                        /* of memory that the list has */
	uint64_t refused;                      /* addresses that were not talked to because of it */
	int64_t made;                          /* seconds since 1970: when the list was; 0: never */
	char error[192];                       /* why it is not the newest; empty: it is */
	struct blocklist_source_view *sources; /* owned */
	uint32_t sources_n;
};

#endif
