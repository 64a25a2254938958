/* SPDX-License-Identifier: MIT */
/* Super-seeding: one seed and leeches that serve each other. */
#include "proto/swarm/priv.h"
#include "tests/unit/lib/swarm_world.h"

static uint64_t sent_by(const struct world *w, unsigned i)
{
	return w->node[i].swarm->uploaded;
}

static void begin(struct world *w, unsigned n, enum swarm_super mode)
{
	world_init(w, n, 1);
	swarm_note_seeds(w->node[0].swarm, 0, w->now);
	swarm_super_seed(w->node[0].swarm, mode, w->now);
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
	const uint64_t size = (uint64_t)PIECES * PIECE_LEN;
	struct world w;

	(void)state;
	begin(&w, 6, SUPER_AUTO);
	assert_true(w.node[0].swarm->super_seeding);
	for (unsigned i = 0; i < 6000 && !world_done(&w); i++) {
		if (sent_by(&w, 0) < size - size / 4)
			assert_true(w.node[0].swarm->super_seeding);
		world_step(&w);
	}
	assert_true(world_done(&w));
	assert_true(sent_by(&w, 0) < size + size / 4);
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

/* Whether a peer that joins now is masked. */
static bool masks(struct world *w)
{
	bool masked;

	world_connect(w, 0, 2);
	masked = w->node[0].ends[2].peer->masked;
	end_close(&w->node[0].ends[2]);
	return masked;
}

/* It takes a tracker's word, not too old, that there is no other seed. */
static void t_auto_needs_to_know(void **state)
{
	struct world w;
	struct swarm *s;

	(void)state;
	world_init(&w, 3, 1);
	s = w.node[0].swarm;
	swarm_super_seed(s, SUPER_AUTO, w.now);
	swarm_super_seed(w.node[2].swarm, SUPER_ON, w.now);
	assert_false(w.node[2].swarm->super_seeding); /* a leech never */
	assert_false(masks(&w));
	swarm_note_seeds(s, 1, w.now);
	assert_false(masks(&w));
	swarm_note_seeds(s, 0, w.now);
	assert_true(masks(&w));
	w.plain = true;
	assert_false(masks(&w)); /* it would not bear it */
	swarm_super_seed(s, SUPER_ON, w.now);
	assert_true(masks(&w));
	swarm_super_seed(s, SUPER_AUTO, w.now);
	w.plain = false;
	w.now += 3 * 3600 * SECOND;
	assert_false(masks(&w));
	world_fini(&w);
}

/* What made it end does not let it begin again at once, however often that comes and goes. */
static void t_auto_rests(void **state)
{
	struct world w;
	struct swarm *s;

	(void)state;
	world_init(&w, 3, 2);
	s = w.node[0].swarm;
	swarm_note_seeds(s, 0, w.now);
	swarm_super_seed(s, SUPER_AUTO, w.now);
	assert_true(masks(&w));
	world_connect(&w, 0, 1); /* another seed, which is closed as soon as it is known */
	end_send(&w.node[1].ends[0]);
	assert_true(w.node[0].ends[1].peer->seed);
	end_close(&w.node[0].ends[1]);
	assert_false(s->super_seeding);
	for (unsigned i = 0; i < 25; i++) {
		assert_false(masks(&w));
		w.now += 60 * SECOND;
	}
	w.now += 600 * SECOND;
	assert_true(masks(&w));
	swarm_note_seeds(s, 1, w.now);
	assert_false(masks(&w));
	swarm_note_seeds(s, 0, w.now);
	assert_false(masks(&w));
	world_fini(&w);
}

/* Steps until all have everything. */
static unsigned steps(struct world *w, unsigned n, enum swarm_super mode, bool mesh)
{
	unsigned i = 0;

	world_init(w, n, 1);
	swarm_note_seeds(w->node[0].swarm, 0, w->now);
	swarm_super_seed(w->node[0].swarm, mode, w->now);
	for (unsigned k = 1; k < n && !mesh; k++)
		world_connect(w, 0, k);
	if (mesh)
		world_mesh(w);
	for (; i < 6000 && !world_done(w); i++)
		world_step(w);
	assert_true(world_done(w));
	world_fini(w);
	return i;
}

/* By itself it never costs much time: one leech, and some that cannot pass anything on. */
static void t_auto_costs_little(void **state)
{
	static const struct {
		unsigned nodes;
		bool mesh;
		unsigned slack; /* steps */
	} rows[] = {{2, true, 5}, {3, false, 30}, {5, false, 30}, {3, true, 20}, {6, true, 20}};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned plain = steps(&w, rows[i].nodes, SUPER_OFF, rows[i].mesh);
		unsigned took = steps(&w, rows[i].nodes, SUPER_AUTO, rows[i].mesh);

		print_message(
			"# %u nodes: plain %u, by itself %u steps\n", rows[i].nodes, plain, took);
		assert_true(took <= plain + rows[i].slack);
	}
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
	swarm_super_seed(w.node[0].swarm, SUPER_ON, w.now);
	world_connect(&w, 0, 1);
	world_connect(&w, 0, 2);
	world_run(&w, 60 * PIECES);
	assert_true(world_done(&w));
	world_fini(&w);
}

