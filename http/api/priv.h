/* SPDX-License-Identifier: MIT */
/* What the files of the API share: what each resource does, and how things look as JSON. */
#ifndef HTTP_API_PRIV_H
#define HTTP_API_PRIV_H

#include "actors/kernel/log.h"
#include "actors/msg/env.h"
#include "http/server/server.h"
#include "proto/base/priority.h"

/* calls.c and changes.c: a message to another actor, whose reply answers the request */
void api_add(struct request *);
void api_set(struct request *);
void api_view(struct request *);
void api_health(struct request *);
void api_index(struct request *);

/* views.c */
json_t *view_torrent(const struct torrent_view *);
json_t *view_health(const struct m_health *);
json_t *view_time(int64_t unix_s); /* RFC 3339 UTC, null for 0 */

#endif
