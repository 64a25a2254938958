/* SPDX-License-Identifier: MIT */
/*
 * Questions to name servers, asked from within the actor's loop by c-ares.
 *
 * Who is asked stands in network.dns, or else in /etc/resolv.conf, which is read anew when it has
 * changed; /etc/hosts comes first.  Each socket is bound to the device before it is connected, or
 * there is none: a question never leaves by another way.  No thread and no cache is in here.  One
 * owner thread.
 */
#ifndef ACTORS_FETCH_DNS_H
#define ACTORS_FETCH_DNS_H

#include "actors/kernel/loop.h"
#include "config/config.h"
#include "proto/base/endpoint.h"

#define DNS_ADDRESSES 8u /* taken of one name, half of them of each family */

struct dns;

struct dns_answer {
	enum err err; /* E_OK: n > 0; E_DNS; E_UNREACHABLE: the device is away */
	int64_t keep; /* us the answer may be used for; bounded */
	unsigned n;
	struct endpoint at[DNS_ADDRESSES]; /* port 0, best first */
};

/* Called once, from the loop or from within dns_ask(). */
typedef void dns_done_f(void *ctx, const struct dns_answer *);

/* The names of the configuration are taken as they are now.  The first question makes the rest. */
struct dns *dns_new(struct loop *, const struct config *);
/* What has been asked is not answered any more. */
void dns_free(struct dns **);
/* false: /etc/resolv.conf has changed, and questions have to wait until those under way are over.
 */
bool dns_ready(struct dns *);
/* Both families of addresses of a name that is no literal. */
void dns_ask(struct dns *, const char *name, dns_done_f *fn, void *ctx);

#endif
