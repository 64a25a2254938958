/* SPDX-License-Identifier: MIT */
/*
 * Which address has more than its part of the places.
 *
 * Who has one address can open any number of connections, and so take all places from the others.
 * A neighbourhood is a /24 of IPv4 or a /64 of IPv6, which one customer gets; inside a /24 the
 * addresses are told apart, too.  Pure; any thread.
 */
#ifndef ACTORS_PEERS_CROWD_H
#define ACTORS_PEERS_CROWD_H

#include "proto/base/endpoint.h"

/* Whether both may well be the same customer's: the same IPv4 address, or the same /64. */
bool crowd_same_host(const struct endpoint *a, const struct endpoint *b);

/*
 * Of the n addresses `at` that have a place, marks in `out` (n of them) those of whoever has most,
 * when one of these places is better given to `newcomer`: that is when even without it there are no
 * fewer than the newcomer's would then be.  Neighbourhoods come first, then the addresses within
 * the newcomer's own.  false: everybody has the same part; `out` is then as it was.  O(n).
 */
bool crowd_find(const struct endpoint *at, unsigned n, const struct endpoint *newcomer, bool *out);

#endif
