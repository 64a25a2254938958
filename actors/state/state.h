/* SPDX-License-Identifier: MIT */
/*
 * Opening the database, which main does before any thread starts, so that what is wrong with it
 * (held by another daemon, written by a newer version, not writable) is said at once and nothing is
 * started.
 */
#ifndef ACTORS_STATE_STATE_H
#define ACTORS_STATE_STATE_H

#include "actors/msg/token.h"
#include "proto/base/base.h"

struct state_db;

/*
 * Creates dir (mode 0700) and the database in it when missing, takes the lock of the directory,
 * migrates an older schema.  On failure *why says what to do; E_LOCKED, E_VERSION, E_PERM, E_IO...
 * Changes the process's umask for a moment: before any thread starts.
 */
enum err state_db_open(const char *dir, struct state_db **out, char *why, size_t why_n);
/* What was changed over the API, in the syntax of a configuration file; NULL: nothing.  Lives until
 * the state actor begins. */
const char *state_db_changed(struct state_db *);
void state_db_close(struct state_db **);

/* All tokens; the caller owns the list.  On failure there is none. */
enum err state_db_tokens(struct state_db *, struct token_record **list, uint32_t *n);
/* Adds one, durably. */
enum err state_db_add_token(struct state_db *, const struct token_record *);

#endif
