/* SPDX-License-Identifier: MIT */
/*
 * The API as OpenAPI 3.1 describes one: made from the tables that serve it, so it cannot say
 * something else.  routes.def has paths, methods, scopes and parameters, answers.def, params.def
 * and schemas.def their types.
 */
#include <ctype.h>
#include <stdio.h>

#include "http/access/scope.h"
#include "http/api/priv.h"
#include "http/api/schema.h"

static const struct {
	unsigned method;
	const char *key, *word;
} methods[] = {{METHOD_GET, "get", "GET"}, {METHOD_POST, "post", "POST"},
	{METHOD_PATCH, "patch", "PATCH"}, {METHOD_DELETE, "delete", "DELETE"}};

static const struct answer {
	const char *method, *path;
	unsigned status; /* 0: a body */
	const char *what;
} answers[] = {
#define ANSWER(method, path, status, what) {method, path, status, what},
#define BODY(method, path, what)           {method, path, 0, what},
#include "http/api/answers.def"
#undef ANSWER
#undef BODY
};

static const struct {
	const char *path, *name, *type;
} params[] = {
#define PARAM(path, name, type) {path, #name, type},
#include "http/api/params.def"
#undef PARAM
};

static void put_key(struct json_out *o, const char *key)
{
	json_out_key_n(o, key, strlen(key));
}

/* --- parameters --- */

static bool is(const char *name, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(name, word, n) == 0;
}

static const char *type_of(const char *path, const char *name, size_t n)
{
	const char *type = "text";

	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		if (!is(name, n, params[i].name))
			continue;
		if (strcmp(params[i].path, path) == 0)
			return params[i].type;
		if (params[i].path[0] == '\0')
			type = params[i].type;
	}
	return type;
}

static void put_param(
	struct json_out *o, const struct resource *r, const char *name, size_t n, bool in_path)
{
	json_out_open(o, '{');
	json_out_key(o, "name");
	json_out_slice(o, (struct slice){(const uint8_t *)name, n});
	json_out_put(o, "in", text, in_path ? "path" : "query");
	if (in_path)
		json_out_put(o, "required", bool, true);
	json_out_key(o, "schema");
	schema_put(o, type_of(r->path, name, n));
	json_out_close(o, '}');
}

static void put_path_params(struct json_out *o, const struct resource *r)
{
	for (const char *p = strchr(r->path, '{'); p != NULL; p = strchr(p, '{')) {
		size_t n = strcspn(++p, "}");

		put_param(o, r, p, n, true);
	}
}

static void put_params(struct json_out *o, const struct resource *r)
{
	json_out_key(o, "parameters");
	json_out_open(o, '[');
	put_path_params(o, r);
	for (const char *p = r->params; *p != '\0';) {
		size_t n = strcspn(p, " ");

		put_param(o, r, p, n, false);
		p += n + (p[n] == ' ');
	}
	json_out_close(o, ']');
}

/* --- bodies and answers --- */

/* The parameters of the query as members of an object. */
static void put_members(struct json_out *o, const struct resource *r)
{
	json_out_open(o, '{');
	json_out_put(o, "type", text, "object");
	json_out_put(o, "additionalProperties", bool, false);
	json_out_key(o, "properties");
	json_out_open(o, '{');
	for (const char *p = r->params; *p != '\0';) {
		size_t n = strcspn(p, " ");

		json_out_key_n(o, p, n);
		schema_put(o, type_of(r->path, p, n));
		p += n + (p[n] == ' ');
	}
	json_out_close(o, '}');
	json_out_close(o, '}');
}

static void put_content(
	struct json_out *o, const struct resource *r, const char *media, const char *what)
{
	json_out_key(o, "content");
	json_out_open(o, '{');
	put_key(o, what[0] == '=' ? what + 1 : media);
	json_out_open(o, '{');
	if (what[0] != '=') {
		json_out_key(o, "schema");
		if (what[0] == '&')
			put_members(o, r);
		else
			schema_put(o, what);
	}
	json_out_close(o, '}');
	json_out_close(o, '}');
}

static void put_body(struct json_out *o, const struct resource *r, const char *method)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct answer *a = &answers[i];

		if (a->status != 0 || strcmp(a->method, method) != 0 ||
			strcmp(a->path, r->path) != 0)
			continue;
		json_out_key(o, "requestBody");
		json_out_open(o, '{');
		put_content(o, r, "application/json", a->what);
		json_out_close(o, '}');
	}
}

static void put_answer(
	struct json_out *o, const struct resource *r, unsigned status, const char *what)
{
	char key[16];
	int n = snprintf(key, sizeof key, "%u", status);

	json_out_key_n(o, key, (size_t)n);
	json_out_open(o, '{');
	json_out_put(o, "description", text, status < 300 ? "it is so" : "not now");
	if (what[0] != '\0')
		put_content(o, r, "application/json", what);
	json_out_close(o, '}');
}

