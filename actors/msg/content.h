/* SPDX-License-Identifier: MIT */
/* The message that reads a torrent's content for people; as in msg.h. */
#ifndef ACTORS_MSG_CONTENT_H
#define ACTORS_MSG_CONTENT_H

#include "actors/kernel/actor.h"
#include "actors/msg/record.h"

/* A run of verified bytes; inside one piece, whose worker is asked. */
struct m_content {
	struct msg h;
	struct tref t;
	uint32_t piece, begin, length; /* bytes */
	uint8_t *data;                 /* owned: room for length bytes; filled in a good reply */
};

void m_content_fini(struct m_content *);

#endif