/* Without the fast extension who has nothing says nothing, and waits to hear of something. */
static void t_silent_ones(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 4, 1);
	w.plain = true;
	swarm_super_seed(w.node[0].swarm, SUPER_ON, w.now);
	world_mesh(&w);
	world_run(&w, 300);
	assert_true(world_done(&w));
	world_fini(&w);
}

/* What a masked peer was not told of it cannot have; switching off tells it. */
/* Some drop whom a HAVE makes a seed while they know of nothing that they want of him. */
static void t_rest_is_told_in_order(void **state)
{
	struct world w;

	(void)state;
	begin(&w, 3, SUPER_AUTO);
	for (unsigned i = 0; i < 6000 && w.node[0].swarm->super_seeding; i++)
		world_step(&w);
	for (unsigned i = 1; i < w.n; i++) {
		struct swarm_peer *p = w.node[0].ends[i].peer;

		for (unsigned k = 0; k < 100 && p->masked; k++) {
			bool lacks = false;

			for (uint32_t piece = 0; piece < PIECES; piece++)
				lacks |= !bitfield_get(&p->has, piece) &&
					 !bitfield_get(&p->told, piece);
			if (p->unveiled >= PIECES)
				assert_false(lacks);
			world_step(&w);
		}
		assert_false(p->masked);
	}
	for (unsigned i = 0; i < 50; i++)
		world_step(&w);
	check_all_know(&w);
	world_fini(&w);
}

static void t_masked_requests(void **state)
{
	struct world w;
	struct swarm_peer *p;
	uint32_t untold = 0;

	(void)state;
	begin(&w, 2, SUPER_ON);
	end_send(&w.node[1].ends[0]);
	p = w.node[0].ends[1].peer;
	assert_int_equal(p->shown_n, 1);
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
	swarm_super_seed(w.node[0].swarm, SUPER_OFF, w.now);
	swarm_tick(w.node[0].swarm, w.now + SECOND);
	assert_false(p->masked);
	ask.index = untold;
	assert_int_equal(swarm_event(p, &ask, w.now), E_OK);
	assert_int_equal(p->serving.n, 2);
	world_fini(&w);
}

static void say(struct swarm_peer *p, enum wire_ev_type type, uint32_t piece, int64_t now)
{
	struct wire_ev ev = {.type = type, .index = piece, .length = BLOCK_SIZE};

	assert_int_equal(swarm_event(p, &ev, now), E_OK);
}

/* A seed, SUPER_ON, whose leeches have greeted it and wait for slots. */
static void begin_choked(struct world *w, unsigned n)
{
	begin(w, n, SUPER_ON);
	for (unsigned i = 1; i < n; i++)
		end_send(&w->node[i].ends[0]);
}

/* Each who waits for a slot knows of one piece, its own; it is the last that others are shown. */
static void t_bait(void **state)
{
	struct world w;
	struct swarm *s;
	struct swarm_peer *p;
	uint32_t bait;

	(void)state;
	begin_choked(&w, 4);
	s = w.node[0].swarm;
	for (unsigned i = 1; i < w.n; i++) {
		p = w.node[0].ends[i].peer;
		assert_true(p->am_choking);
		assert_int_equal(p->shown_n, 1);
		bait = p->shown[0].piece;
		assert_int_equal(bait, PIECES - i);
		assert_int_equal(s->times_bait[bait], 1);
		assert_int_equal(s->times_shown[bait], 0);
	}
	p = w.node[0].ends[3].peer;
	say(p, WIRE_INTERESTED, 0, w.now);
	assert_false(p->am_choking);
	assert_int_equal(p->shown_n, 2);
	assert_int_equal(s->times_bait[PIECES - 3], 0);
	assert_int_equal(s->times_shown[PIECES - 3], 1);
	assert_int_equal(s->times_shown[0], 1);
	/* All others are shown to it before what is a bait. */
	for (unsigned i = 0; i < 6; i++) {
		for (uint32_t k = 0; k < p->shown_n; k++)
			p->shown[k].asked = PIECE_LEN;
		swarm_super_idle(p);
		if (s->fresh_at < PIECES - 4)
			assert_false(bitfield_get(&p->told, PIECES - 2));
	}
	assert_true(bitfield_get(&p->told, PIECES - 2));
	world_fini(&w);
}

