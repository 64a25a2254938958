/* SPDX-License-Identifier: MIT */
/* The kernel's own side of the log: whose thread it is, and the ring of recent events. */
#ifndef KERNEL_LOG_PRIV_H
#define KERNEL_LOG_PRIV_H

#include "actors/kernel/log.h"

/* Names the actor whose turn begins in this thread.  Borrows; NULL: none ("main" is printed). */
void log_set_actor(const char *name);
/* Never NULL.  The calling thread's. */
const char *log_actor(void);

/* Writes this thread's recent events to fd, oldest first.  Allocates nothing. */
void log_ring_dump(int fd);

#endif
