/* SPDX-License-Identifier: MIT */
/*
 * The head of a request: request line and headers, where they lie in the bytes that came.
 *
 * microhttpd 0.9.75 takes heads that others read differently: a bare LF or a NUL ends a line, a
 * name may hold blanks, folded lines become one odd name, what has no name ends the head.  It
 * parses in place, though, so where each part lies says what lay between two: head_is_plain() holds
 * that against the one form that everybody reads alike (RFC 9112, 2.2 to 5).  Pure.
 */
#ifndef HTTP_SERVER_HEAD_H
#define HTTP_SERVER_HEAD_H

#include "proto/base/base.h"

#define HEAD_FIELDS 100u

struct head_field {
	const char *name, *value; /* borrowed, NUL-terminated in place */
};

struct head {
	const char *method, *uri, *version; /* borrowed, NUL-terminated in place */
	size_t uri_n;                       /* bytes of uri as it came, before it was unescaped */
	size_t size;                        /* bytes of the head with its empty line */
	struct head_field fields[HEAD_FIELDS];
	unsigned n;
	bool overflow; /* there were more */
};

/* The value of a header; NULL: it is not there, or more than once.  times may be NULL. */
const char *head_get(const struct head *, const char *name, unsigned *times);
/* Whether a header has a name that begins so, in any case. */
bool head_has_prefix(const struct head *, const char *prefix);
/* NULL: it is in one form and says in one way where its body ends; else what is wrong, in words. */
const char *head_is_plain(const struct head *);

#endif
