/* SPDX-License-Identifier: MIT */
/* The server's CURVE key: made once, kept in the state directory for its owner alone. */
#ifndef ACTORS_STATUS_KEY_H
#define ACTORS_STATUS_KEY_H

#include "proto/base/base.h"

#define KEY_TEXT 41 /* Z85 of 32 bytes, and a NUL */

/*
 * Reads the secret key from status.key in that directory, or keeps there the one that is given,
 * which is new; *made says which.  On failure *why says what to do.  Blocks on files, as does
 * key_tell(), which writes the public one for clients to status.pub beside it.
 */
enum err key_keep(const char *dir, char secret[KEY_TEXT], bool *made, char *why, size_t why_n);
enum err key_tell(const char *dir, const char *public, char *why, size_t why_n);

#endif
