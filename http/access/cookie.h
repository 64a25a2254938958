/* SPDX-License-Identifier: MIT */
/* The cookie that keeps a browser logged in: its name, how it is set, how it is found.  Pure. */
#ifndef HTTP_ACCESS_COOKIE_H
#define HTTP_ACCESS_COOKIE_H

#include "proto/base/base.h"

#define COOKIE_MAX 300u /* bytes of what is sent to set it, with the NUL */

/*
 * The value of the cookie that the daemon at this port has set, in the value of a Cookie header,
 * into out with a NUL; false: it is not there, or longer than what was set.
 */
bool cookie_find(const char *header, int port, char *out, size_t size);
/* The same of one with that name. */
bool cookie_named(const char *header, const char *name, char *out, size_t size);
/* A cookie as a Set-Cookie header has it. */
struct cookie {
	int port;           /* of the daemon */
	const char *base;   /* path that it is for, with all beneath; empty: all there is */
	const char *secret; /* NULL: the browser is to forget it */
	int64_t seconds;    /* that it lasts */
	bool https;         /* never to be sent in the clear */
};

void cookie_set(char out[COOKIE_MAX], const struct cookie *);

#endif
