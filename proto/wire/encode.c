/* SPDX-License-Identifier: MIT */
/*
 * The wire encoders: every message into a writer, whole or not at all.
 *
 * Room is reserved for the whole message first, so that a writer that is full never ends in the
 * middle of one.
 */
#include "proto/wire/wire.h"

enum id {
#define WIRE_MSG(id, name, shape) ID_##name = id,
#include "proto/wire/wire.def"
#undef WIRE_MSG
};

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
	return p + 4;
}

/* Reserves a message whose body is n bytes here and `more` that others write; returns the body, or
 * NULL. */
static uint8_t *put_head(struct wr *w, enum id id, size_t n, size_t more)
{
	uint8_t *p;

	must(n + more < UINT32_MAX);
	p = wr_room(w, 5 + n);
	if (p == NULL)
		return NULL;
	p = put_u32(p, (uint32_t)(1 + n + more));
	*p = (uint8_t)id;
	return p + 1;
}

static void put_index(struct wr *w, enum id id, uint32_t index)
{
	uint8_t *p = put_head(w, id, 4, 0);

	if (p != NULL)
		put_u32(p, index);
}

static void put_range(struct wr *w, enum id id, uint32_t index, uint32_t begin, uint32_t length)
{
	uint8_t *p = put_head(w, id, 12, 0);

	if (p != NULL)
		put_u32(put_u32(put_u32(p, index), begin), length);
}

void wire_put_keepalive(struct wr *w)
{
	wr_u32(w, 0);
}

void wire_put_choke(struct wr *w)
{
	put_head(w, ID_CHOKE, 0, 0);
}

void wire_put_unchoke(struct wr *w)
{
	put_head(w, ID_UNCHOKE, 0, 0);
}

void wire_put_interested(struct wr *w)
{
	put_head(w, ID_INTERESTED, 0, 0);
}

void wire_put_not_interested(struct wr *w)
{
	put_head(w, ID_NOT_INTERESTED, 0, 0);
}

void wire_put_have(struct wr *w, uint32_t index)
{
	put_index(w, ID_HAVE, index);
}

void wire_put_bitfield(struct wr *w, const uint8_t *bytes, size_t n)
{
	uint8_t *p = put_head(w, ID_BITFIELD, n, 0);

	if (p != NULL && n > 0)
		memcpy(p, bytes, n);
}

void wire_put_request(struct wr *w, uint32_t index, uint32_t begin, uint32_t length)
{
	put_range(w, ID_REQUEST, index, begin, length);
}

void wire_put_cancel(struct wr *w, uint32_t index, uint32_t begin, uint32_t length)
{
	put_range(w, ID_CANCEL, index, begin, length);
}

void wire_put_piece_header(struct wr *w, uint32_t index, uint32_t begin, uint32_t length)
{
	uint8_t *p = put_head(w, ID_PIECE_BEGIN, 8, length);

	if (p != NULL)
		put_u32(put_u32(p, index), begin);
}

void wire_put_port(struct wr *w, uint16_t port)
{
	uint8_t *p = put_head(w, ID_PORT, 2, 0);

	if (p == NULL)
		return;
	p[0] = (uint8_t)(port >> 8);
	p[1] = (uint8_t)port;
}

void wire_put_suggest(struct wr *w, uint32_t index)
{
	put_index(w, ID_SUGGEST, index);
}

void wire_put_have_all(struct wr *w)
{
	put_head(w, ID_HAVE_ALL, 0, 0);
}

void wire_put_have_none(struct wr *w)
{
	put_head(w, ID_HAVE_NONE, 0, 0);
}

void wire_put_reject(struct wr *w, uint32_t index, uint32_t begin, uint32_t length)
{
	put_range(w, ID_REJECT, index, begin, length);
}

void wire_put_allowed_fast(struct wr *w, uint32_t index)
{
	put_index(w, ID_ALLOWED_FAST, index);
}

void wire_put_extended_head(struct wr *w, uint8_t id, size_t n)
{
	uint8_t *p = put_head(w, ID_EXTENDED, 1, n);

	if (p != NULL)
		p[0] = id;
}

void wire_put_extended(struct wr *w, uint8_t id, const uint8_t *payload, size_t n)
{
	uint8_t *p = put_head(w, ID_EXTENDED, 1 + n, 0);

	if (p == NULL)
		return;
	p[0] = id;
	if (n > 0)
		memcpy(p + 1, payload, n);
}
