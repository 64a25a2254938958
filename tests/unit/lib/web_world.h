/* SPDX-License-Identifier: MIT */
/*
 * The HTTP actor on the real kernel for tests/unit/http/server, turned by hand in the test's
 * thread, with the real microhttpd at a port of loopback; its resources are the test's, and the
 * clients are plain sockets of the same thread.
 */
#ifndef TESTS_UNIT_LIB_WEB_WORLD_H
#define TESTS_UNIT_LIB_WEB_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "actors/msg/env.h"
#include "http/server/server.h"

struct webworld {
	struct actors *set;
	struct actor *http;
	struct actor_env env;
	uint16_t port;
	const struct resources *resources[2]; /* what the actor was given */
	void *test; /* the test's own; its resources find it by webworld_of() */
};

struct webclient {
	int fd;
	char *in; /* owned: what came of the answer in hand; ends with a NUL */
	size_t n;
	unsigned status; /* once the answer is complete */
	const char *body;
	size_t body_n;
};

/* options: of the configuration, ends with NULL. */
void webworld_start(
	struct webworld *, const struct resources *, const char *const *options, void *test);
void webworld_end(struct webworld *);
/* The world whose resource was asked. */
struct webworld *webworld_of(struct request *);
/* So many turns, of a millisecond at most. */
void webworld_turn(struct webworld *, unsigned turns);

void webclient_open(struct webworld *, struct webclient *);
void webclient_close(struct webclient *);
/* A GET of the path; headers: lines, each with its end, or "". */
void webclient_get(struct webworld *, struct webclient *, const char *path, const char *headers);
/* Reads on until the answer is complete. */
void webclient_read(struct webworld *, struct webclient *);
/* Open, ask, read: the status. */
unsigned webclient_ask(
	struct webworld *, struct webclient *, const char *path, const char *headers);
/* The value of a header of the answer, up to the end of its line; NULL: it has none. */
const char *webclient_header(const struct webclient *, const char *name);

#endif
