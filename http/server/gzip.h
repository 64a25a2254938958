/* SPDX-License-Identifier: MIT */
/* Text compressed a slice at a time (RFC 1952), into a buffer that grows. */
#ifndef HTTP_SERVER_GZIP_H
#define HTTP_SERVER_GZIP_H

#include "proto/base/base.h"

struct gzip;

struct gzip *gzip_new(void);
/* Takes n bytes at p; `last`: there are no more.  false: zlib has no memory. */
bool gzip_some(struct gzip *, const void *p, size_t n, bool last);
/* What came out, once the last bytes were taken: the caller owns it (malloc). */
char *gzip_take(struct gzip *, size_t *n);
void gzip_free(struct gzip **);

/* Whether an Accept-Encoding header (NULL: none) takes gzip, or that coding; RFC 9110, 12.5.3. */
bool gzip_accepted(const char *header);
bool coding_accepted(const char *header, const char *coding);

#endif
