/* SPDX-License-Identifier: MIT */
/*
 * Names from strangers made fit for a file system, and containment of paths, all by text alone.
 *
 * Nothing here asks the file system; who opens a path must still refuse symbolic links.
 * Pure functions; any thread.
 */
#ifndef PROTO_BASE_PATH_H
#define PROTO_BASE_PATH_H

#include "proto/base/base.h"

#define PATH_NAME_MAX 255 /* bytes in one component, without NUL (Linux NAME_MAX) */
#define PATH_NAME_BUF (PATH_NAME_MAX + 1)

/*
 * One path component as found in a torrent, of any length and encoding, as a file name: valid
 * UTF-8, no
 * '/', no control characters, no direction marks, at most PATH_NAME_MAX bytes.  out_size is at
 * least PATH_NAME_BUF.
 *
 * Deterministic.  Bytes that are not UTF-8, '/' and controls become "%XX", so names that differ
 * stay different; direction marks become "_"; a name that is too long keeps its extension and gets
 * "~" and 16 digits of a hash of the raw bytes.  Trailing dots and spaces stay.
 *
 * E_PATH, and out empty, when the component is empty, "." or "..".
 */
enum err path_sanitise(struct slice raw, char out[], size_t out_size);

/* Relative, not empty, and no component is empty, "." or "..". */
bool path_relative_ok(const char *path);

/*
 * Resolves path (absolute, or relative to base, which is absolute) by text: collapses "//", "." and
 * "..", no trailing '/'.  E_PATH when path is empty, base is not absolute, or ".." leads above "/";
 * E_TOO_BIG when the result and its NUL do not fit out_size.  out is empty after an error.
 */
enum err path_join_clean(const char *base, const char *path, char *out, size_t out_size);

/*
 * path is root or lies beneath it, on component boundaries.  Both absolute; a path that is not
 * clean (see path_join_clean) is beneath nothing.
 */
bool path_beneath(const char *root, const char *path);

#endif
