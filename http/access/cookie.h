/* SPDX-License-Identifier: MIT */
/* The cookie that keeps a browser logged in: its name, how it is set, how it is found.  Pure. */
#ifndef HTTP_ACCESS_COOKIE_H
#define HTTP_ACCESS_COOKIE_H

#include "proto/base/base.h"

#define COOKIE_MAX 200u /* bytes of what is sent to set it, with the NUL */

/*
 * The value of the cookie that the daemon at this port has set, in the value of a Cookie header,
 * into out with a NUL; false: it is not there, or longer than what was set.
 */
bool cookie_find(const char *header, int port, char *out, size_t size);
/* The value of a Set-Cookie header.  secret NULL: the browser is to forget it. */
void cookie_set(char out[COOKIE_MAX], int port, const char *secret, int64_t seconds, bool https);

#endif
