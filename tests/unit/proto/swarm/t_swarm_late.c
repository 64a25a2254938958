/* SPDX-License-Identifier: MIT */
/* A peer that falls silent, loses its requests, and answers them after all. */
#include "tests/unit/lib/swarm_world.h"

enum { ID_REQUEST = 6, ID_CANCEL = 8 };

/* Node 0 downloads; its peers are scripted and have the first `has_n` pieces. */
static void begin(struct world *w, unsigned peers, uint32_t has_n, bool plain)
{
	struct wire_ev unchoke = {.type = WIRE_UNCHOKE};

	world_init(w, 1 + peers, 0);
	w->plain = plain;
	for (unsigned i = 1; i <= peers; i++) {
		struct wire_ev bits = {.type = WIRE_BITFIELD};
		struct bitfield has;
		struct swarm_peer *p;

		world_connect(w, 0, i);
		p = w->node[0].ends[i].peer;
		bitfield_init(&has, PIECES);
		for (uint32_t k = 0; k < has_n; k++)
			bitfield_set(&has, k);
		bits.payload = (struct slice){has.bytes, bitfield_bytes(PIECES)};
		assert_int_equal(swarm_event(p, &bits, w->now), E_OK);
		bitfield_free(&has);
		assert_int_equal(swarm_event(p, &unchoke, w->now), E_OK);
	}
}

static struct swarm_peer *peer_of(struct world *w, unsigned i)
{
	return w->node[0].ends[i].peer;
}

static unsigned ask(struct world *w, unsigned i, unsigned max)
{
	unsigned n = swarm_request(peer_of(w, i), max, w->now);

	w->node[0].credit -= (int)n;
	return n;
}

static void wait_seconds(struct world *w, unsigned n)
{
	while (n-- > 0) {
		w->now += SECOND;
		swarm_tick(w->node[0].swarm, w->now);
	}
}

/* A block comes whole; true: it is new, and goes to the store, which gives its unit back. */
static bool brings(struct world *w, unsigned i, const struct block_req *r)
{
	struct swarm_peer *p = peer_of(w, i);

	if (swarm_piece_begin(p, r->piece, r->begin, r->length) != SWARM_TAKE)
		return false;
	if (!swarm_block(p, r->piece, r->begin, r->length, w->now))
		return false;
	w->node[0].credit++;
	return true;
}

/* Asks for n blocks, copies of which are in r, and lets the peer be silent until it is snubbed. */
static void stall(struct world *w, struct block_req *r, unsigned n)
{
	struct swarm_peer *p = peer_of(w, 1);

	p->window = n;
	assert_int_equal(ask(w, 1, n), n);
	for (unsigned i = 0; i < n; i++)
		r[i] = *req_at(&p->asked, i);
	wait_seconds(w, 20);
	assert_true(p->snubbed);
	assert_int_equal(p->asked.n, 0);
	assert_int_equal(p->late.n, n);
	assert_int_equal(w->node[0].credit, 1000);
	count_out(p, 0);
}

static void end(struct world *w)
{
	assert_int_equal(w->node[0].swarm->asked, peer_of(w, 1)->asked.n);
	picker_check(w->node[0].swarm->picker);
	world_fini(w);
}

/* All of it is taken, whether it is asked for again meanwhile or not, and nothing is said twice. */
static void t_taken(void **state)
{
	struct block_req r[8];
	struct world w;
	struct swarm_peer *p;

	(void)state;
	begin(&w, 1, 2, false);
	p = peer_of(&w, 1);
	stall(&w, r, 8);
	assert_int_equal(ask(&w, 1, 100), 1); /* the window of who is snubbed */
	assert_int_equal(count_out(p, ID_REQUEST), 0);
	assert_int_equal(p->late.n, 7);
	for (unsigned i = 0; i < 8; i++) {
		assert_true(brings(&w, 1, &r[i]));
		assert_false(p->snubbed);
	}
	assert_int_equal(p->asked.n + p->late.n, 0);
	assert_int_equal(w.node[0].credit, 1000);
	assert_int_equal(w.node[0].swarm->wasted, 0);
	assert_int_equal(w.node[0].swarm->downloaded, 8 * BLOCK_SIZE);
	/* Once each, and nothing else. */
	assert_int_equal(swarm_piece_begin(p, r[0].piece, r[0].begin, BLOCK_SIZE), SWARM_CLOSE);
	assert_int_equal(swarm_piece_begin(p, PIECES - 1, 0, BLOCK_SIZE), SWARM_CLOSE);
	end(&w);
}

/* Given up while its payload was on the way in. */
static void t_given_up_in_mid_air(void **state)
{
	struct block_req r;
	struct world w;
	struct swarm_peer *p;

	(void)state;
	begin(&w, 1, 2, false);
	p = peer_of(&w, 1);
	assert_int_equal(ask(&w, 1, 1), 1);
	r = *req_at(&p->asked, 0);
	assert_int_equal(swarm_piece_begin(p, r.piece, r.begin, r.length), SWARM_TAKE);
	wait_seconds(&w, 20);
	assert_int_equal(p->late.n, 1);
	assert_true(swarm_block(p, r.piece, r.begin, r.length, w.now));
	assert_int_equal(w.node[0].credit, 999);
	w.node[0].credit++;
	assert_int_equal(w.node[0].swarm->wasted, 0);
	end(&w);
}

