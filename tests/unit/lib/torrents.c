/* SPDX-License-Identifier: MIT */
/* Parsing of torrents that tests have as literals. */
#include "tests/unit/lib/torrents.h"

enum err parse_copy(struct slice in, struct metainfo **m, struct parse_error *pe)
{
	uint8_t *copy = malloc(in.n > 0 ? in.n : 1);
	enum err e;

	assert_non_null(copy);
	if (in.n > 0)
		memcpy(copy, in.p, in.n);
	e = metainfo_parse(copy, in.n, m, pe);
	free(copy);
	return e;
}

/* What every metainfo keeps, whatever it was made from. */
static void check_metainfo(const struct metainfo *m)
{
	uint64_t at = 0;

	assert_true(m->size > 0 && m->files_n > 0 && m->infohash.has_v1);
	assert_int_equal(m->pieces, (m->size + m->piece_length - 1) / m->piece_length);
	assert_true(path_relative_ok(m->name));
	for (uint32_t i = 0; i < m->files_n; i++) {
		assert_true(path_relative_ok(m->files[i].path));
		assert_true(m->files[i].offset == at);
		at += m->files[i].length;
	}
	assert_true(at == m->size);
}

struct metainfo *parse_good(struct slice in)
{
	struct metainfo *m;
	struct parse_error pe;

	if (parse_copy(in, &m, &pe) != E_OK)
		fail_msg("%s at %zu: %.*s", pe.what, pe.offset, (int)MIN(in.n, (size_t)200),
			(const char *)in.p);
	check_metainfo(m);
	return m;
}
