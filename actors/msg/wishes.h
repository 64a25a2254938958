/* SPDX-License-Identifier: MIT */
/*
 * What a person wishes of a torrent, and what peers, store and database have to know of it.
 *
 * It travels as a whole from the request to the database and to the peers, so that one more wish is
 * a field here and four lines in wishes.c, and the places that set it, show it and act upon it.
 * Zeros are the wishes of who wishes for nothing.
 */
#ifndef ACTORS_MSG_WISHES_H
#define ACTORS_MSG_WISHES_H

#include "actors/msg/label.h"
#include "proto/base/base.h"

/* Message stream encryption; the others are those of peers.encryption, in its order. */
enum wish_encryption {
	WISH_ENCRYPTION_AS_CONFIGURED,
	WISH_ENCRYPTION_OFF,
	WISH_ENCRYPTION_TOLERATED,
	WISH_ENCRYPTION_PREFERRED,
	WISH_ENCRYPTION_REQUIRED,
};

/* Whether strangers may be told that the torrent exists; see proto/peerlist/source.h. */
enum discreet {
	DISCREET_OFF,
	DISCREET_UNTIL_KNOWN, /* until the metainfo says that it is no private one */
	DISCREET_ON
};

#define LABEL_MAX  100u /* bytes */
#define LABELS_MAX 50u

struct wishes {
	uint64_t down_limit, up_limit; /* B/s, 0: unlimited */
	uint8_t *file_priority;        /* owned, one a file, 0 (skip) to 7 as the picker's; NULL:
					  all normal */
	uint32_t file_priority_n;      /* 0 with NULL */
	bool sequential;               /* lowest piece first */
	bool first_last;               /* first and last pieces of each file before the others */
	enum wish_encryption encryption;
	struct label
		*labels; /* reference: words that people sort torrents by, one a line; NULL: none
			  */
	enum discreet discreet; /* not off: peers from its trackers and from people alone */
};

/* No wishes; what *w held before is not looked at. */
void wishes_init(struct wishes *w);
/* *to, which holds nothing, becomes a copy that owns its own. */
void wishes_copy(struct wishes *to, const struct wishes *from);
/* *to, which holds nothing, takes over what *from has; *from has no wishes afterwards. */
void wishes_move(struct wishes *to, struct wishes *from);
/* Frees what is owned; no wishes afterwards. */
void wishes_fini(struct wishes *w);
/*
 * One more label, of n bytes, behind those of *text (owned by the caller; NULL: none); what is
 * there already stays as it is.  E_SYNTAX: it is empty, or has a comma, a control or what is no
 * UTF-8; E_TOO_BIG: it is longer than LABEL_MAX, or there are LABELS_MAX.
 */
enum err wishes_add_label(char **text, const char *label, size_t n);
/*
 * What comes of labels, as in struct wishes or NULL, by a change of which `by` are the words: those
 * alone, those too as far as there is room, or all but those.  Owned by the caller; NULL: none.
 */
enum label_change { LABELS_SET, LABELS_ADD, LABELS_TAKE };
char *wishes_change_labels(const char *now, const char *by, enum label_change);
bool wishes_equal(const struct wishes *a, const struct wishes *b);
/* Whether both mean the same priority for every file. */
bool wishes_same_files(const struct wishes *a, const struct wishes *b);

#endif
