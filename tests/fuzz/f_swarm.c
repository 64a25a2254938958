/* SPDX-License-Identifier: MIT */
/*
 * A stranger's connection: the input is what a peer sends, cut where the input says, while two
 * honest peers are connected to the same swarm.  Whatever it sends, the invariants hold and no
 * credit is lost.
 */
#include <stdlib.h>

#include "proto/swarm/priv.h"

#define PIECES    40u
#define PIECE_LEN 32768u
#define CREDIT    64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	int credit;
	struct swarm *swarm;
	struct swarm_peer *stranger, *friends[2];
	struct rng rng;
	int64_t now;
	bool open;
	uint32_t piece, begin, length; /* of the block on its way in */
	bool taking;
};

static void on_wake(void *conn)
{
	(void)conn;
}

static void on_credit(void *owner, unsigned n)
{
	struct world *w = owner;

	w->credit += (int)n;
}

static bool on_claim(void *owner)
{
	struct world *w = owner;

	if (w->credit == 0)
		return false;
	w->credit--;
	return true;
}

static const struct swarm_ops ops = {.wake = on_wake, .credit = on_credit, .claim = on_claim};

static struct swarm_peer *join(struct world *w, uint8_t host, struct swarm_caps caps)
{
	struct endpoint at = endpoint_from_v4((const uint8_t[]){10, 0, 0, host}, 7000);
	uint8_t id[20] = "-XX0000-............";

	id[19] = host;
	return swarm_join(w->swarm, w, &at, id, caps, true, w->now);
}

static void begin(struct world *w, uint8_t how)
{
	struct layout l = layout_of((uint64_t)PIECES * PIECE_LEN - 5000, PIECE_LEN);
	struct swarm_config c = {.max_requests = 20,
		.max_served = 30,
		.upload_slots = 2,
		.version = "fuzz",
		.request_timeout = 60000000};
	struct wire_ev all = {.type = WIRE_HAVE_ALL}, none = {.type = WIRE_HAVE_NONE};
	uint8_t infohash[20] = {9};

	*w = (struct world){.credit = CREDIT, .now = 1000000, .open = true};
	rng_seed(&w->rng, how);
	w->swarm = swarm_new(&l, infohash, &c, &ops, w, &w->rng, w->now);
	for (uint32_t i = 0; i < PIECES; i++)
		if ((how & 1 && i % 3 == 0) || how & 8)
			picker_set_have(w->swarm->picker, i);
	swarm_note_seeds(w->swarm, 0, w->now);
	swarm_super_seed(w->swarm, how & 16 ? SUPER_ON : SUPER_AUTO, w->now);
	swarm_choke_mode(w->swarm, (enum choke_seed)(how >> 5 & 1));
	for (uint8_t i = 0; i < 2; i++) {
		w->friends[i] = join(w, i, (struct swarm_caps){.fast = true});
		(void)swarm_event(w->friends[i], how & 24 ? &none : &all, w->now);
	}
	w->stranger = join(w, 7, (struct swarm_caps){.fast = how & 2, .extended = how & 4});
}

/* What a guilty stranger gave is opened again, and it goes. */
static void guilty(struct world *w)
{
	struct swarm_peer *bad[4];
	uint32_t pieces[PIECES];
	unsigned n = swarm_guilty(w->swarm, bad, ARRAY_LEN(bad));

	for (unsigned i = 0; i < n; i++) {
		must(swarm_taint(bad[i], pieces, PIECES) <= PIECES);
		w->open = w->open && bad[i] != w->stranger;
	}
	must(swarm_guilty(w->swarm, bad, ARRAY_LEN(bad)) == 0);
}

static void block_end(struct world *w)
{
	if (!w->taking)
		return;
	w->taking = false;
	if (!swarm_block(w->stranger, w->piece, w->begin, w->length, w->now))
		return;
	w->credit++;
	if (swarm_suspects(w->swarm, w->piece))
		swarm_block_digest(w->swarm, w->piece, w->begin, w->begin + (w->now % 3 == 0));
	if (!picker_complete(w->swarm->picker, w->piece))
		return;
	if (w->piece % 2 == 0 || swarm_suspects(w->swarm, w->piece)) {
		swarm_piece_ok(w->swarm, w->piece, w->now);
	} else {
		struct swarm_peer *bad[4];

		for (uint32_t at = 0; at < PIECE_LEN; at += BLOCK_SIZE)
			swarm_block_digest(w->swarm, w->piece, at, at);
		(void)swarm_piece_bad(w->swarm, w->piece, bad, ARRAY_LEN(bad));
	}
	guilty(w);
}

static void take(struct world *w, const struct wire_ev *ev)
{
	struct block_req r;

	switch (ev->type) {
	case WIRE_PIECE_BEGIN:
		w->piece = ev->index;
		w->begin = ev->begin;
		w->length = ev->length;
		switch (swarm_piece_begin(w->stranger, ev->index, ev->begin, ev->length)) {
		case SWARM_TAKE:
			w->taking = true;
			break;
		case SWARM_SKIP:
			w->taking = false;
			break;
		case SWARM_CLOSE:
			w->open = false;
			break;
		}
		break;
	case WIRE_PIECE_DATA:
		break;
	case WIRE_PIECE_END:
		block_end(w);
		break;
	default:
		w->open = swarm_event(w->stranger, ev, w->now) == E_OK;
		break;
	}
	while (w->open && swarm_serve_next(w->stranger, &r)) {
		must(layout_request_ok(&w->swarm->layout, r.piece, r.begin, r.length, 131072));
		must(bitfield_get(swarm_have(w->swarm), r.piece));
		swarm_served(w->stranger, r.length);
	}
}

static void feed(struct world *w, const uint8_t *p, size_t n)
{
	struct wire_ev ev;
	size_t used;

	while (w->open) {
		if (wire_next(&w->stranger->dec, p, n, &used, &ev) != E_OK) {
			w->open = false;
			return;
		}
		p += used;
		n -= used;
		if (ev.type == WIRE_NONE)
			return;
		take(w, &ev);
	}
}

static void ask(struct world *w, struct swarm_peer *p)
{
	unsigned n = swarm_request(p, (unsigned)w->credit, w->now);

	must((int)n <= w->credit);
	w->credit -= (int)n;
	if (outbuf_len(&p->out) > 0)
		outbuf_sent(&p->out, outbuf_len(&p->out));
}

static void end(struct world *w)
{
	swarm_leave(&w->stranger, w->now);
	for (int i = 0; i < 2; i++)
		swarm_leave(&w->friends[i], w->now);
	must(w->credit == CREDIT && w->swarm->asked == 0);
	picker_check(w->swarm->picker);
	peerlist_check(w->swarm->candidates);
	swarm_free(&w->swarm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;

	if (size < 2)
		return 0;
	begin(&w, data[0]);
	data++;
	size--;
	/* A control byte says how many bytes come in one piece and how much time passes before the
	 * next. */
	while (size > 1 && w.open) {
		size_t n = MIN((size_t)(data[0] & 0x7f) * 3 + 1, size - 1);

		feed(&w, data + 1, n);
		if (w.open)
			ask(&w, w.stranger);
		ask(&w, w.friends[data[0] & 1]);
		if (data[0] & 0x80) {
			w.now += 7000000;
			swarm_tick(w.swarm, w.now);
			(void)swarm_worst(w.swarm, w.now);
			(void)swarm_suggest(w.stranger, data[0] & 31);
		}
		data += n + 1;
		size -= n + 1;
	}
	end(&w);
	return 0;
}
