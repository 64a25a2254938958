/* SPDX-License-Identifier: MIT */
/* Units of time.  Everywhere a moment or a span is an int64_t in microseconds, unless its name says
 * so. */
#ifndef PROTO_BASE_TIME_H
#define PROTO_BASE_TIME_H

#include <stdint.h>

#define USEC_PER_MSEC INT64_C(1000)
#define USEC_PER_SEC  INT64_C(1000000)

#endif
