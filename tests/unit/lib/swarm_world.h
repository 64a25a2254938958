/* SPDX-License-Identifier: MIT */
/*
 * A few swarms of one torrent wired to each other, in steps of a tenth of a second.
 *
 * A node's upload is so many blocks a step, taken from its connections in turn.  A block's payload
 * begins with a number that only the right block has, so that liars can lie.
 */
#ifndef TESTS_UNIT_LIB_SWARM_WORLD_H
#define TESTS_UNIT_LIB_SWARM_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/swarm/priv.h"

#define NODES     8u
#define PIECES    48u
#define BLOCKS    4u
#define PIECE_LEN (BLOCKS * BLOCK_SIZE)
#define SECOND    INT64_C(1000000)
#define STEP      (SECOND / 10)

struct node;

/* One end of a connection. */
struct end {
	struct node *node;
	struct end *other;
	struct swarm_peer *peer; /* NULL: closed */
	uint64_t value;          /* of the block on its way in */
	uint64_t served;         /* blocks this node sent here */
};

struct node {
	struct world *world;
	struct swarm *swarm;
	struct rng rng;
	struct end ends[NODES]; /* by number of the other */
	unsigned index;
	unsigned upload; /* blocks at a time */
	unsigned every;  /* steps between these times */
	unsigned turn;   /* whose turn it is to be served */
	unsigned lies;   /* of a hundred blocks it sends */
	bool free_rider; /* serves nothing */
	int credit;
	uint64_t value[PIECES][BLOCKS];
	unsigned banned;      /* connections it closed because the other is guilty */
	int64_t done_at;      /* 0: not yet */
	uint32_t have_events; /* HAVEs that came */
};

struct world {
	struct node node[NODES];
	unsigned n;
	int64_t now;
	bool plain; /* without the fast extension, and so without gifts to whoever is choked */
	struct swarm_config config;
};

extern const struct swarm_ops world_ops; /* their owner is a node */

/* What the right block begins with. */
uint64_t right_value(uint32_t piece, uint32_t block);

void node_init(struct world *w, unsigned i, bool seed);

/* The first `seeds` of n nodes have everything. */
void world_init(struct world *w, unsigned n, unsigned seeds);

void world_connect(struct world *w, unsigned a, unsigned b);

void world_mesh(struct world *w);

void end_close(struct end *e);

void node_verdict(struct node *d, uint32_t piece);

void end_send(struct end *e);

void node_ask(struct node *d);

void world_step(struct world *w);

/* Messages with this id in ->out, which is emptied. */
unsigned count_out(struct swarm_peer *p, uint8_t id);

bool world_done(const struct world *w);

/* Until all have everything or the seconds are over. */
void world_run(struct world *w, unsigned seconds);

void world_fini(struct world *w);

#endif
