/* SPDX-License-Identifier: MIT */
/*
 * Who sent the bad block of a piece whose hash did not match.
 *
 * A hash covers a piece, a piece comes from many peers.  Of every version of every block of a
 * failed piece a digest is kept with its sender; once the piece has come whole, the digest of each
 * good block is known, and whoever sent another one is guilty beyond doubt.  So is a peer that sent
 * two versions of one block.  Nobody else is.
 *
 * Bounded: SMARTBAN_PIECES pieces and SMARTBAN_NOTES blocks are remembered, the oldest piece goes
 * first.  Senders are numbers of the caller that are never used for somebody else.  One owner
 * thread.
 */
#ifndef PROTO_SWARM_SMARTBAN_H
#define PROTO_SWARM_SMARTBAN_H

#include "proto/base/base.h"

#define SMARTBAN_PIECES 64u
#define SMARTBAN_NOTES  65536u
/* At most so many names a verdict; more than one piece is ever sent by. */
#define SMARTBAN_NAMES 64u
/* A block that came from nobody who could be blamed: from disk. */
#define SMARTBAN_NOBODY UINT32_MAX

struct smartban;

/* Different senders. */
struct smartban_names {
	uint32_t v[SMARTBAN_NAMES];
	unsigned n;
};

struct smartban *smartban_new(void);
void smartban_free(struct smartban **bp);

/* The first eight bytes of SHA-1: a stranger must not be able to make a block with the digest of
 * another.  Any thread. */
uint64_t smartban_digest(const void *p, size_t n);

/* The piece has failed and did not pass since: digests of its blocks are wanted as they come. */
bool smartban_suspects(const struct smartban *b, uint32_t piece);
/* The latest version of this block, and who sent it. */
void smartban_note(
	struct smartban *b, uint32_t piece, uint32_t block, uint32_t who, uint64_t digest);
/* The hash was wrong.  Names who sent two versions of a block. */
void smartban_failed(struct smartban *b, uint32_t piece, struct smartban_names *guilty);
/*
 * The hash was right with the latest version of each block.  Names who had sent another version,
 * and who of the other senders is cleared by it.  The piece is forgotten.
 */
void smartban_passed(struct smartban *b, uint32_t piece, struct smartban_names *guilty,
	struct smartban_names *cleared);

uint32_t smartban_notes(const struct smartban *b); /* blocks remembered; for tests */

#endif
