/* SPDX-License-Identifier: MIT */
/* What to ask of a UPnP gateway after a refusal, and words for its errors. */
#include "proto/portmap/igd.h"

#define OTHER_FIRST 40000u
#define OTHER_SPAN  10000u

enum {
	INVALID_ACTION = 401,
	INVALID_ARGS = 402,
	ACTION_FAILED = 501,
	NOT_AUTHORISED = 606,
	CONFLICT = 718,
	SAME_PORT = 724,
	PERMANENT_ONLY = 725,
	CONFLICT_OTHER = 729,
};

void igd_begin(struct igd_ask *a, uint16_t internal, uint16_t external, uint32_t lease)
{
	*a = (struct igd_ask){.internal = internal, .external = external, .lease = lease};
}

bool igd_is_taken(int error)
{
	return error == CONFLICT || error == CONFLICT_OTHER || error == ACTION_FAILED;
}

static bool try_lease(struct igd_ask *a, uint32_t lease, bool *tried)
{
	if (*tried)
		return false;
	*tried = true;
	a->lease = lease;
	return true;
}

/* 402: an argument is wrong, of which the lease is the one that gateways disagree about. */
static bool try_another_lease(struct igd_ask *a)
{
	if (a->lease != 0 && !a->for_ever)
		return try_lease(a, 0, &a->for_ever);
	return try_lease(a, IGD_WEEK, &a->week) || try_lease(a, 3600, &a->hour);
}

bool igd_again(struct igd_ask *a, int error, struct rng *rng)
{
	if (error == PERMANENT_ONLY)
		return try_lease(a, 0, &a->for_ever);
	if (error == INVALID_ARGS)
		return try_another_lease(a);
	if (error == SAME_PORT && !a->same) {
		a->same = true;
		a->external = a->internal;
		return true;
	}
	if (igd_is_taken(error) && !a->same && a->others < IGD_OTHER_PORTS) {
		a->others++;
		a->external = (uint16_t)(OTHER_FIRST + rng_below(rng, OTHER_SPAN));
		return true;
	}
	return false;
}

const char *igd_words(int error)
{
	static const struct {
		int error;
		const char *words;
	} known[] = {
		{0, "granted"},
		{INVALID_ACTION, "the gateway does not know the request"},
		{INVALID_ARGS, "the gateway takes none of the times for which a port can be asked"},
		{ACTION_FAILED, "the gateway could not do it: restarting it may help"},
		{NOT_AUTHORISED, "the gateway does not allow it: turn UPnP port mapping on in its "
				 "settings"},
		{713, "the gateway has no such mapping"},
		{714, "the gateway has no such mapping"},
		{715, "the gateway wants the address of one remote host"},
		{716, "the gateway wants one external port"},
		{CONFLICT, "the port and four others belong to other machines at the gateway: set "
			   "peers.port to another one"},
		{SAME_PORT, "the gateway gives only the same port that we listen at, and that is "
			    "taken: set peers.port to another one"},
		{PERMANENT_ONLY, "the gateway maps for ever alone, and does not do that either"},
		{726, "the gateway takes any remote host alone"},
		{727, "the gateway takes any external port alone"},
		{728, "the gateway has no port left"},
		{CONFLICT_OTHER, "the port belongs to another way of mapping at the gateway: set "
				 "peers.port to another one"},
		{732, "the gateway takes no wildcard as internal port"},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].error == error)
			return known[i].words;
	return "the gateway gives an unknown reason";
}
