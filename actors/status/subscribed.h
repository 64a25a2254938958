/* SPDX-License-Identifier: MIT */
/*
 * Which topics somebody has subscribed to: a set of prefixes.
 *
 * Bounded, since strangers fill it: prefixes that are longer than any topic match none and are left
 * out, and beyond SUBSCRIBED_MAX every topic counts as wanted, which costs time and loses nothing.
 * Pure; one owner.
 */
#ifndef ACTORS_STATUS_SUBSCRIBED_H
#define ACTORS_STATUS_SUBSCRIBED_H

#include "proto/base/base.h"

#define SUBSCRIBED_TOPIC 63u   /* bytes of the longest topic */
#define SUBSCRIBED_MAX   4096u /* prefixes */

struct subscribed_prefix {
	uint8_t n;
	char text[SUBSCRIBED_TOPIC];
};

struct subscribed {
	struct subscribed_prefix *list; /* owned; sorted */
	uint32_t n, room;
	uint64_t lengths; /* a bit for each length that one of them has had */
	bool all;         /* there were more than could be kept */
};

void subscribed_fini(struct subscribed *);

/* Somebody has subscribed to it, or the last one who had is gone. */
void subscribed_add(struct subscribed *, const char *prefix, size_t n);
void subscribed_remove(struct subscribed *, const char *prefix, size_t n);

static inline bool subscribed_any(const struct subscribed *w)
{
	return w->all || w->n > 0;
}

/* Whether somebody gets that topic. */
bool subscribed_has(const struct subscribed *, const char *topic, size_t n);

/* Whether somebody gets the topic "torrent/<hash>/" + kind of some torrent, whichever it is. */
bool subscribed_kind(const struct subscribed *, const char *kind);

#endif
