/* SPDX-License-Identifier: MIT */
/*
 * One call: what it asks for, and how it ends.
 *
 * The dialect of 4.0 spells its names in three ways and the one of JSON-RPC in one, from which the
 * others follow; so arguments are looked for by that one.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "http/transmission/priv.h"

#define NAME_MAX_ 64u

/* --- names --- */

static const json_t *find_kebab(const json_t *args, const char *name)
{
	char key[NAME_MAX_];
	size_t n = strlen(name);

	must(n < sizeof key);
	for (size_t i = 0; i <= n; i++)
		key[i] = (char)(name[i] == '_' ? '-' : name[i]);
	return json_object_get(args, key);
}

static const json_t *find_camel(const json_t *args, const char *name)
{
	char key[NAME_MAX_];
	size_t n = 0;

	must(strlen(name) < sizeof key);
	for (const char *p = name; *p != '\0'; p++)
		if (*p != '_')
			key[n++] = p > name && p[-1] == '_' ? (char)toupper((unsigned char)*p) : *p;
	key[n] = '\0';
	return json_object_get(args, key);
}

const json_t *rcall_arg(const struct rcall *c, const char *name)
{
	const json_t *v = json_object_get(c->args, name);

	if (v == NULL)
		v = find_kebab(c->args, name);
	if (v == NULL)
		v = find_camel(c->args, name);
	return json_is_null(v) ? NULL : v;
}

bool rcall_bool(const struct rcall *c, const char *name, bool absent)
{
	const json_t *v = rcall_arg(c, name);

	if (json_is_integer(v))
		return json_integer_value(v) != 0;
	return json_is_boolean(v) ? json_is_true(v) : absent;
}

const char *rcall_text(const struct rcall *c, const char *name)
{
	return json_string_value(rcall_arg(c, name));
}

bool rcall_int(const struct rcall *c, const char *name, int64_t *out)
{
	const json_t *v = rcall_arg(c, name);
	double real = json_is_real(v) ? json_real_value(v) : 0;

	if (json_is_integer(v))
		*out = json_integer_value(v);
	else if (json_is_real(v) && real > -9e15 && real < 9e15)
		*out = (int64_t)real;
	else
		return false;
	return true;
}

bool rcall_real(const struct rcall *c, const char *name, double *out)
{
	const json_t *v = rcall_arg(c, name);

	if (!json_is_number(v))
		return false;
	*out = json_number_value(v);
	return true;
}

/* Files after each other are one wish. */
static bool add_file(int64_t i, uint8_t priority, struct file_wish **list, uint32_t *n)
{
	struct file_wish *last = *n > 0 ? &(*list)[*n - 1] : NULL;

	if (i < 0 || i >= UINT32_MAX)
		return false;
	if (last != NULL && last->priority == priority && (int64_t)last->last + 1 == i) {
		last->last++;
		return true;
	}
	*list = xrealloc(*list, (*n + 1) * sizeof **list);
	(*list)[(*n)++] = (struct file_wish){(uint32_t)i, (uint32_t)i, priority};
	return true;
}

bool rcall_files(const struct rcall *c, const char *name, uint8_t priority, struct file_wish **list,
	uint32_t *n)
{
	const json_t *v = rcall_arg(c, name), *item;
	size_t i;

	if (json_is_array(v) && json_array_size(v) == 0) {
		*list = xrealloc(*list, (*n + 1) * sizeof **list);
		(*list)[(*n)++] = (struct file_wish){0, UINT32_MAX, priority};
	}
	json_array_foreach(v, i, item)
	{
		if (json_is_integer(item) &&
			add_file(json_integer_value(item), priority, list, n) &&
			*n <= FILE_WISHES_MAX)
			continue;
		return false;
	}
	return true;
}

bool rcall_labels(const struct rcall *c, char **out)
{
	const json_t *v = rcall_arg(c, "labels"), *item;
	size_t i;

	*out = NULL;
	json_array_foreach(v, i, item)
	{
		if (json_is_string(item) && wishes_add_label(out, json_string_value(item),
						    json_string_length(item)) == E_OK)
			continue;
		xfree(*out);
		*out = NULL;
		return false;
	}
	return v == NULL || json_is_array(v);
}

