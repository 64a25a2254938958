/* SPDX-License-Identifier: MIT */
/*
 * Notes about the blocks of failed pieces.
 *
 * A note is appended when a block comes and looked at only when a verdict does, so that a block
 * costs one store and a verdict one sort.  Invariants: pieces are in order of their first failure;
 * `notes` is the sum over all pieces and at most SMARTBAN_NOTES.
 */
#include "proto/swarm/smartban.h"

#include <stdlib.h>

#include "proto/meta/hash.h"

#define SMARTBAN_MAGIC 0x736d6261u

struct note {
	uint64_t digest;
	uint32_t who;
	uint32_t block;
	uint32_t seq; /* the later, the greater */
};

struct suspect {
	uint32_t piece;
	uint32_t n, cap;
	uint32_t seq;
	struct note *note; /* owned */
};

struct smartban {
	uint32_t magic;
	uint32_t pieces, notes;
	struct suspect suspect[SMARTBAN_PIECES];
};

struct smartban *smartban_new(void)
{
	struct smartban *b;

	ALLOC_OBJ(b, SMARTBAN_MAGIC);
	return b;
}

static void forget(struct smartban *b, uint32_t i)
{
	b->notes -= b->suspect[i].n;
	xfree(b->suspect[i].note);
	b->pieces--;
	memmove(&b->suspect[i], &b->suspect[i + 1], (b->pieces - i) * sizeof b->suspect[0]);
}

void smartban_free(struct smartban **bp)
{
	struct smartban *b;

	if (*bp == NULL)
		return;
	TAKE_OBJ(b, bp, SMARTBAN_MAGIC);
	while (b->pieces > 0)
		forget(b, b->pieces - 1);
	FREE_OBJ(b);
}

uint64_t smartban_digest(const void *p, size_t n)
{
	uint8_t sum[HASH_SHA1_SIZE];
	uint64_t v;

	hash_once(HASH_SHA1, p, n, sum);
	memcpy(&v, sum, sizeof v);
	return v;
}

static struct suspect *find(struct smartban *b, uint32_t piece)
{
	for (uint32_t i = 0; i < b->pieces; i++)
		if (b->suspect[i].piece == piece)
			return &b->suspect[i];
	return NULL;
}

bool smartban_suspects(const struct smartban *b, uint32_t piece)
{
	CHECK_OBJ(b, SMARTBAN_MAGIC);
	for (uint32_t i = 0; i < b->pieces; i++)
		if (b->suspect[i].piece == piece)
			return true;
	return false;
}

/* The piece's notes, with room for one more; what does not fit costs the oldest piece its own. */
static struct suspect *make_room(struct smartban *b, uint32_t piece)
{
	struct suspect *s = find(b, piece);

	while (b->notes >= SMARTBAN_NOTES || (s == NULL && b->pieces == SMARTBAN_PIECES)) {
		forget(b, 0);
		s = find(b, piece);
	}
	if (s == NULL) {
		s = &b->suspect[b->pieces++];
		*s = (struct suspect){.piece = piece};
	}
	if (s->n == s->cap) {
		s->cap = s->cap > 0 ? 2 * s->cap : 16;
		s->note = xrealloc(s->note, s->cap * sizeof *s->note);
	}
	return s;
}

void smartban_note(
	struct smartban *b, uint32_t piece, uint32_t block, uint32_t who, uint64_t digest)
{
	struct suspect *s;

	CHECK_OBJ(b, SMARTBAN_MAGIC);
	s = make_room(b, piece);
	s->note[s->n++] = (struct note){digest, who, block, s->seq++};
	b->notes++;
}

static int compare_notes(const void *va, const void *vb)
{
	const struct note *a = va, *b = vb;

	if (a->block != b->block)
		return a->block < b->block ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static bool is_named(const struct smartban_names *names, uint32_t who)
{
	for (unsigned i = 0; i < names->n; i++)
		if (names->v[i] == who)
			return true;
	return false;
}

static void name(struct smartban_names *names, uint32_t who)
{
	if (who != SMARTBAN_NOBODY && names->n < SMARTBAN_NAMES && !is_named(names, who))
		names->v[names->n++] = who;
}

/* One past the notes of the block that begin at i. */
static uint32_t block_end(const struct suspect *s, uint32_t i)
{
	uint32_t end = i;

	while (end < s->n && s->note[end].block == s->note[i].block)
		end++;
	return end;
}

static bool changed_its_mind(const struct suspect *s, uint32_t from, uint32_t at)
{
	for (uint32_t i = from; i < at; i++)
		if (s->note[i].who == s->note[at].who && s->note[i].digest != s->note[at].digest)
			return true;
	return false;
}

/* The piece's notes in the order of blocks, and in each in that of their coming. */
static struct suspect *find_sorted(struct smartban *b, uint32_t piece)
{
	struct suspect *s = find(b, piece);

	if (s != NULL)
		qsort(s->note, s->n, sizeof *s->note, compare_notes);
	return s;
}

void smartban_failed(struct smartban *b, uint32_t piece, struct smartban_names *guilty)
{
	struct suspect *s;

	CHECK_OBJ(b, SMARTBAN_MAGIC);
	guilty->n = 0;
	s = find_sorted(b, piece);
	if (s == NULL)
		return;
	for (uint32_t i = 0, end; i < s->n; i = end) {
		end = block_end(s, i);
		for (uint32_t k = i + 1; k < end; k++)
			if (changed_its_mind(s, i, k))
				name(guilty, s->note[k].who);
	}
}

void smartban_passed(struct smartban *b, uint32_t piece, struct smartban_names *guilty,
	struct smartban_names *cleared)
{
	struct suspect *s;

	CHECK_OBJ(b, SMARTBAN_MAGIC);
	guilty->n = cleared->n = 0;
	s = find_sorted(b, piece);
	if (s == NULL)
		return;
	for (uint32_t i = 0, end; i < s->n; i = end) {
		end = block_end(s, i);
		for (uint32_t k = i; k < end; k++)
			if (s->note[k].digest != s->note[end - 1].digest)
				name(guilty, s->note[k].who);
	}
	for (uint32_t i = 0; i < s->n; i++)
		if (!is_named(guilty, s->note[i].who))
			name(cleared, s->note[i].who);
	forget(b, (uint32_t)(s - b->suspect));
}

uint32_t smartban_notes(const struct smartban *b)
{
	CHECK_OBJ(b, SMARTBAN_MAGIC);
	return b->notes;
}
