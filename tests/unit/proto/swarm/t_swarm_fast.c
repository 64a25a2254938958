/* SPDX-License-Identifier: MIT */
/* The fast extension and upload-only, message by message. */
#include "tests/unit/lib/swarm_world.h"

/* A node and one peer of it, whose messages are scripted. */
static struct swarm_peer *begin(struct world *w, bool seed, uint32_t peer_has)
{
	struct swarm_peer *p;
	struct bitfield has;
	struct wire_ev bits = {.type = WIRE_BITFIELD};

	world_init(w, 2, seed ? 1 : 0);
	world_connect(w, 0, 1);
	p = w->node[0].ends[1].peer;
	outbuf_sent(&p->out, outbuf_len(&p->out));
	bitfield_init(&has, PIECES);
	for (uint32_t i = 0; i < peer_has; i++)
		bitfield_set(&has, i);
	bits.payload = (struct slice){has.bytes, bitfield_bytes(PIECES)};
	assert_int_equal(swarm_event(p, &bits, w->now), E_OK);
	bitfield_free(&has);
	return p;
}

static enum err say(struct swarm_peer *p, enum wire_ev_type type, uint32_t index)
{
	struct wire_ev ev = {.type = type, .index = index, .length = BLOCK_SIZE};

	return swarm_event(p, &ev, SECOND);
}

enum { ID_REQUEST = 6, ID_SUGGEST = 13, ID_REJECT = 16, ID_ALLOWED = 17, ID_EXTENDED = 20 };

/* Who has more pieces than the set is long gets none, and no use of those it got before. */
static void t_granted(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, true, 3);
	uint32_t piece;

	(void)state;
	assert_int_equal(count_out(p, ID_ALLOWED), 10);
	assert_int_equal(p->granted_n, 10);
	piece = p->granted[0].piece;
	assert_true(p->am_choking);
	assert_int_equal(say(p, WIRE_REQUEST, piece), E_OK);
	assert_int_equal(p->serving.n, 1);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(say(p, WIRE_HAVE, i + 20), E_OK);
	assert_int_equal(say(p, WIRE_REQUEST, piece), E_OK);
	assert_int_equal(p->serving.n, 1);
	assert_int_equal(count_out(p, ID_REJECT), 1);
	assert_int_equal(p->bad_requests, 0);
	world_fini(&w);
	p = begin(&w, true, 11);
	assert_int_equal(count_out(p, ID_ALLOWED), 0);
	world_fini(&w);
}

static unsigned take_served(struct swarm_peer *p)
{
	struct block_req r;
	unsigned n = 0;

	for (; swarm_serve_next(p, &r); n++)
		swarm_served(p, r.length);
	return n;
}

/* What is granted is given three times and no more: else who never unchokes us would get all. */
static void t_granted_ends(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, true, 3);

	(void)state;
	count_out(p, 0);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(say(p, WIRE_REQUEST, p->granted[0].piece), E_OK);
	assert_int_equal(take_served(p), 3 * BLOCKS > 10 ? 10 : 3 * BLOCKS);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(say(p, WIRE_REQUEST, p->granted[0].piece), E_OK);
	assert_int_equal(take_served(p), 3 * BLOCKS - 10);
	assert_int_equal(count_out(p, ID_REJECT), 20 - 3 * BLOCKS);
	assert_int_equal(p->bad_requests, 0);
	/* The others are its as before, and with a slot it may ask for what it likes. */
	assert_int_equal(say(p, WIRE_REQUEST, p->granted[1].piece), E_OK);
	assert_int_equal(take_served(p), 1);
	assert_int_equal(say(p, WIRE_INTERESTED, 0), E_OK);
	assert_int_equal(say(p, WIRE_REQUEST, p->granted[0].piece), E_OK);
	assert_int_equal(take_served(p), 1);
	world_fini(&w);
}

/* Requests that were cancelled before anything was sent count no less. */
static void t_granted_cancelled(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, true, 3);
	unsigned taken = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(say(p, WIRE_REQUEST, p->granted[0].piece), E_OK);
		taken += p->serving.n;
		assert_int_equal(say(p, WIRE_CANCEL, p->granted[0].piece), E_OK);
		assert_int_equal(p->serving.n, 0);
	}
	assert_int_equal(taken, 3 * BLOCKS);
	world_fini(&w);
}

/* A choke rejects what is queued, but for what is granted. */
static void t_choke_keeps_granted(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, true, 3);
	uint32_t other = 0, i = 0;

	(void)state;
	while (i < p->granted_n)
		i = p->granted[i].piece == other ? (other++, 0u) : i + 1;
	assert_int_equal(say(p, WIRE_INTERESTED, 0), E_OK);
	assert_false(p->am_choking);
	assert_int_equal(say(p, WIRE_REQUEST, p->granted[1].piece), E_OK);
	assert_int_equal(say(p, WIRE_REQUEST, other), E_OK);
	assert_int_equal(p->serving.n, 2);
	count_out(p, 0);
	p->upload_only = true; /* takes its slot away */
	for (int k = 1; k < 15; k++)
		swarm_tick(w.node[0].swarm, k * SECOND);
	assert_true(p->am_choking);
	assert_int_equal(p->serving.n, 1);
	assert_int_equal(req_at(&p->serving, 0)->piece, p->granted[1].piece);
	assert_int_equal(count_out(p, ID_REJECT), 1);
	world_fini(&w);
}

