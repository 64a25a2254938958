/* SPDX-License-Identifier: MIT */
/*
 * Addresses that a node may tell of.
 *
 * Nodes and peers that are learned from strangers are only taken when the Internet has a way to
 * them: anything else is nonsense, or somebody's neighbour who would be flooded by our questions.
 * Pure.
 */
#ifndef PROTO_DHT_FILTER_H
#define PROTO_DHT_FILTER_H

#include "proto/base/endpoint.h"

/* local: addresses of the neighbourhood count, too (tests, a LAN). */
bool kad_filter_allows(const struct endpoint *, bool local);

/* Whether both are of one network that one person may have all of: a /24, a /64. */
bool kad_filter_same_net(const struct endpoint *a, const struct endpoint *b);

#endif
