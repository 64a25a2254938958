/* SPDX-License-Identifier: MIT */
/*
 * Logins of apps that show user and password once and a cookie from then on, as those of
 * qBittorrent do.
 *
 * They are in memory alone, end when nobody has used them for an hour, and make room for others,
 * the one that was not used for longest first.  The http actor owns them.  Pure: time is handed in,
 * in seconds of any clock that does not jump.
 */
#ifndef HTTP_ACCESS_LOGINS_H
#define HTTP_ACCESS_LOGINS_H

#include "actors/msg/token.h"
#include "proto/base/base.h"

#define LOGINS_MAX 64u
#define LOGIN_IDLE 3600 /* seconds */

struct logins;

/* What somebody who has logged in may do, and by what. */
struct login {
	unsigned scopes; /* enum scope, or-ed */
	int64_t token;   /* that it lasts no longer than; 0: none */
	bool local;      /* it was let in for being on this machine, and counts there alone */
};

struct logins *logins_new(void);
void logins_free(struct logins **);

void logins_add(struct logins *, const struct login *, int64_t now, char secret[TOKEN_SECRET]);
/* It is used now; false: there is none. */
bool logins_find(struct logins *, const char *secret, int64_t now, struct login *out);
void logins_drop(struct logins *, const char *secret);
/* Ends those that no token stands behind: the password is another. */
void logins_end(struct logins *);

#endif
