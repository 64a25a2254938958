/* SPDX-License-Identifier: MIT */
/* The daemon itself: its options, who may use it, and letting a device in. */
#include <stdio.h>
#include <stdlib.h>

#include "http/ctl/rows.h"
#include "http/ctl/table.h"
#include "http/ctl/term.h"
#include "proto/base/qr.h"

static enum ctl_status usage(const struct ctl *c)
{
	const struct ctl_command_row *row = ctl_command_row(c->args->verb);

	ctl_complain("it is used so: torrentctl %s %s", row->name, row->operands);
	return CTL_USAGE;
}

static bool is_word(const struct ctl *c, uint32_t i, const char *word)
{
	return i < c->args->words_n && strcmp(c->args->words[i], word) == 0;
}

/* --- options --- */

/* As it stands in the list, for people; owned by the caller. */
static char *value_of(const json_t *v)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f;

	if (json_is_string(v))
		return xstrdup(json_string_value(v));
	if (!json_is_array(v))
		return v != NULL ? json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6))
				 : xstrdup("");
	f = open_memstream(&out, &n);
	must(f != NULL);
	for (size_t i = 0; i < json_array_size(v); i++)
		fprintf(f, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(v, i)));
	must(fclose(f) == 0);
	return out;
}

/* The options of all sections: an array. */
static enum ctl_status get_options(struct ctl *c, json_t **list)
{
	json_t *answer = NULL, *sections;
	enum ctl_status status = ctl_get(c->client, &answer, "/api/v1/settings");

	*list = json_array();
	sections = json_object_get(answer, "sections");
	for (size_t i = 0; i < json_array_size(sections); i++)
		json_array_extend(*list, json_object_get(json_array_get(sections, i), "options"));
	json_decref(answer);
	return status;
}

static const json_t *find_option(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(ctl_text(json_array_get(list, i), "name"), name) == 0)
			return json_array_get(list, i);
	return NULL;
}

static enum ctl_status list_options(struct ctl *c)
{
	static const struct ctl_column columns[] = {
		{"OPTION", false, false}, {"VALUE", false, true}, {"FROM", false, false}};
	struct ctl_table *t = ctl_table_new(columns, ARRAY_LEN(columns));
	json_t *list;
	enum ctl_status status = get_options(c, &list);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		char *value = value_of(json_object_get(o, "value"));

		ctl_table_put(t, ctl_text(o, "name"));
		ctl_table_put(t, value);
		ctl_table_put(t, ctl_text(json_object_get(o, "origin"), "kind"));
		free(value);
	}
	if (status == CTL_DONE)
		ctl_show(c, list, t);
	ctl_table_free(&t);
	json_decref(list);
	return status;
}

static enum ctl_status get_named(struct ctl *c)
{
	json_t *list, *found = json_array();
	char safe[4096], *value;
	enum ctl_status status = get_options(c, &list);

	for (uint32_t i = 1; status == CTL_DONE && i < c->args->words_n; i++) {
		const json_t *o = find_option(list, c->args->words[i]);

		if (o == NULL) {
			ctl_complain("there is no option %s: torrentctl config lists them",
				c->args->words[i]);
			status = CTL_UNKNOWN;
			break;
		}
		json_array_append(found, (json_t *)(uintptr_t)o);
		value = value_of(json_object_get(o, "value"));
		ctl_safe(safe, sizeof safe, value);
		free(value);
		if (!c->json)
			puts(safe);
	}
	if (status == CTL_DONE && c->json)
		ctl_print_json(found);
	json_decref(found);
	json_decref(list);
	return status;
}

/* All that is named, or none of it.  A value that is not given is as configured. */
static enum ctl_status change_options(struct ctl *c, bool reset)
{
	json_t *wish = json_object(), *answer = NULL;
	enum ctl_status status;

	for (uint32_t i = 1; i < c->args->words_n; i += reset ? 1 : 2)
		json_object_set_new(wish, c->args->words[i],
			reset ? json_null() : json_string(c->args->words[i + 1]));
	status = ctl_send(c->client, "PATCH", "/api/v1/settings", wish, &answer);
	if (status == CTL_DONE && c->json)
		ctl_print_json(answer);
	json_decref(answer);
	return status;
}

enum ctl_status ctl_run_config(struct ctl *c)
{
	uint32_t n = c->args->words_n;

	if (n == 0)
		return list_options(c);
	if (is_word(c, 0, "get") && n > 1)
		return get_named(c);
	if (is_word(c, 0, "set") && n > 2 && n % 2 == 1)
		return change_options(c, false);
	if (is_word(c, 0, "reset") && n > 1)
		return change_options(c, true);
	return usage(c);
}

