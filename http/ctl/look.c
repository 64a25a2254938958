/* SPDX-License-Identifier: MIT */
/* Looking at torrents: list, show, files, peers, trackers, why. */
#include <stdio.h>

#include "http/ctl/rows.h"
#include "http/ctl/table.h"
#include "http/ctl/term.h"

enum ctl_status ctl_run_list(struct ctl *c)
{
	json_t *rows;
	enum ctl_status status =
		c->args->words_n > 0 ? ctl_rows_pick(c, &rows) : ctl_rows_get(c, &rows, NULL);

	if (status == CTL_DONE && !ctl_rows_arrange(c, rows))
		status = CTL_USAGE;
	if (status == CTL_DONE && c->json)
		ctl_print_json(rows);
	else if (status == CTL_DONE)
		ctl_rows_print(rows, 0);
	json_decref(rows);
	return status;
}

/* --- one torrent --- */

/* What the daemon shows of a picked torrent: those fields, or all for NULL; an object. */
static enum ctl_status get_view(struct ctl *c, const json_t *row, const char *fields, json_t **view)
{
	return ctl_get(c->client, view, "/torrentdata", "infohash", ctl_text(row, "hash"),
		"bitfields", "false", "fields", fields);
}

/* The list of that name in the view of the one torrent that was named; an array. */
static enum ctl_status get_list(struct ctl *c, const char *name, json_t **list)
{
	json_t *rows, *view = NULL;
	enum ctl_status status = ctl_rows_pick(c, &rows);

	*list = NULL;
	if (status == CTL_DONE)
		status = get_view(c, json_array_get(rows, 0), name, &view);
	if (status == CTL_DONE)
		*list = json_incref(json_object_get(view, name));
	json_decref(view);
	json_decref(rows);
	return status;
}

static uint64_t from_kib(const json_t *o, const char *key)
{
	return (uint64_t)(ctl_real(o, key) * 1024);
}

static void say(const char *name, const char *text)
{
	char safe[4096];

	ctl_safe(safe, sizeof safe, text);
	if (safe[0] != '\0')
		printf("%-12s%s\n", name, safe);
}

static void say_labels(const json_t *list)
{
	char text[1024] = "";
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list) && n < sizeof text; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i > 0 ? ", " : "",
			json_string_value(json_array_get(list, i)));
	say("labels", text);
}

/* What has come and gone, with the limits. */
static void say_traffic(const json_t *v)
{
	char a[CTL_NUMBER], b[CTL_NUMBER], line[128];

	ctl_size(a, from_kib(v, "downloaded_ever"));
	ctl_size(b, from_kib(v, "uploaded_ever"));
	snprintf(line, sizeof line, "%s down, %s up, ratio %.2f", a, b, ctl_real(v, "ratio"));
	say("ever", line);
	ctl_size(a, from_kib(v, "downrate"));
	ctl_size(b, from_kib(v, "uprate"));
	snprintf(line, sizeof line, "%s/s down, %s/s up", a, b);
	say("now", line);
	ctl_rate(a, from_kib(v, "maxdown"));
	ctl_rate(b, from_kib(v, "maxup"));
	snprintf(line, sizeof line, "%s down, %s up", a[0] != '\0' ? a : "none",
		b[0] != '\0' ? b : "none");
	say("limits", line);
}

static void say_view(const json_t *v)
{
	char size[CTL_NUMBER], left[CTL_NUMBER], done[CTL_NUMBER], line[128];

	say("name", ctl_text(v, "name"));
	say("hash", ctl_text(v, "infohash"));
	say("state", ctl_text(v, "status"));
	say("error", ctl_text(v, "error"));
	ctl_percent(done, ctl_real(v, "progress"));
	ctl_size(size, (uint64_t)ctl_int(v, "size_bytes"));
	ctl_size(left, (uint64_t)ctl_int(v, "left_bytes"));
	snprintf(line, sizeof line, "%s of %s, %s left", done, size, left);
	say("done", line);
	snprintf(line, sizeof line, "%lld of %lld, of %lld bytes",
		(long long)ctl_int(v, "pieces_have"), (long long)ctl_int(v, "bitfield_length"),
		(long long)ctl_int(v, "piece_length"));
	say("pieces", line);
	say_traffic(v);
	snprintf(line, sizeof line, "%zu connected", json_array_size(json_object_get(v, "Peers")));
	say("peers", line);
	say("path", ctl_text(v, "path"));
	say("added", ctl_text(v, "added"));
	say("completed", ctl_text(v, "completed"));
	say_labels(json_object_get(v, "labels"));
	say("magnet", ctl_text(v, "magnet"));
}

