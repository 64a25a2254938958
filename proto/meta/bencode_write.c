/* SPDX-License-Identifier: MIT */
/*
 * The canonical bencode writer: what it writes is the only encoding of the value.
 *
 * It writes what the program itself composes, so every misuse is a must(): keys that do not ascend,
 * a key without a value, a container left open.
 */
#include "proto/meta/bencode.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t *reserve_room(struct benc_out *o, size_t n)
{
	uint8_t *p;

	if (o->cap - o->n < n) {
		size_t cap = MAX(2 * o->cap, o->n + n);

		o->cap = MAX(cap, (size_t)256);
		o->p = xrealloc(o->p, o->cap);
	}
	p = o->p + o->n;
	o->n += n;
	return p;
}

static void put_bytes(struct benc_out *o, const void *p, size_t n)
{
	if (n > 0)
		memcpy(reserve_room(o, n), p, n);
}

static void put_byte(struct benc_out *o, char c)
{
	*reserve_room(o, 1) = (uint8_t)c;
}

/* Returns where in the buffer the bytes of the string begin. */
static size_t put_str(struct benc_out *o, const void *p, size_t n)
{
	char head[24];
	int len = snprintf(head, sizeof head, "%zu:", n);

	put_bytes(o, head, (size_t)len);
	put_bytes(o, p, n);
	return o->n - n;
}

/* A value comes: at the root only one may, in a dictionary only behind its key. */
static void begin_value(struct benc_out *o)
{
	if (o->depth == 0) {
		must(o->n == 0);
		return;
	}
	struct benc_level *l = &o->level[o->depth - 1];

	must(!l->dict || l->value_due);
	l->value_due = false;
}

void benc_int(struct benc_out *o, int64_t i)
{
	char text[32];
	int len = snprintf(text, sizeof text, "i%llde", (long long)i);

	begin_value(o);
	put_bytes(o, text, (size_t)len);
}

void benc_str(struct benc_out *o, const void *p, size_t n)
{
	begin_value(o);
	(void)put_str(o, p, n);
}

void benc_cstr(struct benc_out *o, const char *s)
{
	benc_str(o, s, strlen(s));
}

static void begin_container(struct benc_out *o, bool dict)
{
	begin_value(o);
	must(o->depth < BENC_DEPTH_MAX);
	o->level[o->depth++] = (struct benc_level){.dict = dict};
	put_byte(o, dict ? 'd' : 'l');
}

static void end_container(struct benc_out *o, bool dict)
{
	must(o->depth > 0);
	must(o->level[o->depth - 1].dict == dict && !o->level[o->depth - 1].value_due);
	o->depth--;
	put_byte(o, 'e');
}

void benc_list_begin(struct benc_out *o)
{
	begin_container(o, false);
}

void benc_list_end(struct benc_out *o)
{
	end_container(o, false);
}

void benc_dict_begin(struct benc_out *o)
{
	begin_container(o, true);
}

void benc_dict_end(struct benc_out *o)
{
	end_container(o, true);
}

static bool is_ascending(
	const struct benc_out *o, const struct benc_level *l, const void *p, size_t n)
{
	size_t both = MIN(n, l->key_n);
	int c;

	if (l->key_at == 0)
		return true;
	c = both > 0 ? memcmp(o->p + l->key_at, p, both) : 0;
	return c < 0 || (c == 0 && l->key_n < n);
}

void benc_key_bytes(struct benc_out *o, const void *p, size_t n)
{
	must(o->depth > 0);
	struct benc_level *l = &o->level[o->depth - 1];

	must(l->dict && !l->value_due && is_ascending(o, l, p, n));
	l->key_at = put_str(o, p, n);
	l->key_n = n;
	l->value_due = true;
}

void benc_key(struct benc_out *o, const char *key)
{
	benc_key_bytes(o, key, strlen(key));
}

void benc_raw(struct benc_out *o, const void *p, size_t n)
{
	must(n > 0);
	begin_value(o);
	put_bytes(o, p, n);
}

struct slice benc_out_done(const struct benc_out *o)
{
	must(o->depth == 0 && o->n > 0);
	return (struct slice){o->p, o->n};
}

void benc_out_free(struct benc_out *o)
{
	xfree(o->p);
	*o = (struct benc_out){0};
}
