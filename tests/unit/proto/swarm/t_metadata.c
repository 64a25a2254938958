/* SPDX-License-Identifier: MIT */
/*
 * Fetching metadata from peers that give, lie about the size or the content, refuse, or are silent
 * (BEP 9).
 *
 * Each peer of the table answers a request after so many tenths of a second, in its own way.
 */
#include "proto/swarm/metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define STEP   (SECOND / 10)
#define PEERS  12u

enum manner {
	HONEST,
	SILENT,
	REFUSES,
	LIES,        /* other bytes, the same each time */
	LIES_ANEW,   /* other bytes each time */
	LIES_ONCE,   /* the first piece it is asked for */
	LIES_FIRST,  /* about piece 0, and nothing else */
	EMPTY_LAST,  /* rTorrent: nothing for the last piece of a multiple of 16 KiB */
	SHORT,       /* a piece too short */
	SNARK,       /* total_size is the length of the piece */
	UNSAID,      /* no total_size */
	CONTRADICTS, /* claims one size, sends another */
};

struct peer {
	enum manner manner;
	uint32_t claims; /* bytes; 0: the true size */
	unsigned delay;  /* steps */
	unsigned joins;  /* step */
};

struct world {
	struct metadata *m;
	struct byte_budget budget;
	uint8_t *truth;
	uint32_t size;
	struct peer peer[PEERS];
	unsigned n;
	struct due {
		unsigned at, peer;
		uint32_t piece;
	} due[4096];
	unsigned due_n, step, requests;
	unsigned asked[PEERS];
	uint64_t most_used;
	bool guilty[PEERS];
};

static void begin(struct world *w, uint32_t size, const struct peer *peers, unsigned n)
{
	uint8_t hash[20];
	uint32_t n_text;
	char text[16];

	*w = (struct world){.size = size, .n = n, .budget.max = 64 << 20};
	w->truth = malloc(size);
	assert_non_null(w->truth);
	for (uint32_t i = 0; i < size; i++)
		w->truth[i] = (uint8_t)(i * 2654435761u >> 13);
	/* A string is a bencoded value, so that what is fetched is canonical. */
	n_text = size - 1;
	while (snprintf(text, sizeof text, "%u:", n_text) + (int)n_text > (int)size)
		n_text--;
	assert_int_equal(strlen(text) + n_text, size);
	memcpy(w->truth, text, strlen(text));
	hash_once(HASH_SHA1, w->truth, size, hash);
	w->m = metadata_new(hash, &w->budget);
	memcpy(w->peer, peers, n * sizeof *peers);
}

static void end(struct world *w)
{
	metadata_free(&w->m);
	assert_int_equal(w->budget.used, 0);
	free(w->truth);
}

static int64_t now(const struct world *w)
{
	return SECOND + w->step * STEP;
}

static void ask(struct world *w, unsigned i)
{
	uint32_t piece;

	while (metadata_next(w->m, i + 1, &piece, now(w))) {
		assert_true(w->due_n < ARRAY_LEN(w->due));
		w->due[w->due_n++] = (struct due){w->step + 1 + w->peer[i].delay, i, piece};
		w->requests++;
		w->asked[i]++;
	}
}

static void answer(struct world *w, const struct due *d)
{
	struct peer *p = &w->peer[d->peer];
	uint32_t size = p->claims != 0 ? p->claims : w->size, n;
	static uint8_t data[METADATA_PIECE];
	static uint8_t turn;
	struct metadata_message msg = {
		.type = METADATA_DATA, .piece = d->piece, .total_size = size};
	bool lies = p->manner == LIES || p->manner == LIES_ANEW || p->manner == LIES_ONCE ||
		    (p->manner == LIES_FIRST && d->piece == 0);

	assert_true(d->piece < metadata_pieces(size));
	n = metadata_piece_size(size, d->piece);
	memset(data, 'x', n);
	if (d->piece * METADATA_PIECE < w->size)
		memcpy(data, w->truth + d->piece * METADATA_PIECE,
			MIN(n, w->size - d->piece * METADATA_PIECE));
	if (lies)
		memset(data, p->manner == LIES_ANEW ? ++turn : 1 + (int)d->peer, n);
	if (p->manner == LIES_ONCE)
		p->manner = HONEST;
	if (p->manner == SILENT)
		return;
	if (p->manner == REFUSES)
		msg = (struct metadata_message){.type = METADATA_REJECT, .piece = d->piece};
	if (p->manner == EMPTY_LAST && d->piece == metadata_pieces(size) - 1)
		n = 0;
	if (p->manner == SHORT)
		n--;
	if (p->manner == SNARK)
		msg.total_size = n;
	if (p->manner == UNSAID)
		msg.total_size = 0;
	if (p->manner == CONTRADICTS)
		msg.total_size = 999;
	if (msg.type == METADATA_DATA)
		msg.data = (struct slice){data, n};
	metadata_got(w->m, d->peer + 1, &msg, now(w));
	metadata_check(w->m);
}

