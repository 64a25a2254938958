/* SPDX-License-Identifier: MIT */
/* The arithmetic of pieces, blocks and files: tables at the edges, and a slow model of spans. */
#include "proto/meta/layout.h"
#include "tests/unit/lib/torrents.h"

static void test_sizes(void **unused)
{
	static const struct {
		uint64_t size;
		uint32_t piece_length, pieces, last_piece, last_blocks, last_block;
	} rows[] = {
		{1, 1, 1, 1, 1, 1},
		{1, METAINFO_PIECE_MAX, 1, 1, 1, 1},
		{16384, 16384, 1, 16384, 1, 16384},
		{16385, 16384, 2, 1, 1, 1},
		{16385, 32768, 1, 16385, 2, 1},
		{100, 7, 15, 2, 1, 2},
		{40000, 20000, 2, 20000, 2, 3616},
		{METAINFO_SIZE_MAX, 4u << 20, METAINFO_PIECES_MAX, 4u << 20, 256, 16384},
		{METAINFO_SIZE_MAX, METAINFO_PIECE_MAX, 131072, METAINFO_PIECE_MAX, 8192, 16384},
		{METAINFO_SIZE_MAX - METAINFO_PIECE_MAX + 1, METAINFO_PIECE_MAX, 131072, 1, 1, 1},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct layout l = layout_of(rows[i].size, rows[i].piece_length);
		uint32_t last = l.pieces - 1;

		assert_int_equal(l.pieces, rows[i].pieces);
		assert_int_equal(layout_piece_size(&l, last), rows[i].last_piece);
		assert_int_equal(layout_blocks_in_piece(&l, last), rows[i].last_blocks);
		assert_int_equal(
			layout_block_size(&l, last, rows[i].last_blocks - 1), rows[i].last_block);
		assert_true(layout_offset(&l, last, rows[i].last_piece) == l.size);
		if (last > 0)
			assert_int_equal(layout_piece_size(&l, 0), l.piece_length);
	}
}

