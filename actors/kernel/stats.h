/* SPDX-License-Identifier: MIT */
/*
 * Counters of one actor: plain numbers its own thread adds to, summed when somebody asks.
 *
 * The kernel keeps its own (stats.def): turns, sleeps, messages by type, live messages, queueing
 * delay and handling time histograms.
 */
#ifndef KERNEL_STATS_H
#define KERNEL_STATS_H

#include "proto/base/base.h"

struct actor;

enum stat {
#define STAT(name, unit, doc) STAT_##name,
#include "actors/kernel/stats.def"
#undef STAT
	STAT_MAX_
};

const char *stat_name(enum stat);
/* Owner's thread. */
void stat_add(struct actor *, enum stat, uint64_t n);
/* Any thread; a value may be a few turns old. */
uint64_t stat_get(const struct actor *, enum stat);

#endif
