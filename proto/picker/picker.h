/* SPDX-License-Identifier: MIT */
/*
 * Which block to ask for next, for one torrent (BEP 3, "downloaders ... rarest first").
 *
 * It keeps how many peers have each piece, what we have, what is wanted, and for every piece that
 * was begun which block is requested from whom and who sent it.  Everything is kept up to date by
 * small steps: a HAVE and a joining seed cost O(1), a peer that leaves costs its own bits, and no
 * call sorts or rebuilds.  8 bytes and 2 bits a piece; while any is wanted 4 bytes a piece more and
 * 3 KiB; and 16 bytes a block of the pieces that are begun.
 *
 * The caller names peers by small ids of its own and keeps their bitfields.  Piece numbers given to
 * functions that return void must be in range; what a peer says about blocks (picker_received(),
 * picker_cancelled(), the lists in pick_opts) may be anything.
 *
 * One thread owns a picker.  It knows no time; randomness is borrowed.
 */
#ifndef PROTO_PICKER_PICKER_H
#define PROTO_PICKER_PICKER_H

#include "proto/base/bitfield.h"
#include "proto/base/priority.h"
#include "proto/base/rng.h"

#define PICKER_PIECES_MAX       (1u << 22)
#define PICKER_PIECE_LENGTH_MAX (1u << 27)
#define PICKER_BLOCKS_MAX       (PICKER_PIECE_LENGTH_MAX / BLOCK_SIZE)
#define PICKER_BITMAP_MAX       (PICKER_BLOCKS_MAX / 8)
/* How many peers one block is asked from at most, in the end game. */
#define PICKER_REQUESTERS_MAX 3u
/* How many pieces have a deadline at most. */
#define PICKER_DEADLINES_MAX 256u
/* An id that no peer has: who sent the blocks that were loaded from disk. */
#define PICKER_NOBODY UINT32_MAX

struct picker;

struct pick {
	uint32_t piece;
	uint32_t begin;  /* bytes from the start of the piece; a multiple of BLOCK_SIZE */
	uint32_t length; /* BLOCK_SIZE, but for the last block of the torrent's last piece */
};

/* Zero is good: an ordinary peer, no limit on pieces begun. */
struct pick_opts {
	bool fast_peer; /* gets pieces of its own and keeps them */
	bool snubbed;   /* sends nothing: common pieces, nothing shared, no end game */
	bool parole;    /* may have sent a bad block: whole pieces of its own, nothing shared */
	bool choked;    /* it chokes us: only allowed_fast is picked (BEP 6, "Allowed Fast") */
	const uint32_t *allowed_fast; /* borrowed; numbers out of range are skipped */
	uint32_t allowed_n;
	const uint32_t *suggested; /* borrowed; tried first (BEP 6, "Suggest Piece") */
	uint32_t suggested_n;
	/*
	 * How many times slower the other peer is than this one; 0 when it is not, or nobody knows.
	 * When there is nothing else, blocks asked of one that is 10, then 3 times slower are asked
	 * of this one too.  NULL: they are not.
	 */
	uint32_t (*lag)(void *lag_ctx, uint32_t other);
	void *lag_ctx; /* borrowed */
	/* Whether the other peer may be long about what it was asked for: in the end game only its
	 * blocks are asked of this one too.  NULL: anybody's are. */
	bool (*late)(void *lag_ctx, uint32_t other);
	bool once;            /* nothing that others were asked for */
	uint32_t again_max;   /* of that at most so many blocks a call; 0 = no limit */
	int64_t now;          /* on the clock of picker_deadline() */
	uint32_t max_partial; /* begin no piece while this many have requests out; 0 = no limit */
};

enum picker_got {
	GOT_NEW,       /* keep it, write it */
	GOT_DUPLICATE, /* we have that block already */
	GOT_UNWANTED,  /* no such block, or of a piece that is skipped and not begun */
};

/*
 * pieces = ceil(size / piece_length), all within the maxima above (metainfo has checked it).
 * Nothing is had, everything has PRIORITY_NORMAL.  The rng is borrowed for the picker's
 * life.  The caller calls picker_free(); NULL in the pointer is fine.  O(pieces).
 */
struct picker *picker_new(
	uint32_t pieces, uint32_t piece_length, uint64_t size, struct rng *borrowed);
void picker_free(struct picker **pp);

uint32_t picker_piece_length(const struct picker *p, uint32_t piece); /* bytes of this piece */
uint32_t picker_blocks(const struct picker *p, uint32_t piece);       /* blocks of this piece */

