/* SPDX-License-Identifier: MIT */
/*
 * The file in a form: multipart/form-data (RFC 7578) with one part.
 *
 * What HTML forms and `curl -F` send.  Pure: bytes in, a run of the same bytes out.
 */
#ifndef HTTP_SERVER_MULTIPART_H
#define HTTP_SERVER_MULTIPART_H

#include "proto/base/base.h"

/* Whether the value of a Content-Type header names this type. */
bool multipart_is(const char *type);

/*
 * The content of the only part, which lies in the body.  NULL: it was found; else what is wrong, in
 * words for a person.
 */
const char *multipart_file(const char *type, struct slice body, struct slice *file);

#endif
