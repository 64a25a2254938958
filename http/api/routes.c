/* SPDX-License-Identifier: MIT */
/* The table of routes, and finding a path in it. */
#include "http/server/priv.h"

static const struct route routes[] = {
#define G                                  METHOD_GET
#define P                                  METHOD_POST
#define ROUTE(path, methods, fn, arg, doc) {path, methods, fn, arg, doc},
#include "http/api/routes.def"
#undef ROUTE
#undef G
#undef P
};

const struct route *route_list(unsigned *n)
{
	*n = ARRAY_LEN(routes);
	return routes;
}

const struct route *route_find(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}