/* While choked we ask for allowed pieces only, and never again for one that was refused. */
static void t_allowed(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, false, PIECES);

	(void)state;
	p->interesting = PIECES;
	assert_int_equal(swarm_request(p, 100, SECOND), 0);
	assert_int_equal(say(p, WIRE_ALLOWED_FAST, 9), E_OK);
	assert_int_equal(say(p, WIRE_ALLOWED_FAST, 9), E_OK);
	assert_int_equal(p->allowed_n, 1);
	assert_int_equal(swarm_request(p, 100, SECOND), BLOCKS);
	w.node[0].credit -= (int)BLOCKS;
	for (uint32_t b = 0; b < BLOCKS; b++) {
		struct wire_ev ev = {.type = WIRE_REJECT,
			.index = 9,
			.begin = b * BLOCK_SIZE,
			.length = BLOCK_SIZE};

		assert_int_equal(req_at(&p->asked, 0)->piece, 9);
		assert_int_equal(swarm_event(p, &ev, SECOND), E_OK);
	}
	assert_int_equal(p->allowed_n, 0);
	assert_int_equal(swarm_request(p, 100, SECOND), 0);
	world_fini(&w);
}

/* Who rejects without choking is asked again at the next tick and not at once. */
static void t_refusal_rests(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, false, PIECES);
	unsigned n;

	(void)state;
	assert_int_equal(say(p, WIRE_UNCHOKE, 0), E_OK);
	n = swarm_request(p, 4, SECOND);
	assert_int_equal(n, 4);
	w.node[0].credit -= 4;
	for (; n > 0; n--) {
		struct block_req r = *req_at(&p->asked, 0);
		struct wire_ev ev = {.type = WIRE_REJECT,
			.index = r.piece,
			.begin = r.begin,
			.length = r.length};

		assert_int_equal(swarm_event(p, &ev, SECOND), E_OK);
	}
	assert_false(swarm_wants_requests(p));
	swarm_tick(w.node[0].swarm, 2 * SECOND);
	assert_true(swarm_wants_requests(p));
	world_fini(&w);
}

/* Suggestions are followed first, the latest few are kept, unwanted ones forgotten. */
static void t_suggested(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, false, PIECES);

	(void)state;
	assert_int_equal(say(p, WIRE_UNCHOKE, 0), E_OK);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(say(p, WIRE_SUGGEST, i + 10), E_OK);
	assert_int_equal(say(p, WIRE_SUGGEST, 29), E_OK);
	assert_int_equal(p->suggested_n, SWARM_SUGGESTIONS);
	assert_int_equal(p->suggested[0], 14);
	picker_set_have(w.node[0].swarm->picker, 14);
	assert_int_equal(swarm_request(p, BLOCKS, SECOND), BLOCKS);
	w.node[0].credit -= (int)BLOCKS;
	for (uint32_t i = 0; i < BLOCKS; i++)
		assert_int_equal(req_at(&p->asked, i)->piece, 15);
	assert_int_equal(p->suggested_n, SWARM_SUGGESTIONS - 1);
	assert_int_equal(say(p, WIRE_SUGGEST, 14), E_OK); /* we have it */
	assert_int_equal(p->suggested_n, SWARM_SUGGESTIONS - 1);
	world_fini(&w);
}

static void t_suggest(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, true, 3);

	(void)state;
	count_out(p, 0);
	assert_true(swarm_suggest(p, 7));
	assert_false(swarm_suggest(p, 7)); /* said already */
	assert_false(swarm_suggest(p, 1)); /* it has that */
	assert_false(swarm_suggest(p, PIECES));
	assert_int_equal(count_out(p, ID_SUGGEST), 1);
	p->upload_only = true;
	assert_false(swarm_suggest(p, 8));
	world_fini(&w);
	p = begin(&w, false, 3);
	assert_false(swarm_suggest(p, 7)); /* we do not have it */
	world_fini(&w);
}

