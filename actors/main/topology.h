/* SPDX-License-Identifier: MIT */
/* Making the set of actors that a configuration asks for.  Main's thread, before any other. */
#ifndef ACTORS_MAIN_TOPOLOGY_H
#define ACTORS_MAIN_TOPOLOGY_H

#include "actors/msg/env.h"

/* Fills env but for the database; borrows c. */
void topology_env(struct actor_env *env, const struct config *c);
/* Adds every actor but main; env is borrowed until they have started. */
void topology_add(struct actors *, const struct actor_env *env);
/* How many descriptors all actors, main among them, hold by being there. */
unsigned topology_descriptors(const struct actor_env *env);

#endif
