/* SPDX-License-Identifier: MIT */
/*
 * What the files of the HTTP actor share.
 *
 * A request lives from its first header to the last byte of its answer.  It is guarded (guard.c),
 * collected, dispatched by the table of routes, suspended while other actors work, and answered
 * once.
 */
#ifndef HTTP_SERVER_PRIV_H
#define HTTP_SERVER_PRIV_H

#include <jansson.h>
#include <microhttpd.h>

#include "actors/kernel/log.h"
#include "actors/msg/env.h"
#include "proto/base/priority.h"

#define HTTP_MAGIC    0x48545450u
#define REQUEST_MAGIC 0x52455121u
#define CLIENT_MAGIC  0x434c4e54u

/* One connection, for the deadline that microhttpd's idle timer does not give. */
struct client {
	uint32_t magic;
	struct client *prev, *next; /* in http->clients, any order */
	struct MHD_Connection *conn;
	int64_t since; /* us: when it was accepted or its last request was over */
	bool busy;     /* a whole request is being answered */
};

struct http {
	uint32_t magic;
	struct actor *actor;
	const struct config *config; /* owned reference */
	struct MHD_Daemon *daemon;
	struct loop_fd io;
	struct loop_timer timer; /* microhttpd's own timeouts */
	struct loop_timer sweep; /* slow clients */
	struct client *clients;
	unsigned waiting; /* requests suspended for an answer */
	bool again;       /* something was resumed: run the daemon this turn */
	bool stopping;
};

enum method { METHOD_GET = 1, METHOD_POST = 2 };

struct request {
	uint32_t magic;
	struct http *http;
	struct MHD_Connection *conn;
	const struct route *route;
	enum method method;
	bool suspended;
	bool answered; /* the answer below is complete */
	unsigned status;
	char *body; /* owned: of the answer; malloc */
	size_t body_n;
	const char *type;  /* of the answer */
	const char *allow; /* Allow header of a 405 */
	uint8_t *upload;   /* owned: of the request */
	size_t upload_n, upload_cap;
	bool upload_taken; /* now owned by a message */
};

typedef void route_f(struct request *);

struct route {
	const char *path;
	unsigned methods; /* enum method, or-ed */
	route_f *fn;
	int arg; /* what a function that serves several routes needs */
	const char *doc;
};

/* guard.c: who gets in.  true: go on; false: answered. */
bool guard_request(struct request *, const char *version);

/* answer.c */
void answer_text(struct request *, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
void answer_ok(struct request *);
void answer_json(struct request *, unsigned status, json_t *owned);
/* An outcome of another actor: status by table, words where it gave some. */
void answer_err(struct request *, enum err, const char *why);
/* Hands the finished answer to microhttpd. */
enum MHD_Result answer_send(struct request *);
void answer_resume(struct request *); /* it was suspended and is answered now */

/* params.c: read a parameter; false: it was missing or malformed and the request has been answered
 * with 422 */
bool param_infohash(struct request *, uint8_t out[20]);
bool param_bool(struct request *, const char *name, bool absent, bool *out);
bool param_rate(struct request *, const char *name, bool required,
	uint64_t *bytes_per_s); /* KiB/s on the wire */
/*
 * Files such as "0,3-5" or "all" that are to have a priority, appended to *list, which the caller
 * owns; absent: none.
 */
bool param_files(struct request *r, const char *name, uint8_t priority, struct file_wish **list,
	uint32_t *n);
/* Which of the words, whose list ends with NULL; required. */
bool param_choice(struct request *r, const char *name, const char *const *words, unsigned *out);
bool param_count(struct request *r, const char *name, uint64_t *out); /* whole, from 1; required */
/* With `decimals` digits behind the point taken as whole ones, -1 as it is; absent: SEED_KEEP. */
bool param_limit(struct request *r, const char *name, unsigned decimals, int64_t *out);
/* NULL: absent.  Valid as long as the request. */
bool param_text(struct request *, const char *name, const char **out);

/* routes.c */
const struct route *route_find(const char *path);
const struct route *route_list(unsigned *n);

/* views.c */
json_t *view_torrent(const struct torrent_view *);
json_t *view_health(const struct m_health *);
json_t *view_time(int64_t unix_s); /* RFC 3339 UTC, null for 0 */

/* calls.c and api/changes.c: a message to another actor, whose reply answers the request */
bool call_may_wait(struct request *); /* false: answered */
void call_suspend(struct request *);
struct request *call_request(void *ctx);
void call_add(struct request *);
void call_set(struct request *);
void call_view(struct request *);
void call_health(struct request *);
void call_index(struct request *);

#endif
