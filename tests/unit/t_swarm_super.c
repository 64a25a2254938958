/* SPDX-License-Identifier: MIT */
/* Super-seeding: one seed and leeches that serve each other. */
#include "tests/unit/swarm_world.h"

static uint64_t sent_by(const struct world *w, unsigned i)
{
	return w->node[i].swarm->uploaded;
}

static void begin(struct world *w, unsigned n, enum swarm_super mode)
{
	world_init(w, n, 1);
	swarm_super_seed(w->node[0].swarm, mode);
	world_mesh(w);
}

static void check_all_know(const struct world *w)
{
	for (unsigned i = 1; i < w->n; i++)
		assert_true(w->node[i].ends[0].peer->seed);
}

/* It gives little more than one copy, where a plain seed gives several. */
static void t_one_copy(void **state)
{
	const uint64_t size = (uint64_t)PIECES * PIECE_LEN;
	struct world w;

	(void)state;
	begin(&w, 6, SUPER_ON);
	world_step(&w);
	for (unsigned i = 1; i < w.n; i++) {
		assert_true(w.node[0].ends[i].peer->masked);
		assert_false(w.node[0].ends[i].peer->said_upload_only);
		assert_true(w.node[0].ends[i].peer->shown_n <= 2);
		assert_true(w.node[i].ends[0].peer->has.count <= 2);
	}
	world_run(&w, 600);
	assert_true(world_done(&w));
	assert_true(sent_by(&w, 0) >= size && sent_by(&w, 0) < size + size / 4);
	world_fini(&w);
	begin(&w, 6, SUPER_OFF);
	world_run(&w, 600);
	assert_true(world_done(&w));
	assert_true(sent_by(&w, 0) > size + size / 2);
	world_fini(&w);
}

/* By itself it begins where nobody else has all, ends when a copy is out, and tells the rest. */
static void t_auto(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 6, SUPER_AUTO);
	assert_true(w.node[0].swarm->super_seeding);
	for (unsigned i = 0; i < 6000 && !world_done(&w); i++) {
		if (picker_unavailable(w.node[0].swarm->picker) > 0)
			assert_true(w.node[0].swarm->super_seeding);
		world_step(&w);
	}
	assert_true(world_done(&w));
	for (unsigned i = 0; i < 50; i++)
		world_step(&w);
	assert_false(w.node[0].swarm->super_seeding);
	check_all_know(&w);
	for (unsigned i = 1; i < w.n; i++) {
		assert_false(w.node[0].ends[i].peer->masked);
		assert_true(w.node[i].ends[0].peer->upload_only);
	}
	world_fini(&w);
}

static void t_auto_stays_off(void **state)
{
	struct world w;
	struct endpoint other = endpoint_from_v4((const uint8_t[]){10, 0, 0, 99}, 7000);

	(void)state;
	world_init(&w, 3, 2);
	swarm_super_seed(w.node[0].swarm, SUPER_AUTO);
	swarm_super_seed(w.node[2].swarm, SUPER_ON);
	assert_false(w.node[2].swarm->super_seeding); /* a leech never */
	assert_true(w.node[0].swarm->super_seeding);
	w.node[0].swarm->known_seeds = 1;
	world_connect(&w, 0, 2);
	assert_false(w.node[0].ends[2].peer->masked);
	end_close(&w.node[0].ends[2]);
	w.node[0].swarm->known_seeds = 0;
	peerlist_add(w.node[0].swarm->candidates, &other, PEER_TRACKER, w.now);
	peerlist_mark_seed(w.node[0].swarm->candidates, &other, true);
	assert_int_equal(peerlist_seeds(w.node[0].swarm->candidates), 1);
	world_connect(&w, 0, 2);
	assert_false(w.node[0].ends[2].peer->masked);
	end_close(&w.node[0].ends[2]);
	peerlist_mark_seed(w.node[0].swarm->candidates, &other, false);
	world_connect(&w, 0, 2);
	assert_true(w.node[0].ends[2].peer->masked);
	world_connect(&w, 0, 1); /* another seed */
	for (unsigned i = 0; i < 20; i++)
		world_step(&w);
	assert_false(w.node[0].swarm->super_seeding);
	world_fini(&w);
}

/* One leech alone, and two that are not connected to each other: nobody waits for ever. */
static void t_nobody_to_pass_to(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 2, SUPER_ON);
	world_run(&w, 120);
	assert_true(world_done(&w));
	world_fini(&w);
	world_init(&w, 3, 1);
	swarm_super_seed(w.node[0].swarm, SUPER_ON);
	world_connect(&w, 0, 1);
	world_connect(&w, 0, 2);
	world_run(&w, 60 * PIECES);
	assert_true(world_done(&w));
	world_fini(&w);
}

/* What a masked peer was not told of it cannot have; switching off tells it. */
static void t_masked_requests(void **state)
{
	struct world w;
	struct swarm_peer *p;
	uint32_t untold = 0;

	(void)state;
	begin(&w, 2, SUPER_ON);
	end_send(&w.node[1].ends[0]);
	p = w.node[0].ends[1].peer;
	assert_int_equal(p->shown_n, 2);
	while (bitfield_get(&p->told, untold))
		untold++;
	struct wire_ev ask = {.type = WIRE_REQUEST, .index = untold, .length = BLOCK_SIZE};

	p->am_choking = false;
	p->peer_interested = true;
	assert_int_equal(swarm_event(p, &ask, w.now), E_OK);
	assert_int_equal(p->serving.n, 0);
	assert_int_equal(p->bad_requests, 1);
	ask.index = p->shown[0].piece;
	assert_int_equal(swarm_event(p, &ask, w.now), E_OK);
	assert_int_equal(p->serving.n, 1);
	swarm_super_seed(w.node[0].swarm, SUPER_OFF);
	swarm_tick(w.node[0].swarm, w.now + SECOND);
	assert_false(p->masked);
	ask.index = untold;
	assert_int_equal(swarm_event(p, &ask, w.now), E_OK);
	assert_int_equal(p->serving.n, 2);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_one_copy),
		cmocka_unit_test(t_auto),
		cmocka_unit_test(t_auto_stays_off),
		cmocka_unit_test(t_nobody_to_pass_to),
		cmocka_unit_test(t_masked_requests),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
