/* SPDX-License-Identifier: MIT */
/* Who gets slots, and who is dropped: swarms against each other. */
#include "tests/unit/lib/swarm_world.h"

static uint64_t got(const struct world *w, unsigned i)
{
	return w->node[i].swarm->downloaded;
}

/* Of leeches that serve each other those that give get more than those that do not. */
static void t_free_rider(void **state)
{
	struct world w;
	uint64_t givers = 0, takers = 0;

	(void)state;
	world_init(&w, NODES, 1);
	w.plain = true;
	for (unsigned i = 0; i < w.n; i++) {
		w.node[i].upload = 1;
		w.node[i].every = 10;
		choker_init(&w.node[i].swarm->choker, 3, 3, CHOKE_FASTEST_UPLOAD);
	}
	w.node[6].free_rider = w.node[7].free_rider = true;
	for (unsigned i = 1; i < w.n; i++)
		for (uint32_t p = 0; p < PIECES; p++)
			if (rng_below(&w.node[i].rng, 4) == 0)
				picker_set_have(w.node[i].swarm->picker, p);
	world_mesh(&w);
	/* Half way: later those that give have nothing more to give to each other. */
	while (givers < 5 * 75) {
		world_step(&w);
		givers = takers = 0;
		for (unsigned i = 1; i < w.n; i++)
			*(w.node[i].free_rider ? &takers : &givers) += got(&w, i) / BLOCK_SIZE;
	}
	print_message("# a giver got %u blocks, a taker %u\n", (unsigned)givers / 5,
		(unsigned)takers / 2);
	assert_true(takers / 2 < givers / 5 * 3 / 4);
	world_fini(&w);
}

/* A short silence does not cost what was earned over two rounds; a long one does. */
static void t_window(void **state)
{
	struct world w;
	struct swarm_peer *steady, *burst;
	struct wire_ev interested = {.type = WIRE_INTERESTED};

	(void)state;
	world_init(&w, 8, 0);
	w.config.upload_slots = 2;
	for (unsigned i = 1; i < 8; i++)
		world_connect(&w, 0, i);
	choker_init(&w.node[0].swarm->choker, 2, 2, CHOKE_FASTEST_UPLOAD);
	for (unsigned i = 1; i < 8; i++)
		assert_int_equal(swarm_event(w.node[0].ends[i].peer, &interested, w.now), E_OK);
	steady = w.node[0].ends[1].peer;
	burst = w.node[0].ends[2].peer;
	for (unsigned second = 1; second <= 60; second++) {
		w.now += SECOND;
		steady->downloaded += 1000;
		meter_add(&steady->down, 1000);
		if (second <= 24) {
			burst->downloaded += 3000;
			meter_add(&burst->down, 3000);
		}
		swarm_tick(w.node[0].swarm, w.now);
		/* It was silent for some seconds at the round of the thirtieth. */
		if (second == 33)
			assert_false(burst->am_choking && !burst->optimistic);
	}
	assert_false(steady->am_choking);
	assert_false(steady->optimistic);
	world_fini(&w);
}

/* Interest that changes just before a round does not put it off. */
static void t_rounds_in_time(void **state)
{
	struct wire_ev no = {.type = WIRE_NOT_INTERESTED}, yes = {.type = WIRE_INTERESTED};
	struct world w;
	struct swarm *s;
	int64_t round;

	(void)state;
	world_init(&w, 2, 0);
	world_connect(&w, 0, 1);
	s = w.node[0].swarm;
	for (unsigned second = 0; second < 15; second++, w.now += SECOND)
		swarm_tick(s, w.now);
	round = s->choker.round_at;
	for (unsigned second = 0; second < 60; second++, w.now += SECOND) {
		if (second % 4 == 0)
			assert_int_equal(swarm_event(w.node[0].ends[1].peer,
						 second % 8 == 0 ? &yes : &no, w.now),
				E_OK);
		swarm_tick(s, w.now);
		assert_in_range(w.now - s->choker.round_at, 0, CHOKER_ROUND_US + SECOND);
	}
	assert_true(s->choker.round_at >= round + 5 * CHOKER_ROUND_US);
	world_fini(&w);
}

static void t_modes(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 2, 1);
	assert_int_equal(w.node[0].swarm->choker.mode, CHOKE_FASTEST_UPLOAD);
	swarm_choke_mode(w.node[0].swarm, CHOKE_ANTI_LEECH);
	assert_int_equal(w.node[0].swarm->choker.mode, CHOKE_ANTI_LEECH);
	world_fini(&w);
	w.config.choke_seed = CHOKE_ROUND_ROBIN;
	node_init(&w, 0, true);
	assert_int_equal(w.node[0].swarm->choker.mode, CHOKE_ROUND_ROBIN);
	swarm_free(&w.node[0].swarm);
}

