/* SPDX-License-Identifier: MIT */
/*
 * Which resource a path and a method mean: tables in, a resource out.  Pure.
 *
 * A part of a resource's path in braces, as in "/api/v1/torrents/{hash}", stands for whatever lies
 * there up to the next slash, and is a parameter of that name.  Where a path matches several, one
 * without braces is meant.
 */
#ifndef HTTP_SERVER_ROUTE_H
#define HTTP_SERVER_ROUTE_H

#include "http/server/server.h"
#include "proto/base/base.h"

/* NULL: none has that path.  tables ends with NULL. */
const struct resource *route_find(const struct resources *const *tables, const char *path);
/*
 * The i-th part in braces: its name and what the path has in its place, both borrowed.  false:
 * there are not so many.  The path is one that the resource was found for.
 */
bool route_part(const struct resource *, const char *path, unsigned i, struct slice *name,
	struct slice *value);
/* Which method the word names; 0: none that any resource has.  HEAD is GET. */
unsigned route_method(const char *word);
/* The methods of a resource as an Allow header lists them. */
void route_allow(const struct resource *, char *out, size_t size);

#endif
