/* SPDX-License-Identifier: MIT */
/*
 * Forms with files: multipart/form-data (RFC 7578), as HTML forms and `curl -F` send them.
 *
 * Pure: bytes in, runs of the same bytes out.
 */
#ifndef HTTP_SERVER_MULTIPART_H
#define HTTP_SERVER_MULTIPART_H

#include "proto/base/base.h"

#define MULTIPART_BOUNDARY_MAX 70u /* RFC 2046, 5.1.1 */

struct multipart {
	struct slice rest;                     /* borrowed: behind the last boundary */
	char mark[MULTIPART_BOUNDARY_MAX + 5]; /* CR LF -- and the boundary */
	size_t mark_n;
};

struct multipart_part {
	struct slice head, content; /* borrowed */
};

/* Whether the value of a Content-Type header names this type. */
bool multipart_is(const char *type);

/* Begins to read the body of that type.  NULL: it is good; else what is wrong, in words for a
 * person. */
const char *multipart_begin(struct multipart *, const char *type, struct slice body);
/* Whether the last boundary was the end of the form. */
bool multipart_ended(const struct multipart *);
/* The next part, of a form that has not ended.  NULL: it was found; else what is wrong. */
const char *multipart_next(struct multipart *, struct multipart_part *);

/*
 * The content of the only part, which lies in the body.  NULL: it was found; else what is wrong.
 */
const char *multipart_file(const char *type, struct slice body, struct slice *file);

#endif
