/* SPDX-License-Identifier: MIT */
/* Changing torrents: start, stop, rm, recheck, announce, limit, and taking that back. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/ctl/rows.h"
#include "http/ctl/term.h"

/* An action on all that were picked, by one request (docs/actions.md). */
struct change {
	const char *action, *words; /* words: what was done, "stopped" */
	json_t *args;               /* a reference that is taken; NULL: none */
};

static const char *name_of(const json_t *rows, const char *hash)
{
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (strcmp(ctl_text(json_array_get(rows, i), "hash"), hash) == 0)
			return ctl_text(json_array_get(rows, i), "name");
	return "";
}

static bool has_failed(const json_t *failed, const char *hash)
{
	for (size_t i = 0; i < json_array_size(failed); i++)
		if (strcmp(ctl_text(json_array_get(failed, i), "hash"), hash) == 0)
			return true;
	return false;
}

static void say_failed(const json_t *rows, const json_t *failed)
{
	char name[1024], why[1024], hash[64];

	for (size_t i = 0; i < json_array_size(failed); i++) {
		const json_t *f = json_array_get(failed, i);

		ctl_safe(name, sizeof name, name_of(rows, ctl_text(f, "hash")));
		ctl_safe(why, sizeof why, ctl_text(f, "detail"));
		ctl_safe(hash, sizeof hash, ctl_text(f, "hash"));
		ctl_complain("%.8s %s: %s", hash, name, why);
	}
}

/* Those it was done to, and, for a person, how it is taken back. */
static void say_done(const json_t *rows, const json_t *answer, const char *words)
{
	const json_t *failed = json_object_get(answer, "failed");
	char name[1024], undo[64];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (has_failed(failed, ctl_text(row, "hash")))
			continue;
		ctl_safe(name, sizeof name, ctl_text(row, "name"));
		printf("%s %.8s %s\n", words, ctl_text(row, "hash"), name);
	}
	ctl_safe(undo, sizeof undo, ctl_text(answer, "undo"));
	if (undo[0] != '\0' && ctl_columns() > 0)
		printf("torrentctl undo %s takes it back\n", undo);
}

static enum ctl_status change_rows(struct ctl *c, const json_t *rows, struct change change)
{
	json_t *body = json_object(), *hashes = json_array(), *answer = NULL;
	enum ctl_status status;

	for (size_t i = 0; i < json_array_size(rows); i++)
		json_array_append(hashes, json_object_get(json_array_get(rows, i), "hash"));
	json_object_set_new(body, "action", json_string(change.action));
	json_object_set_new(body, "hashes", hashes);
	if (change.args != NULL)
		json_object_set_new(body, "args", change.args);
	status = ctl_send(c->client, "POST", "/api/v1/torrents/actions", body, &answer);
	if (status == CTL_DONE && c->json)
		ctl_print_json(answer);
	else if (status == CTL_DONE)
		say_done(rows, answer, change.words);
	say_failed(rows, json_object_get(answer, "failed"));
	if (json_array_size(json_object_get(answer, "failed")) > 0)
		status = CTL_FAILED;
	json_decref(answer);
	return status;
}

static enum ctl_status change_picked(struct ctl *c, struct change change)
{
	json_t *rows;
	enum ctl_status status = ctl_rows_pick(c, &rows);

	if (status == CTL_DONE)
		status = change_rows(c, rows, change);
	else
		json_decref(change.args);
	json_decref(rows);
	return status;
}

enum ctl_status ctl_run_start(struct ctl *c)
{
	return change_picked(
		c, (struct change){ctl_given(c, CTL_force) ? "force" : "start", "started", NULL});
}

enum ctl_status ctl_run_stop(struct ctl *c)
{
	return change_picked(c, (struct change){"stop", "stopped", NULL});
}

enum ctl_status ctl_run_recheck(struct ctl *c)
{
	return change_picked(c, (struct change){"recheck", "checking", NULL});
}

enum ctl_status ctl_run_announce(struct ctl *c)
{
	return change_picked(c, (struct change){"reannounce", "announcing", NULL});
}

enum ctl_status ctl_run_undo(struct ctl *c)
{
	const char *id = c->args->words[0];
	json_t *answer = NULL, *none = json_array();
	enum ctl_status status;
	char path[64];

	if (strspn(id, "0123456789abcdef") != strlen(id) || strlen(id) > 32) {
		ctl_complain(
			"\"%s\" is nothing that can be undone: the change has said which it is",
			id);
		json_decref(none);
		return CTL_USAGE;
	}
	snprintf(path, sizeof path, "/api/v1/undo/%s", id);
	status = ctl_send(c->client, "POST", path, json_object(), &answer);
	if (status == CTL_DONE && c->json)
		ctl_print_json(answer);
	else if (status == CTL_DONE)
		printf("undone for %lld torrents\n", (long long)ctl_int(answer, "done"));
	say_failed(none, json_object_get(answer, "failed"));
	if (json_array_size(json_object_get(answer, "failed")) > 0)
		status = CTL_FAILED;
	json_decref(answer);
	json_decref(none);
	return status;
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
	struct change change = {"remove", data ? "removed with its data" : "removed", NULL};
	json_t *rows;
	enum ctl_status status = ctl_rows_pick(c, &rows);

	if (status == CTL_DONE && data && !may_delete(c, rows))
		status = CTL_FAILED;
	if (status == CTL_DONE) {
		change.args = json_pack("{ss}", "data", data ? "delete" : "keep");
		status = change_rows(c, rows, change);
	}
	json_decref(rows);
	return status;
}

/* --- limits --- */

struct limits {
	char down_text[32], up_text[32];
	int64_t down_bytes, up_bytes;
	const char *down, *up, *ratio; /* NULL: stays */
};

static bool is_ratio(const char *text)
{
	char *end;

	if (text == NULL)
		return true;
	(void)strtod(text, &end);
	if (*text != '\0' && *end == '\0')
		return true;
	ctl_complain("\"%s\" is no ratio: write a number such as 1.5", text);
	return false;
}

static bool read_limits(struct ctl *c, struct limits *l)
{
	bool global = ctl_given(c, CTL_global);

	l->ratio = ctl_value(c, CTL_ratio);
	if (!ctl_read_rate(ctl_value(c, CTL_down), l->down_text, &l->down, &l->down_bytes) ||
		!ctl_read_rate(ctl_value(c, CTL_up), l->up_text, &l->up, &l->up_bytes) ||
		!is_ratio(l->ratio))
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

/* A whole number of bytes/s, or a ratio. */
static json_t *limits_of(const struct ctl *c, const struct limits *l)
{
	json_t *args = json_object();

	if (l->down != NULL)
		json_object_set_new(args, "down", json_integer(l->down_bytes));
	if (l->up != NULL)
		json_object_set_new(args, "up", json_integer(l->up_bytes));
	if (l->ratio != NULL)
		json_object_set_new(
			args, "ratio", json_real(strtod(ctl_value(c, CTL_ratio), NULL)));
	return args;
}

enum ctl_status ctl_run_limit(struct ctl *c)
{
	struct limits l;

	if (!read_limits(c, &l))
		return CTL_USAGE;
	if (ctl_given(c, CTL_global))
		return limit_all(c, &l);
	return change_picked(c, (struct change){"limits", "limited", limits_of(c, &l)});
}
