/* SPDX-License-Identifier: MIT */
/* A look at what a link or a .torrent file is, before anything of it is added. */
#ifndef ACTORS_MSG_PREVIEW_H
#define ACTORS_MSG_PREVIEW_H

#include "actors/kernel/message.h"
#include "actors/msg/record.h"

/* So many are kept, each until nobody has looked at it for five minutes. */
#define PREVIEWS_MAX 8u

enum preview_state {
	PREVIEW_RESOLVING, /* its metainfo is being fetched */
	PREVIEW_READY,
	PREVIEW_FAILED
};

enum preview_source { PREVIEW_FILE, PREVIEW_LINK };

/* PREVIEW_ADD: source and body in, all else but `id` is the reply; PREVIEW_VIEW: of that id;
 * PREVIEW_DROP: that one. */
struct m_preview {
	struct msg h;
	enum preview_source source;
	uint8_t *body; /* owned: the .torrent, or the magnet link or info-hash */
	size_t body_n;
	uint64_t id;
	/* reply; E_NOT_FOUND: there is none of that id; E_OVERLOAD: all that there are, are being
	 * looked at; E_SYNTAX: it is no such thing, and words */
	enum preview_state state;
	enum err failure; /* PREVIEW_FAILED, with words: E_SYNTAX, E_NOT_FOUND (it was removed) */
	struct words why;
	bool duplicate;           /* a torrent of that info-hash was there before */
	struct metainfo *meta;    /* owned reference; bare while it resolves */
	uint32_t known, answered; /* peers: addresses, and how many are connected */
};

#endif
