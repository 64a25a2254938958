/* SPDX-License-Identifier: MIT */
/*
 * Preferences that have a switch: Transmission keeps the value of one that is off, and we have 0
 * for off; so what it would be is remembered for as long as the daemon runs.
 */
#include "http/transmission/facts.h"

static uint64_t value_now(const struct facts *f, enum pair p)
{
	const struct config *k = f->k;

	switch (p) {
	case PAIR_SPEED_DOWN:
	case PAIR_SPEED_UP:
		return (f->limits[p] + 999) / 1000;
	case PAIR_DOWNLOADS:
		return (uint64_t)k->queue_downloads;
	case PAIR_SEEDS:
		return (uint64_t)k->queue_seeds;
	case PAIR_STALLED:
		return (uint64_t)(k->queue_stalled + 60 * USEC_PER_SEC - 1) / (60 * USEC_PER_SEC);
	case PAIR_IDLE:
		return (uint64_t)(k->seed_idle + 60 * USEC_PER_SEC - 1) / (60 * USEC_PER_SEC);
	case PAIR_RATIO:
		return (uint64_t)k->seed_ratio;
	default:
		return 0;
	}
}

uint64_t pair_value(const struct facts *f, enum pair p)
{
	uint64_t now = value_now(f, p);

	return now != 0 ? now : f->rpc->kept[p];
}

bool pair_is_on(const struct facts *f, enum pair p)
{
	return value_now(f, p) != 0;
}

void pair_begin(struct rpc *rpc)
{
	static const uint64_t first[PAIRS] = {[PAIR_SPEED_DOWN] = 100,
		[PAIR_SPEED_UP] = 100,
		[PAIR_DOWNLOADS] = 5,
		[PAIR_SEEDS] = 10,
		[PAIR_STALLED] = 30,
		[PAIR_IDLE] = 30,
		[PAIR_RATIO] = 2000};

	CHECK_OBJ(rpc, RPC_MAGIC);
	memcpy(rpc->kept, first, sizeof rpc->kept);
}
