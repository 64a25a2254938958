/* SPDX-License-Identifier: MIT */
/* What the requests of one table of resources share, for as long as the server runs. */
#include "http/server/priv.h"

static unsigned count(const struct http *h)
{
	unsigned n = 0;

	while (h->resources[n] != NULL)
		n++;
	return n;
}

void tables_open(struct http *h)
{
	unsigned n;

	CHECK_OBJ(h, HTTP_MAGIC);
	n = count(h);
	h->tables = xcalloc(MAX(n, 1u), sizeof *h->tables);
	for (unsigned i = 0; i < n; i++)
		if (h->resources[i]->open != NULL)
			h->tables[i] = h->resources[i]->open(h->actor);
}

void tables_close(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	for (unsigned i = count(h); i-- > 0;)
		if (h->resources[i]->open != NULL)
			h->resources[i]->close(h->tables[i]);
	xfree(h->tables);
}

void *request_table(const struct request *r)
{
	const struct resources *const *tables;

	CHECK_OBJ(r, REQUEST_MAGIC);
	tables = r->http->resources;
	for (unsigned i = 0; tables[i] != NULL; i++)
		if (r->resource >= tables[i]->v && r->resource < tables[i]->v + tables[i]->n)
			return r->http->tables[i];
	must_not_reach("a request's resource lies in one of the tables");
}
