/* SPDX-License-Identifier: MIT */
/*
 * Labels that are known whether a torrent has them or not: tags, and categories, which have a
 * directory.  Messages to the database; as in msg.h.
 */
#ifndef ACTORS_MSG_NAMES_H
#define ACTORS_MSG_NAMES_H

#include "actors/kernel/message.h"

/* So many are kept. */
#define NAMES_MAX 4096u

enum name_kind {
	NAME_NONE, /* it is no longer known */
	NAME_TAG,
	NAME_CATEGORY,
};

struct name_record {
	char *name; /* owned: as a label (wishes_add_label()) */
	enum name_kind kind;
	char *path; /* owned: of a category, where its torrents are put; NULL: as all others */
};

/* The caller owns the list. */
void names_free(struct name_record *, uint32_t n);

/* What is from now on; the others stay.  Or, with none, all that there are. */
struct m_state_names {
	struct msg h;
	struct name_record *list; /* owned; of STATE_NAMES_LOAD the reply */
	uint32_t n;
};

void m_state_names_fini(struct m_state_names *);

#endif
