/* SPDX-License-Identifier: MIT */
/* Unpacking into memory that grows with what has come, never with what is claimed. */
#include "actors/blocklist/unpack.h"

#define ZLIB_CONST
#include <zlib.h>

#define ROOM   (256u * 1024)
#define WINDOW (15 + 16) /* the largest, and gzip around it */

bool unpack_is_gzip(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

struct out {
	uint8_t *p; /* owned */
	size_t n, room, max;
};

/* false: it may have no more. */
static bool make_room(struct out *o)
{
	if (o->n < o->room)
		return true;
	if (o->room >= o->max)
		return false;
	o->room = MIN(o->room + o->room / 2 + ROOM, o->max);
	o->p = xrealloc(o->p, o->room);
	return true;
}

static enum err err_of(int z)
{
	return z == Z_MEM_ERROR ? E_NOMEM : z == Z_BUF_ERROR ? E_TRUNCATED : E_SYNTAX;
}

/* To the end of what is there: what follows the last member and is none is not looked at. */
static enum err inflate_all(z_stream *z, struct out *o)
{
	for (;;) {
		int r;

		if (!make_room(o))
			return E_TOO_BIG;
		z->next_out = o->p + o->n;
		z->avail_out = (uInt)MIN(o->room - o->n, (size_t)UINT32_MAX / 2);
		r = inflate(z, Z_NO_FLUSH);
		o->n = (size_t)(z->next_out - o->p);
		if (r == Z_STREAM_END && !unpack_is_gzip(z->next_in, z->avail_in))
			return E_OK;
		if (r == Z_STREAM_END)
			r = inflateReset(z);
		if (r != Z_OK)
			return err_of(r);
	}
}

enum err unpack_gzip(const uint8_t *p, size_t n, size_t max, uint8_t **out, size_t *out_n)
{
	struct out o = {.max = max};
	z_stream z = {0};
	enum err err;

	if (n > UINT32_MAX / 2)
		return E_TOO_BIG;
	if (inflateInit2(&z, WINDOW) != Z_OK)
		return E_NOMEM;
	z.next_in = p;
	z.avail_in = (uInt)n;
	err = inflate_all(&z, &o);
	inflateEnd(&z);
	if (err != E_OK)
		xfree(o.p);
	*out = err == E_OK ? o.p : NULL;
	*out_n = err == E_OK ? o.n : 0;
	return err;
}
