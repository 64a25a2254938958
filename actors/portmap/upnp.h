/* SPDX-License-Identifier: MIT */
/*
 * A port at a UPnP gateway (IGD), by libminiupnpc, whose calls block.
 *
 * Each errand is a thread of its own that ends with it and shares nothing else: while it runs the
 * errand is the thread's, afterwards the owner's, who is woken by a descriptor.  A gateway that
 * never answers costs one sleeping thread, and nobody waits for it, the end of the daemon neither.
 *
 * What answers the search is believed to be the gateway when its description lies at the gateway's
 * address and its controls as well: whoever else answers could have us fetch any URL.
 */
#ifndef ACTORS_PORTMAP_UPNP_H
#define ACTORS_PORTMAP_UPNP_H

#include "actors/kernel/loop.h"
#include "actors/portmap/gateway.h"

enum upnp_errand { UPNP_FIND, UPNP_MAP, UPNP_REMOVE };

struct upnp_want {
	enum upnp_errand errand;
	struct gateway gateway;
	uint16_t port;     /* ours, of TCP and UDP */
	uint16_t external; /* MAP: asked for first; REMOVE: what is to go */
	uint32_t lease;    /* seconds */
	uint64_t seed;     /* for other ports where it is taken */
};

struct upnp_got {
	bool found;              /* FIND: a gateway that speaks UPnP; it is kept for the others */
	bool external_known;     /* MAP: the next */
	struct endpoint address; /* external; port 0 */
	uint16_t external;       /* 0: not mapped */
	uint32_t lease;          /* seconds; 0: for ever */
	int error;               /* UPnP's, of MAP; negative ones: no answer */
};

struct upnp;

/* done() is called from the loop, once an errand. */
struct upnp *upnp_new(struct loop *, void (*done)(void *ctx), void *ctx);
/* An errand that is under way is left to itself. */
void upnp_free(struct upnp **);

bool upnp_busy(const struct upnp *);
/* Not while busy.  false: no thread can be had. */
bool upnp_begin(struct upnp *, const struct upnp_want *);
/* What was wanted and what became of it; not while busy. */
const struct upnp_want *upnp_wanted(const struct upnp *);
const struct upnp_got *upnp_got(const struct upnp *);

#endif
