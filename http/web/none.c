/* SPDX-License-Identifier: MIT */
/* What a browser is shown by a daemon that was built without the page: that, and the API. */
#include "http/web/priv.h"

/* As text, whatever it holds. */
static void put_text(FILE *f, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '<')
			fputs("&lt;", f);
		else if (*s == '&')
			fputs("&amp;", f);
		else
			fputc(*s, f);
	}
}

static void put_resources(FILE *f, const struct resources *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		if (t->v[i].doc == NULL)
			continue;
		fputs("<dt>", f);
		put_text(f, t->v[i].path);
		fputs("</dt><dd>", f);
		put_text(f, t->v[i].doc);
		fputs("</dd>\n", f);
	}
}

void page_none(struct request *r)
{
	const struct resources *const *tables = request_resources(r);
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	must(f != NULL);
	fputs("<!doctype html><html lang=en><meta charset=utf-8><title>torrentd</title>\n"
	      "<h1>torrentd</h1><p>This daemon was built without its page (make WEB=no). What "
	      "programs can ask for:</p><dl>\n",
		f);
	for (; *tables != NULL; tables++)
		put_resources(f, *tables);
	fputs("</dl></html>\n", f);
	must(fclose(f) == 0);
	answer_html(r, text, n);
}
