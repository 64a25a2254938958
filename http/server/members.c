/* SPDX-License-Identifier: MIT */
/*
 * Parameters in a body of JSON: an object whose members are what the query would have, so that
 * every rule for the query holds for them, too.
 */
#include <jansson.h>
#include <stdio.h>

#include "http/server/priv.h"
#include "http/server/route.h"
#include "proto/base/array.h"

/* Owned by the caller; NULL: no value that a parameter can have. */
static char *scalar_of(const json_t *v)
{
	char number[400];

	switch (json_typeof(v)) {
	case JSON_STRING:
		return xstrdup(json_string_value(v));
	case JSON_TRUE:
		return xstrdup("true");
	case JSON_FALSE:
		return xstrdup("false");
	case JSON_NULL:
		return xstrdup("");
	case JSON_INTEGER:
		snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		return xstrdup(number);
	case JSON_REAL:
		snprintf(number, sizeof number, "%.3f", json_real_value(v));
		return xstrdup(number);
	default:
		return NULL;
	}
}

/* The items of a list as one text, the caller's; NULL: put() did not take one. */
static char *join(const json_t *list, const char *between, bool (*put)(const json_t *, FILE *))
{
	char *text = NULL;
	size_t n = 0;
	bool good = true;
	FILE *out = open_memstream(&text, &n);

	must(out != NULL);
	for (size_t i = 0; good && i < json_array_size(list); i++) {
		fputs(i > 0 ? between : "", out);
		good = put(json_array_get(list, i), out);
	}
	must(fclose(out) == 0);
	if (!good)
		xfree(text);
	return good ? text : NULL;
}

/* Without a comma: those part values, as in a query. */
static bool put_value(const json_t *item, FILE *out)
{
	char *one = scalar_of(item);
	bool good = one != NULL && one[0] != '\0' && strchr(one, ',') == NULL;

	if (good)
		fputs(one, out);
	xfree(one);
	return good;
}

static char *text_of(const json_t *v)
{
	return json_is_array(v) ? join(v, ",", put_value) : scalar_of(v);
}

/* microhttpd keeps the pointers alone: the request owns the texts. */
static bool set_param(struct request *r, const char *name, char *text)
{
	char *key = xstrdup(name);

	ARRAY_PUSH(r->members, r->members_n, r->members_room, key);
	ARRAY_PUSH(r->members, r->members_n, r->members_room, text);
	return MHD_set_connection_value_n(r->conn, MHD_GET_ARGUMENT_KIND, key, strlen(key), text,
		       strlen(text)) == MHD_YES;
}

static char *dup_slice(struct slice s)
{
	char *text = xcalloc(1, s.n + 1);

	memcpy(text, s.p, s.n);
	return text;
}

bool members_path(struct request *r, const char *path)
{
	struct slice name, value;

	CHECK_OBJ(r, REQUEST_MAGIC);
	for (unsigned i = 0; route_part(r->resource, path, i, &name, &value); i++) {
		char *key = dup_slice(name), *text = dup_slice(value);
		bool set = set_param(r, key, text);

		xfree(key);
		if (!set) {
			answer_err(r, E_NOMEM, NULL);
			return false;
		}
	}
	return true;
}

/* What is grouped in an object within is taken as if it were not, one level deep. */
static void take_members(struct request *r, json_t *object, bool within)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		char *text;

		if (json_is_object(value) && !within) {
			take_members(r, value, true);
			if (r->answered)
				return;
			continue;
		}
		text = text_of(value);
		if (text == NULL) {
			answer_text(r, 422,
				"'%.100s' in the JSON of the body is no text, number, true or "
				"false, nor a list of such without commas",
				name);
		} else if (params_in_path(r->resource, name)) {
			xfree(text);
			answer_text(
				r, 422, "a member of the JSON in the body says what the path says");
		} else if (!set_param(r, name, text)) {
			answer_err(r, E_NOMEM, NULL);
		}
		if (r->answered)
			return;
	}
}

/* The body's object, the caller's; NULL: answered. */
static json_t *load_object(struct request *r)
{
	json_error_t error;
	json_t *root =
		json_loadb((const char *)r->upload, r->upload_n, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL)
		answer_text(r, 400, "the body is not JSON: line %d, column %d: %s", error.line,
			error.column, error.text);
	else if (!json_is_object(root))
		answer_text(
			r, 400, "the body must be a JSON object such as {\"url\": \"magnet:...\"}");
	else
		return root;
	json_decref(root);
	return NULL;
}

bool param_json(struct request *r)
{
	json_t *root;

	CHECK_OBJ(r, REQUEST_MAGIC);
	root = load_object(r);
	if (root == NULL)
		return false;
	take_members(r, root, false);
	json_decref(root);
	return !r->answered && params_known(r);
}

/* --- an object with any members --- */

/* As it stands in a list of the configuration. */
static bool put_option(const json_t *item, FILE *out)
{
	if (!json_is_string(item))
		return false;
	config_put_text(json_string_value(item), out);
	return true;
}

bool request_object(struct request *r, request_member_f *each, void *ctx)
{
	const char *name;
	json_t *root, *value;

	CHECK_OBJ(r, REQUEST_MAGIC);
	root = load_object(r);
	if (root == NULL)
		return false;
	json_object_foreach(root, name, value)
	{
		char *text =
			json_is_array(value) ? join(value, ", ", put_option) : scalar_of(value);

		if (text == NULL)
			answer_text(r, 422,
				"a member of the JSON in the body is an object or a list of "
				"something "
				"else than texts");
		else
			each(ctx, name, json_is_null(value) ? NULL : text);
		xfree(text);
		if (r->answered)
			break;
	}
	json_decref(root);
	return !r->answered;
}

void members_free(struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	for (uint32_t i = 0; i < r->members_n; i++)
		xfree(r->members[i]);
	xfree(r->members);
}
