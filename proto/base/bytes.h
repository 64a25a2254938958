/* SPDX-License-Identifier: MIT */
/*
 * Bounds-checked cursors over bytes; all integers big-endian, as on every BitTorrent wire.
 *
 * A reader that runs past its end latches `bad` and returns zeros, so that a decoder reads a whole
 * record and asks once.  A writer that is full latches `full` and writes nothing more.
 */
#ifndef PROTO_BASE_BYTES_H
#define PROTO_BASE_BYTES_H

#include "proto/base/base.h"

struct rd {
	const uint8_t *p;   /* next byte */
	const uint8_t *end; /* one past the last */
	bool bad;           /* latched: something was read past the end */
};

struct wr {
	uint8_t *p;   /* next byte to write */
	uint8_t *end; /* one past the room */
	bool full;    /* latched: something did not fit */
};

static inline struct rd rd_of(const void *p, size_t n)
{
	return (struct rd){.p = p, .end = n ? (const uint8_t *)p + n : p, .bad = false};
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

/* Returns n bytes and steps over them, or NULL and latches bad. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || rd_left(r) < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	return p;
}

static inline uint64_t rd_be(struct rd *r, unsigned bytes)
{
	const uint8_t *p = rd_take(r, bytes);
	uint64_t v = 0;

	for (unsigned i = 0; p != NULL && i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)rd_be(r, 1);
}

static inline uint16_t rd_u16(struct rd *r)
{
	return (uint16_t)rd_be(r, 2);
}

static inline uint32_t rd_u32(struct rd *r)
{
	return (uint32_t)rd_be(r, 4);
}

static inline uint64_t rd_u64(struct rd *r)
{
	return rd_be(r, 8);
}

static inline struct wr wr_of(void *p, size_t n)
{
	return (struct wr){.p = p, .end = (uint8_t *)p + n, .full = false};
}

/* Reserves n bytes and returns where they go, or NULL and latches full. */
static inline uint8_t *wr_room(struct wr *w, size_t n)
{
	uint8_t *p = w->p;

	if (w->full || (size_t)(w->end - w->p) < n) {
		w->full = true;
		return NULL;
	}
	w->p += n;
	return p;
}

static inline void wr_be(struct wr *w, uint64_t v, unsigned bytes)
{
	uint8_t *p = wr_room(w, bytes);
	uint8_t be[8];

	if (p == NULL)
		return;
	for (unsigned i = 0; i < 8; i++)
		be[i] = (uint8_t)(v >> (56 - 8 * i));
	memcpy(p, be + 8 - bytes, bytes);
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	wr_be(w, v, 1);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
	wr_be(w, v, 2);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
	wr_be(w, v, 4);
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
	wr_be(w, v, 8);
}

static inline void wr_bytes(struct wr *w, const void *src, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p != NULL && n > 0)
		memcpy(p, src, n);
}

static inline void wr_text(struct wr *w, const char *s)
{
	wr_bytes(w, s, strlen(s));
}

/* As a person writes it. */
static inline void wr_decimal(struct wr *w, uint64_t v)
{
	uint8_t digits[20];
	size_t n = sizeof digits;

	do
		digits[--n] = (uint8_t)('0' + v % 10);
	while ((v /= 10) > 0);
	wr_bytes(w, digits + n, sizeof digits - n);
}

#endif
