/* SPDX-License-Identifier: MIT */
/* What peers ask of us: how much they may have with us, alone and together. */
#include "tests/unit/lib/swarm_world.h"

#define OWN 250u /* requests that any peer may have */

enum { ID_REJECT = 16 };

/* Node 0 is a seed with n peers, all of which have a slot. */
static void begin(struct world *w, unsigned n, struct serve_budget *budget)
{
	struct wire_ev ev = {.type = WIRE_INTERESTED};

	world_init(w, n + 1, 1);
	w->node[0].swarm->config.max_served = 2000;
	w->node[0].swarm->config.budget = budget;
	for (unsigned i = 1; i <= n; i++) {
		world_connect(w, 0, i);
		assert_int_equal(swarm_event(w->node[0].ends[i].peer, &ev, w->now), E_OK);
		assert_false(w->node[0].ends[i].peer->am_choking);
		count_out(w->node[0].ends[i].peer, 0);
	}
}

static void ask(struct world *w, unsigned peer, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct wire_ev ev = {.type = WIRE_REQUEST,
			.index = i / BLOCKS % PIECES,
			.begin = i % BLOCKS * BLOCK_SIZE,
			.length = BLOCK_SIZE};

		assert_int_equal(swarm_event(w->node[0].ends[peer].peer, &ev, w->now), E_OK);
	}
}

/* As many as were announced, and what is beyond them is an offence in the end. */
static void t_announced(void **state)
{
	struct wire_ev ev = {.type = WIRE_REQUEST, .length = BLOCK_SIZE};
	struct world w;
	struct swarm_peer *p;
	enum err e = E_OK;

	(void)state;
	begin(&w, 1, NULL);
	p = w.node[0].ends[1].peer;
	ask(&w, 1, 2000);
	assert_int_equal(p->serving.n, 2000);
	assert_int_equal(count_out(p, ID_REJECT), 0);
	for (unsigned i = 0; i < 1000 && e == E_OK; i++)
		e = swarm_event(p, &ev, w.now);
	assert_int_equal(e, E_PROTOCOL);
	assert_int_equal(p->serving.n, 2000);
	world_fini(&w);
}

/* All together have the budget beyond what is everybody's; over it nobody is to blame. */
static void t_budget(void **state)
{
	struct serve_budget budget = {.max = 1000};
	struct block_req r;
	struct world w;
	struct swarm_peer *a, *b;

	(void)state;
	begin(&w, 2, &budget);
	a = w.node[0].ends[1].peer;
	b = w.node[0].ends[2].peer;
	ask(&w, 1, 900);
	assert_int_equal(budget.used, 900 - OWN);
	ask(&w, 2, 900);
	assert_int_equal(a->serving.n, 900);
	assert_int_equal(b->serving.n, 1000 - (900 - OWN) + OWN);
	assert_int_equal(budget.used, 1000);
	assert_int_equal(count_out(b, ID_REJECT), 900 - b->serving.n);
	assert_int_equal(b->bad_requests, 0);
	/* What is served, cancelled or gone with its peer makes room. */
	assert_true(swarm_serve_next(a, &r));
	swarm_served(a, r.length);
	assert_int_equal(budget.used, 999);
	r = *req_at(&a->serving, 0);
	assert_int_equal(swarm_event(a,
				 &(struct wire_ev){.type = WIRE_CANCEL,
					 .index = r.piece,
					 .begin = r.begin,
					 .length = r.length},
				 w.now),
		E_OK);
	assert_int_equal(budget.used, 998);
	ask(&w, 2, 10);
	assert_int_equal(budget.used, 1000);
	end_close(a->conn);
	assert_int_equal(budget.used, b->serving.n - OWN);
	b->upload_only = true; /* takes its slot away */
	for (int k = 1; k < 15; k++)
		swarm_tick(w.node[0].swarm, w.now + k * SECOND);
	assert_true(b->am_choking);
	assert_int_equal(budget.used, 0);
	world_fini(&w);
	assert_int_equal(budget.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_announced),
		cmocka_unit_test(t_budget),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
