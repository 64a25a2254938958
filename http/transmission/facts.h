/* SPDX-License-Identifier: MIT */
/* What the preferences and the statistics are made of besides the configuration; for the http
 * actor's thread. */
#ifndef HTTP_TRANSMISSION_FACTS_H
#define HTTP_TRANSMISSION_FACTS_H

#include "http/transmission/priv.h"

struct facts {
	bool snake;            /* the JSON-RPC dialect */
	const struct rpc *rpc; /* borrowed, as the next one */
	const struct config *k;
	uint64_t limits[2];           /* on everything, B/s, down and up; 0: unlimited */
	uint64_t rates[2];            /* of everything, B/s */
	uint32_t counts[STATUS_MAX_]; /* torrents by status */
	uint16_t port;                /* we listen at */
	uint32_t blocked;             /* ranges in the blocklist */
	int64_t space;                /* bytes free in download.dir; -1: not known */
};

typedef void facts_f(struct rcall *, const struct facts *);

/* Asks for them and calls fn, or ends the call. */
void summary_ask(struct rcall *, facts_f *fn);

/* --- preferences that are switched on by one name and have their value by another (pairs.c) --- */

enum pair {
	PAIR_SPEED_DOWN, /* kB/s, as the next one; these two are limits of the session */
	PAIR_SPEED_UP,
	PAIR_DOWNLOADS, /* torrents, as the next one */
	PAIR_SEEDS,
	PAIR_STALLED, /* minutes, as the next one */
	PAIR_IDLE,
	PAIR_RATIO, /* thousandths */
	PAIRS
};
_Static_assert(PAIRS == RPC_PAIRS, "room for each in struct rpc");

/* What it is now, or would be if it were switched on. */
uint64_t pair_value(const struct facts *, enum pair);
bool pair_is_on(const struct facts *, enum pair);
/* The values that Transmission begins with. */
void pair_begin(struct rpc *);

/* --- preferences (session.c) --- */

/* All that are asked for, as members; fields NULL or empty: all. */
void preferences_put(struct json_out *, const struct facts *, const json_t *fields);

#endif
