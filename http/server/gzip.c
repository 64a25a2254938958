/* SPDX-License-Identifier: MIT */
/* The wall around zlib.  The fastest level: text such as ours shrinks to a tenth even so. */
#include "http/server/gzip.h"

#define ZLIB_CONST
#include <strings.h>
#include <zlib.h>

#define GZIP_MAGIC 0x475a4950u
#define LEVEL      1
#define ROOM       4096u

struct gzip {
	uint32_t magic;
	z_stream z;
	bool ready; /* z is to be ended */
	char *p;    /* owned */
	size_t n, room;
};

struct gzip *gzip_new(void)
{
	struct gzip *g;

	ALLOC_OBJ(g, GZIP_MAGIC);
	g->ready = deflateInit2(&g->z, LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
	return g;
}

bool gzip_some(struct gzip *g, const void *p, size_t n, bool last)
{
	int done = Z_OK;

	CHECK_OBJ(g, GZIP_MAGIC);
	must(n <= UINT32_MAX / 2);
	if (!g->ready)
		return false;
	g->z.next_in = p;
	g->z.avail_in = (uInt)n;
	do {
		if (g->room - g->n < ROOM) {
			g->room += g->room / 2 + ROOM;
			g->p = xrealloc(g->p, g->room);
		}
		g->z.next_out = (Bytef *)g->p + g->n;
		g->z.avail_out = (uInt)MIN(g->room - g->n, (size_t)UINT32_MAX / 2);
		done = deflate(&g->z, last ? Z_FINISH : Z_NO_FLUSH);
		g->n = (size_t)((char *)g->z.next_out - g->p);
	} while (done == Z_OK && (g->z.avail_in > 0 || last));
	return done == Z_STREAM_END || done == Z_OK || done == Z_BUF_ERROR;
}

char *gzip_take(struct gzip *g, size_t *n)
{
	char *p;

	CHECK_OBJ(g, GZIP_MAGIC);
	p = g->p;
	*n = g->n;
	g->p = NULL;
	g->n = g->room = 0;
	return p;
}

void gzip_free(struct gzip **pg)
{
	struct gzip *g;

	TAKE_OBJ(g, pg, GZIP_MAGIC);
	if (g->ready)
		deflateEnd(&g->z);
	xfree(g->p);
	FREE_OBJ(g);
}

/* "q=0", "q=0.0" and so on. */
static bool is_refused(const char *params, size_t n)
{
	const char *q = memchr(params, '=', n);
	const char *end = params + n;

	if (q == NULL || strncasecmp(q - 1, "q", 1) != 0)
		return false;
	for (q++; q < end; q++)
		if (*q >= '1' && *q <= '9')
			return false;
	return true;
}

bool coding_accepted(const char *header, const char *coding)
{
	while (header != NULL && *header != '\0') {
		size_t n, name;

		header += strspn(header, " \t,");
		n = strcspn(header, ",");
		name = strcspn(header, " \t,;");
		if (name == strlen(coding) && strncasecmp(header, coding, name) == 0)
			return !is_refused(header + name, n - name);
		header += n;
	}
	return false;
}

bool gzip_accepted(const char *header)
{
	return coding_accepted(header, "gzip");
}
