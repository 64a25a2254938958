/* SPDX-License-Identifier: MIT */
/*
 * The wire decoder: bytes of a stream in, one event a call out.
 *
 * A message's head is its length, its id and, where it has them, its fixed fields: at most 17
 * bytes. Heads are read in place when they are whole and from `head` when they are split, by the
 * same code, so that cuts cannot change what is decoded.  After the head a PIECE streams, a
 * bitfield or extended message is collected, an unknown message is skipped.
 *
 * Invariants: body is only held while it is collected and until the call after its event; held is
 * only non-zero at AT_HEAD; every length is checked as soon as the bytes that say it are there.
 */
#include "proto/wire/wire.h"

#include <stdlib.h>

enum state {
	AT_HEAD,
	AT_BLOCK,    /* left payload bytes of a PIECE, then its end */
	AT_BITFIELD, /* length bytes to collect, have are there */
	AT_EXTENDED,
	AT_SKIP, /* left bytes of an unknown message */
};

/* The first five have an exact length. */
enum shape {
	SHAPE_NONE = 1,
	SHAPE_INDEX,
	SHAPE_PORT,
	SHAPE_RANGE,
	SHAPE_BITS,
	SHAPE_PIECE,
	SHAPE_EXT,
};

static const struct {
	uint8_t type, shape; /* 0, 0: unknown */
} messages[256] = {
#define WIRE_MSG(id, name, shape) [id] = {WIRE_##name, SHAPE_##shape},
#include "proto/wire/wire.def"
#undef WIRE_MSG
};

/* Bytes of the body that belong to the head. */
static const uint8_t head_bytes[] = {
	[SHAPE_INDEX] = 4,
	[SHAPE_PORT] = 2,
	[SHAPE_RANGE] = 12,
	[SHAPE_PIECE] = 8,
	[SHAPE_EXT] = 1,
};

_Static_assert(sizeof(struct wire_dec) <= 72, "a decoder is small: every connection has one");

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void wire_dec_init(
	struct wire_dec *d, uint32_t max_block, uint32_t max_bitfield, uint32_t max_message)
{
	memset(d, 0, sizeof *d);
	d->max_block = MIN(max_block, UINT32_MAX - 9);
	d->max_bitfield = MIN(max_bitfield, UINT32_MAX - 1);
	d->max_message = max_message;
}

void wire_dec_limit(struct wire_dec *d, uint32_t max_bitfield)
{
	d->max_bitfield = MIN(max_bitfield, UINT32_MAX - 1);
}

static void drop_body(struct wire_dec *d)
{
	free(d->body);
	d->body = NULL;
	d->cap = 0;
}

void wire_dec_fini(struct wire_dec *d)
{
	drop_body(d);
}

/* Does the length prefix fit the message?  len is at least 1: the id. */
static enum err check_length(const struct wire_dec *d, unsigned shape, uint32_t len)
{
	if (shape == SHAPE_PIECE) {
		if (len < WIRE_PIECE_HEADER - 4 + 1)
			return E_PROTOCOL;
		return len - (WIRE_PIECE_HEADER - 4) > d->max_block ? E_TOO_BIG : E_OK;
	}
	if (len > (shape == SHAPE_BITS ? d->max_bitfield + 1 : d->max_message))
		return E_TOO_BIG;
	if (shape >= SHAPE_NONE && shape <= SHAPE_RANGE)
		return len == 1u + head_bytes[shape] ? E_OK : E_PROTOCOL;
	return len < 1u + head_bytes[shape] ? E_PROTOCOL : E_OK;
}

static enum err begin_block(struct wire_dec *d, const uint8_t *fields, uint32_t len)
{
	d->index = be32(fields);
	d->begin = be32(fields + 4);
	d->length = d->left = len - (WIRE_PIECE_HEADER - 4);
	if (d->length > UINT32_MAX - d->begin)
		return E_PROTOCOL;
	d->state = AT_BLOCK;
	return E_OK;
}

/* Its body, or what is left of it, is nothing to us. */
static enum err skip_message(struct wire_dec *d, uint32_t left, struct wire_ev *ev)
{
	ev->type = WIRE_UNKNOWN;
	ev->length = d->left = left;
	d->state = left > 0 ? AT_SKIP : AT_HEAD;
	return E_OK;
}

/* A whole head is at p: gives its event, or sets the state in which its body is taken. */
static enum err take_fields(
	struct wire_dec *d, const uint8_t *p, uint32_t len, unsigned shape, struct wire_ev *ev)
{
	const uint8_t *fields = p + 5;

	switch (shape) {
	case SHAPE_PIECE:
		ev->index = be32(fields);
		ev->begin = be32(fields + 4);
		ev->length = len - (WIRE_PIECE_HEADER - 4);
		return begin_block(d, fields, len);
	case SHAPE_RANGE:
		ev->length = be32(fields + 8);
		ev->begin = be32(fields + 4);
		ev->index = be32(fields);
		return E_OK;
	case SHAPE_INDEX:
		ev->index = be32(fields);
		return E_OK;
	case SHAPE_PORT:
		ev->index = (uint32_t)fields[0] << 8 | fields[1];
		return E_OK;
	case SHAPE_NONE:
		return E_OK;
	case SHAPE_BITS:
	case SHAPE_EXT:
		if (shape == SHAPE_EXT && len - 1 - head_bytes[shape] > WIRE_EXTENDED_MAX)
			return skip_message(d, len - 1 - head_bytes[shape], ev);
		ev->type = WIRE_NONE;
		d->state = shape == SHAPE_BITS ? AT_BITFIELD : AT_EXTENDED;
		d->id = shape == SHAPE_BITS ? p[4] : fields[0];
		d->length = len - 1 - head_bytes[shape];
		d->have = 0;
		return E_OK;
	default:
		return skip_message(d, len - 1, ev);
	}
}

