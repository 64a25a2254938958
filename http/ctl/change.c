/* SPDX-License-Identifier: MIT */
/* Changing torrents: start, stop, rm, recheck, announce, limit. */
#include <stdio.h>
#include <unistd.h>

#include "http/ctl/rows.h"
#include "http/ctl/term.h"

/* A route for a picked torrent, with one more parameter or two; values may be NULL. */
struct change {
	const char *route, *words; /* words: what was done, "stopped" */
	const char *name, *value;
};

static void say_done(const json_t *row, const char *words)
{
	char name[1024];

	ctl_safe(name, sizeof name, ctl_text(row, "name"));
	printf("%s %.8s %s\n", words, ctl_text(row, "hash"), name);
}

/* Does it to each, up to the first that is refused; those that were changed are told. */
static enum ctl_status change_rows(struct ctl *c, const json_t *rows, const struct change *change)
{
	json_t *done = json_array(), *row;
	enum ctl_status status = CTL_DONE;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		status = ctl_post(c->client, change->route, "infohash", ctl_text(row, "hash"),
			change->name != NULL ? change->name : "",
			change->name != NULL ? change->value : NULL);
		if (status != CTL_DONE)
			break;
		if (!c->json)
			say_done(row, change->words);
		json_array_append_new(done, json_pack("{ss ss}", "hash", ctl_text(row, "hash"),
						    "name", ctl_text(row, "name")));
	}
	if (c->json)
		ctl_print_json(done);
	json_decref(done);
	return status;
}

static enum ctl_status change_picked(struct ctl *c, const struct change *change)
{
	json_t *rows;
	enum ctl_status status = ctl_rows_pick(c, &rows);

	if (status == CTL_DONE)
		status = change_rows(c, rows, change);
	json_decref(rows);
	return status;
}

enum ctl_status ctl_run_start(struct ctl *c)
{
	return change_picked(c, &(struct change){"/starttorrent", "started", "force",
					ctl_given(c, CTL_force) ? "true" : NULL});
}

enum ctl_status ctl_run_stop(struct ctl *c)
{
	return change_picked(c, &(struct change){"/stoptorrent", "stopped", NULL, NULL});
}

enum ctl_status ctl_run_recheck(struct ctl *c)
{
	return change_picked(c, &(struct change){"/rechecktorrent", "checking", NULL, NULL});
}

enum ctl_status ctl_run_announce(struct ctl *c)
{
	return change_picked(c, &(struct change){"/announcetorrent", "announcing", NULL, NULL});
}

/* --- removal --- */

/* A person at a terminal is asked; nobody else can be. */
static bool may_delete(struct ctl *c, const json_t *rows)
{
	char name[1024], answer[16] = "";

	if (ctl_given(c, CTL_yes))
		return true;
	if (isatty(STDIN_FILENO) == 0 || ctl_columns() == 0) {
		ctl_complain("--data deletes the data of %zu torrents: say --yes, too",
			json_array_size(rows));
		return false;
	}
	for (size_t i = 0; i < json_array_size(rows); i++) {
		ctl_safe(name, sizeof name, ctl_text(json_array_get(rows, i), "name"));
		printf("%s\n", name);
	}
	printf("Delete the data of these, too? [y/N] ");
	fflush(stdout);
	return fgets(answer, sizeof answer, stdin) != NULL &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

enum ctl_status ctl_run_rm(struct ctl *c)
{
	bool data = ctl_given(c, CTL_data);
	struct change change = {"/removetorrent", data ? "removed with its data" : "removed",
		"delete", data ? "true" : NULL};
	json_t *rows;
	enum ctl_status status = ctl_rows_pick(c, &rows);

	if (status == CTL_DONE && data && !may_delete(c, rows))
		status = CTL_FAILED;
	if (status == CTL_DONE)
		status = change_rows(c, rows, &change);
	json_decref(rows);
	return status;
}

/* --- limits --- */

struct limits {
	char down_text[32], up_text[32];
	const char *down, *up, *ratio; /* NULL: stays */
};

static bool read_limits(struct ctl *c, struct limits *l)
{
	bool global = ctl_given(c, CTL_global);

	l->ratio = ctl_value(c, CTL_ratio);
	if (!ctl_read_rate(ctl_value(c, CTL_down), l->down_text, &l->down) ||
		!ctl_read_rate(ctl_value(c, CTL_up), l->up_text, &l->up))
		return false;
	if (l->down == NULL && l->up == NULL && l->ratio == NULL) {
		ctl_complain("say what the limit is: --down, --up or --ratio");
		return false;
	}
	if (global != (c->args->words_n == 0)) {
		ctl_complain("say of which torrents, or --global for all together");
		return false;
	}
	if (global && l->ratio != NULL) {
		ctl_complain("the ratio for all is torrentctl config set seed.ratio");
		return false;
	}
	return true;
}

static enum ctl_status limit_all(struct ctl *c, const struct limits *l)
{
	enum ctl_status status = CTL_DONE;

	if (l->down != NULL)
		status = ctl_post(c->client, "/setglobaldownrate", "rate", l->down);
	if (status == CTL_DONE && l->up != NULL)
		status = ctl_post(c->client, "/setglobaluprate", "rate", l->up);
	if (status == CTL_DONE && !c->json)
		puts("limited all together");
	return status;
}

static enum ctl_status limit_one(struct ctl *c, const json_t *row, const struct limits *l)
{
	const char *hash = ctl_text(row, "hash");
	enum ctl_status status = CTL_DONE;

	if (l->down != NULL)
		status = ctl_post(c->client, "/setdownrate", "infohash", hash, "rate", l->down);
	if (status == CTL_DONE && l->up != NULL)
		status = ctl_post(c->client, "/setuprate", "infohash", hash, "rate", l->up);
	if (status == CTL_DONE && l->ratio != NULL)
		status = ctl_post(c->client, "/setseedlimits", "infohash", hash, "ratio", l->ratio);
	if (status == CTL_DONE && !c->json)
		say_done(row, "limited");
	return status;
}

enum ctl_status ctl_run_limit(struct ctl *c)
{
	struct limits l;
	json_t *rows;
	enum ctl_status status;

	if (!read_limits(c, &l))
		return CTL_USAGE;
	if (ctl_given(c, CTL_global))
		return limit_all(c, &l);
	status = ctl_rows_pick(c, &rows);
	for (size_t i = 0; status == CTL_DONE && i < json_array_size(rows); i++)
		status = limit_one(c, json_array_get(rows, i), &l);
	if (status == CTL_DONE && c->json)
		ctl_print_json(rows);
	json_decref(rows);
	return status;
}
