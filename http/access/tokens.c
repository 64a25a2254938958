/* SPDX-License-Identifier: MIT */
/* The tokens there are. */
#include "http/access/tokens.h"

#include "proto/base/array.h"

#define TOKENS_MAGIC 0x544f4b53u

/* Seconds: "last used" is for people who wonder whether a token is needed. */
#define USE_EVERY 3600

struct tokens {
	uint32_t magic;
	struct token_record *v; /* owned */
	uint32_t n, room;
};

struct tokens *tokens_new(const struct token_record *list, uint32_t n)
{
	struct tokens *ts;

	ALLOC_OBJ(ts, TOKENS_MAGIC);
	for (uint32_t i = 0; i < n; i++)
		tokens_add(ts, &list[i]);
	return ts;
}

void tokens_free(struct tokens **pts)
{
	struct tokens *ts;

	TAKE_OBJ(ts, pts, TOKENS_MAGIC);
	xfree(ts->v);
	FREE_OBJ(ts);
}

bool tokens_full(const struct tokens *ts)
{
	CHECK_OBJ(ts, TOKENS_MAGIC);
	return ts->n >= TOKENS_MAX;
}

void tokens_add(struct tokens *ts, const struct token_record *t)
{
	CHECK_OBJ(ts, TOKENS_MAGIC);
	ARRAY_PUSH(ts->v, ts->n, ts->room, *t);
}

static uint32_t find_id(const struct tokens *ts, int64_t id)
{
	uint32_t i = 0;

	while (i < ts->n && ts->v[i].id != id)
		i++;
	return i;
}

void tokens_drop(struct tokens *ts, int64_t id)
{
	uint32_t kept = 0;

	CHECK_OBJ(ts, TOKENS_MAGIC);
	must(id != 0);
	for (uint32_t i = 0; i < ts->n; i++)
		if (ts->v[i].id != id && ts->v[i].parent != id)
			ts->v[kept++] = ts->v[i];
	ts->n = kept;
}

static bool has_expired(const struct token_record *t, int64_t now)
{
	return t->expires != 0 && t->expires <= now;
}

/*
 * Digests are compared, not secrets: how far two of them agree says nothing that helps to find the
 * secret, so it does not matter that the time tells.
 */
const struct token_record *tokens_find(const struct tokens *ts, const char *secret, int64_t now)
{
	uint8_t digest[32];

	CHECK_OBJ(ts, TOKENS_MAGIC);
	token_digest(secret, digest);
	for (uint32_t i = 0; i < ts->n; i++) {
		const struct token_record *t = &ts->v[i];

		if (memcmp(t->digest, digest, sizeof digest) == 0)
			return has_expired(t, now) ? NULL : t;
	}
	return NULL;
}

const struct token_record *tokens_by_id(const struct tokens *ts, int64_t id)
{
	uint32_t i;

	CHECK_OBJ(ts, TOKENS_MAGIC);
	i = find_id(ts, id);
	return i < ts->n ? &ts->v[i] : NULL;
}

bool tokens_valid(const struct tokens *ts, int64_t id, int64_t now)
{
	const struct token_record *t;

	CHECK_OBJ(ts, TOKENS_MAGIC);
	t = tokens_by_id(ts, id);
	return id == 0 || (t != NULL && !has_expired(t, now));
}

const struct token_record *tokens_at(const struct tokens *ts, uint32_t i)
{
	CHECK_OBJ(ts, TOKENS_MAGIC);
	return i < ts->n ? &ts->v[i] : NULL;
}

static int64_t seen(const struct token_record *t)
{
	return MAX(t->used, t->created);
}

const struct token_record *tokens_spare(const struct tokens *ts, enum token_kind kind, int64_t now)
{
	const struct token_record *spare = NULL;

	CHECK_OBJ(ts, TOKENS_MAGIC);
	for (uint32_t i = 0; i < ts->n; i++) {
		const struct token_record *t = &ts->v[i];

		if (has_expired(t, now))
			return t;
		if (kind == TOKEN_DEVICE && t->kind == TOKEN_DEVICE &&
			(spare == NULL || seen(t) < seen(spare)))
			spare = t;
	}
	return spare;
}

bool tokens_use(struct tokens *ts, int64_t id, int64_t now)
{
	uint32_t i;

	CHECK_OBJ(ts, TOKENS_MAGIC);
	i = find_id(ts, id);
	if (i == ts->n || now - ts->v[i].used < USE_EVERY)
		return false;
	ts->v[i].used = now;
	return true;
}
