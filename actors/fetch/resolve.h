/* SPDX-License-Identifier: MIT */
/*
 * Host names to addresses without ever blocking the actor.
 *
 * Name servers are asked by dns.c, for at most RESOLVER_LOOKUPS names at a time; the rest wait.
 * Answers are kept for as long as their servers say, within 30 s and an hour, and that there is no
 * such name for a minute.  One owner thread.
 */
#ifndef ACTORS_FETCH_RESOLVE_H
#define ACTORS_FETCH_RESOLVE_H

#include <sys/queue.h>

#include "actors/fetch/dns.h"
#include "actors/kernel/loop.h"
#include "config/config.h"
#include "proto/base/endpoint.h"

#define RESOLVER_LOOKUPS   32u   /* asked for at once */
#define RESOLVER_HOSTS     4096u /* names kept */
#define RESOLVER_ADDRESSES DNS_ADDRESSES

struct resolver;
struct host;

/* One who waits for an answer; embedded in the asker's object. */
struct resolver_wait {
	TAILQ_ENTRY(resolver_wait) link;
	struct resolver *resolver; /* set while waiting */
	struct host *host;         /* whose answer is awaited, NULL: the answer is at hand */
	struct loop_task task;
	enum err err;
	unsigned n;
	struct endpoint at[RESOLVER_ADDRESSES]; /* port 0 */
	/* Called once, from the loop: err is E_OK with n > 0 addresses, E_DNS, E_UNREACHABLE or
	 * E_OVERLOAD. */
	void (*fn)(struct resolver_wait *);
};

/* While the device of network.interface is away no name is looked up (E_UNREACHABLE). */
struct resolver *resolver_new(struct loop *loop, uint64_t seed, const struct config *);
/* Nobody may wait any more. */
void resolver_free(struct resolver **);

/* Looks up a name, or takes an IP literal as it is.  w->fn is set and never called from in here. */
void resolver_ask(struct resolver *, struct resolver_wait *w, const char *name);
/* Fine when it does not wait. */
void resolver_cancel(struct resolver_wait *w);

#endif
