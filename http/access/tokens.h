/* SPDX-License-Identifier: MIT */
/*
 * The tokens there are, in memory: a secret in, the record of who has it out.
 *
 * The http actor owns them; main read them from the database before the start, and what is changed
 * here was committed before (http/api/tokens.c).  Pure: time is handed in.
 */
#ifndef HTTP_ACCESS_TOKENS_H
#define HTTP_ACCESS_TOKENS_H

#include "actors/msg/token.h"
#include "proto/base/base.h"

struct tokens;

/* Copies the list. */
struct tokens *tokens_new(const struct token_record *, uint32_t n);
void tokens_free(struct tokens **);

/* There is room while there are less than TOKENS_MAX. */
bool tokens_full(const struct tokens *);
void tokens_add(struct tokens *, const struct token_record *);
void tokens_drop(struct tokens *, int64_t id); /* and those whose parent it is */

/* Borrowed until the next change; NULL: none.  now: seconds since 1970. */
const struct token_record *tokens_find(const struct tokens *, const char *secret, int64_t now);
const struct token_record *tokens_by_id(const struct tokens *, int64_t id);
/* Whether who got in by the token still may; id 0: by none that was made, and so it may. */
bool tokens_valid(const struct tokens *, int64_t id, int64_t now);
/* The i-th in the order of their making; NULL: there are not so many. */
const struct token_record *tokens_at(const struct tokens *, uint32_t i);
/* One whose place a new one of that kind may have: that has expired, or for a device the device
 * that was not used for longest; NULL: none. */
const struct token_record *tokens_spare(const struct tokens *, enum token_kind, int64_t now);

/* Notes that the token was used.  true: the database is to be told, which is so once an hour. */
bool tokens_use(struct tokens *, int64_t id, int64_t now);

#endif
