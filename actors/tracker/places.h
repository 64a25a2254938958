/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is: announces and scrapes wait here, by host, for one of the places.
 *
 * "stopped" and "completed" go first, then the first announces of torrents, then the rest.  Hosts
 * take turns, and none has more than half of the places; hosts that fell silent, and are silent
 * until they answer, come after all others and have half of the places between them.  Whoever was
 * not answered for QUEUE_OVERTIME holds a place no longer than until another one needs it.
 * Starts are paced, so that thousands of torrents started together do not fall upon one tracker in
 * one second.  Times are microseconds of one clock.  Pure; one owner.
 */
#ifndef ACTORS_TRACKER_PLACES_H
#define ACTORS_TRACKER_PLACES_H

#include <sys/queue.h>

#include "proto/base/base.h"
#include "proto/base/time.h"

#define QUEUE_OVERTIME (5 * USEC_PER_SEC)

enum queue_class { QUEUE_EVENT, QUEUE_FIRST, QUEUE_REST, QUEUE_CLASSES };

enum queue_end { QUEUE_DROPPED, QUEUE_ANSWERED, QUEUE_SILENT };

struct queue;
struct queue_host;

/* Embedded in what waits. */
struct queue_item {
	TAILQ_ENTRY(queue_item) link; /* among those of its host that wait, or those that run */
	struct queue_host *host;
	enum queue_class class;
	bool running;
	int64_t begun; /* running: since when */
};

/* places: how many run at once, at least 1.  late: told of each item that waits behind a host that
 * is silent; it may not call the queue.  seed: random, for the hash of hosts. */
struct queue *places_new(unsigned places, uint64_t seed, void (*late)(struct queue_item *));
/* Nothing waits or runs. */
void places_free(struct queue **);

void places_add(struct queue *, struct queue_item *, const char *host, enum queue_class);
/* The next one to run, which is running from now on; NULL: none now. */
struct queue_item *places_next(struct queue *, int64_t now);
/* One that runs and is to be given up, because others wait for its place; NULL: none now. */
struct queue_item *places_overdue(const struct queue *, int64_t now);
/* When either may have one by itself; INT64_MAX: only after an item was added or has ended. */
int64_t places_deadline(const struct queue *);
/* Takes an item out, whether it runs or waits. */
void places_remove(struct queue *, struct queue_item *, enum queue_end);
/* How many wait or run. */
unsigned places_count(const struct queue *);

#endif
