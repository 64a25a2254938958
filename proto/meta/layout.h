/* SPDX-License-Identifier: MIT */
/*
 * Where bytes are: the arithmetic between content, pieces, blocks and files.
 *
 * Pure numbers, for torrents from 1 byte to 16 TiB.  Any thread.
 */
#ifndef PROTO_META_LAYOUT_H
#define PROTO_META_LAYOUT_H

#include "proto/base/base.h"
#include "proto/meta/metainfo.h"

struct layout {
	uint64_t size;         /* bytes of content, at least 1 */
	uint32_t piece_length; /* bytes, at least 1; the last piece may be shorter */
	uint32_t pieces;
};

/* size and piece_length within the limits of metainfo.h. */
struct layout layout_of(uint64_t size, uint32_t piece_length);

static inline struct layout layout_of_metainfo(const struct metainfo *m)
{
	return (struct layout){m->size, m->piece_length, m->pieces};
}

/* Offset in the content of a byte of a piece; begin <= the piece's size. */
static inline uint64_t layout_offset(const struct layout *l, uint32_t piece, uint32_t begin)
{
	return (uint64_t)piece * l->piece_length + begin;
}

/* Bytes; the index is in range. */
static inline uint32_t layout_piece_size(const struct layout *l, uint32_t piece)
{
	must(piece < l->pieces);
	uint64_t left = l->size - (uint64_t)piece * l->piece_length;

	return left < l->piece_length ? (uint32_t)left : l->piece_length;
}

static inline uint32_t layout_blocks_in_piece(const struct layout *l, uint32_t piece)
{
	return (layout_piece_size(l, piece) + BLOCK_SIZE - 1) / BLOCK_SIZE;
}

/* Bytes of a block (BLOCK_SIZE but for the piece's last); the indices are in range. */
static inline uint32_t layout_block_size(const struct layout *l, uint32_t piece, uint32_t block)
{
	uint32_t size = layout_piece_size(l, piece);

	must(block < (size + BLOCK_SIZE - 1) / BLOCK_SIZE);
	return MIN(size - block * BLOCK_SIZE, BLOCK_SIZE);
}

/*
 * Whether a stranger's request (BEP 3, "request") lies inside a piece and asks for 1 to max_len
 * bytes. Takes any numbers.
 */
bool layout_request_ok(
	const struct layout *l, uint32_t piece, uint32_t begin, uint32_t len, uint32_t max_len);

/* Index of the file that holds the byte at offset < m->size; never a file of length 0. */
uint32_t layout_file_at(const struct metainfo *m, uint64_t offset);

/* First and last piece that hold bytes of a file.  False, and neither set, for a file of length 0.
 */
bool layout_file_pieces(
	const struct metainfo *m, uint32_t file, uint32_t *first_piece, uint32_t *last_piece);

/* A run of content inside one file. */
struct file_span {
	uint32_t file;        /* index into m->files */
	uint64_t file_offset; /* bytes */
	uint64_t length;      /* bytes, at least 1 */
	bool pad;             /* the file's: nothing on disk, zeros */
};

/* Walks the spans of a range of content, in order; files of length 0 have none. */
struct span_iter {
	const struct metainfo *m; /* borrowed */
	uint64_t offset, left;
	uint32_t file;
};

/*
 * The part file of a torrent holds what pieces have of files that are not wanted: see
 * actors/worker_part.c.
 *
 * A unit is what one piece has of one file.  In the part file a unit lies at its offset in the
 * content plus a gap for every border of a piece or file before it: so its place needs no index,
 * and no two units share a page of the file system.  Whether a unit is there is then the file
 * system's to say.
 */
#define LAYOUT_PART_GAP (UINT64_C(64) << 10)

/* What a piece has of a file; they do overlap. */
struct file_span layout_unit(const struct metainfo *m, uint32_t piece, uint32_t file);

/* Where a byte of the file, or the end of a unit, lies in the part file. */
static inline uint64_t layout_part_offset(
	const struct metainfo *m, uint32_t piece, uint32_t file, uint64_t file_offset)
{
	return m->files[file].offset + file_offset + ((uint64_t)piece + file) * LAYOUT_PART_GAP;
}

/* The first unit that ends behind offset `at` of the part file; false when there is none. */
bool layout_part_find(const struct metainfo *m, uint64_t at, uint32_t *piece, uint32_t *file);

/* offset + len <= m->size; len may be 0. */
struct span_iter span_iter_of(const struct metainfo *m, uint64_t offset, uint64_t len);
bool span_next(struct span_iter *it, struct file_span *span);

#endif
