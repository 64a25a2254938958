/* SPDX-License-Identifier: MIT */
/*
 * A token: the record of a secret that lets somebody in.
 *
 * The secret itself is shown once, when it is made, and kept nowhere: the record has its digest.
 * It is 192 bits of randomness, so a plain SHA-256 is enough: there is nothing to guess from.
 */
#ifndef ACTORS_MSG_TOKEN_H
#define ACTORS_MSG_TOKEN_H

#include "actors/kernel/message.h"

#define TOKEN_NAME_MAX 64u /* bytes of its name */
#define TOKENS_MAX     512u
#define TOKEN_ALL      0xffffffffu /* scopes: all, whichever there are */
#define PAIRING_TIME   300         /* seconds that a pairing can be used */
#define TOKEN_SECRET   52u         /* bytes of a secret with its NUL */

enum token_kind {
	TOKEN_KEY,    /* of a program: Authorization: Bearer */
	TOKEN_DEVICE, /* of a browser: a cookie */
};

struct token_record {
	int64_t id; /* of the database; 0: not there yet */
	enum token_kind kind;
	uint8_t digest[32]; /* SHA-256 of the secret */
	char name[TOKEN_NAME_MAX + 1];
	unsigned scopes; /* enum scope, or-ed */
	int64_t created; /* seconds since 1970 */
	int64_t expires; /* likewise; 0: never */
	int64_t used;    /* likewise, to an hour; 0: never */
	int64_t parent;  /* of a device: the token that it showed, with which it ends; 0: none */
};

/* To the database: a reply means committed and synced. */

enum token_op {
	TOKEN_ADD,
	TOKEN_DROP, /* by token.id, with those whose parent it is */
	TOKEN_USE,  /* token.id was last used at token.used */
};

struct m_state_token {
	struct msg h;
	enum token_op op;
	struct token_record token; /* TOKEN_ADD gives it its id; 0: its parent is there no more */
	int64_t instead;           /* TOKEN_ADD: one that goes with the same commit; 0: none */
};

/* Makes a secret, which the caller shows or sends, and puts its digest into the record. */
void token_make(struct token_record *, char secret[TOKEN_SECRET]);
/* Whether a text looks like a secret that was made here. */
bool token_has_form(const char *);
/* SHA-256 of the text.  Any thread. */
void token_digest(const char *secret, uint8_t out[32]);

#endif
