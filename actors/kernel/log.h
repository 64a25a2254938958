/* SPDX-License-Identifier: MIT */
/*
 * Log lines: `event key=value ...`, one write(2) each to standard error.
 *
 * With JOURNAL_STREAM set a line starts with its journald priority, else with time and level.  The
 * name of the actor whose thread it is comes by itself.  A value with spaces, quotes, "=" or what
 * does not print is quoted (log_fields.c): strangers cannot forge a field. Every line also lands in
 * the actor's ring of recent events, which a panic prints, whatever the level. Formatting is
 * skipped when the level is off; never call from the block path.
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include "proto/base/base.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level); /* any thread, takes effect at once */
enum log_level log_get_level(void);
enum err log_level_parse(
	const char *name, enum log_level *out); /* "error", "warning", "info", "debug" */

/*
 * log_event(LOG_INFO, "torrent_added", "name=%s size=%" PRIu64, ...).  An event without values has
 * the format LOG_NOTHING.
 */
#define LOG_NOTHING "%s", ""
void log_event(enum log_level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Printable form of a string from outside: control characters and invalid UTF-8 as \xNN, cut to
 * fit. */
const char *log_safe(const char *s, char *buf, size_t size);

#endif
