/* SPDX-License-Identifier: MIT */
/*
 * Log lines.
 *
 * A line is put together on the stack and leaves in one write(2), so that lines of several threads
 * do not mix and nothing is allocated.  The level is the one writable global of the kernel.  An
 * event below it lands in the ring (ring.c) with its format unexpanded: that costs a copy, not a
 * formatting.
 */
#include "actors/kernel/log_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/kernel/clock.h"

#define LINE_MAX_ 1024u
static const struct {
	const char *name;  /* in the configuration */
	const char *label; /* in a line */
	char priority;     /* of sd-daemon(3) */
} levels[] = {
	[LOG_ERROR] = {"error", "error", '3'},
	[LOG_WARNING] = {"warning", "warn", '4'},
	[LOG_INFO] = {"info", "info", '6'},
	[LOG_DEBUG] = {"debug", "debug", '7'},
};

static enum log_level level_now = LOG_INFO;

void log_set_level(enum log_level level)
{
	__atomic_store_n(&level_now, level, __ATOMIC_RELAXED);
}

enum log_level log_get_level(void)
{
	return __atomic_load_n(&level_now, __ATOMIC_RELAXED);
}

enum err log_level_parse(const char *name, enum log_level *out)
{
	for (unsigned i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcmp(name, levels[i].name) == 0) {
			*out = (enum log_level)i;
			return E_OK;
		}
	}
	return E_SYNTAX;
}

/* --- lines --- */

/* True when standard error is the stream that JOURNAL_STREAM ("device:inode") names. */
static bool to_journal(void)
{
	const char *want = getenv("JOURNAL_STREAM");
	char have[64];
	struct stat st;

	if (want == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	(void)snprintf(have, sizeof have, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(want, have) == 0;
}

/* 2026-11-22T10:00:00Z; the civil date from days since 1970, for years 1970 and later. */
static void format_utc(int64_t t, char *out, size_t size)
{
	int64_t days = t / 86400 + 719468, secs = t % 86400; /* since 0000-03-01 */
	int64_t era = days / 146097, doe = days % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);

	(void)snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month,
		(int)(doy - (153 * mp + 2) / 5 + 1), (int)(secs / 3600), (int)(secs / 60 % 60),
		(int)(secs % 60));
}

static size_t add_prefix(char *line, size_t size, enum log_level level, const char *event)
{
	char when[64];
	int n;

	if (to_journal()) {
		n = snprintf(line, size, "<%c>%s %s", levels[level].priority, log_actor(), event);
	} else {
		format_utc(clock_wall_s(), when, sizeof when);
		n = snprintf(line, size, "%s %-5s %-6s %s", when, levels[level].label, log_actor(),
			event);
	}
	return MIN((size_t)n, size - 1);
}

/* A line is one line, whatever a value holds. */
static void flatten(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			p[i] = ' ';
}

static size_t add_text(char *line, size_t size, const char *fmt, struct log_args *args)
{
	size_t n;

	if (size < 2)
		return 0;
	line[0] = ' ';
	n = log_fields(line + 1, size - 1, fmt, args);
	return n > 0 ? n + 1 : 0;
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[LINE_MAX_ + 1]; /* the newline */
	struct log_args args;
	size_t head, n;

	must((unsigned)level < ARRAY_LEN(levels));
	if (level > log_get_level()) {
		log_ring_add(event, fmt, strlen(fmt));
		return;
	}
	head = add_prefix(line, LINE_MAX_, level, event);
	va_start(args.ap, fmt);
	n = head + add_text(line + head, LINE_MAX_ - head, fmt, &args);
	va_end(args.ap);
	flatten(line, n);
	log_ring_add(event, line + MIN(head + 1, n), n - MIN(head + 1, n));
	line[n++] = '\n';
	log_write(STDERR_FILENO, line, n);
}