enum ctl_status ctl_run_show(struct ctl *c)
{
	json_t *rows, *view, *all = json_array();
	enum ctl_status status = ctl_rows_pick(c, &rows);

	for (size_t i = 0; status == CTL_DONE && i < json_array_size(rows); i++) {
		status = get_view(c, json_array_get(rows, i), NULL, &view);
		if (status == CTL_DONE && !c->json) {
			if (i > 0)
				putchar('\n');
			say_view(view);
		}
		if (status == CTL_DONE)
			json_array_append(all, view);
		json_decref(view);
	}
	if (status == CTL_DONE && c->json)
		ctl_print_json(all);
	json_decref(all);
	json_decref(rows);
	return status;
}

/* --- its lists --- */

/* Asks for the list and shows it: as JSON, or in a table whose rows `put` writes. */
static enum ctl_status show_list(struct ctl *c, const char *name, const struct ctl_column *columns,
	uint32_t columns_n, void (*put)(struct ctl_table *, const json_t *))
{
	struct ctl_table *t;
	json_t *list;
	enum ctl_status status = get_list(c, name, &list);

	if (status == CTL_DONE && c->json) {
		ctl_print_json(list);
	} else if (status == CTL_DONE) {
		t = ctl_table_new(columns, columns_n);
		for (size_t i = 0; i < json_array_size(list); i++)
			put(t, json_array_get(list, i));
		ctl_table_print(t, 0);
		ctl_table_free(&t);
	}
	json_decref(list);
	return status;
}

static void put_file(struct ctl_table *t, const json_t *f)
{
	int64_t size = ctl_int(f, "length_bytes"), done = ctl_int(f, "done_bytes");
	char text[CTL_NUMBER];

	ctl_table_putf(t, "%lld", (long long)ctl_int(f, "index"));
	ctl_percent(text, size > 0 ? (double)done / (double)size : 1);
	ctl_table_put(t, text);
	ctl_size(text, (uint64_t)size);
	ctl_table_put(t, text);
	ctl_table_put(t, ctl_text(f, "priority"));
	ctl_table_put(t, ctl_text(f, "path"));
}

static const struct ctl_column file_columns[] = {{"NUMBER", true, false}, {"DONE", true, false},
	{"SIZE", true, false}, {"PRIORITY", false, false}, {"PATH", false, true}};

/* Chooses among the files by what was given. */
static enum ctl_status choose_files(struct ctl *c)
{
	static const struct {
		enum ctl_option option;
		const char *priority;
	} kinds[] = {
		{CTL_skip, "skip"}, {CTL_low, "low"}, {CTL_normal, "normal"}, {CTL_high, "high"}};
	json_t *rows;
	enum ctl_status status = ctl_rows_pick(c, &rows);

	for (size_t i = 0; status == CTL_DONE && i < ARRAY_LEN(kinds); i++)
		if (ctl_given(c, kinds[i].option))
			status = ctl_post(c->client, "/setfilepriority", "infohash",
				ctl_text(json_array_get(rows, 0), "hash"), "files",
				ctl_value(c, kinds[i].option), "priority", kinds[i].priority);
	json_decref(rows);
	return status;
}

enum ctl_status ctl_run_files(struct ctl *c)
{
	bool chosen = ctl_given(c, CTL_skip) || ctl_given(c, CTL_low) || ctl_given(c, CTL_normal) ||
		      ctl_given(c, CTL_high);
	enum ctl_status status = chosen ? choose_files(c) : CTL_DONE;

