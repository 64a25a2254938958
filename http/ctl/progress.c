/* SPDX-License-Identifier: MIT */
/* Waiting for torrents, with a bar. */
#include "http/ctl/progress.h"

#include <stdio.h>

#include "http/ctl/follow.h"
#include "http/ctl/rows.h"
#include "http/ctl/term.h"

#define BAR_LEAST 10u   /* columns */
#define EVERY     "500" /* ms */

struct wait {
	const json_t *torrents;
	enum ctl_status status;
};

static const json_t *find(const json_t *rows, const char *hash)
{
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (strcmp(ctl_text(json_array_get(rows, i), "hash"), hash) == 0)
			return json_array_get(rows, i);
	return NULL;
}

static bool is_there(const json_t *row)
{
	const char *state = ctl_text(row, "state");

	return ctl_real(row, "progress") >= 1 && strcmp(state, "checking") != 0 &&
	       strcmp(state, "metadata") != 0;
}

/* How all of them are together. */
struct sum {
	double wanted, left;
	uint64_t down;
	uint32_t there, n;
};

/* false: w->status says how it ended. */
static bool add_up(struct wait *w, const json_t *rows, struct sum *sum)
{
	char text[2048];

	for (size_t i = 0; i < json_array_size(w->torrents); i++) {
		const char *hash = ctl_text(json_array_get(w->torrents, i), "hash");
		const json_t *row = find(rows, hash);

		if (row == NULL || strcmp(ctl_text(row, "state"), "error") == 0) {
			ctl_safe(text, sizeof text, ctl_text(row, "error"));
			ctl_complain("%.8s %s", hash, row == NULL ? "was removed" : text);
			w->status = CTL_FAILED;
			return false;
		}
		sum->n++;
		sum->there += is_there(row);
		sum->wanted += ctl_real(row, "wanted");
		sum->left += ctl_real(row, "left");
		sum->down += (uint64_t)ctl_int(row, "down");
	}
	return true;
}

static void draw(const struct sum *sum)
{
	double share = sum->wanted > 0 ? 1 - sum->left / sum->wanted : 0;
	char percent[CTL_NUMBER], rate[CTL_NUMBER], left[CTL_NUMBER], words[4 * CTL_NUMBER];
	uint32_t columns = ctl_columns(), width, full;

	if (columns == 0)
		return;
	ctl_percent(percent, sum->there == sum->n ? 1 : MIN(share, 0.999));
	ctl_rate(rate, sum->down);
	ctl_span(left, sum->down > 0 ? (int64_t)(sum->left / (double)sum->down) : -1);
	snprintf(words, sizeof words, " %6s  %s  %s", percent, rate, left);
	width = MAX(
		BAR_LEAST, columns > strlen(words) + 3 ? columns - (uint32_t)strlen(words) - 3 : 0);
	full = (uint32_t)(share * width);
	fputs("\r[", stdout);
	for (uint32_t i = 0; i < width; i++)
		putchar(i < full ? '#' : '.');
	printf("]%s\033[K", words);
	fflush(stdout);
}

static bool look(void *ctx, const json_t *rows)
{
	struct wait *w = ctx;
	struct sum sum = {0};
	bool ok = add_up(w, rows, &sum);

	if (ok)
		draw(&sum);
	if (!ok || sum.there == sum.n) {
		if (ctl_columns() > 0)
			putchar('\n');
		return false;
	}
	return true;
}

enum ctl_status ctl_wait_for(struct ctl *c, const json_t *torrents)
{
	struct wait w = {.torrents = torrents, .status = CTL_DONE};
	struct ctl_watcher watcher = {.turn = look, .ctx = &w, .patient = true};
	enum ctl_status status = ctl_follow(c, EVERY, &watcher);

	return status == CTL_DONE ? w.status : status;
}