void rcall_key(struct json_out *o, bool snake, const char *legacy, const char *snake_name)
{
	const char *key = snake ? snake_name : legacy;

	json_out_key_n(o, key, strlen(key));
}

/* --- its begin --- */

static bool same_name(const char *name, const char *asked)
{
	for (; *name != '\0' && (*name == *asked || (*name == '_' && *asked == '-')); name++)
		asked++;
	return *name == *asked;
}

/* Both spellings are known: torrent-get and torrent_get. */
static const struct rpc_method *find_method(const struct rpc *rpc, const char *name)
{
	for (unsigned i = 0; i < rpc->methods_n; i++)
		if (same_name(rpc->methods[i].name, name))
			return &rpc->methods[i];
	return NULL;
}

static void read_method(struct rcall *c, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "method"));

	c->method = name != NULL ? find_method(c->x->rpc, name) : NULL;
	if (c->method == NULL)
		rcall_end(c, RPC_NO_METHOD, "%s",
			name == NULL ? "no method name" : "method name not recognized");
}

/* A mistake is told even to who asked for no answer: it is not known that he did. */
static void refuse(struct rcall *c, const char *why)
{
	c->snake = true;
	c->silent = false;
	rcall_end(c, RPC_INVALID, "%s", why);
}

void rcall_init(struct rcall *c, struct exchange *x, const json_t *request, bool in_batch)
{
	const json_t *version = json_object_get(request, "jsonrpc");

	CHECK_OBJ(x, EXCHANGE_MAGIC);
	*c = (struct rcall){.x = x};
	if (!json_is_object(request)) {
		refuse(c, in_batch ? "request must be an Object"
				   : "request must be an Array or Object");
		return;
	}
	c->snake = version != NULL;
	if ((c->snake || in_batch) &&
		(!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)) {
		refuse(c, "JSON-RPC version is not 2.0");
		return;
	}
	c->id = json_object_get(request, c->snake ? "id" : "tag");
	c->silent = c->snake && c->id == NULL;
	c->args = json_object_get(request, c->snake ? "params" : "arguments");
	if (c->snake && c->id != NULL && !json_is_string(c->id) && !json_is_number(c->id) &&
		!json_is_null(c->id)) {
		c->id = NULL;
		refuse(c, "id type must be String, Number, or Null");
	} else if (c->snake && c->args != NULL && !json_is_object(c->args)) {
		rcall_end(c, RPC_PARAMS, "params must be an Object");
	} else {
		read_method(c, request);
	}
}

void rcall_fini(struct rcall *c)
{
	json_out_fini(&c->out);
	if (c->tail != NULL)
		c->tail_free(c->tail);
	if (c->work != NULL)
		c->work_free(&c->work);
}

struct rpc *rcall_rpc(const struct rcall *c)
{
	return c->x->rpc;
}

uint16_t rcall_worker(const struct rcall *c)
{
	return c->x->worker;
}

const struct config *rcall_config(const struct rcall *c)
{
	return c->x->config;
}

/* --- its end --- */

void rcall_done(struct rcall *c)
{
	must(!c->ended);
	c->ended = true;
	if (c->work != NULL)
		c->work_free(&c->work);
	c->work = NULL;
	c->x->go_on(c->x);
}

void rcall_end(struct rcall *c, enum rpc_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof c->why, fmt, ap);
	va_end(ap);
	c->code = code;
	rcall_done(c);
}

void rcall_end_err(struct rcall *c, enum err e, const char *why)
{
	static const struct {
		enum err err;
		enum rpc_code code;
	} codes[] = {
		{E_OK, RPC_OK},
		{E_RANGE, RPC_FILE_RANGE},
		{E_PATH, RPC_PARAMS},
		{E_EXISTS, RPC_PARAMS},
		{E_NOT_FOUND, RPC_PARAMS},
		{E_UNSUPPORTED, RPC_PARAMS},
	};
	enum rpc_code code = RPC_SYSTEM;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].err == e)
			code = codes[i].code;
	if (code == RPC_OK)
		rcall_done(c);
	else
		rcall_end(c, code, "%s", why != NULL && why[0] != '\0' ? why : err_words(e));
}
