/* SPDX-License-Identifier: MIT */
/* Gathers the errors of one load into a caller's buffer, one line each. */
#include "config/report.h"

#include <stdarg.h>
#include <stdio.h>

struct report report_of(char *buf, size_t size)
{
	must(buf != NULL && size > 0);
	buf[0] = '\0';
	return (struct report){.buf = buf, .size = size};
}

void report_at(struct report *r, const char *prefix, int line)
{
	r->prefix = prefix;
	r->line = line;
}

/* Appends one line and its newline, or nothing when it does not fit. */
static void append_line(struct report *r, const char *line)
{
	size_t n = strlen(line);

	if (r->used + n + 2 > r->size)
		return;
	memcpy(r->buf + r->used, line, n);
	r->used += n;
	r->buf[r->used++] = '\n';
	r->buf[r->used] = '\0';
}

void report_add(struct report *r, const char *fmt, ...)
{
	char line[REPORT_LINE], at[16] = "";
	int used;
	va_list ap;

	if (r->n++ >= REPORT_MAX)
		return;
	if (r->line > 0)
		snprintf(at, sizeof at, "%d: ", r->line);
	used = snprintf(line, sizeof line / 2, "%s%s%s", r->prefix != NULL ? r->prefix : "",
		r->prefix == NULL || r->prefix[0] == '\0' ? ""
		: r->line > 0                             ? ":"
							  : ": ",
		at);
	used = MIN(used, (int)sizeof line / 2 - 1);
	va_start(ap, fmt);
	vsnprintf(line + used, sizeof line - (size_t)used, fmt, ap);
	va_end(ap);
	append_line(r, line);
}

void report_end(struct report *r)
{
	char line[64];

	if (r->n <= REPORT_MAX)
		return;
	snprintf(line, sizeof line, "and %u more", r->n - REPORT_MAX);
	append_line(r, line);
}