/* Who is to be choked gets first what it has asked for; the rest is fresh again. */
static void t_choked(void **state)
{
	struct world w;
	struct swarm *s;
	struct swarm_peer *p;

	(void)state;
	begin_choked(&w, 4);
	s = w.node[0].swarm;
	p = w.node[0].ends[1].peer;
	assert_false(swarm_super_retires(p, w.now)); /* nothing is on the way */
	say(p, WIRE_INTERESTED, 0, w.now);
	say(p, WIRE_REQUEST, 0, w.now);
	assert_int_equal(p->owed, BLOCK_SIZE);
	assert_true(swarm_super_retires(p, w.now));
	assert_true(p->retires);
	swarm_super_idle(p);
	assert_int_equal(p->shown_n, 2); /* and nothing more */
	assert_true(swarm_super_retires(p, w.now + 59 * SECOND));
	assert_false(swarm_super_retires(p, w.now + 61 * SECOND));
	p->am_choking = true;
	swarm_super_choke(p, w.now);
	assert_int_equal(s->times_shown[0], 0);
	assert_int_equal(s->fresh_at, 0);
	/* What has left whole is not. */
	p->am_choking = false;
	swarm_super_choke(p, w.now);
	assert_int_equal(s->times_shown[0], 1);
	for (uint32_t k = 0; k < p->shown_n; k++)
		p->shown[k].asked = PIECE_LEN;
	p->owed = s->owed = 0;
	p->am_choking = true;
	swarm_super_choke(p, w.now);
	assert_int_equal(s->times_shown[0], 1);
	world_fini(&w);
}

/* While all that is left is on its way over a full line, nobody new gets a slot. */
static void t_full(void **state)
{
	struct world w;
	struct swarm *s;
	struct swarm_peer *p;

	(void)state;
	begin_choked(&w, 3);
	s = w.node[0].swarm;
	p = w.node[0].ends[2].peer;
	assert_false(swarm_super_is_full(p));
	for (uint32_t i = 0; i < PIECES; i++)
		s->times_shown[i]++;
	assert_false(swarm_super_is_full(p)); /* idle */
	s->owed = BLOCK_SIZE;
	s->slack = false;
	assert_true(swarm_super_is_full(p));
	say(p, WIRE_INTERESTED, 0, w.now);
	assert_true(p->am_choking);
	s->slack = true;
	say(p, WIRE_NOT_INTERESTED, 0, w.now);
	say(p, WIRE_INTERESTED, 0, w.now);
	assert_false(p->am_choking);
	s->owed = 0;
	world_fini(&w);
}

/* Slots are for who passes on soon; one who is not known yet is between. */
static void t_merit(void **state)
{
	struct world w;
	struct swarm_peer *p[4];
	int64_t now;

	(void)state;
	begin_choked(&w, 4);
	now = w.now;
	for (unsigned i = 1; i < w.n; i++) {
		p[i] = w.node[0].ends[i].peer;
		say(p[i], WIRE_INTERESTED, 0, now);
	}
	assert_true(swarm_super_merit(p[1], now) == swarm_super_merit(p[2], now));
	for (unsigned i = 1; i < 3; i++)
		say(p[i], WIRE_HAVE, PIECES - i, now);
	now += SECOND;
	say(p[3], WIRE_HAVE, PIECES - 1, now);
	now += 9 * SECOND;
	assert_true(swarm_super_merit(p[2], now) < swarm_super_merit(p[3], now));
	assert_true(swarm_super_merit(p[1], now) > swarm_super_merit(p[3], now));
	say(p[3], WIRE_HAVE, PIECES - 2, now);
	assert_int_equal(p[1]->hold, SECOND);
	assert_int_equal(p[2]->hold, 10 * SECOND);
	assert_true(swarm_super_merit(p[2], now) < swarm_super_merit(p[3], now));
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_one_copy),
		cmocka_unit_test(t_auto),
		cmocka_unit_test(t_auto_needs_to_know),
		cmocka_unit_test(t_auto_rests),
		cmocka_unit_test(t_auto_costs_little),
		cmocka_unit_test(t_nobody_to_pass_to),
		cmocka_unit_test(t_silent_ones),
		cmocka_unit_test(t_rest_is_told_in_order),
		cmocka_unit_test(t_masked_requests),
		cmocka_unit_test(t_bait),
		cmocka_unit_test(t_choked),
		cmocka_unit_test(t_full),
		cmocka_unit_test(t_merit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
