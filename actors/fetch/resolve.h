/* SPDX-License-Identifier: MIT */
/*
 * Host names to addresses without ever blocking the actor.
 *
 * The C library looks names up on threads of its own (getaddrinfo_a); at most RESOLVER_LOOKUPS at a
 * time are given to it, the rest wait.  While any is outstanding a timer asks how they are getting
 * on. Answers, good and bad, are kept for some minutes.  One owner thread.
 */
#ifndef ACTORS_FETCH_RESOLVE_H
#define ACTORS_FETCH_RESOLVE_H

#include <sys/queue.h>

#include "actors/kernel/loop.h"
#include "proto/base/endpoint.h"

#define RESOLVER_LOOKUPS   32u   /* outstanding in the C library */
#define RESOLVER_HOSTS     4096u /* names kept */
#define RESOLVER_ADDRESSES 8u    /* kept of one name, half of them of each family */

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

/* device: as in net.h, copied: while it is away no name is looked up (E_UNREACHABLE).  What way the
 * system's resolver takes otherwise is not ours to say. */
struct resolver *resolver_new(struct loop *loop, uint64_t seed, const char *device);
/* Nobody may wait any more.  Lookups that are under way are left behind, not waited for. */
void resolver_free(struct resolver **);

/* Looks up a name, or takes an IP literal as it is.  w->fn is set and never called from in here. */
void resolver_ask(struct resolver *, struct resolver_wait *w, const char *name);
/* Fine when it does not wait. */
void resolver_cancel(struct resolver_wait *w);

#endif
