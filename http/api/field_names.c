/* SPDX-License-Identifier: MIT */
/* Fields that a request names. */
#include "http/api/field_names.h"

#include "http/api/priv.h"

enum err field_names_read(
	field_find_f *find, uint32_t *fields, const char *names, struct slice *bad)
{
	uint32_t bits = 0;

	for (const char *at = names; *at != '\0';) {
		struct slice name = {(const uint8_t *)at, strcspn(at, ",")};
		uint32_t bit = find(name);

		if (bit == 0 && name.n > 0) {
			*bad = name;
			return E_NOT_FOUND;
		}
		bits |= bit;
		at += name.n + (at[name.n] == ',');
	}
	*fields = bits | 1;
	return bits != 0 ? E_OK : E_MISSING;
}

bool field_names_param(struct request *r, field_read_f *read, const char *example, uint32_t *fields)
{
	const char *names;
	struct slice bad = {0};
	enum err e;

	*fields = UINT32_MAX;
	if (!param_text(r, "fields", &names))
		return false;
	if (names == NULL)
		return true;
	e = read(fields, names, &bad);
	if (e == E_OK)
		return true;
	if (e == E_NOT_FOUND)
		answer_text(r, 422, "parameter 'fields': there is no field '%.*s'",
			(int)MIN(bad.n, (size_t)100), (const char *)bad.p);
	else
		answer_text(r, 422, "parameter 'fields' names none: give it as %s", example);
	return false;
}
