/* SPDX-License-Identifier: MIT */
/*
 * Who gets in: headers and addresses in, a verdict out.  Pure; guard.c says what is refused and
 * why.
 */
#ifndef HTTP_SERVER_GUARD_H
#define HTTP_SERVER_GUARD_H

#include "http/access/scope.h"
#include "http/server/facts.h"

/* The cookie of apps that log in, as those of qBittorrent know it. */
#define GUARD_LOGIN_COOKIE "SID"

/* Why somebody got in. */
enum guard_by {
	GUARD_BY_NOTHING, /* what is open needs no reason */
	GUARD_BY_PLACE,   /* who asks is on this machine */
	GUARD_BY_TOKEN,   /* of api.token, or of those that were made */
	GUARD_BY_BASIC,   /* the password of api.user */
	GUARD_BY_COOKIE,  /* a token that the browser sends unasked */
	GUARD_BY_LOGIN,   /* a login of an app's, by its cookie */
};

struct guard_verdict {
	unsigned status;    /* 0: go on; 204: a preflight that is granted; else what is answered */
	char why[200];      /* words for that */
	unsigned scopes;    /* enum scope, or-ed: what who asks may do; none until status is 0 */
	enum guard_by by;   /* likewise */
	int64_t token;      /* the id of the token that it got in by; 0: none that was made */
	int64_t expires;    /* when that ends: seconds since 1970; 0: never */
	bool tried;         /* there were credentials, and they were wrong */
	int64_t wait;       /* with 429: seconds until the next may be tried */
	const char *origin; /* of an application of another site that may read the answer; NULL:
			       none.  Borrowed from the head. */
};

/* Whether the request may be looked at at all. */
void guard_enter(const struct facts *, struct guard_verdict *);
/* Whether an attempt to get in is looked at now: it is not while there were too many wrong ones. */
bool guard_may_try(const struct facts *, struct guard_verdict *);
/* Whether the secret is one that programs may send. */
void guard_secret(const struct facts *, const char *secret, struct guard_verdict *);
/* Whether user and password are right, or the password is a token.  token: as in the verdict. */
void guard_password(
	const struct facts *, const char *user, const char *password, struct guard_verdict *);
/* Whether one that got in has all the scopes (enum scope, or-ed) that are needed. */
void guard_scopes(unsigned needed, struct guard_verdict *);
/* Whether one that got in may change something. */
void guard_change(const struct facts *, struct guard_verdict *);

#endif