/* Reads a head from its first byte.  Returns its length; 0: more is needed, or an error was
 * latched. */
static size_t read_head(struct wire_dec *d, const uint8_t *p, size_t n, struct wire_ev *ev)
{
	uint32_t len;
	unsigned shape;

	if (n < 4)
		return 0;
	len = be32(p);
	if (len == 0) {
		ev->type = WIRE_KEEPALIVE;
		return 4;
	}
	if (len > d->max_message && len > d->max_block + 9 && len > d->max_bitfield + 1) {
		d->error = E_TOO_BIG;
		return 0;
	}
	if (n < 5)
		return 0;
	shape = messages[p[4]].shape;
	d->error = (uint8_t)check_length(d, shape, len);
	if (d->error != E_OK || n < 5u + head_bytes[shape])
		return 0;
	ev->type = messages[p[4]].type;
	ev->id = p[4];
	d->error = (uint8_t)take_fields(d, p, len, shape, ev);
	return d->error == E_OK ? 5u + head_bytes[shape] : 0;
}

/* Returns how many bytes of p were consumed, with or without reaching the end of a head. */
static size_t take_head(struct wire_dec *d, const uint8_t *p, size_t n, struct wire_ev *ev)
{
	size_t used = 0;

	if (d->held == 0) {
		used = read_head(d, p, n, ev);
		if (used > 0 || d->error != E_OK)
			return used;
		/* A head that is not whole is shorter than the longest one. */
		must(n < sizeof d->head);
		memcpy(d->head, p, n);
		d->held = (uint8_t)n;
		return n;
	}
	while (used < n && d->error == E_OK) {
		d->head[d->held++] = p[used++];
		if (read_head(d, d->head, d->held, ev) > 0) {
			d->held = 0;
			break;
		}
	}
	return used;
}

/* Payload of a PIECE as it lies in p, or the end of the block. */
static size_t take_block(struct wire_dec *d, const uint8_t *p, size_t n, struct wire_ev *ev)
{
	uint32_t take = (uint32_t)MIN(n, d->left);

	ev->index = d->index;
	if (d->left == 0) {
		ev->type = WIRE_PIECE_END;
		ev->begin = d->begin;
		ev->length = d->length;
		d->state = AT_HEAD;
		return 0;
	}
	if (take == 0)
		return 0;
	ev->type = WIRE_PIECE_DATA;
	ev->begin = d->begin + (d->length - d->left);
	ev->length = take;
	ev->payload = (struct slice){p, take};
	d->left -= take;
	return take;
}

static bool grow_body(struct wire_dec *d, uint32_t need)
{
	uint32_t cap = d->length / 2 < d->cap ? d->length : MAX(need, 2 * d->cap);
	uint8_t *body;

	if (need <= d->cap)
		return true;
	cap = MIN(MAX(cap, 256), d->length);
	body = realloc(d->body, cap);
	if (body == NULL)
		return false;
	d->body = body;
	d->cap = cap;
	return true;
}

static void give_body(struct wire_dec *d, const uint8_t *p, struct wire_ev *ev)
{
	ev->type = d->state == AT_BITFIELD ? WIRE_BITFIELD : WIRE_EXTENDED;
	ev->id = d->id;
	ev->length = d->length;
	ev->payload = (struct slice){p, d->length};
	d->state = AT_HEAD;
}

static size_t take_body(struct wire_dec *d, const uint8_t *p, size_t n, struct wire_ev *ev)
{
	uint32_t take = (uint32_t)MIN(n, d->length - d->have);

	if (d->have == 0 && take == d->length) {
		give_body(d, p, ev);
		return take;
	}
	if (take == 0)
		return 0;
	if (!grow_body(d, d->have + take)) {
		d->error = E_NOMEM;
		return 0;
	}
	memcpy(d->body + d->have, p, take);
	d->have += take;
	if (d->have == d->length)
		give_body(d, d->body, ev);
	return take;
}

static size_t skip_body(struct wire_dec *d, size_t n)
{
	uint32_t take = (uint32_t)MIN(n, d->left);

	d->left -= take;
	if (d->left == 0)
		d->state = AT_HEAD;
	return take;
}

enum err wire_next(struct wire_dec *d, const uint8_t *p, size_t n, size_t *used, struct wire_ev *ev)
{
	*ev = (struct wire_ev){.type = WIRE_NONE};
	*used = 0;
	if (d->error != E_OK)
		return d->error;
	if (d->state == AT_BLOCK) {
		*used = take_block(d, p, n, ev);
		return E_OK;
	}
	if (d->body != NULL && d->state == AT_HEAD)
		drop_body(d);
	if (n == 0)
		return E_OK;
	if (d->state == AT_SKIP)
		*used = skip_body(d, n);
	if (d->state == AT_HEAD)
		*used += take_head(d, p + *used, n - *used, ev);
	if (d->state == AT_BITFIELD || d->state == AT_EXTENDED)
		*used += take_body(d, p + *used, n - *used, ev);
	if (d->error != E_OK)
		ev->type = WIRE_NONE;
	return d->error;
}

size_t wire_payload_left(const struct wire_dec *d)
{
	return d->state == AT_BLOCK ? d->left : 0;
}

void wire_payload_placed(struct wire_dec *d, size_t n)
{
	must(n <= wire_payload_left(d));
	d->left -= (uint32_t)n;
}

bool wire_at_boundary(const struct wire_dec *d)
{
	return d->state == AT_HEAD && d->held == 0;
}
