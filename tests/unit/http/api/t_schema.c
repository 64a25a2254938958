/* SPDX-License-Identifier: MIT */
/* Types of the description of the API: all that the tables have are known, and say what they mean.
 */
#include "http/api/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void the_tables_have_types_alone(void **state)
{
	static const char *const types[] = {
#define OBJECT(name)
#define HAS(name, type)                    type,
#define MAY(name, type)                    type,
#define PARAM(path, name, type)            type,
#define ANSWER(method, path, status, what) what,
#define BODY(method, path, what)           what,
#include "http/api/answers.def"
#include "http/api/params.def"
#include "http/api/schemas.def"
#undef OBJECT
#undef HAS
#undef MAY
#undef PARAM
#undef ANSWER
#undef BODY
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i][0] != '=' && types[i][0] != '&' && types[i][0] != '\0' &&
			!schema_is_type(types[i]))
			fail_msg("%s", types[i]);
}

static void what_is_no_type_is_told(void **state)
{
	static const char *const none[] = {
		"", "?", "[]", "{}", "[text", "text]", "Text", "[Nobody]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (schema_is_type(none[i]))
			fail_msg("%s", none[i]);
}

static void types_are_written_as_schemas(void **state)
{
	static const struct {
		const char *type, *json;
	} rows[] = {
		{"text", "{\"type\":\"string\"}"},
		{"any", "{}"},
		{"hash", "{\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F]{40}$\"}"},
		{"int?", "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}"},
		{"[Peer]",
			"{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Peer\"}}"},
		{"{[any]}", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\","
			    "\"items\":{}}}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json_out o = {0};
		size_t n;
		char *text;

		schema_put(&o, rows[i].type);
		text = json_out_take(&o, &n);
		if (n != strlen(rows[i].json) || memcmp(text, rows[i].json, n) != 0)
			fail_msg("%s: %.*s", rows[i].type, (int)n, text);
		free(text);
	}
}

/* How a field is written says its type: a way that is not known would say "anything". */
static void every_field_of_a_torrent_has_a_type(void **state)
{
	struct json_out o = {0};
	size_t n;
	char *text, *at;

	(void)state;
	json_out_open(&o, '{');
	schema_put_objects(&o);
	json_out_close(&o, '}');
	text = json_out_take(&o, &n);
	text = realloc(text, n + 1);
	text[n] = '\0';
	at = strstr(text, "\"Torrent\":");
	assert_non_null(at);
	assert_null(strstr(at, ":{}"));
	assert_non_null(strstr(at, "\"status\":{\"anyOf\""));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_have_types_alone),
		cmocka_unit_test(what_is_no_type_is_told),
		cmocka_unit_test(types_are_written_as_schemas),
		cmocka_unit_test(every_field_of_a_torrent_has_a_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
