/* SPDX-License-Identifier: MIT */
/*
 * Keeping a port at a UPnP gateway: when it is looked for, mapped, renewed, given up.
 *
 * It stands by while PCP or NAT-PMP has the port, so that a gateway that speaks all three is not
 * given two mappings of one port, of which the end of one would take the other away.  One owner
 * thread.
 */
#ifndef ACTORS_PORTMAP_KEEPER_H
#define ACTORS_PORTMAP_KEEPER_H

#include "actors/portmap/upnp.h"

enum keeper_state {
	KEEPER_OFF,
	KEEPER_SEARCHING,
	KEEPER_NONE,    /* nobody answered as a gateway */
	KEEPER_STANDBY, /* it could, and need not */
	KEEPER_ASKING,
	KEEPER_REFUSED,
	KEEPER_HELD
};

struct keeper {
	struct loop *loop;
	void (*changed)(void *ctx);
	void *ctx;
	struct upnp *upnp; /* owned */
	struct loop_timer timer;
	bool on, stopping;
	bool wanted; /* nobody else has the port */
	bool found;  /* the gateway, as it is known to upnp */
	enum keeper_state state;
	struct gateway gateway;
	uint16_t port;
	uint32_t lease;          /* seconds to ask for */
	uint16_t external;       /* mapped at the gateway; 0: none */
	uint16_t leaves;         /* mapped and not wanted any more; 0: none */
	struct endpoint address; /* external; unspecified: not known */
	int64_t until;           /* us; the end of the mapping */
	int64_t due;             /* us; when the next errand is */
	unsigned forgets;        /* errands that went unanswered in a row */
	int error;               /* of the last refusal */
};

void keeper_init(struct keeper *, struct loop *, void (*changed)(void *), void *ctx);
void keeper_fini(struct keeper *);
/* Begins, or begins anew with another gateway or port. */
void keeper_start(struct keeper *, const struct gateway *, uint16_t port, uint32_t lease);
/* Ends without a stop: what is mapped is taken away in passing. */
void keeper_end(struct keeper *);
void keeper_want(struct keeper *, bool wanted);
/* Begins to take away what is mapped; then keeper_is_quiet(), which `changed` tells. */
void keeper_wind_down(struct keeper *);
bool keeper_is_quiet(const struct keeper *);
bool keeper_holds(const struct keeper *);
/* How it stands, for a person. */
const char *keeper_words(const struct keeper *);

#endif
