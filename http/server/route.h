/* SPDX-License-Identifier: MIT */
/*
 * Which resource a path and a method mean: tables in, a resource out.  Pure.
 *
 * A part of a resource's path in braces, as in "/api/v1/torrents/{hash}", stands for whatever lies
 * there up to the next slash, and is a parameter of that name.  Where a path matches several, one
 * without braces is meant.  Methods of one path that need other scopes, or do other things, are
 * resources of their own.
 */
#ifndef HTTP_SERVER_ROUTE_H
#define HTTP_SERVER_ROUTE_H

#include "http/server/server.h"
#include "proto/base/base.h"

/* NULL: none has that path.  One that has the path, but not the method, is found if no other has
 * both.  method: enum method or 0; accept: the header of that name or NULL, which a table that
 * says what who asks must accept is held against; tables ends with NULL. */
const struct resource *route_find(const struct resources *const *tables, const char *path,
	unsigned method, const char *accept);
/*
 * What is left of a path beneath a base ("/x" of "/x/alldata": "/alldata"), borrowed from it; NULL:
 * it is not beneath it.  The base is empty, or has no slash at its end.
 */
const char *route_beneath(const char *base, const char *path);
/* The table that the resource is of; NULL: it is NULL. */
const struct resources *route_table(const struct resources *const *tables, const struct resource *);
/*
 * The i-th part in braces: its name and what the path has in its place, both borrowed.  false:
 * there are not so many.  The path is one that the resource was found for.
 */
bool route_part(const struct resource *, const char *path, unsigned i, struct slice *name,
	struct slice *value);
/* Which method the word names; 0: none that any resource has.  HEAD is GET. */
unsigned route_method(const char *word);
/* The methods that a path takes, as an Allow header lists them: those of all its resources. */
void route_allow(const struct resources *const *tables, const char *path, char *out, size_t size);

#endif
