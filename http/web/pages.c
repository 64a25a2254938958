/* SPDX-License-Identifier: MIT */
/*
 * The page for people: its files, which the build packs into one table, and who may show what.
 *
 * "/" is the page for whoever accepts text/html, which browsers do and programs do not; others get
 * the list of the API there, as ever.  All of it is open: the page holds nothing of the daemon's,
 * it asks the API, which looks at who asks.  A build without the page (make WEB=no) says so.
 */
#include "http/web/priv.h"

#include "build/web/page.inc"

static const struct document *find(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i].document;
	return NULL;
}

static void show(struct request *r, const char *path)
{
	const struct document *d = find(path);

	if (d != NULL)
		answer_document(r, d);
	else
		answer_text(r, 404, "the page has no such file: reload it");
}

static void web_root(struct request *r)
{
	if (ARRAY_LEN(files) > 1)
		show(r, "index.html");
	else
		page_none(r);
}

static void web_asset(struct request *r)
{
	char path[100];
	const char *name;

	if (!param_text(r, "name", &name))
		return;
	snprintf(path, sizeof path, "assets/%s", name != NULL ? name : "");
	show(r, path);
}

static void web_worker(struct request *r)
{
	show(r, "sw.js");
}

static void web_manifest(struct request *r)
{
	show(r, "manifest.webmanifest");
}

#define OPEN METHOD_GET, false, SCOPE_NONE

static const struct resource pages[] = {
	{"/", OPEN, web_root, 0, "add fresh open shared source", NULL},
};
static const struct resource others[] = {
	{"/assets/{name}", OPEN, web_asset, 0, "", NULL},
	{"/sw.js", OPEN, web_worker, 0, "", NULL},
	{"/manifest.webmanifest", OPEN, web_manifest, 0, "", NULL},
};

const struct resources page_resources = {.v = pages,
	.n = ARRAY_LEN(pages),
	.accept = "text/html",
	.documents = true};
const struct resources page_files = {.v = others, .n = ARRAY_LEN(others)};
