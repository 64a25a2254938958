/* SPDX-License-Identifier: MIT */
/* Which resource a path and a method mean. */
#include "http/server/route.h"

#include <stdio.h>

static const struct {
	const char *word;
	unsigned method;
} methods[] = {
	{"GET", METHOD_GET},
	{"HEAD", METHOD_GET},
	{"POST", METHOD_POST},
	{"PATCH", METHOD_PATCH},
	{"DELETE", METHOD_DELETE},
};

/* Bytes up to the next slash. */
static size_t part_len(const char *path)
{
	return strcspn(path, "/");
}

static bool is_open_part(const char *pattern, size_t n)
{
	return n > 2 && pattern[0] == '{' && pattern[n - 1] == '}';
}

/* An open part matches what is not empty. */
static bool matches_part(const char *pattern, size_t n, const char *path, size_t path_n)
{
	if (is_open_part(pattern, n))
		return path_n > 0;
	return n == path_n && memcmp(pattern, path, n) == 0;
}

static bool matches(const char *pattern, const char *path)
{
	for (;;) {
		size_t n = part_len(pattern), path_n = part_len(path);

		if (!matches_part(pattern, n, path, path_n) || pattern[n] != path[path_n])
			return false;
		if (pattern[n] == '\0')
			return true;
		pattern += n + 1;
		path += path_n + 1;
	}
}

/* A list of types is searched by name: a browser that asks for a page names its type, and what
 * takes just anything does not. */
static bool is_meant(const struct resources *t, const char *accept)
{
	return t->accept == NULL || (accept != NULL && strstr(accept, t->accept) != NULL);
}

/* How well the resource fits: the path counts for more than the method, words for more than parts
 * in braces; 0: it has another path. */
static unsigned fit_of(const struct resource *r, const char *path, unsigned method)
{
	if (!matches(r->path, path))
		return 0;
	return 1u + ((r->methods & method) != 0 ? 1u : 0) + (strcmp(r->path, path) == 0 ? 2u : 0);
}

const struct resource *route_find(const struct resources *const *tables, const char *path,
	unsigned method, const char *accept)
{
	const struct resource *found = NULL;
	unsigned best = 0;

	for (; *tables != NULL; tables++)
		for (unsigned i = 0; i < (*tables)->n; i++) {
			const struct resource *r = &(*tables)->v[i];
			unsigned fit = is_meant(*tables, accept) ? fit_of(r, path, method) : 0;

			if (fit > best) {
				best = fit;
				found = r;
			}
		}
	return found;
}

const char *route_beneath(const char *base, const char *path)
{
	size_t n = strlen(base);

	return strncmp(path, base, n) == 0 && path[n] == '/' ? path + n : NULL;
}

const struct resources *route_table(const struct resources *const *tables, const struct resource *r)
{
	for (; *tables != NULL; tables++)
		if (r >= (*tables)->v && r < (*tables)->v + (*tables)->n)
			return *tables;
	return NULL;
}

bool route_part(const struct resource *r, const char *path, unsigned i, struct slice *name,
	struct slice *value)
{
	const char *pattern = r->path;

	for (;;) {
		size_t n = part_len(pattern), path_n = part_len(path);

		if (is_open_part(pattern, n) && i-- == 0) {
			*name = (struct slice){(const uint8_t *)pattern + 1, n - 2};
			*value = (struct slice){(const uint8_t *)path, path_n};
			return true;
		}
		if (pattern[n] == '\0' || path[path_n] == '\0')
			return false;
		pattern += n + 1;
		path += path_n + 1;
	}
}

unsigned route_method(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i].word, word) == 0)
			return methods[i].method;
	return 0;
}

/* Whether a resource of that very path takes the method; HEAD must not change anything. */
static bool takes(const struct resources *const *tables, const char *path, size_t method)
{
	bool head = strcmp(methods[method].word, "HEAD") == 0;

	for (; *tables != NULL; tables++)
		for (unsigned i = 0; i < (*tables)->n; i++) {
			const struct resource *r = &(*tables)->v[i];

			if (strcmp(r->path, path) == 0 &&
				(r->methods & methods[method].method) != 0 && !(head && r->changes))
				return true;
		}
	return false;
}

void route_allow(const struct resources *const *tables, const char *path, char *out, size_t size)
{
	const struct resource *r = route_find(tables, path, 0, NULL);
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; r != NULL && i < ARRAY_LEN(methods); i++) {
		if (!takes(tables, r->path, i))
			continue;
		n += (size_t)snprintf(
			out + n, size - n, "%s%s", n > 0 ? ", " : "", methods[i].word);
		must(n < size);
	}
}
