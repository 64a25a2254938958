/* SPDX-License-Identifier: MIT */
/* Scopes and their names. */
#include "http/access/scope.h"

#include "proto/base/base.h"

static const struct {
	enum scope scope;
	const char *name;
} names[] = {
	{SCOPE_READ, "read"},
	{SCOPE_ADD, "add"},
	{SCOPE_MANAGE, "manage"},
	{SCOPE_ADMIN, "admin"},
};

const char *scope_name(unsigned scopes)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if ((scopes & names[i].scope) != 0)
			return names[i].name;
	return NULL;
}

static unsigned find_scope(const char *word, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i].name) == n && memcmp(names[i].name, word, n) == 0)
			return names[i].scope;
	return 0;
}

bool scope_parse(const char *list, unsigned *out)
{
	*out = 0;
	for (;;) {
		size_t n = strcspn(list, ",");
		unsigned scope = find_scope(list, n);

		if (scope == 0)
			return false;
		*out |= scope;
		if (list[n] == '\0')
			return true;
		list += n + 1;
	}
}
