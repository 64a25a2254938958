/* SPDX-License-Identifier: MIT */
/* Lists that are packed by gzip: the wall around zlib's inflate.  Any thread; it may take a while.
 */
#ifndef ACTORS_BLOCKLIST_UNPACK_H
#define ACTORS_BLOCKLIST_UNPACK_H

#include "proto/base/base.h"

bool unpack_is_gzip(const uint8_t *p, size_t n);

/*
 * What n bytes of gzip, of one or several members, have in them: *out is the caller's, who frees it
 * by xfree().  E_TRUNCATED: the end is missing; E_SYNTAX: it is damaged; E_TOO_BIG: it is more than
 * max bytes.
 */
enum err unpack_gzip(const uint8_t *p, size_t n, size_t max, uint8_t **out, size_t *out_n);

#endif
