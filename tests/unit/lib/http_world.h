/* SPDX-License-Identifier: MIT */
/* A request's head as microhttpd leaves it in memory, and what the guards are given with it. */
#ifndef TESTS_UNIT_LIB_HTTP_WORLD_H
#define TESTS_UNIT_LIB_HTTP_WORLD_H

#include "http/server/guard.h"

struct http_world {
	struct config config;
	char bytes[4096]; /* the head, with NULs where microhttpd puts them */
	struct head head;
	struct facts facts;
};

/* From 127.0.0.1 to 127.0.0.1, no token, nothing listed. */
void headworld_init(struct http_world *);
/*
 * Takes a head of n bytes, with its empty line, the lenient way: LF ends a line with or without CR,
 * a name goes up to the colon, lines after the first without one end the head.
 */
void headworld_head(struct http_world *, const char *text, size_t n);
/* "GET / HTTP/1.1", a Host of 127.0.0.1:8080 unless the lines have one, and these lines. */
void headworld_get(struct http_world *, const char *lines);
/* The status of guard_enter(), and of guard_change() where that let it in; 0: it may. */
unsigned headworld_enter(struct http_world *);
unsigned headworld_change(struct http_world *);
/* One that list options hold. */
struct config_list headworld_list(const char *const *v, unsigned n);

#endif
