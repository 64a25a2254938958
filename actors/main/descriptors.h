/* SPDX-License-Identifier: MIT */
/*
 * Who may have how many file descriptors.
 *
 * The system's limit is raised as far as it goes and then divided: first what the daemon holds by
 * being there and a reserve, then connections of the API, of trackers, of peers, and open files,
 * which the configuration's numbers are cut to.  So nobody finds the table full, and what cannot
 * fail (a message to another actor) never needs a descriptor that somebody else has.  Main's
 * thread.
 */
#ifndef ACTORS_MAIN_DESCRIPTORS_H
#define ACTORS_MAIN_DESCRIPTORS_H

#include "actors/msg/env.h"

struct descriptors {
	unsigned limit; /* 0: there is none */
	unsigned fixed; /* held whatever happens */
	unsigned shards, workers;
};

/* Raises the limit to the hard one.  When all is open that is opened before the actors. */
struct descriptors descriptors_take(const struct actor_env *);

/*
 * A new reference of a config that is like c but fits.  Says in one line of the log what was cut.
 * `told` is what was made at the start, when this is a reload: what needs a restart stays as it is
 * there; else NULL.  NULL is returned when not even the least fits; *why says what to do.
 */
const struct config *descriptors_fit(const struct descriptors *, const struct config *c,
	const struct config *told, char *why, size_t why_n);

#endif
