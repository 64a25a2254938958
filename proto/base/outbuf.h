/* SPDX-License-Identifier: MIT */
/*
 * Bytes on their way out of a connection: a queue that grows, and gives its memory back when it has
 * been empty for a while.
 *
 * What may be queued by a stranger's doing is bounded by the caller (wire limits), so growing
 * cannot fail. One owner.
 */
#ifndef PROTO_BASE_OUTBUF_H
#define PROTO_BASE_OUTBUF_H

#include "proto/base/bytes.h"

struct outbuf {
	uint8_t *p;  /* owned; NULL when nothing was ever queued or all has left */
	size_t head; /* first byte not yet sent */
	size_t n;    /* one past the last byte */
	size_t cap;
};

static inline size_t outbuf_len(const struct outbuf *o)
{
	return o->n - o->head;
}

static inline const uint8_t *outbuf_data(const struct outbuf *o)
{
	return o->p + o->head;
}

/* A writer over room for `room` more bytes; outbuf_commit() says how much was written. */
struct wr outbuf_begin(struct outbuf *, size_t room);
void outbuf_commit(struct outbuf *, const struct wr *);
/* n bytes from the front have been sent. */
void outbuf_sent(struct outbuf *, size_t n);
/* Gives the memory of an empty one back: for an owner that has been quiet for a while. */
void outbuf_trim(struct outbuf *);
void outbuf_fini(struct outbuf *);

#endif
