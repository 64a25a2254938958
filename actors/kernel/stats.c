/* SPDX-License-Identifier: MIT */
/*
 * Counters of one actor.
 *
 * Relaxed loads and stores, not read-modify-write: there is one writer, and readers only need each
 * value to be whole.
 */
#include "actors/kernel/stats.h"

#include "actors/kernel/actor_priv.h"

static const char *const names[] = {
#define STAT(name, unit, doc) #name,
#include "actors/kernel/stats.def"
#undef STAT
};

const char *stat_name(enum stat s)
{
	must((unsigned)s < STAT_MAX_);
	return names[s];
}

void stat_add(struct actor *a, enum stat s, uint64_t n)
{
	__atomic_store_n(&a->stats[s], a->stats[s] + n, __ATOMIC_RELAXED);
}

uint64_t stat_get(const struct actor *a, enum stat s)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	must((unsigned)s < STAT_MAX_);
	return __atomic_load_n(&a->stats[s], __ATOMIC_RELAXED);
}