/* What was read for one is suggested to at most three others that may ask for it, once a minute. */
static void t_suggest_what_was_read(void **state)
{
	struct world w;
	struct swarm *s;
	unsigned told[8] = {0}, all = 0;

	(void)state;
	world_init(&w, 7, 1);
	s = w.node[0].swarm;
	for (unsigned i = 1; i < 7; i++) {
		struct swarm_peer *p;

		world_connect(&w, 0, i);
		p = w.node[0].ends[i].peer;
		assert_int_equal(say(p, WIRE_HAVE_NONE, 0), E_OK);
		p->peer_interested = i != 1;
		p->am_choking = i == 2;
		count_out(p, 0);
	}
	assert_int_equal(say(w.node[0].ends[3].peer, WIRE_REQUEST, 7), E_OK);
	assert_int_equal(swarm_piece_read(s, 7, 2 * SECOND), 3);
	assert_int_equal(swarm_piece_read(s, 7, 3 * SECOND), 0);
	for (unsigned i = 1; i < 7; i++)
		all += told[i] = count_out(w.node[0].ends[i].peer, ID_SUGGEST);
	assert_int_equal(all, 3);
	assert_int_equal(told[1] + told[2] + told[3], 0);
	assert_int_equal(swarm_piece_read(s, 7, 63 * SECOND), 0); /* they know */
	assert_int_equal(swarm_piece_read(s, 8, 63 * SECOND), 3);
	assert_int_equal(swarm_piece_read(s, 9, 63 * SECOND), 3);
	s->super_seeding = true;
	assert_int_equal(swarm_piece_read(s, 10, 63 * SECOND), 0);
	s->super_seeding = false;
	world_fini(&w);
}

/* Becoming a seed is told once, and understood in both forms. */
static void t_upload_only(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, false, 3), *q;
	static const uint8_t on[] = {1}, off[] = {0};
	struct wire_ev ev = {.type = WIRE_EXTENDED, .id = 3, .payload = {on, 1}};

	(void)state;
	count_out(p, 0);
	for (uint32_t i = 0; i < PIECES; i++) {
		assert_int_equal(count_out(p, ID_EXTENDED), 0);
		for (uint32_t b = 0; b < BLOCKS; b++) {
			uint32_t others[PICKER_REQUESTERS_MAX];
			unsigned n;

			picker_received(w.node[0].swarm->picker, 7, i, b * BLOCK_SIZE, others, &n);
		}
		swarm_piece_ok(w.node[0].swarm, i, SECOND);
	}
	assert_true(p->said_upload_only);
	q = w.node[1].ends[0].peer;
	assert_false(q->upload_only);
	outbuf_sent(&q->out, outbuf_len(&q->out));
	end_send(&w.node[0].ends[1]);
	assert_true(q->upload_only);
	assert_int_equal(q->reqq, w.node[0].swarm->config.max_served);
	swarm_reconsider(w.node[0].swarm);
	assert_int_equal(count_out(p, ID_EXTENDED), 0);
	assert_int_equal(swarm_event(p, &ev, SECOND), E_OK);
	assert_true(p->upload_only);
	ev.payload = (struct slice){off, 1};
	assert_int_equal(swarm_event(p, &ev, SECOND), E_OK);
	assert_false(p->upload_only);
	picker_clear_have(w.node[0].swarm->picker, 4);
	swarm_reconsider(w.node[0].swarm);
	assert_false(p->said_upload_only);
	assert_int_equal(count_out(p, ID_EXTENDED), 1);
	world_fini(&w);
}

static bool said(struct swarm_peer *p, const char *text)
{
	const uint8_t *at = memmem(outbuf_data(&p->out), outbuf_len(&p->out), text, strlen(text));

	return at != NULL;
}

/* Every handshake names all that is offered; what is of the wrong length or offered by nobody is
 * passed over. */
static void t_extended_table(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, false, 3);
	static const uint8_t bytes[] = {1, 1};
	struct wire_ev ev = {.type = WIRE_EXTENDED, .id = 3, .payload = {bytes, 2}};

	(void)state;
	outbuf_sent(&p->out, outbuf_len(&p->out));
	assert_int_equal(swarm_event(p, &ev, SECOND), E_OK);
	ev.payload.n = 0;
	assert_int_equal(swarm_event(p, &ev, SECOND), E_OK);
	ev.id = 77;
	ev.payload.n = 1;
	assert_int_equal(swarm_event(p, &ev, SECOND), E_OK);
	assert_false(p->upload_only);
	for (uint32_t i = 0; i < PIECES; i++)
		picker_set_have(w.node[0].swarm->picker, i);
	swarm_reconsider(w.node[0].swarm);
	assert_true(said(p, "11:lt_donthavei7e11:upload_onlyi3e11:ut_metadatai2ee"));
	assert_true(said(p, "11:upload_onlyi1e"));
	outbuf_sent(&p->out, outbuf_len(&p->out));
	picker_clear_have(w.node[0].swarm->picker, 4);
	swarm_reconsider(w.node[0].swarm);
	assert_true(said(p, "11:upload_onlyi3e11:ut_metadatai2e"));
	assert_true(said(p, "11:upload_onlyi0e"));
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_granted),
		cmocka_unit_test(t_granted_ends),
		cmocka_unit_test(t_granted_cancelled),
		cmocka_unit_test(t_choke_keeps_granted),
		cmocka_unit_test(t_allowed),
		cmocka_unit_test(t_refusal_rests),
		cmocka_unit_test(t_suggested),
		cmocka_unit_test(t_suggest),
		cmocka_unit_test(t_suggest_what_was_read),
		cmocka_unit_test(t_upload_only),
		cmocka_unit_test(t_extended_table),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
