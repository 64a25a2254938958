/* SPDX-License-Identifier: MIT */
/*
 * Files: those that lists are read from, and the shelf, a folder with the last good list of each
 * source, so that there is one before the network is.
 *
 * These block: for the blocklist's own thread alone.
 */
#ifndef ACTORS_BLOCKLIST_SHELF_H
#define ACTORS_BLOCKLIST_SHELF_H

#include "config/config.h"

/*
 * All of a file, at most max bytes: *p is the caller's, who frees it by xfree().  *changed: seconds
 * since 1970, when it was written.  E_NOENT, E_PERM, E_IS_DIR, E_IS_SPECIAL, E_TOO_BIG, E_IO.
 */
enum err shelf_read(const char *path, size_t max, uint8_t **p, size_t *n, int64_t *changed);

/* What was put there for a source, likewise.  `dir` is the shelf's folder, which need not be. */
enum err shelf_get(
	const char *dir, const char *source, size_t max, uint8_t **p, size_t *n, int64_t *changed);
/* It takes the place of what was there for the source, whole or not at all, and is synced. */
enum err shelf_put(const char *dir, const char *source, const uint8_t *p, size_t n);
/* Removes what is there for other sources than these. */
void shelf_tidy(const char *dir, const struct config_list *sources);

#endif
