/* SPDX-License-Identifier: MIT */
/* The tokens at the start: those there are, or the first one.  Main's thread, before any other. */
#ifndef ACTORS_MAIN_FIRST_TOKEN_H
#define ACTORS_MAIN_FIRST_TOKEN_H

#include "actors/msg/env.h"

struct start_tokens {
	struct token_record *list; /* owned */
	uint32_t n;
	char path[4200];         /* the file of the token that was made now; empty: none was */
	char link[TOKEN_SECRET]; /* of a pairing that env has; empty: there is none */
};

/*
 * Reads them from the database of env into env, which borrows the list.  Where there are none, and
 * none is configured, one that may do everything is made and written to the file api.token of the
 * state directory, for its owner alone.  With it, or with a person at a terminal, comes a pairing.
 * On failure *why says what to do.
 */
enum err first_token_find(
	struct actor_env *, const struct config *, struct start_tokens *, char *why, size_t why_n);
void first_token_done(struct start_tokens *);

#endif
