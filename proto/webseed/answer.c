/* SPDX-License-Identifier: MIT */
/* Status, Content-Range and Retry-After of a web seed's answer. */
#include "proto/webseed/answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/base/time.h"

#define REFUSED_WAIT (600 * USEC_PER_SEC) /* 401, 403: an operator would have to change it */
#define FAILED_WAIT  (30 * USEC_PER_SEC)

PRINTF_LIKE(3, 4)
static void judge(
	struct httpseed_judgement *out, enum httpseed_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	out->verdict = verdict;
	va_start(ap, fmt);
	(void)vsnprintf(out->why, sizeof out->why, fmt, ap);
	va_end(ap);
}

/* Reads a number and steps behind it; false: there is none, or it is too large. */
static bool take_number(const char **p, uint64_t *out)
{
	const char *at = *p;
	uint64_t v = 0;

	while (*at >= '0' && *at <= '9')
		if (!mul_ok(v, (uint64_t)10, &v) || !add_ok(v, (uint64_t)(*at++ - '0'), &v))
			return false;
	*out = v;
	if (at == *p)
		return false;
	*p = at;
	return true;
}

static bool take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

/* "bytes 0-499/1234", the total may be "*", then it is 0. */
static bool read_content_range(const char *p, uint64_t *first, uint64_t *total)
{
	uint64_t last;

	if (p == NULL || strncasecmp(p, "bytes", 5) != 0)
		return false;
	p += 5;
	while (*p == ' ' || *p == '=')
		p++;
	if (!take_number(&p, first) || !take_char(&p, '-') || !take_number(&p, &last) ||
		!take_char(&p, '/'))
		return false;
	*total = 0;
	return take_char(&p, '*') || take_number(&p, total);
}

/* Days from 1970 to a date of the civil calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The number of the month, from 1, whose three letters are at p; 0: there are none. */
static int64_t month_of(const char *p)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int64_t i = 0; i < 12; i++)
		if (strncmp(p, months + 3 * i, 3) == 0)
			return i + 1;
	return 0;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT": seconds since 1970, or -1. */
static int64_t read_date(const char *text)
{
	uint64_t day, year, hour, minute, second;
	const char *p = strchr(text, ',');
	int64_t month;

	if (p == NULL || *++p != ' ')
		return -1;
	p++;
	if (!take_number(&p, &day) || !take_char(&p, ' ') || (month = month_of(p)) == 0)
		return -1;
	p += 3;
	if (!take_char(&p, ' ') || !take_number(&p, &year) || !take_char(&p, ' ') ||
		!take_number(&p, &hour) || !take_char(&p, ':') || !take_number(&p, &minute) ||
		!take_char(&p, ':') || !take_number(&p, &second))
		return -1;
	if (day > 31 || year < 1970 || year > 9999 || hour > 23 || minute > 59 || second > 60)
		return -1;
	return days_of((int64_t)year, month, (int64_t)day) * 86400 +
	       (int64_t)(hour * 3600 + minute * 60 + second);
}

/* us; 0: it does not say. */
static int64_t read_retry_after(const char *text, int64_t wall)
{
	uint64_t seconds;
	int64_t at;

	if (text == NULL)
		return 0;
	if (take_number(&text, &seconds))
		return (int64_t)MIN(seconds, (uint64_t)(HTTPSEED_WAIT_MAX / USEC_PER_SEC)) *
		       USEC_PER_SEC;
	at = read_date(text);
	if (at <= wall)
		return 0;
	return MIN(at - wall, HTTPSEED_WAIT_MAX / USEC_PER_SEC) * USEC_PER_SEC;
}

static void judge_part(const struct httpseed_range *r, const struct httpseed_head *h,
	struct httpseed_judgement *out)
{
	uint64_t first, total;

	if (!read_content_range(h->content_range, &first, &total))
		judge(out, HTTPSEED_WAIT,
			"the server does not say which part of the file it sends");
	else if (total != 0 && total != r->file_length)
		judge(out, HTTPSEED_NO_FILE, "the server's file has %llu bytes instead of %llu",
			(unsigned long long)total, (unsigned long long)r->file_length);
	else if (first != r->first)
		judge(out, HTTPSEED_WAIT, "the server sends another part than was asked for");
	else
		out->verdict = HTTPSEED_TAKE;
}

/* 200: the whole file, whatever was asked for. */
static void judge_whole(const struct httpseed_range *r, const struct httpseed_head *h,
	struct httpseed_judgement *out)
{
	if (h->content_length >= 0 && (uint64_t)h->content_length != r->file_length) {
		judge(out, HTTPSEED_NO_FILE, "the server's file has %lld bytes instead of %llu",
			(long long)h->content_length, (unsigned long long)r->file_length);
	} else if (r->first > HTTPSEED_SKIP_MAX) {
		out->wait = HTTPSEED_WAIT_MAX;
		judge(out, HTTPSEED_WAIT, "the server cannot send parts of files");
	} else {
		out->verdict = HTTPSEED_TAKE;
		out->skip = r->first;
	}
}

void httpseed_judge(const struct httpseed_range *r, const struct httpseed_head *h, int64_t wall,
	struct httpseed_judgement *out)
{
	*out = (struct httpseed_judgement){.verdict = HTTPSEED_WAIT};
	if ((h->status == 200 || h->status == 206) && h->encoded) {
		judge(out, HTTPSEED_WAIT,
			"the server sends the file in a coding that was not asked for");
		return;
	}
	switch (h->status) {
	case 200:
		judge_whole(r, h, out);
		return;
	case 206:
		judge_part(r, h, out);
		return;
	case 404:
	case 410:
		judge(out, HTTPSEED_NO_FILE, "the server does not have the file");
		return;
	case 416:
		judge(out, HTTPSEED_NO_FILE, "the server's file is shorter");
		return;
	case 401:
	case 403:
		out->wait = REFUSED_WAIT;
		break;
	default:
		out->wait = read_retry_after(h->retry_after, wall);
	}
	judge(out, HTTPSEED_WAIT, "the server answers with status %u", h->status);
}

void httpseed_worked(struct httpseed_health *h)
{
	h->failures = 0;
	h->until = 0;
}

void httpseed_failed(struct httpseed_health *h, int64_t wait, int64_t now)
{
	int64_t own = FAILED_WAIT << MIN(h->failures, 7u);

	h->failures++;
	h->until = now + MAX(wait, MIN(own, HTTPSEED_WAIT_MAX));
}
