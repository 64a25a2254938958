/* SPDX-License-Identifier: MIT */
/* Metadata of one claimed size: places, bytes, and the hash as it grows. */
#include "proto/swarm/candidate.h"

#include "proto/base/array.h"

void candidate_begin(struct candidate *c, uint32_t size, struct byte_budget *budget, int64_t now)
{
	must(size > 0 && size <= METADATA_SIZE_MAX);
	*c = (struct candidate){.size = size,
		.pieces = metadata_pieces(size),
		.hasher = hasher_new(HASH_SHA1),
		.budget = budget,
		.began_at = now,
		.moved_at = now};
}

void candidate_clear(struct candidate *c)
{
	for (uint32_t i = 0; i < c->slots_n; i++) {
		if (c->slot[i].data != NULL && c->budget != NULL)
			c->budget->used -= metadata_piece_size(c->size, i);
		xfree(c->slot[i].data);
		c->slot[i].data = NULL;
	}
	c->have = c->hashed = 0;
	hasher_reset(c->hasher);
}

void candidate_end(struct candidate *c)
{
	if (c->size == 0)
		return;
	candidate_clear(c);
	hasher_free(&c->hasher);
	xfree(c->slot);
	*c = (struct candidate){.size = 0};
}

static bool is_skipped(const uint32_t *skip, unsigned n, uint32_t piece)
{
	for (unsigned i = 0; i < n; i++)
		if (skip[i] == piece)
			return true;
	return false;
}

static bool has_room(const struct candidate *c, uint32_t bytes)
{
	return c->budget == NULL || c->budget->used + bytes <= c->budget->max;
}

bool candidate_pick(struct candidate *c, const uint32_t *skip, unsigned skip_n, uint32_t *piece)
{
	uint32_t best = c->slots_n;

	if (!has_room(c, METADATA_PIECE))
		return false;
	for (uint32_t i = c->hashed; i < c->slots_n; i++) {
		const struct slot *s = &c->slot[i];

		if (s->data != NULL || s->asked >= CANDIDATE_ASKERS || is_skipped(skip, skip_n, i))
			continue;
		if (best == c->slots_n || s->asked < c->slot[best].asked)
			best = i;
	}
	if (c->slots_n < c->pieces && (best == c->slots_n || c->slot[best].asked > 0))
		best = c->slots_n;
	*piece = best;
	return best < c->pieces && !is_skipped(skip, skip_n, best);
}

void candidate_asked(struct candidate *c, uint32_t piece)
{
	must(piece <= c->slots_n && piece < c->pieces);
	if (piece == c->slots_n)
		ARRAY_PUSH(c->slot, c->slots_n, c->slots_room, (struct slot){.asked = 0});
	c->slot[piece].asked++;
}

void candidate_void(struct candidate *c, uint32_t piece)
{
	must(piece < c->slots_n && c->slot[piece].asked > 0);
	c->slot[piece].asked--;
}

bool candidate_put(
	struct candidate *c, uint32_t piece, struct slice data, uint32_t from, int64_t now)
{
	struct slot *s;

	if (piece >= c->slots_n || c->slot[piece].data != NULL)
		return false;
	if (data.n != metadata_piece_size(c->size, piece) || !has_room(c, (uint32_t)data.n))
		return false;
	s = &c->slot[piece];
	s->data = xmemdup(data.p, data.n);
	s->from = from;
	if (c->budget != NULL)
		c->budget->used += data.n;
	c->have++;
	c->moved_at = now;
	for (; c->hashed < c->slots_n && c->slot[c->hashed].data != NULL; c->hashed++)
		hasher_update(c->hasher, c->slot[c->hashed].data,
			metadata_piece_size(c->size, c->hashed));
	return true;
}

bool candidate_verify(struct candidate *c, const uint8_t infohash[HASH_SHA1_SIZE])
{
	uint8_t sum[HASH_SHA1_SIZE];

	must(candidate_whole(c));
	hasher_final(c->hasher, sum);
	return memcmp(sum, infohash, sizeof sum) == 0;
}

uint8_t *candidate_bytes(const struct candidate *c)
{
	uint8_t *bytes = xcalloc(1, c->size);

	must(candidate_whole(c));
	for (uint32_t i = 0; i < c->pieces; i++)
		memcpy(bytes + (size_t)i * METADATA_PIECE, c->slot[i].data,
			metadata_piece_size(c->size, i));
	return bytes;
}

uint32_t candidate_sole_sender(const struct candidate *c)
{
	must(candidate_whole(c));
	for (uint32_t i = 1; i < c->pieces; i++)
		if (c->slot[i].from != c->slot[0].from)
			return SMARTBAN_NOBODY;
	return c->slot[0].from;
}

void candidate_note(const struct candidate *c, struct smartban *blame)
{
	for (uint32_t i = 0; i < c->pieces; i++)
		smartban_note(blame, c->size, i, c->slot[i].from,
			smartban_digest(c->slot[i].data, metadata_piece_size(c->size, i)));
}
