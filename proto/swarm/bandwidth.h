/* SPDX-License-Identifier: MIT */
/*
 * Dividing a limit among parts of the program that use it apart from each other.
 *
 * Each part has a rate of its own to keep, and now and then says what it used; the sum of the rates
 * is the limit.  Values; no allocation.
 */
#ifndef PROTO_SWARM_BANDWIDTH_H
#define PROTO_SWARM_BANDWIDTH_H

#include "proto/base/base.h"

/* Most parts there can be. */
#define BANDWIDTH_PARTS_MAX 64u

struct bandwidth {
	uint64_t used; /* B/s, lately */
	uint32_t busy; /* how many wanted more than they got; 0: nobody */
	uint64_t rate; /* B/s it may use; kept by bandwidth_divide() */
};

/*
 * Divides `limit` (B/s) among n parts.  Who used his rate up gets a part of what the others do not
 * need, in proportion to ->busy; nobody gets less than about a hundredth of an equal part, and
 * never 0, so that everyone can show that there is something to do.  While nobody lacks anything
 * what is left is spread evenly.  limit 0 is unlimited and gives 0.
 */
void bandwidth_divide(uint64_t limit, struct bandwidth *v, unsigned n);

#endif
