/* SPDX-License-Identifier: MIT */
/*
 * What the picker costs as torrents grow: b_picker OPERATION PIECES PEERS
 *
 * Sets up a torrent half done and a swarm of peers, from nearly nothing to nearly everything each,
 * then does one operation (or all, one after the other) many times.  Prints how many and the
 * nanoseconds of one; under callgrind only the operations are collected, so that its count divided
 * by ours is instructions.
 */
#include "proto/picker/picker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#endif

#define PIECE_LENGTH 262144u
#define TIMES        2000u
#define FEW          64u /* pieces of a peer that has few */
#define BATCH        8u  /* blocks asked for at once */

struct swarm_of {
	struct rng rng;
	struct picker *picker;
	struct bitfield *peers;
	uint32_t pieces, n;
	uint64_t done;
	uint64_t ns[TIMES * BATCH]; /* of each time */
	size_t times;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Runs one statement with the meters on. */
#define METERED(s, statement)                                                                      \
	do {                                                                                       \
		uint64_t began = now();                                                            \
		CALLGRIND_TOGGLE_COLLECT;                                                          \
		statement;                                                                         \
		CALLGRIND_TOGGLE_COLLECT;                                                          \
		(s)->ns[(s)->times++] = now() - began;                                             \
	} while (0)

static void fill(struct swarm_of *s, struct bitfield *b, uint32_t of_1000)
{
	bitfield_init(b, s->pieces);
	for (uint32_t i = 0; i < s->pieces; i++)
		if (rng_below(&s->rng, 1000) < of_1000)
			bitfield_set(b, i);
}

static void set_up(struct swarm_of *s)
{
	struct bitfield own;

	rng_seed(&s->rng, 1);
	s->picker =
		picker_new(s->pieces, PIECE_LENGTH, (uint64_t)s->pieces * PIECE_LENGTH, &s->rng);
	s->peers = calloc(s->n, sizeof *s->peers);
	for (uint32_t i = 0; i < s->n; i++) {
		fill(s, &s->peers[i], 1000 * (i + 1) / (s->n + 1));
		picker_join(s->picker, &s->peers[i]);
	}
	fill(s, &own, 500);
	picker_load_have(s->picker, &own);
	bitfield_free(&own);
}

static void run_have(struct swarm_of *s)
{
	for (uint32_t i = 0; i < TIMES; i++) {
		uint32_t piece = rng_below(&s->rng, s->pieces);

		METERED(s, picker_have(s->picker, piece));
		s->done++;
	}
}

static void run_join_seed(struct swarm_of *s)
{
	struct bitfield all;

	bitfield_init(&all, s->pieces);
	bitfield_set_all(&all);
	for (uint32_t i = 0; i < TIMES; i++) {
		METERED(s, picker_join(s->picker, &all));
		picker_leave(s->picker, &all);
		s->done++;
	}
	bitfield_free(&all);
}

static void run_leave_seed(struct swarm_of *s)
{
	struct bitfield all;

	bitfield_init(&all, s->pieces);
	bitfield_set_all(&all);
	for (uint32_t i = 0; i < TIMES; i++) {
		picker_join(s->picker, &all);
		METERED(s, picker_leave(s->picker, &all));
		s->done++;
	}
	bitfield_free(&all);
}

/* A peer with FEW pieces anywhere. */
static void fill_few(struct swarm_of *s, struct bitfield *few)
{
	bitfield_init(few, s->pieces);
	while (few->count < FEW)
		bitfield_set(few, rng_below(&s->rng, s->pieces));
}

static void run_join_few(struct swarm_of *s)
{
	for (uint32_t i = 0; i < TIMES / 10; i++) {
		struct bitfield few;

		fill_few(s, &few);
		METERED(s, picker_join(s->picker, &few));
		picker_leave(s->picker, &few);
		bitfield_free(&few);
		s->done++;
	}
}

static void run_leave_few(struct swarm_of *s)
{
	for (uint32_t i = 0; i < TIMES / 10; i++) {
		struct bitfield few;

		fill_few(s, &few);
		picker_join(s->picker, &few);
		METERED(s, picker_leave(s->picker, &few));
		bitfield_free(&few);
		s->done++;
	}
}

/* By the piece that the peer has. */
static void run_leave_half(struct swarm_of *s)
{
	struct bitfield half;
	uint32_t has = 0;

	fill(s, &half, 500);
	for (uint32_t i = 0; i < s->pieces; i++)
		has += bitfield_get(&half, i);
	for (uint32_t i = 0; i < 4; i++) {
		picker_join(s->picker, &half);
		METERED(s, picker_leave(s->picker, &half));
		s->done += has;
	}
	bitfield_free(&half);
}

static void take(struct swarm_of *s, uint32_t peer, const struct pick *pick)
{
	uint32_t others[PICKER_REQUESTERS_MAX];
	unsigned n;

	picker_received(s->picker, peer, pick->piece, pick->begin, others, &n);
	if (picker_complete(s->picker, pick->piece))
		picker_hash_ok(s->picker, pick->piece);
}

/* By the block; peers take turns, what is picked arrives at once. */
static void run_pick(struct swarm_of *s)
{
	struct pick_opts opts = {.max_partial = 0};

	for (uint32_t i = 0; i < TIMES / 4; i++) {
		uint32_t peer = i % s->n;
		struct pick out[BATCH];
		unsigned n;

		METERED(s, n = picker_pick(s->picker, peer, &s->peers[peer], &opts, out, BATCH));
		for (unsigned k = 0; k < n; k++)
			take(s, peer, &out[k]);
		s->done += n;
	}
}

/* By the call: a new peer with few pieces is asked for something, and gives it. */
static void run_pick_few(struct swarm_of *s)
{
	struct pick_opts opts = {.max_partial = 0};

	for (uint32_t i = 0; i < TIMES / 10; i++) {
		struct bitfield few;
		struct pick out[BATCH];
		unsigned n;

		fill_few(s, &few);
		METERED(s, n = picker_pick(s->picker, s->n, &few, &opts, out, BATCH));
		picker_peer_gone(s->picker, s->n, out, n);
		bitfield_free(&few);
		s->done++;
	}
}

/* By the call: we lack FEW pieces, and the peer has half of them. */
static void run_pick_late(struct swarm_of *s)
{
	struct pick_opts opts = {.max_partial = 0};
	struct bitfield few, half;

	fill_few(s, &few);
	fill(s, &half, 500);
	for (uint32_t i = 0; i < s->pieces; i++)
		if (!bitfield_get(&few, i))
			picker_set_have(s->picker, i);
	for (uint32_t i = 0; i < TIMES / 10; i++) {
		struct pick out[BATCH];
		unsigned n;

		METERED(s, n = picker_pick(s->picker, s->n, &half, &opts, out, BATCH));
		picker_peer_gone(s->picker, s->n, out, n);
		s->done++;
	}
	bitfield_free(&few);
	bitfield_free(&half);
}

/* By the block: what follows on a block's arrival. */
static void run_receive(struct swarm_of *s)
{
	struct pick_opts opts = {.max_partial = 0};

	for (uint32_t i = 0; i < TIMES / 4; i++) {
		uint32_t peer = i % s->n;
		struct pick out[BATCH];
		unsigned n = picker_pick(s->picker, peer, &s->peers[peer], &opts, out, BATCH);

		for (unsigned k = 0; k < n; k++)
			METERED(s, take(s, peer, &out[k]));
		s->done += n;
	}
}

static const struct {
	const char *name;
	void (*run)(struct swarm_of *s);
} operations[] = {
	{"have", run_have},
	{"join_seed", run_join_seed},
	{"leave_seed", run_leave_seed},
	{"join_few", run_join_few},
	{"leave_few", run_leave_few},
	{"leave_half", run_leave_half},
	{"pick", run_pick},
	{"pick_few", run_pick_few},
	{"receive", run_receive},
	{"pick_late", run_pick_late},
};

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* By the median, for the machine may be busy with something else for a while. */
static void measure(struct swarm_of *s, const char *name, void (*run)(struct swarm_of *s))
{
	s->done = s->times = 0;
	run(s);
	if (s->done == 0)
		return;
	qsort(s->ns, s->times, sizeof s->ns[0], compare_ns);
	printf("{\"operation\": \"%s\", \"done\": %llu, \"ns\": %.1f}\n", name,
		(unsigned long long)s->done,
		(double)s->ns[s->times / 2] * (double)s->times / (double)s->done);
}

int main(int argc, char **argv)
{
	struct swarm_of *s = calloc(1, sizeof *s);

	if (s == NULL || argc != 4)
		return 2;
	s->pieces = (uint32_t)strtoul(argv[2], NULL, 10);
	s->n = (uint32_t)strtoul(argv[3], NULL, 10);
	if (s->pieces == 0 || s->pieces > PICKER_PIECES_MAX || s->n == 0)
		return 2;
	set_up(s);
	CALLGRIND_START_INSTRUMENTATION;
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
		if (strcmp(argv[1], "all") == 0 || strcmp(operations[i].name, argv[1]) == 0)
			measure(s, operations[i].name, operations[i].run);
	for (uint32_t i = 0; i < s->n; i++)
		bitfield_free(&s->peers[i]);
	free(s->peers);
	picker_free(&s->picker);
	free(s);
	return 0;
}
