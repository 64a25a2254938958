/* SPDX-License-Identifier: MIT */
/* Conditions of a request: which part of something is asked for (RFC 9110, 14.2), and what of it is
 * known already (13.1).  Pure. */
#ifndef HTTP_SERVER_RANGE_H
#define HTTP_SERVER_RANGE_H

#include "proto/base/base.h"

enum range {
	RANGE_ALL,  /* there is no range, or none that has to be understood: the whole */
	RANGE_PART, /* bytes [*from, *from + *n), n > 0 */
	RANGE_NONE, /* it lies beyond the end: 416 */
};

/* header may be NULL.  size: bytes of the whole.  Several ranges are taken for none. */
enum range range_parse(const char *header, uint64_t size, uint64_t *from, uint64_t *n);

/* Whether a header such as If-None-Match names the tag, given with its quotes and without a "W/",
 * or is "*".  header may be NULL. */
bool tag_is_named(const char *header, const char *quoted);

#endif