static void note_guilty(struct world *w)
{
	struct smartban_names names;

	if (metadata_guilty(w->m, &names) == 0)
		return;
	for (unsigned i = 0; i < names.n; i++)
		w->guilty[names.v[i] - 1] = true;
}

static void step(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		struct endpoint at =
			endpoint_from_v4((const uint8_t[]){10, 0, 0, (uint8_t)(i + 1)}, 7000);

		if (w->peer[i].joins == w->step)
			metadata_claim(w->m, i + 1, &at,
				w->peer[i].claims ? w->peer[i].claims : w->size, now(w));
		metadata_check(w->m);
		if (w->peer[i].joins <= w->step)
			ask(w, i);
	}
	w->step++;
	for (unsigned k = 0; k < w->due_n; k++) {
		struct due d = w->due[k];

		if (d.at > w->step)
			continue;
		w->due[k--] = w->due[--w->due_n];
		answer(w, &d);
		ask(w, d.peer);
	}
	if (metadata_stirred(w->m))
		for (unsigned i = 0; i < w->n; i++)
			ask(w, i);
	if (w->step % 10 == 0)
		metadata_tick(w->m, now(w));
	metadata_check(w->m);
	note_guilty(w);
	w->most_used = MAX(w->most_used, w->budget.used);
}

/* Tenths of a second until it is there; the limit when it is not. */
static unsigned run(struct world *w, unsigned limit)
{
	while (w->step < limit && metadata_bytes(w->m).p == NULL)
		step(w);
	if (metadata_bytes(w->m).p != NULL) {
		assert_int_equal(metadata_bytes(w->m).n, w->size);
		assert_memory_equal(metadata_bytes(w->m).p, w->truth, w->size);
		for (unsigned i = 0; i < w->n; i++) {
			uint32_t piece;

			assert_false(metadata_next(w->m, i + 1, &piece, now(w)));
		}
	}
	return w->step;
}

#define K16 METADATA_PIECE

static const struct {
	const char *what;
	uint32_t size;
	struct peer peer[PEERS];
	unsigned n, within; /* tenths of a second */
	unsigned guilty;    /* bits */
} cases[] = {
	{"one peer, one piece", 500, {{.manner = HONEST}}, 1, 2, 0},
	{"a multiple of 16 KiB", 3 * K16, {{.manner = HONEST}}, 1, 4, 0},
	{"the largest", METADATA_SIZE_MAX,
		{{.manner = HONEST}, {.manner = HONEST}, {.manner = HONEST}}, 3, 400, 0},
	{"three at once", 30 * K16 + 5,
		{{.manner = HONEST}, {.manner = HONEST}, {.manner = HONEST}}, 3, 7, 0},
	{"two others are silent", 30 * K16,
		{{.manner = SILENT}, {.manner = SILENT}, {.manner = HONEST}}, 3, 60, 0},
	{"one refuses", 500, {{.manner = REFUSES}, {.manner = HONEST, .joins = 3}}, 2, 6, 0},
	{"a lie about the size", 500,
		{{.manner = SILENT, .claims = 77777}, {.manner = HONEST, .joins = 3}}, 2, 6, 0},
	{"four lies about the size", 500,
		{{.manner = SILENT, .claims = 1}, {.manner = SILENT, .claims = 2 << 20},
			{.manner = SILENT, .claims = 32 << 20}, {.manner = SILENT, .claims = 600},
			{.manner = HONEST, .joins = 3}},
		5, 150, 0},
	{"a claim beyond reason", 500, {{.manner = LIES, .claims = UINT32_MAX}, {.manner = HONEST}},
		2, 3, 0},
	{"a lie about the content", 500, {{.manner = LIES}, {.manner = HONEST, .joins = 5}}, 2, 8,
		1},
	{"a lie of several pieces", 20 * K16 + 1,
		{{.manner = LIES_FIRST}, {.manner = HONEST}, {.manner = HONEST}}, 3, 100, 1},
	{"most of them lie", 5 * K16,
		{{.manner = LIES}, {.manner = LIES_ANEW}, {.manner = LIES}, {.manner = HONEST},
			{.manner = LIES_ANEW}, {.manner = LIES}},
		6, 150, 0x37},
	{"it repents", 500, {{.manner = LIES_ONCE}, {.manner = HONEST, .joins = 9}}, 2, 12, 1},
	{"its last piece is empty", 3 * K16, {{.manner = EMPTY_LAST}, {.manner = HONEST}}, 2, 30,
		0},
	{"pieces are too short", 500, {{.manner = SHORT}, {.manner = HONEST, .joins = 4}}, 2, 7, 0},
	{"total_size is the piece's", 2 * K16 + 9, {{.manner = SNARK}}, 1, 5, 0},
	{"total_size is not said", 2 * K16 + 9, {{.manner = UNSAID}}, 1, 5, 0},
	{"it contradicts itself", 500, {{.manner = CONTRADICTS}, {.manner = HONEST, .joins = 4}}, 2,
		8, 0},
	{"slow, and alone", 4 * K16, {{.manner = HONEST, .delay = 40}}, 1, 250, 0},
};

