/* SPDX-License-Identifier: MIT */
/*
 * How the program ends when an invariant is broken: a dump to standard error, then abort().
 *
 * Nothing here allocates or takes a lock, because the heap may be what is broken.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include "proto/base/base.h"

/* What the actor whose turn it is has in hand.  Kept up to date by actor.c. */
struct panic_hand {
	const char *actor; /* name */
	const char *msg;   /* name of the message type; NULL: none */
	unsigned from;     /* its sender's address */
	int64_t sent_us;   /* monotonic */
	int64_t turn_us;   /* monotonic: when the turn began */
};

/* Printed in a dump when the program defines it. */
extern const char panic_version[] __attribute__((weak));

/*
 * Dumps on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT as well, then lets the signal do its work.
 * Once, from main before any thread starts.  Does nothing under a sanitizer, which has its own.
 */
void panic_install(void);

/* The calling thread's hand, borrowed until the next call; NULL: none. */
void panic_hand_set(const struct panic_hand *);

#endif
