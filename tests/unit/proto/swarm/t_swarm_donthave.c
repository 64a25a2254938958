/* SPDX-License-Identifier: MIT */
/* A piece that is there no more (BEP 54): what a peer takes back, and what we do. */
#include "tests/unit/lib/swarm_world.h"

#define OUR_ID 7 /* of lt_donthave, as others call it */

/* A swarm without a piece, and a peer that has them all. */
static struct swarm_peer *begin(struct world *w, bool we_seed)
{
	static const uint8_t id[20] = {1};
	struct endpoint at = endpoint_from_v4((const uint8_t[]){8, 8, 8, 8}, 6881);
	struct wire_ev all = {.type = we_seed ? WIRE_HAVE_NONE : WIRE_HAVE_ALL};
	struct swarm_peer *p;

	world_init(w, 1, we_seed);
	p = swarm_join(w->node[0].swarm, NULL, &at, id,
		(struct swarm_caps){.fast = true, .extended = true}, false, w->now);
	assert_int_equal(swarm_event(p, &all, w->now), E_OK);
	return p;
}

static enum err extended(struct swarm_peer *p, uint8_t id, const void *bytes, size_t n)
{
	struct wire_ev ev = {.type = WIRE_EXTENDED, .id = id, .payload = {bytes, n}};

	return swarm_event(p, &ev, SECOND);
}

static enum err take_back(struct swarm_peer *p, uint32_t piece)
{
	uint8_t be[4] = {(uint8_t)(piece >> 24), (uint8_t)(piece >> 16), (uint8_t)(piece >> 8),
		(uint8_t)piece};

	return extended(p, OUR_ID, be, sizeof be);
}

static void end(struct world *w, struct swarm_peer *p)
{
	swarm_leave(&p, w->now);
	for (uint32_t i = 0; i < PIECES; i++)
		assert_int_equal(picker_availability(w->node[0].swarm->picker, i), 0);
	world_fini(w);
}

static void t_taken_back(void **state)
{
	struct world w;
	struct swarm_peer *p = begin(&w, false);
	struct picker *k = w.node[0].swarm->picker;

	(void)state;
	assert_true(p->seed);
	assert_int_equal(p->interesting, PIECES);
	assert_int_equal(take_back(p, 3), E_OK);
	assert_false(p->seed || bitfield_get(&p->has, 3));
	assert_int_equal(p->interesting, PIECES - 1);
	assert_int_equal(picker_availability(k, 3), 0);
	assert_int_equal(picker_availability(k, 4), 1);
	assert_int_equal(take_back(p, 3), E_OK); /* again is no news */
	assert_int_equal(take_back(p, PIECES), E_OK);
	assert_int_equal(extended(p, OUR_ID, "\0\0", 2), E_OK);
	assert_int_equal(p->interesting, PIECES - 1);
	for (uint32_t i = 0; i < PIECES; i++)
		assert_int_equal(take_back(p, i), E_OK);
	assert_int_equal(p->interesting, 0);
	assert_false(p->am_interested);
	end(&w, p);
}

/* What it was asked for of the piece is free for others, and the rest stands. */
static void t_requests_are_void(void **state)
{
	struct wire_ev unchoke = {.type = WIRE_UNCHOKE};
	struct world w;
	struct swarm_peer *p = begin(&w, false);
	struct swarm *s = w.node[0].swarm;
	int credit = w.node[0].credit;
	unsigned n, of_it = 0;
	uint32_t piece;

	(void)state;
	assert_int_equal(swarm_event(p, &unchoke, SECOND), E_OK);
	n = swarm_request(p, 4, SECOND);
	assert_int_equal(n, 4);
	w.node[0].credit -= 4;
	piece = req_at(&p->asked, 0)->piece;
	for (uint32_t i = 0; i < p->asked.n; i++)
		of_it += req_at(&p->asked, i)->piece == piece;
	assert_int_equal(take_back(p, piece), E_OK);
	assert_int_equal(p->asked.n, n - of_it);
	assert_int_equal(s->asked, n - of_it);
	assert_int_equal(w.node[0].credit, credit - 4 + (int)of_it);
	assert_true(picker_lacks(s->picker, piece, 0));
	/* One that was on its way is no lie. */
	assert_int_not_equal(swarm_piece_begin(p, piece, 0, BLOCK_SIZE), SWARM_CLOSE);
	end(&w, p);
}

/* Whoever becomes a seed again and again does so at a price. */
static void t_price(void **state)
{
	struct wire_ev have = {.type = WIRE_HAVE, .index = 1};
	struct world w;
	struct swarm_peer *p = begin(&w, false);
	enum err err = E_OK;
	unsigned n = 0;

	(void)state;
	for (; n < 100 && err == E_OK; n++) {
		err = take_back(p, 1);
		assert_int_equal(swarm_event(p, &have, SECOND), E_OK);
	}
	assert_int_equal(err, E_PROTOCOL);
	assert_true(n > 10);
	end(&w, p);
}

/* A block that cannot be read is refused, and the peer hears that the piece is not there, once. */
static void t_said(void **state)
{
	static const char offer[] = "d1:md11:lt_donthavei42eee";
	struct world w;
	struct swarm_peer *p = begin(&w, true);
	struct block_req r = {.piece = 5, .begin = 0, .length = BLOCK_SIZE};

	(void)state;
	assert_int_equal(extended(p, 0, offer, sizeof offer - 1), E_OK);
	count_out(p, 20);
	p->owed = 3 * BLOCK_SIZE;
	w.node[0].swarm->owed = 3 * BLOCK_SIZE;
	swarm_serve_failed(p, &r); /* it was only cancelled */
	assert_int_equal(count_out(p, 20), 0);
	swarm_serve_lost(p, &r);
	assert_memory_equal(outbuf_data(&p->out) + 17, "\0\0\0\6\x14\x2a\0\0\0\5", 10);
	assert_int_equal(count_out(p, 20), 1);
	swarm_serve_lost(p, &r);
	assert_int_equal(count_out(p, 20), 0);
	end(&w, p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_taken_back),
		cmocka_unit_test(t_requests_are_void),
		cmocka_unit_test(t_price),
		cmocka_unit_test(t_said),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
