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
enum err parse_copy(struct slice in, struct metainfo **m, struct parse_error *pe);

/* Must be good; what every metainfo keeps is checked. */
struct metainfo *parse_good(struct slice in);

#endif
