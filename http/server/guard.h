/* SPDX-License-Identifier: MIT */
/*
 * Who gets in: headers and addresses in, a verdict out.  Pure; guard.c says what is refused and
 * why.
 */
#ifndef HTTP_SERVER_GUARD_H
#define HTTP_SERVER_GUARD_H

#include "config/config.h"
#include "http/server/head.h"
#include "http/server/scope.h"
#include "proto/base/endpoint.h"

struct guard_facts {
	const struct config *config;
	const struct head *head;
	struct endpoint peer;  /* the other end of the connection */
	struct endpoint local; /* ours */
	bool open;             /* what is asked for needs no credentials */
};

struct guard_verdict {
	unsigned status;    /* 0: go on; 204: a preflight that is granted; else what is answered */
	char why[200];      /* words for that */
	unsigned scopes;    /* enum scope, or-ed: what who asks may do; none until status is 0 */
	const char *origin; /* of an application of another site that may read the answer; NULL:
			       none.  Borrowed from the head. */
};

/* Whether the request may be looked at at all. */
void guard_enter(const struct guard_facts *, struct guard_verdict *);
/* Whether one that got in has all the scopes (enum scope, or-ed) that are needed. */
void guard_scopes(unsigned needed, struct guard_verdict *);
/* Whether one that got in may change something. */
void guard_change(const struct guard_facts *, struct guard_verdict *);

#endif
