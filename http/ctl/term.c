/* SPDX-License-Identifier: MIT */
/* Words on a terminal. */
#include "http/ctl/term.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "proto/base/text.h"
#include "proto/base/utf8.h"

#define COLUMNS_USUAL 80u
#define LINES_USUAL   24u

static struct winsize ask_size(void)
{
	struct winsize w = {0};

	if (isatty(STDOUT_FILENO) == 0)
		return w;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0 || w.ws_row == 0)
		w = (struct winsize){.ws_col = COLUMNS_USUAL, .ws_row = LINES_USUAL};
	return w;
}

uint32_t ctl_columns(void)
{
	return ask_size().ws_col;
}

uint32_t ctl_lines(void)
{
	return ask_size().ws_row;
}

void ctl_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fflush(stdout);
	fputs("torrentctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

void ctl_safe(char *out, size_t size, const char *text)
{
	if (text == NULL)
		text = "";
	(void)text_sanitise(out, size, (struct slice){(const uint8_t *)text, strlen(text)});
}

/* Columns of one character; *bytes is how long it is. */
static uint32_t width_at(const char *p, unsigned *bytes)
{
	uint32_t cp = 0;
	int w;

	*bytes = utf8_decode((const uint8_t *)p, strlen(p), &cp);
	if (*bytes == 0) {
		*bytes = 1;
		return 1;
	}
	w = wcwidth((wchar_t)cp); /* by the locale; -1: not known there */
	return w >= 0 ? (uint32_t)w : 1;
}

uint32_t ctl_width(const char *text)
{
	uint32_t sum = 0;
	unsigned bytes;

	for (const char *p = text; *p != '\0'; p += bytes)
		sum += width_at(p, &bytes);
	return sum;
}

uint32_t ctl_print_cut(const char *text, uint32_t columns)
{
	bool cut = ctl_width(text) > columns;
	uint32_t room = cut && columns > 0 ? columns - 1 : columns, used = 0;
	unsigned bytes;

	for (const char *p = text; *p != '\0'; p += bytes) {
		uint32_t w = width_at(p, &bytes);

		if (used + w > room)
			break;
		fwrite(p, 1, bytes, stdout);
		used += w;
	}
	if (cut && columns > 0) {
		fputs("\xe2\x80\xa6", stdout);
		used++;
	}
	return used;
}

void ctl_size(char out[CTL_NUMBER], uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double n = (double)bytes;
	unsigned i = 0;

	for (; n >= 999.5 && i + 1 < ARRAY_LEN(units); i++)
		n /= 1024;
	snprintf(out, CTL_NUMBER, i == 0 || n >= 99.95 ? "%.0f %s" : "%.1f %s", n, units[i]);
}

void ctl_rate(char out[CTL_NUMBER], uint64_t bytes)
{
	char size[CTL_NUMBER - 2];

	out[0] = '\0';
	if (bytes == 0)
		return;
	ctl_size(out, bytes);
	memcpy(size, out, sizeof size);
	size[sizeof size - 1] = '\0';
	snprintf(out, CTL_NUMBER, "%s/s", size);
}

void ctl_span(char out[CTL_NUMBER], int64_t s)
{
	out[0] = '\0';
	if (s < 0)
		return;
	if (s < 60)
		snprintf(out, CTL_NUMBER, "%llds", (long long)s);
	else if (s < 3600)
		snprintf(out, CTL_NUMBER, "%lldm %llds", (long long)(s / 60), (long long)(s % 60));
	else if (s < 86400)
		snprintf(out, CTL_NUMBER, "%lldh %lldm", (long long)(s / 3600),
			(long long)(s / 60 % 60));
	else
		snprintf(out, CTL_NUMBER, "%lldd %lldh", (long long)(s / 86400),
			(long long)(s / 3600 % 24));
}

void ctl_percent(char out[CTL_NUMBER], double share)
{
	double p = share >= 1 ? 100 : MIN(share * 100, 99.94);

	snprintf(out, CTL_NUMBER, share >= 1 ? "%.0f%%" : "%.1f%%", p);
}

void ctl_moment(char out[CTL_NUMBER], int64_t unix_s)
{
	time_t t = unix_s;
	struct tm tm;

	out[0] = '\0';
	if (unix_s > 0 && localtime_r(&t, &tm) != NULL)
		(void)strftime(out, CTL_NUMBER, "%Y-%m-%d %H:%M", &tm);
}
