/* SPDX-License-Identifier: MIT */
/* Making and revoking tokens: durable first, then in memory, then answered.  http's thread. */
#ifndef HTTP_API_TOKEN_JOB_H
#define HTTP_API_TOKEN_JOB_H

#include "http/server/server.h"

/* Answers the request: it was made, and this is its secret; or it was dropped, and only its id
 * stands in the record. */
typedef void token_done_f(struct request *, const struct token_record *, const char *secret);

/* Both suspend the request, or have answered it already. */
/* kind, name, scopes and expires are as wished. */
void api_job_make(struct request *, const struct token_record *wish, token_done_f *);
void api_job_drop(struct request *, int64_t id, token_done_f *);

#endif