/* --- tokens --- */

static enum ctl_status list_tokens(struct ctl *c)
{
	static const struct ctl_column columns[] = {{"ID", true, false}, {"NAME", false, true},
		{"KIND", false, false}, {"SCOPES", false, false}, {"MADE", false, false},
		{"USED", false, false}, {"ENDS", false, false}};
	static const char *const moments[] = {"created", "used", "expires"};
	struct ctl_table *t = ctl_table_new(columns, ARRAY_LEN(columns));
	json_t *answer = NULL, *list;
	enum ctl_status status = ctl_get(c->client, &answer, "/api/v1/tokens");
	char text[CTL_NUMBER], *scopes;

	list = json_object_get(answer, "tokens");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);

		scopes = value_of(json_object_get(o, "scopes"));
		ctl_table_putf(t, "%lld", (long long)ctl_int(o, "id"));
		ctl_table_put(t, ctl_text(o, "name"));
		ctl_table_put(t, ctl_text(o, "kind"));
		ctl_table_put(t, scopes);
		free(scopes);
		for (size_t k = 0; k < ARRAY_LEN(moments); k++) {
			ctl_moment(text, ctl_int(o, moments[k]));
			ctl_table_put(t, text[0] != '\0' ? text : "never");
		}
	}
	if (status == CTL_DONE)
		ctl_show(c, list, t);
	ctl_table_free(&t);
	json_decref(answer);
	return status;
}

static enum ctl_status make_token(struct ctl *c)
{
	json_t *wish = json_pack("{ss}", "name", c->args->words[1]), *answer = NULL;
	enum ctl_status status;

	if (wish == NULL) {
		ctl_complain("a name is UTF-8");
		return CTL_USAGE;
	}
	if (ctl_given(c, CTL_scopes))
		json_object_set_new(wish, "scopes", json_string(ctl_value(c, CTL_scopes)));
	if (ctl_given(c, CTL_expires))
		json_object_set_new(wish, "expires_in", json_string(ctl_value(c, CTL_expires)));
	status = ctl_send(c->client, "POST", "/api/v1/tokens", wish, &answer);
	if (status == CTL_DONE && c->json)
		ctl_print_json(answer);
	else if (status == CTL_DONE)
		puts(ctl_text(answer, "token"));
	json_decref(answer);
	return status;
}

static enum ctl_status revoke_token(struct ctl *c)
{
	const char *id = c->args->words[1];
	char path[64];

	if (id[0] == '\0' || strspn(id, "0123456789") != strlen(id) || strlen(id) > 18) {
		ctl_complain("\"%s\" is no id of a token: torrentctl token lists them", id);
		return CTL_USAGE;
	}
	snprintf(path, sizeof path, "/api/v1/tokens/%s", id);
	return ctl_ask(c->client, "DELETE", path, (const char *const[]){NULL}, NULL, NULL);
}

enum ctl_status ctl_run_token(struct ctl *c)
{
	uint32_t n = c->args->words_n;

	if (n == 0 || (n == 1 && is_word(c, 0, "list")))
		return list_tokens(c);
	if (n == 2 && is_word(c, 0, "make"))
		return make_token(c);
	if (n == 2 && is_word(c, 0, "revoke"))
		return revoke_token(c);
	return usage(c);
}

/* --- devices --- */

/* For the camera of a phone, where there is a terminal that is wide enough. */
static void draw_link(const char *url)
{
	char text[QR_TEXT];
	struct qr q;

	if (qr_make(&q, url, strlen(url)) != E_OK || ctl_columns() < q.size + 2 * QR_QUIET)
		return;
	(void)qr_draw(&q, text);
	fputs(text, stdout);
}

enum ctl_status ctl_run_pair(struct ctl *c)
{
	json_t *wish = json_object(), *answer = NULL;
	char safe[1024], until[CTL_NUMBER];
	enum ctl_status status;

	if (ctl_given(c, CTL_scopes))
		json_object_set_new(wish, "scopes", json_string(ctl_value(c, CTL_scopes)));
	status = ctl_send(c->client, "POST", "/api/v1/pairings", wish, &answer);
	if (status == CTL_DONE && c->json) {
		ctl_print_json(answer);
	} else if (status == CTL_DONE) {
		draw_link(ctl_text(answer, "url"));
		ctl_moment(until, ctl_int(answer, "expires"));
		ctl_safe(safe, sizeof safe, ctl_text(answer, "url"));
		printf("open on the device, until %s: %s\n", until, safe);
		ctl_safe(safe, sizeof safe, ctl_text(answer, "code"));
		printf("or type this code there: %s\n", safe);
	}
	json_decref(answer);
	return status;
}
