/* SPDX-License-Identifier: MIT */
/*
 * Why a torrent is at what it is, from facts: the one reason that comes first for a person.
 *
 * What is wrong comes before what is merely so, and what a person can change before what passes by
 * itself.  Pure; any thread.
 */
#ifndef ACTORS_SESSION_WHY_H
#define ACTORS_SESSION_WHY_H

#include "actors/msg/rows.h"

struct why_facts {
	enum torrent_status status;
	enum err trouble;   /* what its error is about; E_OK: none */
	bool refused;       /* the disk refuses writes: it goes on with what it has */
	bool limit_reached; /* a limit on seeding stopped it */
	bool trackers_fail; /* none of them works, and there are some */
	struct swarm_counts now;
	uint64_t down_limit, up_limit;         /* its own, B/s, 0: none; likewise those on */
	uint64_t all_down_limit, all_up_limit; /* everything, */
	uint64_t all_down, all_up;             /* and what everything uses of them */
};

enum torrent_why why_of(const struct why_facts *);

#endif
