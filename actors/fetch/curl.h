/* SPDX-License-Identifier: MIT */
/*
 * HTTP and HTTPS requests to trackers, from within the actor's loop.
 *
 * A "web" keeps connections alive between requests; a "web_get" is one request with its redirects.
 * There is no deadline in here but that of connecting: the owner frees a request that it is tired
 * of. One owner thread.
 */
#ifndef ACTORS_FETCH_CURL_H
#define ACTORS_FETCH_CURL_H

#include "actors/fetch/resolve.h"
#include "config/config.h"

#define WEB_REDIRECTS_MAX 5u

struct web;
struct web_get;

enum web_family { WEB_ANY, WEB_IPV4, WEB_IPV6 };

struct web_answer {
	enum err err;      /* E_OK: there is an answer, whatever its status */
	const char *text;  /* words for a person on err; never NULL, printable */
	long status;       /* HTTP status of the last answer, 0: none */
	struct slice body; /* borrowed during the call; decompressed */
	enum web_family
		other; /* the host could be asked over this one too; WEB_ANY: it could not */
};

/* Called exactly once, from the loop, unless the request is freed before. */
typedef void web_done_f(void *ctx, const struct web_answer *);

/* Borrows loop and resolver.  api_port: our own HTTP interface, which no request may reach. */
struct web *web_new(
	struct loop *loop, struct resolver *resolver, unsigned connections, uint16_t api_port);
/* All requests are freed before. */
void web_free(struct web **);

/*
 * Starts a request, over one family of addresses or whichever answers first; it takes a reference
 * of `config`.  Never NULL, fn is never called from in here.  The result is freed with
 * web_get_free(), inside fn as well.
 */
struct web_get *web_get_new(struct web *, const char *url, enum web_family,
	const struct config *config, web_done_f *fn, void *ctx);
void web_get_free(struct web_get **);

#endif
