/* SPDX-License-Identifier: MIT */
/* The queue of bytes behind every connection's small messages. */
#include "proto/base/outbuf.h"

/* An empty buffer up to this is kept for the next burst of requests; outbuf_trim() ends it. */
#define KEEP_CAP (64u * 1024u)

struct wr outbuf_begin(struct outbuf *o, size_t room)
{
	if (o->head > 0 && o->head == o->n)
		o->head = o->n = 0;
	if (o->cap - o->n < room && o->head > 0) {
		memmove(o->p, o->p + o->head, o->n - o->head);
		o->n -= o->head;
		o->head = 0;
	}
	if (o->cap - o->n < room) {
		size_t cap = MAX((size_t)128, o->cap);

		while (cap - o->n < room)
			cap *= 2;
		o->p = xrealloc(o->p, cap);
		o->cap = cap;
	}
	return wr_of(o->p + o->n, room);
}

void outbuf_commit(struct outbuf *o, const struct wr *w)
{
	must(!w->full);
	must(w->p >= o->p + o->n && w->p <= o->p + o->cap);
	o->n = (size_t)(w->p - o->p);
}

void outbuf_sent(struct outbuf *o, size_t n)
{
	must(n <= outbuf_len(o));
	o->head += n;
	if (o->head < o->n)
		return;
	o->head = o->n = 0;
	if (o->cap > KEEP_CAP)
		outbuf_fini(o);
}

void outbuf_trim(struct outbuf *o)
{
	if (outbuf_len(o) == 0)
		outbuf_fini(o);
}

void outbuf_fini(struct outbuf *o)
{
	xfree(o->p);
	*o = (struct outbuf){0};
}