static void test_cases(void **state)
{
	static struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned took;

		begin(&w, cases[i].size, cases[i].peer, cases[i].n);
		took = run(&w, 3000);
		if (took > cases[i].within)
			fail_msg("%s: %u steps, not %u", cases[i].what, took, cases[i].within);
		for (unsigned k = 0; k < cases[i].n; k++)
			if (w.guilty[k] != (cases[i].guilty >> k & 1))
				fail_msg("%s: peer %u", cases[i].what, k);
		/* What was fetched, and what is held of it meanwhile, twice at most. */
		assert_true(w.most_used <= 2 * (uint64_t)MAX(cases[i].size, K16) + 64 * K16);
		end(&w);
	}
}

/* Nobody tells the truth: nothing grows, nobody is asked all the time. */
static void test_only_liars(void **state)
{
	static const struct peer peers[] = {{.manner = LIES}, {.manner = LIES, .claims = 32 << 20},
		{.manner = SILENT}, {.manner = REFUSES}, {.manner = LIES_ANEW, .claims = 5000},
		{.manner = SHORT}, {.manner = CONTRADICTS, .claims = 9999},
		{.manner = SILENT, .claims = 31 << 20}};
	static struct world w;
	struct metadata_progress p;

	(void)state;
	begin(&w, 90000, peers, ARRAY_LEN(peers));
	w.budget.max = 64 * K16;
	assert_int_equal(run(&w, 6000), 6000);
	assert_true(w.most_used <= 64 * K16);
	metadata_progress(w.m, &p);
	assert_true(p.failures >= 2 && p.failures < 20);
	assert_true(p.rejects > 0 && p.timeouts > 0);
	assert_non_null(p.error);
	/* Ten minutes. */
	assert_true(w.asked[2] < 120 && w.asked[3] < 120 && w.asked[5] < 120);
	end(&w);
}

/* Who leaves takes nothing with it, and who comes back from the same place is not trusted again. */
static void test_leaving(void **state)
{
	static const struct peer peers[] = {{.manner = HONEST}, {.manner = HONEST, .joins = 5}};
	static const struct peer liar[] = {{.manner = LIES}, {.manner = LIES, .joins = 20}};
	struct endpoint at = endpoint_from_v4((const uint8_t[]){10, 0, 0, 1}, 7000);
	static struct world w;
	uint32_t piece;

	(void)state;
	begin(&w, 10 * K16, peers, 2);
	for (int i = 0; i < 3; i++)
		step(&w);
	metadata_leave(w.m, 1, now(&w));
	metadata_check(w.m);
	assert_true(run(&w, 100) < 14);
	assert_true(w.asked[1] < 10);
	end(&w);

	begin(&w, 500, liar, 1);
	for (int i = 0; i < 5; i++)
		step(&w);
	metadata_leave(w.m, 1, now(&w));
	metadata_claim(w.m, 9, &at, 500, now(&w));
	assert_false(metadata_next(w.m, 9, &piece, now(&w)));
	at.port++;
	metadata_claim(w.m, 10, &at, 500, now(&w));
	assert_true(metadata_next(w.m, 10, &piece, now(&w)));
	end(&w);
}

/* In the end a piece is asked of three, and of no more. */
static void test_end_game(void **state)
{
	static const struct peer peers[] = {{.manner = SILENT}, {.manner = SILENT},
		{.manner = SILENT}, {.manner = SILENT}, {.manner = SILENT}};
	static struct world w;

	(void)state;
	begin(&w, 500, peers, 5);
	step(&w);
	assert_int_equal(w.requests, 3);
	end(&w);
	begin(&w, 4 * K16, peers, 5);
	step(&w);
	assert_int_equal(w.requests, 10);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_only_liars),
		cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_end_game),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
