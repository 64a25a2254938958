/* SPDX-License-Identifier: MIT */
/* The kernel's own side of the log: whose thread it is, and the ring of recent events. */
#ifndef KERNEL_LOG_PRIV_H
#define KERNEL_LOG_PRIV_H

#include <stdarg.h>

#include "actors/kernel/log.h"

/* Names the actor whose turn begins in this thread.  Borrows; NULL: none ("main" is printed). */
void log_set_actor(const char *name);
/* Never NULL.  The calling thread's. */
const char *log_actor(void);

/* Keeps "event text", cut to fit, among this thread's events. */
void log_ring_add(const char *event, const char *text, size_t n);

/* Writes all of it, or as much as somebody reads. */
void log_write(int fd, const char *p, size_t n);

/* Writes this thread's recent events to fd, oldest first.  Allocates nothing. */
void log_ring_dump(int fd);

struct log_args {
	va_list ap;
};

/* Expands a format of log_event() into out, at most size bytes, no NUL; returns how many.  Quotes
 * values that need it. */
size_t log_fields(char *out, size_t size, const char *fmt, struct log_args *args);

/* Bytes of the printable, well-formed UTF-8 character at s; 0 when it must be escaped. */
unsigned log_printable(const char *s);

#endif
