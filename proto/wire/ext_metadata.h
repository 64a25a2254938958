/* SPDX-License-Identifier: MIT */
/*
 * The messages by which the info dictionary travels: extension message ut_metadata (BEP 9).
 *
 * What we send has just the three keys, in the order msg_type, piece, total_size, the integers
 * without anything behind them: some find the end of the dictionary as its first "ee".  What others
 * send may have other keys, in any order.  Pure; any thread.
 */
#ifndef PROTO_WIRE_EXT_METADATA_H
#define PROTO_WIRE_EXT_METADATA_H

#include "proto/base/base.h"
#include "proto/base/bytes.h"

#define METADATA_PIECE       16384u      /* bytes; the last one has the rest */
#define METADATA_SIZE_MAX    (32u << 20) /* bytes; the largest true one that is known of has 15 MB */
#define METADATA_HEAD_MAX    64u         /* bytes of a dictionary of ours */
#define METADATA_MESSAGE_MAX (17u << 10) /* bytes of a message that others send */

enum metadata_type { METADATA_REQUEST, METADATA_DATA, METADATA_REJECT, METADATA_UNKNOWN };

struct metadata_message {
	enum metadata_type type; /* UNKNOWN: of a kind that BEP 9 wants ignored */
	uint32_t piece;
	uint32_t total_size; /* bytes; 0: not said, or no size that could be */
	struct slice data;   /* DATA: borrowed from the payload */
};

/* How many pieces so many bytes have. */
static inline uint32_t metadata_pieces(uint32_t size)
{
	return size / METADATA_PIECE + (size % METADATA_PIECE != 0);
}

/* Bytes of a piece < metadata_pieces(size). */
static inline uint32_t metadata_piece_size(uint32_t size, uint32_t piece)
{
	return MIN(size - piece * METADATA_PIECE, METADATA_PIECE);
}

/*
 * payload is all after the extended id.  E_PROTOCOL: no dictionary, no kind, or a piece that no
 * metadata has; *m is then undefined.
 */
enum err ext_metadata_parse(struct slice payload, struct metadata_message *m);

/* The dictionary; total_size 0: left out.  METADATA_HEAD_MAX bytes are room enough. */
void ext_metadata_build(struct wr *w, enum metadata_type type, uint32_t piece, uint32_t total_size);

#endif
