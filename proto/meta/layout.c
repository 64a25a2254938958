/* SPDX-License-Identifier: MIT */
/* Where bytes are: the arithmetic between content, pieces, blocks and files. */
#include "proto/meta/layout.h"

struct layout layout_of(uint64_t size, uint32_t piece_length)
{
	must(size > 0 && size <= METAINFO_SIZE_MAX);
	must(piece_length > 0 && piece_length <= METAINFO_PIECE_MAX);
	uint64_t pieces = (size + piece_length - 1) / piece_length;

	must(pieces <= UINT32_MAX);
	return (struct layout){size, piece_length, (uint32_t)pieces};
}

bool layout_request_ok(
	const struct layout *l, uint32_t piece, uint32_t begin, uint32_t len, uint32_t max_len)
{
	if (piece >= l->pieces || len == 0 || len > max_len)
		return false;
	return (uint64_t)begin + len <= layout_piece_size(l, piece);
}

/*
 * The last file that starts at or before the offset.  Of files that share a start all but the last
 * are empty, and an empty file behind everything starts at m->size, which no offset reaches.
 */
uint32_t layout_file_at(const struct metainfo *m, uint64_t offset)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	uint32_t low = 0, high = m->files_n;

	must(offset < m->size);
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (m->files[mid].offset <= offset)
			low = mid;
		else
			high = mid;
	}
	return low;
}

bool layout_file_pieces(
	const struct metainfo *m, uint32_t file, uint32_t *first_piece, uint32_t *last_piece)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	must(file < m->files_n);
	const struct metainfo_file *f = &m->files[file];

	if (f->length == 0)
		return false;
	*first_piece = (uint32_t)(f->offset / m->piece_length);
	*last_piece = (uint32_t)((f->offset + f->length - 1) / m->piece_length);
	return true;
}

struct span_iter span_iter_of(const struct metainfo *m, uint64_t offset, uint64_t len)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	must(offset <= m->size && len <= m->size - offset);
	return (struct span_iter){
		.m = m,
		.offset = offset,
		.left = len,
		.file = len > 0 ? layout_file_at(m, offset) : 0,
	};
}

bool span_next(struct span_iter *it, struct file_span *span)
{
	const struct metainfo_file *f;

	if (it->left == 0)
		return false;
	while (it->m->files[it->file].length == 0)
		it->file++;
	f = &it->m->files[it->file];
	span->file = it->file++;
	span->file_offset = it->offset - f->offset;
	span->length = MIN(it->left, f->length - span->file_offset);
	span->pad = f->pad;
	it->offset += span->length;
	it->left -= span->length;
	return true;
}

struct file_span layout_unit(const struct metainfo *m, uint32_t piece, uint32_t file)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	must(piece < m->pieces && file < m->files_n);
	const struct metainfo_file *f = &m->files[file];
	uint64_t begin = (uint64_t)piece * m->piece_length;
	uint64_t from = MAX(begin, f->offset);
	uint64_t to = MIN(begin + m->piece_length, f->offset + f->length);

	must(from < to);
	return (struct file_span){
		.file = file,
		.file_offset = from - f->offset,
		.length = to - from,
		.pad = f->pad,
	};
}

/* Where the file's last unit ends; an empty one ends where its first byte would be. */
static uint64_t end_in_part(const struct metainfo *m, uint32_t file)
{
	const struct metainfo_file *f = &m->files[file];
	uint64_t last = f->offset + f->length - (f->length > 0 ? 1 : 0);

	return layout_part_offset(m, (uint32_t)(last / m->piece_length), file, f->length);
}

bool layout_part_find(const struct metainfo *m, uint64_t at, uint32_t *piece, uint32_t *file)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	uint32_t low = 0, high = m->files_n, first = 0, last = 0;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (end_in_part(m, mid) > at)
			high = mid;
		else
			low = mid + 1;
	}
	while (low < m->files_n && !layout_file_pieces(m, low, &first, &last))
		low++;
	if (low == m->files_n)
		return false;
	uint64_t shift = low * LAYOUT_PART_GAP;
	uint64_t p = at > shift ? (at - shift) / (m->piece_length + LAYOUT_PART_GAP) : 0;

	*file = low;
	*piece = (uint32_t)MIN(MAX(p, first), last);
	struct file_span s = layout_unit(m, *piece, low);

	if (layout_part_offset(m, *piece, low, s.file_offset + s.length) <= at)
		(*piece)++;
	must(*piece <= last);
	return true;
}
