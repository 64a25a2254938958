/* SPDX-License-Identifier: MIT */
/*
 * What to ask of a UPnP gateway (IGD) after it has refused: which external port, for how long.
 *
 * Gateways differ in what they refuse: some want mappings for ever alone (725), some none that is
 * for ever (402), some say 501 when they mean that the port is taken.  Pure; one owner.
 */
#ifndef PROTO_PORTMAP_IGD_H
#define PROTO_PORTMAP_IGD_H

#include "proto/base/rng.h"

#define IGD_WEEK        604800u /* seconds: the longest lease that IGD 2 knows */
#define IGD_OTHER_PORTS 4u      /* how many are tried besides ours */

/* What is asked next. */
struct igd_ask {
	uint16_t internal, external;
	uint32_t lease; /* seconds; 0: for ever */
	unsigned others;
	bool for_ever, week, hour, same; /* tried because of a refusal */
};

void igd_begin(struct igd_ask *, uint16_t internal, uint16_t external, uint32_t lease);
/* After a refusal by this error: false when there is nothing left to try. */
bool igd_again(struct igd_ask *, int error, struct rng *);
/* Whether an error says that the external port is somebody else's. */
bool igd_is_taken(int error);

/* For a person: what the error means, and what to do.  Never NULL. */
const char *igd_words(int error);

#endif
