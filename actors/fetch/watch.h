/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that a library owns and the loop watches for it.
 *
 * The library says what it waits for, and when it waits no more, which may be after it has closed
 * the descriptor (libcurl 7.88 closes a socket that is connecting, and tells nobody before).  One
 * thread, the loop's.
 */
#ifndef ACTORS_FETCH_WATCH_H
#define ACTORS_FETCH_WATCH_H

#include "actors/kernel/loop.h"

struct watch_set {
	struct loop *loop;
	void (*fn)(struct watch_set *, int fd, uint32_t ready);
	bool closing; /* the loop turns no more: what ends is freed at once */
};

struct watch;

void watch_set_init(
	struct watch_set *, struct loop *, void (*fn)(struct watch_set *, int fd, uint32_t ready));
/* The set owns it until watch_end(). */
struct watch *watch_new(struct watch_set *, int fd);
/* POLL_IN, POLL_OUT.  Where the loop cannot take one more nothing is ever ready. */
void watch_events(struct watch *, uint32_t events);
void watch_end(struct watch **);

#endif