/* Without a unit of credit there may be no memory for it. */
static void t_no_credit(void **state)
{
	struct block_req r[2];
	struct world w;

	(void)state;
	begin(&w, 1, 2, false);
	stall(&w, r, 2);
	w.node[0].credit = 0;
	assert_false(brings(&w, 1, &r[0]));
	assert_int_equal(w.node[0].swarm->wasted, BLOCK_SIZE);
	w.node[0].credit = 1;
	assert_true(brings(&w, 1, &r[1]));
	assert_int_equal(w.node[0].credit, 1);
	w.node[0].credit = 1000;
	assert_int_equal(w.node[0].swarm->wasted, BLOCK_SIZE);
	end(&w);
}

/* What another was asked for meanwhile is cancelled there. */
static void t_cancels_others(void **state)
{
	struct block_req r[4];
	struct world w;
	struct swarm_peer *q;

	(void)state;
	begin(&w, 2, 1, false);
	q = peer_of(&w, 2);
	stall(&w, r, 4);
	assert_int_equal(ask(&w, 2, 4), 4);
	count_out(q, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(brings(&w, 1, &r[i]));
	assert_int_equal(q->asked.n, 0);
	assert_int_equal(count_out(q, ID_CANCEL), 4);
	assert_int_equal(w.node[0].credit, 1000);
	end(&w);
}

/* What another brought is no longer wanted: the silent one is told, and what comes is wasted. */
static void t_overtaken(void **state)
{
	struct block_req r[4];
	struct world w;
	struct swarm_peer *p;

	(void)state;
	begin(&w, 2, 1, false);
	p = peer_of(&w, 1);
	stall(&w, r, 4);
	assert_int_equal(ask(&w, 2, 3), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true(brings(&w, 2, &r[i]));
	assert_false(brings(&w, 1, &r[0]));
	assert_int_equal(w.node[0].swarm->wasted, BLOCK_SIZE);
	wait_seconds(&w, 1);
	assert_int_equal(count_out(p, ID_CANCEL), 2);
	assert_int_equal(p->late.n, 1);
	assert_false(brings(&w, 1, &r[1]));
	assert_true(brings(&w, 1, &r[3]));
	assert_int_equal(w.node[0].swarm->wasted, 2 * BLOCK_SIZE);
	end(&w);
}

/* Who stays silent is told again what it is to send. */
static void t_lost(void **state)
{
	struct block_req r[8];
	struct world w;
	struct swarm_peer *p;

	(void)state;
	begin(&w, 1, 2, false);
	p = peer_of(&w, 1);
	stall(&w, r, 8);
	assert_int_equal(ask(&w, 1, 100), 1);
	assert_int_equal(count_out(p, ID_REQUEST), 0);
	wait_seconds(&w, 20);
	assert_int_equal(p->asked.n, 0);
	assert_int_equal(ask(&w, 1, 100), 1);
	assert_int_equal(count_out(p, ID_REQUEST), 1);
	assert_int_equal(p->late.n, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_true(brings(&w, 1, &r[i]));
	end(&w);
}

/* A refusal or a choke (BEP 3) ends what stood. */
static void t_refused(void **state)
{
	struct wire_ev choke = {.type = WIRE_CHOKE}, reject = {.type = WIRE_REJECT};
	struct block_req r[4];
	struct world w;

	(void)state;
	begin(&w, 1, 2, false);
	stall(&w, r, 4);
	reject.index = r[2].piece;
	reject.begin = r[2].begin;
	reject.length = r[2].length;
	assert_int_equal(swarm_event(peer_of(&w, 1), &reject, w.now), E_OK);
	assert_int_equal(peer_of(&w, 1)->late.n, 3);
	assert_int_equal(
		swarm_piece_begin(peer_of(&w, 1), r[2].piece, r[2].begin, BLOCK_SIZE), SWARM_CLOSE);
	end(&w);
	begin(&w, 1, 2, true);
	stall(&w, r, 4);
	assert_int_equal(swarm_event(peer_of(&w, 1), &choke, w.now), E_OK);
	assert_int_equal(peer_of(&w, 1)->late.n, 0);
	assert_false(brings(&w, 1, &r[0]));
	assert_int_equal(peer_of(&w, 1)->voided, 3);
	end(&w);
}

/* No more is remembered than may be asked for, the rest is excused. */
static void t_bounded(void **state)
{
	struct block_req r[4];
	struct world w;
	struct swarm_peer *p;

	(void)state;
	begin(&w, 1, 2, false);
	p = peer_of(&w, 1);
	stall(&w, r, 4);
	w.node[0].swarm->config.max_requests = 4;
	p->late_lost = true;
	p->snubbed = false;
	p->window = 4;
	assert_int_equal(ask(&w, 1, 100), 4);
	wait_seconds(&w, 60);
	assert_int_equal(p->late.n, 4);
	assert_int_equal(p->voided, 4);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_taken),
		cmocka_unit_test(t_given_up_in_mid_air),
		cmocka_unit_test(t_no_credit),
		cmocka_unit_test(t_cancels_others),
		cmocka_unit_test(t_overtaken),
		cmocka_unit_test(t_lost),
		cmocka_unit_test(t_refused),
		cmocka_unit_test(t_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
