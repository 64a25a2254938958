/* SPDX-License-Identifier: MIT */
/*
 * The errors of one load, gathered so that an operator sees them all at once.
 *
 * Invariant: buf is NUL-terminated and holds whole lines, at most REPORT_MAX of them.
 */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include "proto/base/base.h"

#define REPORT_MAX  20  /* lines shown; the rest is counted */
#define REPORT_LINE 700 /* bytes of one line, longer ones are cut */

struct report {
	char *buf; /* the caller's */
	size_t size, used;
	unsigned n;         /* errors, shown or not */
	const char *prefix; /* where the error is, put before each line; borrowed */
	int line;           /* > 0: put after the prefix */
};

struct report report_of(char *buf, size_t size);

/* Says where the errors that follow are. */
void report_at(struct report *r, const char *prefix, int line);

/* Adds one error at the current place. */
void report_add(struct report *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Adds the count of what was not shown; call once, last. */
void report_end(struct report *r);

#endif
