/* SPDX-License-Identifier: MIT */
/* What is wanted of a torrent: arithmetic between files and pieces. */
#include "proto/meta/wanted.h"

#include "proto/base/priority.h"
#include "proto/meta/layout.h"

static void raise_range(uint8_t *out, uint32_t first, uint32_t last, uint8_t priority)
{
	for (uint32_t i = first; i <= last; i++)
		out[i] = MAX(out[i], priority);
}

void wanted_pieces(
	const struct metainfo *m, const uint8_t *file_priority, bool first_last, uint8_t *out)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	uint8_t priority = file_priority != NULL ? PRIORITY_SKIP : PRIORITY_NORMAL;
	uint32_t first, last;

	memset(out, PRIORITY_SKIP, m->pieces);
	for (uint32_t i = 0; i < m->files_n; i++) {
		const struct metainfo_file *f = &m->files[i];
		if (!f->pad)
			priority =
				file_priority != NULL ? file_priority[i] : (uint8_t)PRIORITY_NORMAL;
		if (priority == PRIORITY_SKIP || !layout_file_pieces(m, i, &first, &last))
			continue;
		if (!first_last) {
			raise_range(out, first, last, priority);
			continue;
		}
		raise_range(out, first, last, MIN(priority, PRIORITY_TOP - 1));
		if (!f->pad)
			out[first] = out[last] = PRIORITY_TOP;
	}
}

static uint64_t left_of_all(const struct metainfo *m, const struct bitfield *have)
{
	struct layout l = layout_of_metainfo(m);
	uint64_t got = (uint64_t)have->count * m->piece_length;

	if (bitfield_get(have, m->pieces - 1))
		got = got - m->piece_length + layout_piece_size(&l, m->pieces - 1);
	return m->size - got;
}

uint64_t wanted_left(
	const struct metainfo *m, const uint8_t *file_priority, const struct bitfield *have)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	struct layout l = layout_of_metainfo(m);
	uint64_t sum = 0;
	uint8_t *pieces;

	if (file_priority == NULL)
		return have != NULL ? left_of_all(m, have) : m->size;
	pieces = xcalloc(m->pieces, 1);
	wanted_pieces(m, file_priority, false, pieces);
	for (uint32_t i = 0; i < m->pieces; i++)
		if (pieces[i] != PRIORITY_SKIP && (have == NULL || !bitfield_get(have, i)))
			sum += layout_piece_size(&l, i);
	xfree(pieces);
	return sum;
}

uint64_t wanted_file_done(const struct metainfo *m, uint32_t file, const uint8_t *have_bits)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	const struct metainfo_file *f = &m->files[file];
	uint64_t done = 0;
	uint32_t first, last;

	if (!layout_file_pieces(m, file, &first, &last))
		return 0;
	for (uint32_t i = first; i <= last; i++) {
		uint64_t from = (uint64_t)i * m->piece_length;
		uint64_t to = MIN(from + m->piece_length, f->offset + f->length);
		if ((have_bits[i / 8] & (0x80u >> (i % 8))) != 0)
			done += to - MAX(from, f->offset);
	}
	return done;
}
