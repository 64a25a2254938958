/* SPDX-License-Identifier: MIT */
/*
 * Asking a gateway by PCP and NAT-PMP: a mapper (proto/portmap) given sockets and time.  One owner
 * thread.
 */
#ifndef ACTORS_PORTMAP_ASKING_H
#define ACTORS_PORTMAP_ASKING_H

#include "actors/kernel/loop.h"
#include "actors/portmap/gateway.h"
#include "proto/portmap/mapper.h"

struct asking {
	struct loop *loop;
	struct rng *rng;            /* borrowed */
	void (*changed)(void *ctx); /* something may have changed; from the loop alone */
	void *ctx;
	bool on;
	struct gateway gateway;
	struct loop_fd io;    /* towards the gateway */
	struct loop_fd heard; /* what restarted gateways tell everybody; fd -1: not to be had */
	struct loop_timer timer;
	struct mapper mapper; /* while on */
};

void asking_init(struct asking *, struct loop *, struct rng *, void (*changed)(void *), void *ctx);
/* device: by which, as in net.h; port: ours; lease: seconds.  E_NFILES
 * and the like: it is not on. */
enum err asking_start(
	struct asking *, const struct gateway *, const char *device, uint16_t port, uint32_t lease);
/* Takes the mappings away and awaits the answers: then asking_is_quiet(), which `changed` tells. */
void asking_wind_down(struct asking *);
bool asking_is_quiet(const struct asking *);
/* Takes the mappings away without waiting; fine when not on. */
void asking_end(struct asking *);

#endif
