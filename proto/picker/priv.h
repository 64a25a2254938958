/* SPDX-License-Identifier: MIT */
/*
 * What the files of the picker share; nobody else includes it.
 *
 * A piece is IDLE, BEGUN or HAD.  The wanted idle pieces are exactly those in `order`, which is
 * sorted by bucket = (priority, rarity) with a random order inside a bucket; end[b] is one past
 * bucket b.  Who wants nothing has no order at all.  A begun piece has a struct partial; the
 * partials that have open blocks come first in partials[].
 */
#ifndef PROTO_PICKER_PRIV_H
#define PROTO_PICKER_PRIV_H

#include "proto/picker/picker.h"

#define PICKER_MAGIC 0x7069636bu
#define PART_MAGIC   0x70617274u

/* Exact up to 31 peers, then eight steps to each doubling up to 65535. */
#define LEVELS_EXACT 32u
#define LEVELS       (LEVELS_EXACT + 11 * 8)
/* A row of buckets for each priority but skip. */
#define ROWS    PRIORITY_TOP
#define BUCKETS (ROWS * LEVELS)

enum piece_state {
	PIECE_IDLE,
	PIECE_BEGUN,
	PIECE_HAD,
};

struct piece {
	uint32_t pos;   /* IDLE and wanted: index in order; BEGUN: index in partials */
	uint16_t avail; /* peers that have it, without picker.seeds */
	uint8_t priority;
	uint8_t state;
};

struct block {
	uint32_t who[PICKER_REQUESTERS_MAX]; /* asked for it; who[0] sent it once here */
	uint8_t n;                           /* how many are asked; 0 once here */
	bool here;
};

struct partial {
	uint32_t magic;
	uint32_t piece;
	struct partial *spare; /* once freed: the next one */
	uint32_t owner;        /* a fast peer that has it alone, or PICKER_NOBODY */
	uint32_t requests;     /* sum of block.n */
	uint16_t blocks;       /* how many the piece has */
	uint16_t open;         /* neither here nor asked for */
	uint16_t here;
	uint16_t hint; /* no open block before this one */
	struct block block[];
};

struct deadline {
	int64_t at;
	uint32_t piece;
};

#define EXTENT_BYTES  (4u << 20)
#define EXTENTS       4u
#define EXTENTS_LEAST 32u

struct picker {
	uint32_t magic;
	uint32_t pieces;
	uint32_t piece_length;
	uint32_t blocks; /* of every piece but the last */
	uint64_t size;
	struct rng *rng; /* borrowed */
	struct piece *piece;
	uint32_t *order;  /* owned; NULL: there is nothing in it */
	uint32_t *end;    /* BUCKETS of them, in one piece with order */
	uint32_t seeds;   /* full peers in no piece's avail */
	uint32_t lacking; /* pieces with avail 0 */
	struct bitfield own;
	struct bitfield open; /* exactly the pieces in order */
	struct partial **partials;
	uint32_t partials_n, partials_cap;
	uint32_t partials_open; /* partials[0..partials_open) have open blocks, the others none */
	uint32_t active;        /* partials with requests */
	struct partial *spare;  /* freed ones for reuse, chained */
	uint32_t spare_n;
	uint64_t wanted_left;
	uint32_t low[PRIORITY_TOP + 1]; /* no open piece of that priority below it */
	uint32_t random_first;
	bool sequential;
	struct deadline *deadline; /* owned, earliest first; NULL until there is one */
	uint32_t deadlines;
	uint32_t extent_pieces; /* pieces of EXTENT_BYTES; 0: a piece is an extent by itself */
	uint32_t extent[EXTENTS], extents_n; /* where pieces were begun lately, a ring */
};

/* One call of picker_pick(). */
struct picking {
	struct picker *p;
	uint32_t peer;
	const struct bitfield *has;
	const struct pick_opts *opts;
	struct pick *out;
	unsigned n, max;
	bool alone; /* wants no piece that others are at */
};

static inline bool picking_has(const struct picking *k, uint32_t piece)
{
	return bitfield_full(k->has) || bitfield_get(k->has, piece);
}

/* In plain arithmetic: the builtin is a call into the compiler's library on a plain machine. */
static inline uint32_t bits_count(uint64_t v)
{
	v -= v >> 1 & UINT64_C(0x5555555555555555);
	v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
	v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)(v * UINT64_C(0x0101010101010101) >> 56);
}

/* order.c: the sorted order of what may be begun. */
uint32_t order_bucket(const struct piece *pc);
uint32_t order_count(const struct picker *p);
/* Half-open range of order that has this priority (not skip). */
void order_row(const struct picker *p, unsigned priority, uint32_t *from, uint32_t *to);
/* The piece is idle and wanted and in no bucket; and back. */
void order_insert(struct picker *p, uint32_t piece);
void order_remove(struct picker *p, uint32_t piece);
/* Changes avail or priority (not to or from skip) of a piece and moves it if it is in the order. */
void order_update(struct picker *p, uint32_t piece, uint16_t avail, unsigned priority);
/* Makes it all anew from the pieces' states, O(pieces). */
void order_rebuild(struct picker *p);
/* Gives its memory back; nothing is wanted. */
void order_free(struct picker *p);

/* find.c: the piece that this peer is to begin, or NO_PIECE. */
#define NO_PIECE UINT32_MAX
uint32_t find_new(const struct picking *k);

/* deadline.c */
void deadline_forget(struct picker *p, uint32_t piece); /* it is had */

/* partial.c: pieces that are begun. */
struct partial *partial_of(const struct picker *p, uint32_t piece); /* NULL when not begun */
struct partial *partial_begin(
	struct picker *p, uint32_t piece); /* takes an idle piece out of order */
/* Forgets a part; the piece gets the state and, if idle and wanted, goes back to the order. */
void partial_end(struct picker *p, struct partial *part, enum piece_state state);
void partial_free_all(struct picker *p); /* gives their memory back; there are none */
bool partial_asked(const struct block *b, uint32_t peer);
void partial_ask(struct picker *p, struct partial *part, uint32_t block, uint32_t peer);
/* Puts the part where its counts say; an empty one goes back to idle and is gone afterwards. */
void partial_settle(struct picker *p, struct partial *part);

static inline uint32_t blocks_in(uint32_t bytes)
{
	return (uint32_t)(((uint64_t)bytes + BLOCK_SIZE - 1) / BLOCK_SIZE);
}

#endif
