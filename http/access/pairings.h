/* SPDX-License-Identifier: MIT */
/*
 * Pairings: what lets one new device in, once and soon: a code that a person types, and the secret
 * of a link.
 *
 * A code is short, so five wrong ones, from whomever, end all codes that wait; the links go on,
 * whose secrets cannot be guessed.  The http actor owns them; they are in memory alone.
 */
#ifndef HTTP_ACCESS_PAIRINGS_H
#define HTTP_ACCESS_PAIRINGS_H

#include "actors/msg/token.h"
#include "proto/base/base.h"

#define PAIRING_CODE 9u /* bytes of a code with its NUL */

struct pairings;

struct pairings *pairings_new(void);
void pairings_free(struct pairings **);

/*
 * Makes one that gives these scopes, in the place of the oldest when there are too many.  Returns
 * when it ends; now and that: seconds since 1970.
 */
int64_t pairings_add(struct pairings *, unsigned scopes, int64_t now, char code[PAIRING_CODE],
	char secret[TOKEN_SECRET]);
/* One that was made elsewhere, of which the digest, the scopes and the end count; it has no code.
 */
void pairings_add_link(struct pairings *, const struct token_record *);
/* Uses one up: by its code, in any case and with any blanks and hyphens, or by its secret. */
bool pairings_take_code(struct pairings *, const char *code, int64_t now, unsigned *scopes);
bool pairings_take_secret(struct pairings *, const char *secret, int64_t now, unsigned *scopes);

#endif
