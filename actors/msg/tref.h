/* SPDX-License-Identifier: MIT */
/* References to torrents. */
#ifndef ACTORS_MSG_TREF_H
#define ACTORS_MSG_TREF_H

#include "proto/base/base.h"

/*
 * Which torrent, everywhere but in `session` and the database.  A slot is used again, its
 * generation tells the old torrent from the new one; what carries a stale reference is dropped.
 */
struct tref {
	uint32_t slot;
	uint16_t gen;
	uint8_t shard; /* instance of PEERS that has it */
};

static inline bool tref_equal(struct tref a, struct tref b)
{
	return a.slot == b.slot && a.gen == b.gen;
}

/* Which worker hashes a piece; the same everywhere, so that a piece has one owner. */
static inline unsigned tref_worker(struct tref t, uint32_t piece, unsigned workers)
{
	return (t.slot * 7u + piece) % workers;
}

#endif
