/* SPDX-License-Identifier: MIT */
/*
 * JSON Schema from tables.
 *
 * What a torrent and a row of the list have is told by the tables that they are rendered from: how
 * a value is written says what type it has.
 */
#include "http/api/schema.h"

#include <stdio.h>

/* --- the tables --- */

/* A row without a type begins an object. */
static const struct member {
	const char *name, *type;
	bool required;
} members[] = {
#define OBJECT(name)    {#name, NULL, false},
#define HAS(name, type) {#name, type, true},
#define MAY(name, type) {#name, type, false},
#include "http/api/schemas.def"
#undef OBJECT
#undef HAS
#undef MAY
};

struct rendered {
	const char *name, *code;
};

/* None of them is always there: fields may be chosen. */
static const struct rendered torrent[] = {
#define VALUE(name, part, code)             {#name, #code},
#define LIST(name, part, count, function)   {#name, #function},
#define LEGACY(name, part, count, function) {#name, #function},
#include "http/api/fields.def"
#undef VALUE
#undef LIST
#undef LEGACY
};

static const struct rendered row[] = {
#define FIELD(name, group, code) {#name, #code},
#include "http/api/list_fields.def"
#undef FIELD
};

static const struct {
	const char *code, *type; /* how the code begins */
} types_of_code[] = {
	{"json_out_text(", "text?"},
	{"json_out_base64(", "text"},
	{"json_out_hex(", "hash"},
	{"json_out_uint(", "int"},
	{"json_out_int(", "int"},
	{"json_out_kib(", "number"},
	{"json_out_real(", "number?"},
	{"json_out_bool(", "bool"},
	{"json_out_time(", "text?"},
	{"put_moment(", "int?"},
	{"write_labels(", "[text]"},
	{"write_limits(", "SeedLimits"},
	{"write_magnet(", "text?"},
	{"write_metadata(", "Metadata?"},
	{"put_tracker", "[Tracker]"},
	{"put_peer", "[Peer]"},
	{"put_file", "[File]"},
	{"put_web_seed", "[WebSeed]"},
};

static const char *type_of(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(types_of_code); i++)
		if (strncmp(code, types_of_code[i].code, strlen(types_of_code[i].code)) == 0)
			return types_of_code[i].type;
	return "any";
}

/* --- types --- */

static const struct {
	const char *word, *type, *pattern; /* type NULL: anything */
} words[] = {
	{"text", "string", NULL},
	{"int", "integer", NULL},
	{"number", "number", NULL},
	{"bool", "boolean", NULL},
	{"hash", "string", "^[0-9a-fA-F]{40}$"},
	{"any", NULL, NULL},
};

static bool is(const char *type, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(type, word, n) == 0;
}

/* Where the object's members begin; NULL: there is none of that name. */
static const struct member *find_object(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (members[i].type == NULL && is(name, n, members[i].name))
			return &members[i + 1];
	return NULL;
}

static bool is_object(const char *name, size_t n)
{
	return is(name, n, "Torrent") || is(name, n, "Row") || find_object(name, n) != NULL;
}

static bool is_type(const char *type, size_t n)
{
	if (n > 1 && type[n - 1] == '?')
		n--;
	if (n > 2 &&
		((type[0] == '[' && type[n - 1] == ']') || (type[0] == '{' && type[n - 1] == '}')))
		return is_type(type + 1, n - 2);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (is(type, n, words[i].word))
			return true;
	return is_object(type, n);
}

bool schema_is_type(const char *type)
{
	return is_type(type, strlen(type));
}

static void put_type(struct json_out *o, const char *type, size_t n);

static void put_reference(struct json_out *o, const char *name, size_t n)
{
	char ref[80];
	int len = snprintf(ref, sizeof ref, "#/components/schemas/%.*s", (int)n, name);

	must(is_object(name, n) && len > 0 && len < (int)sizeof ref);
	json_out_open(o, '{');
	json_out_put(o, "$ref", text, ref);
	json_out_close(o, '}');
}

static void put_word(struct json_out *o, const char *type, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!is(type, n, words[i].word))
			continue;
		json_out_open(o, '{');
		if (words[i].type != NULL)
			json_out_put(o, "type", text, words[i].type);
		if (words[i].pattern != NULL)
			json_out_put(o, "pattern", text, words[i].pattern);
		json_out_close(o, '}');
		return;
	}
	put_reference(o, type, n);
}

static void put_composed(struct json_out *o, const char *type, size_t n)
{
	bool list = type[0] == '[';

	json_out_open(o, '{');
	json_out_put(o, "type", text, list ? "array" : "object");
	json_out_key_n(o, list ? "items" : "additionalProperties",
		strlen(list ? "items" : "additionalProperties"));
	put_type(o, type + 1, n - 2);
	json_out_close(o, '}');
}

static void put_nullable(struct json_out *o, const char *type, size_t n)
{
	json_out_open(o, '{');
	json_out_key(o, "anyOf");
	json_out_open(o, '[');
	put_type(o, type, n);
	json_out_open(o, '{');
	json_out_put(o, "type", text, "null");
	json_out_close(o, '}');
	json_out_close(o, ']');
	json_out_close(o, '}');
}

/* The recursion is as deep as a type of the tables has brackets. */
static void put_type(struct json_out *o, const char *type, size_t n)
{
	if (type[n - 1] == '?')
		put_nullable(o, type, n - 1);
	else if (type[0] == '[' || type[0] == '{')
		put_composed(o, type, n);
	else
		put_word(o, type, n);
}

void schema_put(struct json_out *o, const char *type)
{
	put_type(o, type, strlen(type));
}

/* --- objects --- */

static void put_property(struct json_out *o, const char *name, const char *type)
{
	json_out_key_n(o, name, strlen(name));
	schema_put(o, type);
}

static void open_object(struct json_out *o, const char *name)
{
	json_out_key_n(o, name, strlen(name));
	json_out_open(o, '{');
	json_out_put(o, "type", text, "object");
	json_out_put(o, "additionalProperties", bool, false);
	json_out_key(o, "properties");
	json_out_open(o, '{');
}

static void put_rendered(struct json_out *o, const char *name, const struct rendered *v, size_t n)
{
	open_object(o, name);
	for (size_t i = 0; i < n; i++)
		put_property(o, v[i].name, type_of(v[i].code));
	json_out_close(o, '}');
	json_out_close(o, '}');
}

/* Returns where the next one begins. */
static size_t put_object(struct json_out *o, size_t at)
{
	size_t end = at + 1;

	open_object(o, members[at].name);
	for (; end < ARRAY_LEN(members) && members[end].type != NULL; end++)
		put_property(o, members[end].name, members[end].type);
	json_out_close(o, '}');
	json_out_key(o, "required");
	json_out_open(o, '[');
	for (size_t i = at + 1; i < end; i++)
		if (members[i].required)
			json_out_text(o, members[i].name);
	json_out_close(o, ']');
	json_out_close(o, '}');
	return end;
}

void schema_put_objects(struct json_out *o)
{
	for (size_t at = 0; at < ARRAY_LEN(members);)
		at = put_object(o, at);
	put_rendered(o, "Torrent", torrent, ARRAY_LEN(torrent));
	put_rendered(o, "Row", row, ARRAY_LEN(row));
}
