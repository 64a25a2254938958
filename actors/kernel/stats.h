/* SPDX-License-Identifier: MIT */
/*
 * Counters of one actor: plain numbers its own thread adds to, read when somebody asks
 * (actors_counters(), GET /debug/actors).
 */
#ifndef KERNEL_STATS_H
#define KERNEL_STATS_H

#include "proto/base/base.h"

struct actor;

enum stat_kind {
#define STAT(name, key, doc) STAT_##name,
#include "actors/kernel/stats.def"
#undef STAT
	STAT_MAX_
};

const char *stat_key(enum stat_kind); /* as it is shown: "turns" */
/* Owner's thread. */
void stat_add(struct actor *, enum stat_kind, uint64_t n);
/* Any thread; a value may be a few turns old. */
uint64_t stat_get(const struct actor *, enum stat_kind);

#endif
