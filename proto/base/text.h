/* SPDX-License-Identifier: MIT */
/*
 * Words from strangers, made safe to show: tracker messages, client names, names of things.
 *
 * What comes out is valid UTF-8 on one line: control characters (C0, DEL, C1), line separators and
 * bidirectional overrides become a space, broken sequences become '?'.  Pure; any thread.
 */
#ifndef PROTO_BASE_TEXT_H
#define PROTO_BASE_TEXT_H

#include "proto/base/base.h"

/* Writes at most n - 1 bytes, never part of a character, and a NUL; n >= 1.  Returns the length. */
size_t text_sanitise(char *out, size_t n, struct slice in);

#endif
