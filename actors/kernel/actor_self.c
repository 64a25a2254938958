/* SPDX-License-Identifier: MIT */
/*
 * What an actor says of itself to its handlers.  The ground the other files of the actor stand on:
 * it calls none of them.
 */
#include "actors/kernel/actor_priv.h"

void actor_check_thread(const struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	must(a->phase != ACTOR_NEW && pthread_equal(a->thread, pthread_self()));
}

void *actor_self(const struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	return a->self;
}

uint16_t actor_addr(const struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	return a->addr;
}

struct loop *actor_loop(const struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	return a->loop;
}

bool actor_stopping(const struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	return a->stopping;
}