/*
 * Availability.  The caller does three things and needs no memory of how a peer came to its pieces:
 *   picker_join(p, has)    once, when the bitfield (or HAVE ALL, HAVE NONE) is known;
 *   picker_have(p, piece)  for each HAVE that sets a bit that was clear (bitfield_set() says so);
 *   picker_leave(p, has)   once, with the bitfield as it is then.
 * A full set is a counter, O(1).  A peer that becomes full by HAVEs may leave as a seed and a seed
 * in its place later as counted bits: a full set in the counter and one in every piece mean the
 * same, and picker_leave() takes the counter when there is one.  At most 65534 peers are joined at
 * a time.
 */
void picker_join(struct picker *p, const struct bitfield *has);
void picker_have(struct picker *p, uint32_t piece);
/* has is as it was until now, with the piece that the peer has no more (BEP 54).  O(pieces) when it
 * was full. */
void picker_lost(struct picker *p, const struct bitfield *has, uint32_t piece);
void picker_leave(struct picker *p, const struct bitfield *has);
/* The same for callers that keep no bitfield for a seed.  These pair up with the ones above freely.
 */
void picker_join_seed(struct picker *p);
void picker_leave_seed(struct picker *p);
/* How many pieces no connected peer has, O(1). */
uint32_t picker_unavailable(const struct picker *p);
/* How many connected peers have the piece. */
uint32_t picker_availability(const struct picker *p, uint32_t piece);

/*
 * Own pieces.  picker_set_have(): verified, whatever state it was in; picker_clear_have(): lost, to
 * be fetched again.  Both may be repeated.  picker_load_have() sets many at once, O(pieces): what
 * is set in `have` is had afterwards, pieces begun stay begun unless they are had.
 */
void picker_set_have(struct picker *p, uint32_t piece);
void picker_clear_have(struct picker *p, uint32_t piece);
void picker_load_have(struct picker *p, const struct bitfield *have);
/* Borrowed, valid as long as the picker. */
const struct bitfield *picker_own(const struct picker *p);

/*
 * Priorities 0 (skip) to 7; higher ones are picked first, whatever their rarity.  A skipped piece
 * that was begun keeps its blocks and takes those that are under way.  The plural sets pieces
 * [first, end) in at most O(pieces), which is much better than one by one.  Callers recount their
 * peers' interest.
 */
void picker_priority(struct picker *p, uint32_t piece, unsigned priority);
void picker_priorities(struct picker *p, uint32_t first, uint32_t end, unsigned priority);
unsigned picker_priority_of(const struct picker *p, uint32_t piece);
/*
 * Wanted by `at`, on any clock that pick_opts.now is on: earliest first and before all else, and
 * blocks of a late piece are asked from two peers.  INT64_MAX: no longer.  A piece that is had or
 * gets had has none; one that is skipped waits until it is not.  E_OVERLOAD when
 * PICKER_DEADLINES_MAX earlier ones are there; the latest one gives way to an earlier.
 */
enum err picker_deadline(struct picker *p, uint32_t piece, int64_t at);
/* Lowest index first instead of rarest first, within a priority. */
void picker_sequential(struct picker *p, bool on);
/* While we have fewer pieces than this, new ones are picked at random, to have one soon; 4 at
 * start. */
void picker_random_first(struct picker *p, uint32_t pieces);

/* Bytes of wanted pieces that are not verified. */
uint64_t picker_wanted_left(const struct picker *p);
/* All wanted pieces are verified (true when all are skipped). */
bool picker_done(const struct picker *p);
/* Every wanted block that a connected peer has is requested or here. */
bool picker_endgame(const struct picker *p);
/* How many pieces are begun and not verified. */
uint32_t picker_partials(const struct picker *p);

/*
 * Interest (BEP 3, "interested").  picker_wants(): priority is not skip and we lack it, O(1).
 * The cheap way: keep a count for each peer, start it with picker_count_wanted_that(), add one on a
 * HAVE when picker_wants(), take one off for each peer that has a piece when it is verified, count
 * anew after a change of priorities.  picker_interesting() answers without a count, O(pieces / 64)
 * at worst.
 */
bool picker_wants(const struct picker *p, uint32_t piece);
bool picker_interesting(const struct picker *p, const struct bitfield *has);
uint32_t picker_count_wanted_that(const struct picker *p, const struct bitfield *has);
/* How many of the pieces we lack, wanted or not, the peer has. */
uint32_t picker_count_missing_that(const struct picker *p, const struct bitfield *has);

