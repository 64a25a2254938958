/* SPDX-License-Identifier: MIT */
/*
 * An answer that goes on: text is written to it as long as the client stays.
 *
 * The source is asked for more when the client has taken everything and some time has passed, never
 * before: nothing is queued for who reads slowly, who does not read at all costs nothing, and one
 * text at most is kept for each.  It ends with the token that let its client in.  Streams have
 * places of their own, apart from api.connections.
 * For the http actor's thread.
 */
#ifndef HTTP_SERVER_STREAMING_H
#define HTTP_SERVER_STREAMING_H

#include "http/server/server.h"

struct streaming;

struct streaming_source {
	void *ctx; /* owned: freed by free() */
	/* The client waits for more.  streaming_write() follows, at once or later. */
	void (*due)(void *ctx, struct streaming *);
	/* The daemon stops: last words; *n bytes (malloc), or NULL. */
	char *(*bye)(void *ctx, size_t *n);
	void (*free)(void *ctx); /* the client has gone, or was never let in */
	int64_t every;           /* us between two texts */
};

/* Answers the request by a stream of that type that begins with the text (malloc, taken); or by
 * 503, when all places are taken.  The source is taken in either case. */
void streaming_open(
	struct request *, const struct streaming_source *, const char *type, char *text, size_t n);
/* What due() was called for; takes the text (malloc).  NULL: there is nothing to say this time. */
void streaming_write(struct streaming *, char *text, size_t n);

#endif
