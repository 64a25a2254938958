/* SPDX-License-Identifier: MIT */
/*
 * An answer of a known length whose bytes come from elsewhere, a run at a time.
 *
 * The source is asked for a run when the client has taken the one before, so one run is all that is
 * kept for each, however long the answer is.  Pours share the places of streams (streaming.h).  For
 * the http actor's thread.
 */
#ifndef HTTP_SERVER_POUR_H
#define HTTP_SERVER_POUR_H

#include "http/server/server.h"

/* Bytes of a run at most. */
#define POUR_RUN (256u * 1024u)

struct pour;

struct pour_source {
	void *ctx; /* owned: freed by free() */
	/* The client waits for the bytes from `at` of the answer on, n at most.  pour_give() or
	 * pour_fail() follows, later. */
	void (*want)(void *ctx, struct pour *, uint64_t at, size_t n);
	void (*free)(void *ctx); /* the client has gone, or was never let in */
};

/* Answers the request with size bytes of that type; or by 503, when all places are taken.  The
 * source is taken in either case. */
void pour_open(struct request *, const struct pour_source *, unsigned status, const char *type,
	uint64_t size);
/* What want() was called for: 1 to its n bytes (malloc, taken). */
void pour_give(struct pour *, uint8_t *data, size_t n);
/* There is no more: the answer ends too early, which the client sees. */
void pour_fail(struct pour *);

#endif