/*
 * Up to max blocks for this peer, in the order to request them; each is noted as requested from it.
 * Returns how many.  In order: pieces with a deadline; suggested pieces; blocks of pieces already
 * begun; new pieces by priority, then rarity (grouped finely up to 31 peers, to an eighth of a
 * power of two above), then within 4 MiB of one begun lately, then chance; blocks that much slower
 * peers were asked for; in the end game blocks that anybody was asked for.  A peer is never asked
 * twice for what is under way from it, a block is never asked from more than PICKER_REQUESTERS_MAX.
 * Among pieces whose rarest hundred or so the peer lacks, the rarest of a sample of what it has is
 * taken, so that the cost stays flat.
 */
unsigned picker_pick(struct picker *p, uint32_t peer, const struct bitfield *has,
	const struct pick_opts *opts, struct pick *out, unsigned max);

/* The block is not here and would be taken if it came.  Any numbers. */
bool picker_lacks(const struct picker *p, uint32_t piece, uint32_t begin);
/* This peer is asked for the block without a pick; false: picker_lacks() it not.  Any numbers. */
bool picker_asked(struct picker *p, uint32_t peer, uint32_t piece, uint32_t begin);

/* One request to this peer is void: choke, reject, timeout, cancel.  Unknown ones are ignored. */
void picker_cancelled(struct picker *p, uint32_t peer, uint32_t piece, uint32_t begin);
/* The same for the list of all that the peer was asked for. */
void picker_peer_gone(struct picker *p, uint32_t peer, const struct pick *list, size_t n);

/*
 * A block arrived from a peer that was asked for it (the caller knows; a request that timed out
 * counts). On GOT_NEW, others[0..*others_n) are the peers that still have it requested: these
 * requests are void here and the caller sends CANCEL.  others has room for PICKER_REQUESTERS_MAX.
 * begin must be a multiple of BLOCK_SIZE and the length right (picker_block_length()), or it is
 * GOT_UNWANTED.
 */
enum picker_got picker_received(struct picker *p, uint32_t peer, uint32_t piece, uint32_t begin,
	uint32_t *others, unsigned *others_n);
/* Length of the block that starts there, 0 when none does. */
uint32_t picker_block_length(const struct picker *p, uint32_t piece, uint32_t begin);
/* All blocks of the piece are here and its hash is awaited; it is not picked meanwhile. */
bool picker_complete(const struct picker *p, uint32_t piece);

/*
 * What became of a complete piece.  picker_hash_failed() and picker_write_failed() open all its
 * blocks again (blame is the caller's: ask picker_contributors() first).  picker_write_failed() may
 * also be called before the piece is complete: requests that are out stay.  Pieces not begun are
 * ignored.
 */
void picker_hash_ok(struct picker *p, uint32_t piece);
void picker_hash_failed(struct picker *p, uint32_t piece);
void picker_write_failed(struct picker *p, uint32_t piece);
/* The different peers that sent blocks of a piece begun; PICKER_NOBODY is not among them. */
unsigned picker_contributors(const struct picker *p, uint32_t piece, uint32_t *peers, unsigned max);
/* Who sent all blocks of a piece begun; PICKER_NOBODY when several did, or one came from disk. */
uint32_t picker_sole_sender(const struct picker *p, uint32_t piece);
/* Who sent the block, PICKER_NOBODY when it is not here or came from disk. */
uint32_t picker_sender(const struct picker *p, uint32_t piece, uint32_t begin);

/*
 * Pieces begun, as they are kept in the database: one bit a block, high bit first.
 * picker_load_partial(): n is the size of the bitmap, E_RANGE when it is not the piece's or spare
 * bits are set, E_EXISTS when the piece is had or begun.  After a full bitmap picker_complete() is
 * true and the caller has the piece hashed. picker_save_partial(): *iter starts at 0; fills piece,
 * bitmap (room for PICKER_BITMAP_MAX) and its size, false at the end.  Nothing else may be called
 * on the picker between the steps.
 */
enum err picker_load_partial(
	struct picker *p, uint32_t piece, const uint8_t *block_bitmap, size_t n);
bool picker_save_partial(
	const struct picker *p, uint32_t *iter, uint32_t *piece, uint8_t *block_bitmap, size_t *n);
/* Blocks of a piece that are here: all when had, 0 when not begun. */
uint32_t picker_blocks_here(const struct picker *p, uint32_t piece);

/* Panics when an invariant does not hold.  O(pieces): tests, fuzzing and the simulator. */
void picker_check(const struct picker *p);

#endif
