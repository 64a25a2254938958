/* SPDX-License-Identifier: MIT */
/*
 * Fetching metadata under a plan (BEP 9): peers claim, answer truly, lie, refuse, leave, and time
 * passes, as the input says.  Whatever they do, what is taken in the end has the right hash, the
 * books agree, and memory stays under its budget.
 *
 * Each step is a byte: the low three bits are the peer, the rest what happens.
 */
#include "proto/base/time.h"
#include "proto/swarm/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PEERS 8u
#define TRUTH (3 * METADATA_PIECE + 100)
#define QUEUE 64u

struct world {
	struct metadata *m;
	struct byte_budget budget;
	uint8_t truth[TRUTH];
	uint32_t name[PEERS], names; /* 0: not there */
	uint32_t claims[PEERS];
	uint32_t asked[PEERS][QUEUE];
	unsigned asked_n[PEERS];
	int64_t now;
};

static void ask(struct world *w, unsigned i)
{
	uint32_t piece;

	while (w->name[i] != 0 && metadata_next(w->m, w->name[i], &piece, w->now)) {
		/* What it contradicted itself with may have taken the place of its claim. */
		must(piece < metadata_pieces(MAX(w->claims[i], TRUTH)));
		if (w->asked_n[i] < QUEUE)
			w->asked[i][w->asked_n[i]++] = piece;
	}
}

static void claim(struct world *w, unsigned i, unsigned how)
{
	static const uint32_t sizes[] = {
		TRUTH, TRUTH - 1, 5, METADATA_PIECE, METADATA_SIZE_MAX, UINT32_MAX, 0, TRUTH};
	struct endpoint at = endpoint_from_v4((const uint8_t[]){10, 0, 0, (uint8_t)(i / 2)}, 7000);

	at.port = (uint16_t)(at.port + i);
	if (w->name[i] == 0)
		w->name[i] = ++w->names;
	w->claims[i] = sizes[how] <= METADATA_SIZE_MAX ? sizes[how] : 0;
	metadata_claim(w->m, w->name[i], &at, sizes[how], w->now);
}

/* The oldest thing it was asked for: how & 7 says how it is answered. */
static void answer(struct world *w, unsigned i, unsigned how)
{
	static uint8_t data[METADATA_PIECE + 1];
	struct metadata_message m = {.type = METADATA_DATA, .total_size = w->claims[i]};
	uint32_t n = METADATA_PIECE;

	if (w->name[i] == 0 || w->asked_n[i] == 0)
		return;
	m.piece = w->asked[i][0];
	memmove(w->asked[i], w->asked[i] + 1, --w->asked_n[i] * sizeof w->asked[i][0]);
	if (w->claims[i] != 0 && m.piece < metadata_pieces(w->claims[i]))
		n = metadata_piece_size(w->claims[i], m.piece);
	memset(data, (int)(how + i), sizeof data);
	if (how < 3 && m.piece * METADATA_PIECE + n <= TRUTH)
		memcpy(data, w->truth + m.piece * METADATA_PIECE, n);
	if (how == 4)
		n = how & i ? 0 : n + 1;
	if (how == 5)
		m.type = METADATA_REJECT;
	if (how == 6)
		m.total_size = TRUTH;
	if (how == 7)
		m.piece++;
	m.data = (struct slice){data, n};
	metadata_got(w->m, w->name[i], &m, w->now);
}

static void leave(struct world *w, unsigned i)
{
	if (w->name[i] != 0)
		metadata_leave(w->m, w->name[i], w->now);
	w->name[i] = w->claims[i] = w->asked_n[i] = 0;
}

static void step(struct world *w, uint8_t what)
{
	unsigned i = what & 7, how = what >> 3 & 7;

	switch (what >> 6) {
	case 0:
		claim(w, i, how);
		break;
	case 1:
	case 2:
		answer(w, i, how);
		break;
	default:
		if (how == 7) {
			leave(w, i);
			break;
		}
		w->now += how * USEC_PER_SEC;
		metadata_tick(w->m, w->now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct metadata_progress p;
	struct smartban_names names;
	uint8_t hash[HASH_SHA1_SIZE];

	w = (struct world){.now = USEC_PER_SEC, .budget.max = 16 * METADATA_PIECE};
	for (uint32_t i = 0; i < TRUTH; i++)
		w.truth[i] = (uint8_t)(i * 2654435761u >> 13);
	hash_once(HASH_SHA1, w.truth, TRUTH, hash);
	w.m = metadata_new(hash, &w.budget);
	for (size_t k = 0; k < MIN(size, (size_t)4096); k++) {
		step(&w, data[k]);
		if (data[k] % 5 != 0)
			ask(&w, data[k] & 7);
		for (unsigned i = 0; metadata_stirred(w.m) && i < PEERS; i++)
			ask(&w, i);
		metadata_check(w.m);
		must(w.budget.used <= w.budget.max);
		must(metadata_guilty(w.m, &names) <= SMARTBAN_NAMES);
	}
	metadata_progress(w.m, &p);
	must(p.have <= p.pieces);
	if (metadata_bytes(w.m).p != NULL)
		must(metadata_bytes(w.m).n == TRUTH &&
			memcmp(metadata_bytes(w.m).p, w.truth, TRUTH) == 0);
	metadata_free(&w.m);
	must(w.budget.used == 0);
	return 0;
}
