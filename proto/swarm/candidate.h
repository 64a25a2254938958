/* SPDX-License-Identifier: MIT */
/*
 * An info dictionary of a claimed size, on its way in piece by piece (BEP 9).
 *
 * The size is a stranger's word: nothing is allocated by it.  A place is made for a piece when it
 * is first asked for, its bytes when they have come, and only while the budget that all share has
 * room.  Pieces are hashed in order as they come, so that the verdict costs no walk at the end.
 *
 * One owner.  Senders are names that are never used for somebody else.
 */
#ifndef PROTO_SWARM_CANDIDATE_H
#define PROTO_SWARM_CANDIDATE_H

#include "proto/base/base.h"
#include "proto/meta/hash.h"
#include "proto/swarm/smartban.h"
#include "proto/wire/ext_metadata.h"

/* Bytes of strangers' words that all who share it hold before anything is verified. */
struct byte_budget {
	uint64_t used, max;
};

#define CANDIDATE_ASKERS 3u /* peers that one piece is asked of, in the end */

struct candidate {
	uint32_t size;   /* bytes; 0: this place is free */
	uint32_t pieces; /* of it */
	struct slot {
		uint8_t *data; /* owned; NULL: it has not come */
		uint32_t from; /* who sent it */
		uint8_t asked; /* of so many peers */
	} * slot;              /* owned; of the pieces that were ever asked for */
	uint32_t slots_n, slots_room;
	uint32_t have;              /* pieces */
	uint32_t hashed;            /* pieces, from the first on */
	struct hasher *hasher;      /* owned */
	struct byte_budget *budget; /* borrowed; NULL: no bound */
	int64_t began_at, moved_at; /* us: made; a piece came */
};

void candidate_begin(struct candidate *, uint32_t size, struct byte_budget *, int64_t now);
void candidate_end(struct candidate *);   /* the place is free */
void candidate_clear(struct candidate *); /* no piece has come, who was asked stays asked */

/*
 * The piece that is best asked for next: one that nobody was asked for, else of those that few were
 * the first.  `skip`, skip_n: pieces this peer is asked for already.  false: there is none.
 */
bool candidate_pick(struct candidate *, const uint32_t *skip, unsigned skip_n, uint32_t *piece);
void candidate_asked(struct candidate *, uint32_t piece); /* which candidate_pick() gave */
void candidate_void(struct candidate *, uint32_t piece);  /* that request will not be answered */

/* A piece has come.  false: it is here already, of the wrong length, or there is no memory for it
 * now. */
bool candidate_put(
	struct candidate *, uint32_t piece, struct slice data, uint32_t from, int64_t now);
static inline bool candidate_whole(const struct candidate *c)
{
	return c->hashed == c->pieces;
}
/* Of one that is whole; to be asked once. */
bool candidate_verify(struct candidate *, const uint8_t infohash[HASH_SHA1_SIZE]);
uint8_t *candidate_bytes(const struct candidate *); /* size of them; the caller owns them */
/* Who sent all of a whole one; SMARTBAN_NOBODY: several did. */
uint32_t candidate_sole_sender(const struct candidate *);
/* Notes who sent what. */
void candidate_note(const struct candidate *, struct smartban *);

#endif
