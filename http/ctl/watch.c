/* SPDX-License-Identifier: MIT */
/* What happens, as it happens: a table that lives, or a line for each change; and events as they
 * are. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/ctl/follow.h"
#include "http/ctl/rows.h"
#include "http/ctl/term.h"

#define SCREEN_BEGIN "\033[?1049h\033[?25l"
#define SCREEN_END   "\033[?25h\033[?1049l"

/* The terminal is as it was before, and the signal does what it does. */
static void give_back(int number)
{
	if (write(STDOUT_FILENO, SCREEN_END, sizeof SCREEN_END - 1) < 0)
		_exit(CTL_FAILED);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static bool show_table(void *ctx, const json_t *rows)
{
	struct ctl *c = ctx;
	json_t *shown = json_copy((json_t *)(uintptr_t)rows);
	uint32_t lines = ctl_lines();
	double down = 0, up = 0;
	char a[CTL_NUMBER], b[CTL_NUMBER];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		down += ctl_real(json_array_get(rows, i), "down");
		up += ctl_real(json_array_get(rows, i), "up");
	}
	(void)ctl_rows_arrange(c, shown);
	ctl_size(a, (uint64_t)down);
	ctl_size(b, (uint64_t)up);
	printf("\033[H%zu torrents, %s/s down, %s/s up\033[K\n", json_array_size(shown), a, b);
	ctl_rows_print(shown, lines > 3 ? lines - 2 : 1);
	fputs("\033[J", stdout);
	fflush(stdout);
	json_decref(shown);
	return true;
}

/* A line with a word in front for a program that reads along. */
static void print_change(void *ctx, const json_t *row, bool gone)
{
	struct ctl *c = ctx;
	char name[1024];
	json_t *line;

	if (ctl_value(c, CTL_state) != NULL && !gone &&
		strcmp(ctl_text(row, "state"), ctl_value(c, CTL_state)) != 0)
		return;
	if (c->json) {
		line = json_copy((json_t *)(uintptr_t)row);
		json_object_set_new(line, "gone", json_boolean(gone));
		json_dumpf(line, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		putchar('\n');
		json_decref(line);
		return;
	}
	ctl_safe(name, sizeof name, ctl_text(row, "name"));
	printf("%s\t%s\t%s\t%.4f\t%lld\t%lld\n", ctl_text(row, "hash"), name,
		gone ? "gone" : ctl_text(row, "state"), ctl_real(row, "progress"),
		(long long)ctl_int(row, "down"), (long long)ctl_int(row, "up"));
}

static bool flush_changes(void *ctx, const json_t *rows)
{
	(void)ctx, (void)rows;
	return fflush(stdout) == 0; /* nobody reads any more */
}

enum ctl_status ctl_run_watch(struct ctl *c)
{
	bool live = ctl_columns() > 0 && !c->json;
	struct ctl_watcher table = {.turn = show_table, .ctx = c, .patient = true},
			   lines = {.row = print_change,
				   .turn = flush_changes,
				   .ctx = c,
				   .patient = true};
	json_t *none = json_array();
	bool ok = ctl_rows_arrange(c, none);
	enum ctl_status status;

	json_decref(none);
	if (!ok)
		return CTL_USAGE;
	if (!live)
		return ctl_follow(c, ctl_value(c, CTL_every), &lines);
	(void)signal(SIGINT, give_back);
	(void)signal(SIGTERM, give_back);
	(void)signal(SIGHUP, give_back);
	fputs(SCREEN_BEGIN, stdout);
	status = ctl_follow(c, ctl_value(c, CTL_every), &table);
	fputs(SCREEN_END, stdout);
	return status;
}

static void print_event(void *ctx, const char *name, const char *id, const char *data)
{
	const struct ctl *c = ctx;
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | (ctl_columns() > 0 ? JSON_ENSURE_ASCII : 0);
	json_t *what = json_loads(data, JSON_DECODE_ANY, NULL);
	json_t *all = json_pack(
		"{ss ss so}", "event", name, "id", id, "data", what != NULL ? what : json_null());
	char safe[128];

	if (!c->json) {
		ctl_safe(safe, sizeof safe, name);
		printf("%s\t", safe);
		ctl_safe(safe, sizeof safe, id);
		printf("%s\t", safe);
	}
	json_dumpf(c->json ? all : json_object_get(all, "data"), stdout, flags);
	putchar('\n');
	json_decref(all);
	if (fflush(stdout) != 0)
		exit(CTL_DONE); /* nobody reads any more */
}

enum ctl_status ctl_run_events(struct ctl *c)
{
	return ctl_follow_events(
		c, ctl_value(c, CTL_every), ctl_value(c, CTL_since), print_event, c);
}
