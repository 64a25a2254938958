/* SPDX-License-Identifier: MIT */
/* Torrents as the list has them: fetched, arranged, shown. */
#include "http/ctl/rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/ctl/table.h"
#include "http/ctl/term.h"

#define ROWS_MAX 1000000u

const char *ctl_text(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text != NULL ? text : "";
}

int64_t ctl_int(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

double ctl_real(const json_t *row, const char *key)
{
	return json_number_value(json_object_get(row, key));
}

json_t *ctl_row_of(const json_t *fields, const json_t *values)
{
	json_t *row = json_object();

	for (size_t i = 0; i < json_array_size(fields); i++) {
		const char *name = json_string_value(json_array_get(fields, i));

		if (name != NULL && i < json_array_size(values))
			json_object_set(row, name, json_array_get(values, i));
	}
	if (strspn(ctl_text(row, "hash"), "0123456789abcdef") != strlen(ctl_text(row, "hash")))
		json_object_del(row, "hash"); /* it goes to a terminal as it is */
	return row;
}

enum ctl_status ctl_rows_get(struct ctl *c, json_t **rows, char point[CTL_POINT])
{
	json_t *list, *fields, *add;
	enum ctl_status status = ctl_get(c->client, &list, "/api/v1/torrents");

	*rows = json_array();
	if (status != CTL_DONE)
		return status;
	fields = json_object_get(list, "fields");
	add = json_object_get(list, "add");
	if (!json_is_array(fields) || !json_is_array(add)) {
		ctl_complain("what answers at %s is no torrentd", ctl_client_url(c->client));
		json_decref(list);
		return CTL_FAILED;
	}
	for (size_t i = 0; i < MIN(json_array_size(add), ROWS_MAX); i++)
		json_array_append_new(*rows, ctl_row_of(fields, json_array_get(add, i)));
	if (point != NULL)
		snprintf(point, CTL_POINT, "%.16s.%lld", ctl_text(list, "epoch"),
			(long long)ctl_int(list, "rev"));
	json_decref(list);
	return CTL_DONE;
}

/* --- by what a person calls it --- */

#define DIGITS_LEAST 4u

/* How well it fits: 0 not at all. */
static int fits(const json_t *row, const char *word)
{
	const char *hash = ctl_text(row, "hash");
	size_t n = strlen(word);

	if (strcasecmp(hash, word) == 0)
		return 3;
	if (strcmp(ctl_text(row, "name"), word) == 0)
		return 2;
	return n >= DIGITS_LEAST && strncasecmp(hash, word, n) == 0 ? 1 : 0;
}

/* The one that fits best; NULL: *n are as good as each other, or none. */
static json_t *find_row(const json_t *rows, const char *word, unsigned *n)
{
	json_t *best = NULL;
	int best_fit = 0;

	*n = 0;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);
		int fit = fits(row, word);

		if (fit > best_fit) {
			best = row;
			best_fit = fit;
			*n = 1;
		} else if (fit > 0 && fit == best_fit) {
			++*n;
		}
	}
	return *n == 1 ? best : NULL;
}

static bool has_row(const json_t *rows, const json_t *row)
{
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (json_array_get(rows, i) == row)
			return true;
	return false;
}

enum ctl_status ctl_rows_pick_from(
	const struct ctl *c, const json_t *all, const char *where, json_t **rows)
{
	json_t *row;
	unsigned n;

	*rows = json_array();
	for (uint32_t i = 0; i < c->args->words_n; i++) {
		const char *word = c->args->words[i];

		row = find_row(all, word, &n);
		if (row == NULL && n > 1)
			ctl_complain(
				"%u torrents are called \"%s\": name one by its hash", n, word);
		else if (row == NULL)
			ctl_complain("no torrent is called \"%s\": torrentctl %s has them all",
				word, where);
		if (row == NULL)
			return CTL_UNKNOWN;
		if (!has_row(*rows, row))
			json_array_append(*rows, row);
	}
	return CTL_DONE;
}

enum ctl_status ctl_rows_pick(struct ctl *c, json_t **rows)
{
	json_t *all;
	enum ctl_status status = ctl_rows_get(c, &all, NULL);

