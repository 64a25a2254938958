/* SPDX-License-Identifier: MIT */
/*
 * What is known of a request before it is let in: where it came from, by what way, for whom.  Pure;
 * facts.c says whom it believes.
 */
#ifndef HTTP_SERVER_FACTS_H
#define HTTP_SERVER_FACTS_H

#include "config/config.h"
#include "http/access/basic.h"
#include "http/access/logins.h"
#include "http/access/tokens.h"
#include "http/access/tries.h"
#include "http/server/head.h"
#include "proto/base/endpoint.h"

struct facts {
	const struct config *config;
	const struct head *head;
	const struct tokens *tokens; /* who may */
	const struct tries *tries;   /* who was wrong of late */
	struct basic *basic;         /* what was right of late */
	struct logins *logins;       /* of apps, where what is asked for is theirs; NULL: none */
	int64_t now;                 /* seconds since 1970 */
	int64_t uptime;              /* seconds of a clock that does not jump */
	struct endpoint peer;        /* the other end of the connection */
	struct endpoint local;       /* ours */
	bool by_path;                /* it came by api.socket: neither has an address */
	bool exposed;                /* other machines may come by some listener */
	bool open;                   /* what is asked for needs no credentials */
	bool document;               /* and is a page, to which links of other sites may lead */
};

/* Whether the other end is a proxy that is believed. */
bool facts_by_proxy(const struct facts *);
/* What a proxy says in the header; NULL: nothing, or the other end is not to be believed. */
const char *facts_forwarded(const struct facts *, const char *name);
/* The Host header that the client sent; NULL: none, or several. */
const char *facts_host(const struct facts *);
/* Whether the client came by TLS, as a proxy says. */
bool facts_https(const struct facts *);
/* The address of the client: what the nearest proxy says that is believed, else the other end. */
struct endpoint facts_client(const struct facts *);
/* Whether the client is on this machine. */
bool facts_local(const struct facts *);
/* The name in "name", "name:port", "[v6]:port"; false: it is none of these. */
bool facts_name(const char *host, char *out, size_t size);

#endif
