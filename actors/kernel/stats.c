/* SPDX-License-Identifier: MIT */
/*
 * Counters of one actor.
 *
 * Relaxed loads and stores, not read-modify-write: there is one writer, and readers only need each
 * value to be whole.
 */
#include "actors/kernel/stats.h"

#include "actors/kernel/actor_priv.h"

static const char *const keys[] = {
#define STAT(name, key, doc) [STAT_##name] = key,
#include "actors/kernel/stats.def"
#undef STAT
};

const char *stat_key(enum stat_kind s)
{
	must((unsigned)s < STAT_MAX_);
	return keys[s];
}

void stat_add(struct actor *a, enum stat_kind s, uint64_t n)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	stat_count(&a->stats[s], n);
}

uint64_t stat_get(const struct actor *a, enum stat_kind s)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	must((unsigned)s < STAT_MAX_);
	return __atomic_load_n(&a->stats[s], __ATOMIC_RELAXED);
}
