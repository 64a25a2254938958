/* SPDX-License-Identifier: MIT */
/* The API's resources, which main hands to the server. */
#include "http/api/aspect.h"
#include "http/api/priv.h"

static const struct resource table[] = {
#define G       METHOD_GET, false
#define P       METHOD_POST, true
#define PATCH   METHOD_PATCH, true
#define DELETE  METHOD_DELETE, true
#define CHANGES METHOD_GET | METHOD_POST, true
#define ROUTE(path, methods, scope, fn, arg, params, doc)                                          \
	{path, methods, SCOPE_##scope, fn, arg, params, doc},
#include "http/api/routes.def"
#undef ROUTE
#undef CHANGES
#undef DELETE
#undef PATCH
#undef P
#undef G
};

const struct resources api_resources = {.v = table, .n = ARRAY_LEN(table)};