	if (status != CTL_DONE)
		return status;
	return show_list(c, "files", file_columns, ARRAY_LEN(file_columns), put_file);
}

static void put_peer(struct ctl_table *t, const json_t *p)
{
	char text[CTL_NUMBER];

	ctl_table_put(t, ctl_text(p, "host"));
	ctl_table_put(t, ctl_text(p, "client"));
	ctl_rate(text, from_kib(p, "downrate"));
	ctl_table_put(t, text);
	ctl_rate(text, from_kib(p, "uprate"));
	ctl_table_put(t, text);
	ctl_table_put(t, json_is_true(json_object_get(p, "incoming")) ? "they" : "we");
	ctl_table_put(t, ctl_text(p, "encryption"));
}

enum ctl_status ctl_run_peers(struct ctl *c)
{
	static const struct ctl_column columns[] = {{"ADDRESS", false, false},
		{"CLIENT", false, true}, {"DOWN", true, false}, {"UP", true, false},
		{"DIALLED", false, false}, {"ENCRYPTION", false, false}};

	return show_list(c, "Peers", columns, ARRAY_LEN(columns), put_peer);
}

static void put_tracker(struct ctl_table *t, const json_t *p)
{
	ctl_table_putf(t, "%lld", (long long)ctl_int(p, "tier"));
	ctl_table_put(t, ctl_text(p, "url"));
	ctl_table_put(t, ctl_text(p, "status"));
	ctl_table_putf(t, "%lld", (long long)ctl_int(p, "seeders"));
	ctl_table_putf(t, "%lld", (long long)ctl_int(p, "leechers"));
	ctl_table_put(t, ctl_text(p, "nextannounce"));
	ctl_table_put(t, ctl_text(p, "message"));
}

enum ctl_status ctl_run_trackers(struct ctl *c)
{
	static const struct ctl_column columns[] = {{"TIER", true, false}, {"URL", false, true},
		{"STATUS", false, false}, {"SEEDS", true, false}, {"OTHERS", true, false},
		{"NEXT", false, false}, {"MESSAGE", false, true}};

	return show_list(c, "trackers", columns, ARRAY_LEN(columns), put_tracker);
}

/* --- why --- */

/* As docs/sync.md has it; the name itself where a newer daemon says something else. */
static const char *words_of(const char *why)
{
	static const struct {
		const char *name, *words;
	} reasons[] = {
#define WHY(id, name, words) {#name, words},
#include "actors/msg/why.def"
#undef WHY
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (strcmp(reasons[i].name, why) == 0)
			return reasons[i].words;
	return why;
}

/* Whether nobody would ask. */
static bool is_fine(const json_t *row)
{
	static const char *const fine[] = {
		"moving", "seeding_idle", "stopped_user", "stopped_limit"};

	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		if (strcmp(ctl_text(row, "why"), fine[i]) == 0)
			return true;
	return false;
}

enum ctl_status ctl_run_why(struct ctl *c)
{
	static const struct ctl_column columns[] = {{"HASH", false, false}, {"NAME", false, true},
		{"STATE", false, false}, {"WHY", false, false}};
	struct ctl_table *t;
	json_t *rows, *row;
	bool all = c->args->words_n == 0;
	enum ctl_status status = all ? ctl_rows_get(c, &rows, NULL) : ctl_rows_pick(c, &rows);

	for (size_t i = json_array_size(rows); all && i-- > 0;)
		if (is_fine(json_array_get(rows, i)))
			json_array_remove(rows, i);
	t = ctl_table_new(columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		ctl_table_putf(t, ctl_columns() > 0 ? "%.8s" : "%s", ctl_text(row, "hash"));
		ctl_table_put(t, ctl_text(row, "name"));
		ctl_table_put(t, ctl_text(row, "state"));
		ctl_table_put(t, ctl_text(row, "error")[0] != '\0'
					 ? ctl_text(row, "error")
					 : words_of(ctl_text(row, "why")));
	}
	if (status == CTL_DONE)
		ctl_show(c, rows, t);
	ctl_table_free(&t);
	json_decref(rows);
	return status;
}
