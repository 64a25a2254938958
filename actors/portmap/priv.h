/* SPDX-License-Identifier: MIT */
/*
 * What the files of the portmap actor share.
 *
 * portmap.c knows messages and decides who is asked; asking.c and keeper.c each keep a port at the
 * gateway in their way; follow.c moves the sockets to the port of a file; outcome.c says to others,
 * to people and to the log what has come of it.
 */
#ifndef ACTORS_PORTMAP_PRIV_H
#define ACTORS_PORTMAP_PRIV_H

#include "actors/msg/env.h"
#include "actors/portmap/asking.h"
#include "actors/portmap/keeper.h"

#define PORTMAP_MAGIC 0x504f5254u

/* The file that says at which port to listen. */
struct follow {
	bool seen; /* the next three are of what was read last */
	int64_t size, mtime_ns;
	uint64_t inode;
	char why[160]; /* what is wrong with it; empty: nothing */
};

/* What others were told last. */
struct told {
	uint16_t tcp, udp;
	struct endpoint address;
	bool mapped;
	bool double_nat; /* complained about */
	char why[160];   /* complained about */
};

struct portmap {
	uint32_t magic;
	struct actor *actor;
	struct loop *loop;
	const struct config *config; /* owned reference */
	unsigned shards;
	uint16_t port; /* we listen at */
	struct rng rng;
	bool has_gateway, quiesced, stopping;
	struct gateway gateway;
	const char *no_gateway; /* why there is none; static */
	struct asking asking;
	struct keeper keeper;
	struct loop_fd watch;     /* of routes; fd -1: the system does not tell */
	struct loop_timer look;   /* at the routes again */
	struct loop_timer file;   /* at the port file */
	struct loop_timer budget; /* the end of patience after QUIESCE */
	struct loop_task quiet;   /* says so, outside of any handler */
	unsigned device;          /* net_device_index() of the sockets' device */
	struct follow follow;
	struct told told;
};

/* follow.c */
/* Looks at the file; true: p->port has become another, and shard 0 is told. */
bool follow_look(struct portmap *);
/* Opens the sockets anew when network.interface is another device than it was; once a look. */
void follow_device(struct portmap *);
/* Moves the sockets.  false: they could not be had, and p->follow.why says why. */
bool follow_move(struct portmap *, uint16_t port);

/* outcome.c */
/* Tells others and the log what has changed; complains once about what a person should mend. */
void outcome_tell(struct portmap *);
void outcome_view(const struct portmap *, struct network_view *);

#endif