/* What is not told by a line of its own. */
static void put_errors(struct json_out *o, const struct resource *r)
{
	bool native = strncmp(r->path, "/api/v1/", 8) == 0;

	json_out_key(o, "default");
	json_out_open(o, '{');
	json_out_put(o, "description", text, "what is wrong, in words");
	put_content(o, r, "application/problem+json", native ? "Problem" : "=text/plain");
	json_out_close(o, '}');
}

static void put_answers(struct json_out *o, const struct resource *r, const char *method)
{
	unsigned told = 0;

	json_out_key(o, "responses");
	json_out_open(o, '{');
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct answer *a = &answers[i];

		if (a->status == 0 || strcmp(a->method, method) != 0 ||
			strcmp(a->path, r->path) != 0)
			continue;
		put_answer(o, r, a->status, a->what);
		told++;
	}
	if (told == 0)
		put_answer(o, r, 200, r->changes ? "=text/plain" : "any");
	put_errors(o, r);
	json_out_close(o, '}');
}

/* --- operations --- */

/* Words of letters alone, for those who make functions of it: "get_api_v1_torrents". */
static void put_id(struct json_out *o, const struct resource *r, const char *method)
{
	char id[200];
	int n = snprintf(id, sizeof id, "%s%s", method, r->path);

	must(n > 0 && n < (int)sizeof id);
	for (char *p = id; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	json_out_put(o, "operationId", text, id);
}

/* No credentials, or any of those that there are. */
static void put_security(struct json_out *o, const struct resource *r)
{
	static const char *const ways[] = {"token", "password", "cookie"};

	json_out_key(o, "security");
	json_out_open(o, '[');
	for (size_t i = 0; r->scopes != SCOPE_NONE && i < ARRAY_LEN(ways); i++) {
		json_out_open(o, '{');
		put_key(o, ways[i]);
		json_out_open(o, '[');
		json_out_text(o, scope_name(r->scopes));
		json_out_close(o, ']');
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
}

static void put_operations(struct json_out *o, const struct resource *r)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if ((r->methods & methods[i].method) == 0)
			continue;
		put_key(o, methods[i].key);
		json_out_open(o, '{');
		put_id(o, r, methods[i].key);
		json_out_put(o, "summary", text, r->doc);
		put_security(o, r);
		put_params(o, r);
		put_body(o, r, methods[i].word);
		put_answers(o, r, methods[i].word);
		json_out_close(o, '}');
	}
}

/* Whether the i-th is told with one before it, whose path it has. */
static bool is_told(const struct resources *t, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (t->v[k].doc != NULL && strcmp(t->v[k].path, t->v[i].path) == 0)
			return true;
	return false;
}

static void put_paths(struct json_out *o, const struct resources *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		if (t->v[i].doc == NULL || is_told(t, i))
			continue;
		put_key(o, t->v[i].path);
		json_out_open(o, '{');
		for (unsigned k = i; k < t->n; k++)
			if (t->v[k].doc != NULL && strcmp(t->v[k].path, t->v[i].path) == 0)
				put_operations(o, &t->v[k]);
		json_out_close(o, '}');
	}
}

/* --- the document --- */

static void put_way(struct json_out *o, const char *name, const char *type, const char *scheme)
{
	put_key(o, name);
	json_out_open(o, '{');
	json_out_put(o, "type", text, type);
	if (scheme != NULL)
		json_out_put(o, "scheme", text, scheme);
}

static void put_ways(struct json_out *o, int port)
{
	char cookie[40];

	snprintf(cookie, sizeof cookie, "torrentd-%d", port);
	json_out_key(o, "securitySchemes");
	json_out_open(o, '{');
	put_way(o, "token", "http", "bearer");
	json_out_close(o, '}');
	put_way(o, "password", "http", "basic");
	json_out_close(o, '}');
	put_way(o, "cookie", "apiKey", NULL);
	json_out_put(o, "in", text, "cookie");
	json_out_put(o, "name", text, cookie);
	json_out_close(o, '}');
	json_out_close(o, '}');
}

static void put_head(struct json_out *o, const struct config *c)
{
	json_out_put(o, "openapi", text, "3.1.0");
	json_out_key(o, "info");
	json_out_open(o, '{');
	json_out_put(o, "title", text, "torrentd");
	json_out_put(o, "version", text, config_version());
	json_out_close(o, '}');
	json_out_key(o, "servers");
	json_out_open(o, '[');
	json_out_open(o, '{');
	json_out_put(o, "url", text, c->api_base_path[0] != '\0' ? c->api_base_path : "/");
	json_out_close(o, '}');
	json_out_close(o, ']');
}

void api_openapi(struct request *r)
{
	const struct config *c = request_config(r);
	struct json_out o = {0};

	json_out_open(&o, '{');
	put_head(&o, c);
	json_out_key(&o, "paths");
	json_out_open(&o, '{');
	for (const struct resources *const *t = request_resources(r); *t != NULL; t++)
		put_paths(&o, *t);
	json_out_close(&o, '}');
	json_out_key(&o, "components");
	json_out_open(&o, '{');
	put_ways(&o, c->api_port);
	json_out_key(&o, "schemas");
	json_out_open(&o, '{');
	schema_put_objects(&o);
	json_out_close(&o, '}');
	json_out_close(&o, '}');
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}
