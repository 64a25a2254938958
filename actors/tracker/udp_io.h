/* SPDX-License-Identifier: MIT */
/*
 * Exchanges with UDP trackers (BEP 15) over one socket for each address family.
 *
 * A tracker that has addresses of both families is asked over both, so that peers of both are
 * found; the answers become one.  There is no deadline in here: the owner frees what it is tired
 * of. One owner thread.
 */
#ifndef ACTORS_TRACKER_UDP_IO_H
#define ACTORS_TRACKER_UDP_IO_H

#include "actors/fetch/resolve.h"
#include "config/config.h"
#include "proto/blocklist/blocklist.h"
#include "proto/tracker/udp.h"

struct udpio;
struct udpio_ask;

/*
 * Called exactly once, from the loop, unless the request is freed before.  reply is borrowed, never
 * NULL, and complete when err is E_OK; fn may move the peers out.  text: words on err, never NULL,
 * printable.
 */
typedef void udp_done_f(void *ctx, enum err err, const char *text, struct announce_reply *reply);

struct udpio_ask_opts {
	const char *url; /* copied */
	const struct announce_params *params;
	enum udp_action action;      /* UDP_ANNOUNCE or UDP_SCRAPE */
	const struct config *config; /* looked at from time to time: a reference is taken */
};

struct udpio *udpio_new(struct loop *loop, struct resolver *resolver);
/* No request whose name is looked up from now on goes to an address of the list, of which a
 * reference is taken; NULL: there is none. */
void udpio_block(struct udpio *, const struct blocklist *);
/* All requests are freed before. */
void udpio_free(struct udpio **);

/* Never NULL; fn is never called from in here.  Freed with udpio_ask_free(), inside fn as well. */
struct udpio_ask *udpio_ask_new(
	struct udpio *, const struct udpio_ask_opts *, udp_done_f *, void *ctx);
void udpio_ask_free(struct udpio_ask **);

#endif
