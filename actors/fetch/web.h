/* SPDX-License-Identifier: MIT */
/*
 * HTTP and HTTPS requests, from within the actor's loop.
 *
 * A "web" keeps connections alive between requests; a "web_get" is one request with its redirects.
 * There is no deadline in here but that of connecting: the owner frees a request that it is tired
 * of. One owner thread.
 */
#ifndef ACTORS_FETCH_WEB_H
#define ACTORS_FETCH_WEB_H

#include "actors/fetch/resolve.h"
#include "config/config.h"
#include "config/proxy.h"
#include "proto/blocklist/blocklist.h"

#define WEB_REDIRECTS_MAX 5u

struct web;
struct web_get;

enum web_family { WEB_ANY, WEB_IPV4, WEB_IPV6 };

struct web_answer {
	enum err err;      /* E_OK: there is an answer, whatever its status */
	const char *text;  /* words for a person on err; never NULL, printable */
	long status;       /* HTTP status of the last answer, 0: none */
	struct slice body; /* borrowed during the call; decompressed; empty with a sink */
	enum web_family
		other; /* the host could be asked over this one too; WEB_ANY: it could not */
};

/* Called exactly once, from the loop, unless the request is freed before. */
typedef void web_done_f(void *ctx, const struct web_answer *);

/* The head of the answer that is no redirect.  Texts are borrowed during the call; NULL: absent. */
struct web_head {
	long status;
	const char *content_range, *retry_after;
	int64_t content_length; /* bytes; -1: not said */
	bool encoded;           /* the body has a content coding */
};

/* Takes a body as it comes.  The request may not be freed or resumed in these calls. */
struct web_sink {
	/* false: nothing more is wanted, and the request ends with E_CANCELLED. */
	bool (*head)(void *ctx, const struct web_head *);
	enum web_taken {
		WEB_TAKEN,
		WEB_NOT_NOW,
		WEB_ENOUGH
	} (*body)(void *ctx, const uint8_t *p,
		size_t n); /* NOT_NOW: web_get_resume() brings it again */
};

struct web_request {
	const char *url;             /* copied */
	enum web_family family;      /* WEB_ANY: whichever answers first */
	const struct config *config; /* a reference is taken: TLS, and where requests may go */
	int64_t connect_timeout;     /* us, at most 15 s count */
	size_t body_max;             /* bytes that are kept without a sink; more is E_TOO_BIG */
	uint64_t first,
		length; /* the part of the resource that is asked for; length 0: all of it */
	const struct web_sink *sink; /* borrowed for the request's life; NULL: the body is kept */
	web_done_f *fn;
	void *ctx; /* of fn and sink */
};

/* Borrows loop and resolver.  api_port: our own HTTP interface, which no request may reach. */
struct web *web_new(
	struct loop *loop, struct resolver *resolver, unsigned connections, uint16_t api_port);
/* What the requests are for, which decides whether they go by the proxy; until it is said they are
 * for trackers. */
void web_use(struct web *, enum proxy_use);
/* No request that begins from now on goes to an address of the list, of which a reference is taken;
 * NULL: there is none. */
void web_block(struct web *, const struct blocklist *);
/* All requests are freed before. */
void web_free(struct web **);

/*
 * Starts a request.  Never NULL, fn is never called from in here.  The result is freed with
 * web_get_free(), inside fn as well.
 */
struct web_get *web_get_new(struct web *, const struct web_request *);
/* The sink that said WEB_NOT_NOW has room again: it may be called from in here. */
void web_get_resume(struct web_get *);
void web_get_free(struct web_get **);

#endif
