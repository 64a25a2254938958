/* SPDX-License-Identifier: MIT */
/*
 * What is wanted of a torrent: the priorities of its files as priorities of its pieces.
 *
 * A piece is as important as the most important file it touches, so a wanted file may need pieces
 * that are mostly a skipped one's.  A pad file (BEP 47) counts with the file before it.
 *
 * file_priority is everywhere one byte a file, 0 (skip) to PRIORITY_TOP, or NULL: all are
 * normal.  Any thread.
 */
#ifndef PROTO_META_WANTED_H
#define PROTO_META_WANTED_H

#include "proto/base/bitfield.h"
#include "proto/meta/metainfo.h"

/*
 * Fills out[0, pieces).  first_last: the first and the last piece of each wanted file get the top
 * priority, and nothing else does.  O(pieces + files).
 */
void wanted_pieces(
	const struct metainfo *, const uint8_t *file_priority, bool first_last, uint8_t *out);

/*
 * Bytes of wanted pieces that `have` lacks, NULL: of all wanted pieces.  With no priorities it is
 * what BEP 3, "tracker request", calls left, of the whole torrent.  O(1) while all files are
 * wanted, else O(pieces + files).
 */
uint64_t wanted_left(
	const struct metainfo *, const uint8_t *file_priority, const struct bitfield *have);

/* Verified bytes of a file.  O(its pieces). */
uint64_t wanted_file_done(const struct metainfo *, uint32_t file, const uint8_t *have_bits);

#endif
