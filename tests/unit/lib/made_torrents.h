/* SPDX-License-Identifier: MIT */
/* Torrents made to measure: a name and a number of pieces, for tests of actors. */
#ifndef TESTS_UNIT_LIB_MADE_TORRENTS_H
#define TESTS_UNIT_LIB_MADE_TORRENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/meta/metainfo.h"

#define MADE_PIECE_LENGTH 16384u

/* A .torrent of one file; the last piece has one byte.  The caller frees it. */
char *made_bytes(const char *name, unsigned pieces, size_t *n);

struct metainfo *made_meta(const char *name, unsigned pieces);

#endif