/* A peer in a given state, connected long ago unless it says so. */
static const struct {
	const char *name;
	bool am_interested, peer_interested, am_choking, peer_choking, snubbed, upload_only, fresh;
	unsigned rate; /* bytes it gave in the last second */
	unsigned rank; /* 0: never dropped; the lowest goes first */
} peers[] = {
	{"gives now", true, false, true, false, false, false, false, 5000, 0},
	{"is served", false, true, false, true, false, false, false, 0, 0},
	{"came just now", false, false, true, true, false, true, true, 0, 0},
	{"may soon give", true, false, true, false, false, false, false, 0, 0},
	{"wants, and waits for a slot", false, true, true, true, false, false, false, 0, 0},
	{"we wait for each other", true, true, true, true, false, false, false, 0, 5},
	{"never gave us a slot", true, false, true, true, false, false, false, 0, 4},
	{"snubbed us", true, false, true, false, true, false, false, 0, 3},
	{"nothing for each other", false, false, true, true, false, false, false, 0, 2},
	{"wants nothing ever, nor do we", false, false, true, true, false, true, false, 0, 1},
};

static void t_worst(void **state)
{
	struct layout l = layout_of((uint64_t)PIECES * PIECE_LEN, PIECE_LEN);
	struct swarm_config c = {.max_requests = 10, .max_served = 10, .upload_slots = 2};
	struct swarm_peer *p[ARRAY_LEN(peers)], *worst;
	struct node d = {.credit = 0};
	const uint8_t hash[20] = {0}, id[20] = {0};
	int64_t now = 1000 * SECOND;
	struct swarm *s;

	(void)state;
	rng_seed(&d.rng, 1);
	s = swarm_new(&l, hash, &c, &world_ops, &d, &d.rng, 0);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		struct endpoint at = {.port = 1};

		p[i] = swarm_join(
			s, NULL, &at, id, (struct swarm_caps){0}, false, peers[i].fresh ? now : 0);
		p[i]->am_interested = peers[i].am_interested;
		p[i]->peer_interested = peers[i].peer_interested;
		p[i]->am_choking = peers[i].am_choking;
		p[i]->peer_choking = peers[i].peer_choking;
		p[i]->snubbed = peers[i].snubbed;
		p[i]->upload_only = peers[i].upload_only;
		(void)meter_rate(&p[i]->down, now - SECOND);
		meter_add(&p[i]->down, peers[i].rate);
	}
	worst = swarm_turnover(s, now);
	assert_ptr_equal(worst, swarm_worst(s, now));
	assert_null(swarm_turnover(s, now + 29 * SECOND));
	assert_non_null(swarm_turnover(s, now + 30 * SECOND));
	for (unsigned rank = 1; rank <= 5; rank++) {
		worst = swarm_worst(s, now);
		assert_non_null(worst);
		assert_ptr_equal(worst, swarm_least(s, now));
		if (peers[worst->index].rank != rank)
			fail_msg("%s: not %u", peers[worst->index].name, rank);
		p[worst->index] = NULL;
		swarm_leave(&worst, now);
	}
	assert_null(swarm_worst(s, now));
	assert_null(swarm_turnover(s, now));
	now += 60 * SECOND;
	(void)meter_rate(&p[0]->down, now - SECOND);
	meter_add(&p[0]->down, peers[0].rate);
	worst = swarm_least(s, now);
	assert_non_null(worst); /* one must go, and not the one that gives */
	assert_int_not_equal(worst->index, 0);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		if (p[i] != NULL)
			swarm_leave(&p[i], now);
	swarm_free(&s);
}

/* What is configured anew is what it would have begun with. */
static void t_configured_anew(void **state)
{
	struct world w;
	struct swarm *s;
	struct swarm_config config;

	(void)state;
	world_init(&w, 2, 0);
	s = w.node[0].swarm;
	for (uint32_t slots = 16; slots > 0; slots /= 2) {
		config = s->config;
		config.upload_slots = slots;
		config.max_requests = 9;
		swarm_configure(s, &config);
		assert_int_equal(s->config.max_requests, 9);
		assert_int_equal(s->choker.slots, slots);
		assert_int_equal(s->choker.slots_min, MIN(slots, 4)); /* on a slow line */
	}
	s->choker.slots = 7;
	config.max_requests = 10;
	swarm_configure(s, &config);
	assert_int_equal(s->choker.slots, 7); /* what it has found out of the line stays */
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_free_rider),
		cmocka_unit_test(t_window),
		cmocka_unit_test(t_rounds_in_time),
		cmocka_unit_test(t_modes),
		cmocka_unit_test(t_worst),
		cmocka_unit_test(t_configured_anew),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
