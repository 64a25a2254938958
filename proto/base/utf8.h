/* SPDX-License-Identifier: MIT */
/*
 * Strict UTF-8 (RFC 3629): what is valid, and which code points must not reach a file name.
 * Pure functions; any thread.
 */
#ifndef PROTO_BASE_UTF8_H
#define PROTO_BASE_UTF8_H

#include "proto/base/base.h"

/*
 * Length in bytes (1 to 4) of the well-formed sequence at p, its code point in *cp; 0 when the
 * first of the n bytes starts none (overlong forms, surrogates and anything above U+10FFFF are
 * malformed).
 */
unsigned utf8_decode(const uint8_t *p, size_t n, uint32_t *cp);

bool utf8_valid(struct slice s);

/* C0 and C1 controls, DEL, and the line and paragraph separators. */
bool utf8_is_control(uint32_t cp);

/* Marks that turn the writing direction, with which "gpj.exe" can be made to look like "exe.jpg".
 */
bool utf8_is_direction_mark(uint32_t cp);

/* The largest n <= max at which s can be cut without splitting a sequence; s is valid UTF-8. */
size_t utf8_cut(struct slice s, size_t max);

#endif
