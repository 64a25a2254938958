/* SPDX-License-Identifier: MIT */
/* Torrents that were removed and can come back. */
#include <stdio.h>

#include "http/ctl/rows.h"
#include "http/ctl/table.h"
#include "http/ctl/term.h"

/* An array. */
static enum ctl_status get_removed(struct ctl *c, json_t **list)
{
	json_t *answer = NULL;
	enum ctl_status status = ctl_get(c->client, &answer, "/api/v1/removed");

	*list = json_incref(json_object_get(answer, "removed"));
	json_decref(answer);
	return status;
}

enum ctl_status ctl_run_removed(struct ctl *c)
{
	static const struct ctl_column columns[] = {{"HASH", false, false}, {"NAME", false, true},
		{"SIZE", true, false}, {"REMOVED", false, false}, {"UNTIL", false, false},
		{"PATH", false, true}};
	struct ctl_table *t = ctl_table_new(columns, ARRAY_LEN(columns));
	char text[CTL_NUMBER];
	json_t *list;
	enum ctl_status status = get_removed(c, &list);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		ctl_table_putf(t, ctl_columns() > 0 ? "%.8s" : "%s", ctl_text(row, "hash"));
		ctl_table_put(t, ctl_text(row, "name"));
		ctl_size(text, (uint64_t)ctl_int(row, "size"));
		ctl_table_put(t, text);
		ctl_moment(text, ctl_int(row, "removed"));
		ctl_table_put(t, text);
		ctl_moment(text, ctl_int(row, "until"));
		ctl_table_put(t, text);
		ctl_table_put(t, ctl_text(row, "path"));
	}
	if (status == CTL_DONE)
		ctl_show(c, list, t);
	ctl_table_free(&t);
	json_decref(list);
	return status;
}

static enum ctl_status restore(struct ctl *c, const json_t *row)
{
	const char *const none[] = {NULL};
	char path[128], name[1024], hash[64];
	enum ctl_status status;

	snprintf(path, sizeof path, "/api/v1/removed/%.40s/restore", ctl_text(row, "hash"));
	status = ctl_ask(c->client, "POST", path, none, NULL, NULL);
	ctl_safe(hash, sizeof hash, ctl_text(row, "hash"));
	ctl_safe(name, sizeof name, ctl_text(row, "name"));
	if (status == CTL_DONE && !c->json)
		printf("restored %.8s %s\n", hash, name);
	return status;
}

enum ctl_status ctl_run_restore(struct ctl *c)
{
	json_t *list, *rows = NULL;
	enum ctl_status status = get_removed(c, &list);

	if (status == CTL_DONE)
		status = ctl_rows_pick_from(c, list, "removed", &rows);
	for (size_t i = 0; status == CTL_DONE && i < json_array_size(rows); i++)
		status = restore(c, json_array_get(rows, i));
	if (status == CTL_DONE && c->json)
		ctl_print_json(rows);
	json_decref(rows);
	json_decref(list);
	return status;
}
