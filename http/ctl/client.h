/* SPDX-License-Identifier: MIT */
/*
 * Asking the daemon over HTTP; libcurl is known to client.c alone.
 *
 * What goes wrong is said on standard error in one line, and returned as the status that the
 * program ends with.
 */
#ifndef HTTP_CTL_CLIENT_H
#define HTTP_CTL_CLIENT_H

#include <jansson.h>

#include "proto/base/base.h"

/* What the program ends with. */
enum ctl_status {
	CTL_DONE = 0,
	CTL_FAILED = 1,      /* the daemon refused, or something here failed */
	CTL_USAGE = 2,       /* the command line is wrong */
	CTL_UNREACHABLE = 3, /* no daemon answers */
	CTL_DENIED = 4,      /* it wants a token, or one that may more */
	CTL_UNKNOWN = 5, /* there is no such torrent, file, option or token, or several are meant */
};

struct ctl_client;

/* Both texts are copied; an empty token is none.  direct: by no proxy of the environment. */
struct ctl_client *ctl_client_new(const char *url, const char *token, bool direct);
void ctl_client_free(struct ctl_client **);

const char *ctl_client_url(const struct ctl_client *);

/* What is sent besides the address. */
struct ctl_body {
	const char *type; /* "application/json" */
	const void *p;
	size_t n;
};

/*
 * Asks for a path of the API, whose parameters are names and values in turn, up to a NULL; those
 * whose value is NULL are left out.  body NULL: none.  CTL_DONE: it was answered with success, and
 * *answer, which may be NULL, is the JSON of it, owned by the caller, or NULL where it was none.
 */
enum ctl_status ctl_ask(struct ctl_client *, const char *method, const char *path,
	const char *const *params, const struct ctl_body *body, json_t **answer);

/* Without a body: the parameters stand in the call. */
#define ctl_get(c, answer, path, ...)                                                              \
	ctl_ask((c), "GET", (path), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL}, NULL,  \
		(answer))
#define ctl_post(c, path, ...)                                                                     \
	ctl_ask((c), "POST", (path), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL}, NULL, \
		NULL)

/* With a body of JSON, which is taken (a reference is given back). */
enum ctl_status ctl_send(
	struct ctl_client *, const char *method, const char *path, json_t *body, json_t **answer);

/*
 * A stream: the bytes are handed to `take` as they come, until it says that it has enough, `ended`
 * (which is asked often, and may wait for up to 200 ms) says that a person has, or the daemon ends
 * it.  CTL_DONE in each of these cases.
 */
struct ctl_reader {
	bool (*take)(void *ctx, const char *p, size_t n); /* false: enough */
	bool (*ended)(void *ctx);                         /* NULL: never */
	void *ctx;
};
enum ctl_status ctl_stream(struct ctl_client *, const char *path, const char *const *params,
	const struct ctl_reader *);

#endif
