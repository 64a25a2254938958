/* SPDX-License-Identifier: MIT */
/*
 * A network of DHT nodes in virtual time: proto/dht alone, without actors.
 *
 * Datagrams take a while, some are lost, nodes come and go.  Besides honest nodes there are liars,
 * who answer with nodes that are not there and store nothing, and sybils, who sit around one target
 * with addresses of many networks and know only each other.  Everything follows from the seed.
 */
#ifndef TESTS_SIM_LIB_KAD_NET_H
#define TESTS_SIM_LIB_KAD_NET_H

#include "proto/dht/kad.h"

struct kad_net;

enum kad_kind { KAD_HONEST, KAD_LIAR, KAD_SYBIL };

struct kad_net_config {
	uint64_t seed;
	unsigned nodes;  /* honest ones and liars */
	unsigned liars;  /* of them, in a hundred */
	double churn;    /* share of them that is replaced in an hour */
	unsigned loss;   /* datagrams of a thousand */
	unsigned sybils; /* around the target */
	struct kad_id target;
	uint32_t new_nodes; /* as configured at each */
};

struct kad_net *kad_net_new(const struct kad_net_config *);
void kad_net_free(struct kad_net **);
void kad_net_run(struct kad_net *, int64_t us);
int64_t kad_net_now(const struct kad_net *);

/* A node that stays, outside of the churn; its number. */
unsigned kad_net_join(struct kad_net *);
struct kad *kad_net_node(struct kad_net *, unsigned);
struct endpoint kad_net_at(const struct kad_net *, unsigned);
/* Whether this node was told of that peer since kad_net_forget(). */
bool kad_net_has_found(const struct kad_net *, unsigned, const struct endpoint *peer);
void kad_net_forget(struct kad_net *, unsigned);
/* Looks for peers of the target without announcing; false: it did not end.  `asked` is how many
 * nodes answered, took how long. */
struct kad_net_look {
	enum err err;
	unsigned answered, questions;
	int64_t took;
};
bool kad_net_look(
	struct kad_net *, unsigned node, const struct kad_id *target, struct kad_net_look *);
uint64_t kad_net_datagrams(const struct kad_net *);
unsigned kad_net_random(struct kad_net *, unsigned n);

/* --- kad_cases.c: what has to hold --- */

struct sim;

/* A network whose seed and target follow from the scenario's; no liars, no sybils, no churn. */
struct kad_net_config kad_net_usual(struct sim *, unsigned nodes);
/* A lookup among many nodes asks few more than one among few: a hop a doubling. */
void kad_grows(struct sim *, unsigned few, unsigned many);
/* What a node has announced half an hour ago, newcomers find. */
void kad_finds(struct sim *, const struct kad_net_config *);

#endif