static void test_requests(void **unused)
{
	struct layout l = layout_of(100000, 40000); /* the last piece has 20000 bytes */
	static const struct {
		uint32_t piece, begin, len;
		bool ok;
	} rows[] = {
		{0, 0, 16384, true},
		{0, 0, 1, true},
		{0, 0, 0, false},
		{0, 0, 16385, false},
		{0, 39999, 1, true},
		{0, 40000, 1, false},
		{0, 39999, 2, false},
		{0, 23616, 16384, true},
		{0, 23617, 16384, false},
		{2, 19999, 1, true},
		{2, 20000, 1, false},
		{2, 3616, 16384, true},
		{2, 3617, 16384, false},
		{3, 0, 1, false},
		{UINT32_MAX, 0, 1, false},
		{0, UINT32_MAX, 1, false},
		{0, UINT32_MAX, UINT32_MAX, false},
		{0, 1, UINT32_MAX, false},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(
			layout_request_ok(&l, rows[i].piece, rows[i].begin, rows[i].len, 16384),
			rows[i].ok);
	assert_true(layout_request_ok(&l, 0, 0, 40000, UINT32_MAX));
	assert_false(layout_request_ok(&l, 0, 1, UINT32_MAX, UINT32_MAX));
}

/* Empty files first, last, and two together; padding in between; 10 bytes, pieces of 4. */
static struct metainfo *make_torrent(void)
{
	return parse_good((struct slice)S(INFO("5:filesl" FILE_("0", "1:a") FILE_("3", "1:b") FILE_(
		"0", "1:c") FILE_("0", "1:d") "d4:attr1:p6:lengthi2e4:pathl1:pee" FILE_("5", "1:e")
			FILE_("0", "1:f") "e4:name1:n12:piece lengthi4e6:pieces60:" H H H)));
}

static const uint32_t file_of_byte[] = {1, 1, 1, 4, 4, 5, 5, 5, 5, 5};

static void test_file_at(void **unused)
{
	struct metainfo *m = make_torrent();

	(void)unused;
	for (uint32_t i = 0; i < ARRAY_LEN(file_of_byte); i++)
		assert_int_equal(layout_file_at(m, i), file_of_byte[i]);
	metainfo_unref(&m);
}

/* Every range, byte by byte. */
static void check_range(const struct metainfo *m, uint64_t offset, uint64_t len)
{
	struct span_iter it = span_iter_of(m, offset, len);
	struct file_span s;
	uint64_t at = offset;
	uint32_t last = UINT32_MAX;

	while (span_next(&it, &s)) {
		assert_true(s.length > 0);
		assert_int_not_equal(s.file, last);
		assert_int_equal(s.pad, s.file == 4);
		for (uint64_t i = 0; i < s.length; i++, at++) {
			assert_int_equal(s.file, file_of_byte[at]);
			assert_true(m->files[s.file].offset + s.file_offset + i == at);
		}
		last = s.file;
	}
	assert_true(at == offset + len);
	assert_false(span_next(&it, &s));
}

static void test_spans(void **unused)
{
	struct metainfo *m = make_torrent();

	(void)unused;
	for (uint64_t from = 0; from <= m->size; from++)
		for (uint64_t len = 0; len <= m->size - from; len++)
			check_range(m, from, len);
	metainfo_unref(&m);
}

static void test_file_pieces(void **unused)
{
	static const struct {
		bool any;
		uint32_t first, last;
	} want[] = {{false, 0, 0}, {true, 0, 0}, {false, 0, 0}, {false, 0, 0}, {true, 0, 1},
		{true, 1, 2}, {false, 0, 0}};
	struct metainfo *m = make_torrent();

	(void)unused;
	assert_int_equal(m->files_n, ARRAY_LEN(want));
	for (uint32_t i = 0; i < m->files_n; i++) {
		uint32_t first = 0, last = 0;

		assert_int_equal(layout_file_pieces(m, i, &first, &last), want[i].any);
		assert_int_equal(first, want[i].first);
		assert_int_equal(last, want[i].last);
	}
	metainfo_unref(&m);
}

/* Units are what spans of whole pieces are; they are far apart, and found from any place. */
static void test_units(void **unused)
{
	struct metainfo *m = make_torrent();
	uint64_t end = 0;

	(void)unused;
	for (uint32_t p = 0; p < m->pieces; p++) {
		struct layout l = layout_of_metainfo(m);
		struct span_iter it =
			span_iter_of(m, layout_offset(&l, p, 0), layout_piece_size(&l, p));
		struct file_span s, u;

		while (span_next(&it, &s)) {
			uint64_t from = layout_part_offset(m, p, s.file, s.file_offset);
			uint32_t piece = 99, file = 99;

			u = layout_unit(m, p, s.file);
			assert_true(u.file_offset == s.file_offset && u.length == s.length);
			assert_true(u.file == s.file && u.pad == s.pad);
			assert_true(end == 0 || from >= end + LAYOUT_PART_GAP);
			for (uint64_t at = end; at < from + s.length;
				at = at < from && at + 999 < from ? at + 999 : at + 1) {
				assert_true(layout_part_find(m, at, &piece, &file));
				assert_int_equal(piece, p);
				assert_int_equal(file, s.file);
			}
			end = from + s.length;
		}
	}
	assert_false(layout_part_find(m, end, &(uint32_t){0}, &(uint32_t){0}));
	assert_false(layout_part_find(m, UINT64_MAX / 2, &(uint32_t){0}, &(uint32_t){0}));
	metainfo_unref(&m);
}

static void test_of_metainfo(void **unused)
{
	struct metainfo *m = make_torrent();
	struct layout a = layout_of_metainfo(m), b = layout_of(m->size, m->piece_length);

	(void)unused;
	assert_true(a.size == b.size);
	assert_int_equal(a.pieces, b.pieces);
	assert_int_equal(a.piece_length, b.piece_length);
	metainfo_unref(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_file_at),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_file_pieces),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_of_metainfo),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