	if (status == CTL_DONE)
		status = ctl_rows_pick_from(c, all, "list", rows);
	else
		*rows = json_array();
	json_decref(all);
	return status;
}

/* --- arranged --- */

struct order {
	const char *name, *field;
	int sign; /* -1: the largest first */
};

static const struct order orders[] = {
	{"name", "name", 1},
	{"size", "size", -1},
	{"progress", "progress", -1},
	{"down", "down", -1},
	{"up", "up", -1},
	{"ratio", "ratio", -1},
	{"added", "added", -1},
	{"queue", "queue", 1},
};

struct sorted {
	json_t *row; /* a reference */
	const struct order *order;
};

static int compare(const void *pa, const void *pb)
{
	const struct sorted *a = pa, *b = pb;
	const char *field = a->order->field;
	double x, y;

	if (strcmp(field, "name") == 0)
		return strcasecmp(ctl_text(a->row, field), ctl_text(b->row, field));
	x = ctl_real(a->row, field);
	y = ctl_real(b->row, field);
	return x == y ? strcmp(ctl_text(a->row, "hash"), ctl_text(b->row, "hash"))
		      : (x < y ? -1 : 1) * a->order->sign;
}

static void sort_rows(json_t *rows, const struct order *order)
{
	size_t n = json_array_size(rows);
	struct sorted *list = xcalloc(n + 1, sizeof *list);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct sorted){json_incref(json_array_get(rows, i)), order};
	qsort(list, n, sizeof *list, compare);
	json_array_clear(rows);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows, list[i].row);
	xfree(list);
}

bool ctl_rows_arrange(const struct ctl *c, json_t *rows)
{
	const char *by = ctl_value(c, CTL_sort), *state = ctl_value(c, CTL_state);
	const struct order *order = &orders[ARRAY_LEN(orders) - 1];

	for (size_t i = 0; by != NULL && i < ARRAY_LEN(orders); i++)
		if (strcmp(orders[i].name, by) == 0)
			order = &orders[i];
	if (by != NULL && strcmp(order->name, by) != 0) {
		ctl_complain("torrents are not sorted by \"%s\" but %s", by,
			ctl_option_row(CTL_sort)->words);
		return false;
	}
	for (size_t i = json_array_size(rows); state != NULL && i-- > 0;)
		if (strcmp(ctl_text(json_array_get(rows, i), "state"), state) != 0)
			json_array_remove(rows, i);
	sort_rows(rows, order);
	return true;
}

/* --- shown --- */

static const struct ctl_column columns[] = {
	{"HASH", false, false},
	{"NAME", false, true},
	{"STATE", false, false},
	{"DONE", true, false},
	{"SIZE", true, false},
	{"DOWN", true, false},
	{"UP", true, false},
	{"LEFT", true, false},
	{"RATIO", true, false},
};

static void put_row(struct ctl_table *t, const json_t *row)
{
	char text[CTL_NUMBER];

	ctl_table_putf(t, ctl_columns() > 0 ? "%.8s" : "%s", ctl_text(row, "hash"));
	ctl_table_put(t, ctl_text(row, "name"));
	ctl_table_put(t, ctl_text(row, "state"));
	ctl_percent(text, ctl_real(row, "progress"));
	ctl_table_put(t, text);
	ctl_size(text, (uint64_t)ctl_int(row, "size"));
	ctl_table_put(t, text);
	ctl_rate(text, (uint64_t)ctl_int(row, "down"));
	ctl_table_put(t, text);
	ctl_rate(text, (uint64_t)ctl_int(row, "up"));
	ctl_table_put(t, text);
	ctl_span(text, ctl_int(row, "down") > 0 ? ctl_int(row, "eta") : -1);
	ctl_table_put(t, text);
	ctl_table_putf(t, "%.2f", ctl_real(row, "ratio"));
}

void ctl_rows_print(const json_t *rows, uint32_t lines)
{
	struct ctl_table *t = ctl_table_new(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < json_array_size(rows); i++)
		put_row(t, json_array_get(rows, i));
	ctl_table_print(t, lines);
	ctl_table_free(&t);
}
