/* SPDX-License-Identifier: MIT */
/*
 * Torrents as literals, and the parsing of them, for the tests of metainfo and layout.
 */
#ifndef TESTS_UNIT_LIB_TORRENTS_H
#define TESTS_UNIT_LIB_TORRENTS_H

#include "proto/base/path.h"
#include "proto/meta/metainfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define S(text)                                                                                    \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}
#define H      "aaaaaaaaaaaaaaaaaaaa"
#define PIECES "12:piece lengthi16384e6:pieces20:" H
/* A torrent around an info dictionary; one around a list of files with 10 bytes in all. */
#define INFO(text)          "d4:infod" text "ee"
#define FILES(list)         INFO("5:filesl" list "e4:name1:n" PIECES)
#define FILE_(length, path) "d6:lengthi" length "e4:pathl" path "ee"
#define SINGLE              "6:lengthi10e4:name5:a.txt" PIECES

/* Parses an exact copy, so that the sanitizers see a byte too far. */
static inline enum err parse_copy(struct slice in, struct metainfo **m, struct parse_error *pe)
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
static inline void check_metainfo(const struct metainfo *m)
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

static inline struct metainfo *parse_good(struct slice in)
{
	struct metainfo *m;
	struct parse_error pe;

	if (parse_copy(in, &m, &pe) != E_OK)
		fail_msg("%s at %zu: %.*s", pe.what, pe.offset, (int)MIN(in.n, (size_t)200),
			(const char *)in.p);
	check_metainfo(m);
	return m;
}

#endif
