/* SPDX-License-Identifier: MIT */
/* HAVEs for a peer that does not read: bounded, and said when it reads again. */
#include "tests/unit/lib/swarm_world.h"

#define MANY   20000u
#define BOUNDS 70000u /* bytes that may wait for such a peer */

static struct swarm_peer *join(struct swarm *s, struct node *d, unsigned who)
{
	struct endpoint at = endpoint_from_v4((const uint8_t[]){10, 0, 0, (uint8_t)who}, 5000);
	uint8_t id[20] = {(uint8_t)who};

	return swarm_join(s, d, &at, id, (struct swarm_caps){.fast = true}, true, d->world->now);
}

/* The peer gives all it is asked for, until n pieces are good. */
static void fetch(struct swarm *s, struct swarm_peer *from, uint32_t n, int64_t now)
{
	while (swarm_have(s)->count < n) {
		struct block_req r;

		swarm_request(from, 100, now);
		assert_true(from->asked.n > 0);
		r = *req_at(&from->asked, 0);
		assert_int_equal(swarm_piece_begin(from, r.piece, r.begin, r.length), SWARM_TAKE);
		assert_true(swarm_block(from, r.piece, r.begin, r.length, now));
		swarm_piece_ok(s, r.piece, now);
		outbuf_sent(&from->out, outbuf_len(&from->out));
	}
}

/* Counts the pieces that HAVEs name in what waits, and takes it. */
static void take_haves(struct swarm_peer *p, uint8_t *told)
{
	const uint8_t *at = outbuf_data(&p->out);
	size_t n = outbuf_len(&p->out);

	for (size_t i = 0; i + 4 <= n;) {
		uint32_t length = (uint32_t)at[i + 2] << 8 | at[i + 3];

		if (length == 5 && at[i + 4] == 4)
			told[(uint32_t)at[i + 6] << 16 | (uint32_t)at[i + 7] << 8 | at[i + 8]] = 1;
		i += 4 + length;
	}
	if (n > 0)
		outbuf_sent(&p->out, n);
}

static void t_haves(void **state)
{
	struct world w = {.now = SECOND};
	struct node d = {.world = &w, .credit = 1000};
	struct layout l = layout_of((uint64_t)MANY * BLOCK_SIZE, BLOCK_SIZE);
	struct swarm_config config = {.max_requests = 100, .max_served = 100, .version = "test"};
	static uint8_t told[MANY];
	struct swarm_peer *seed, *silent;
	struct wire_ev all = {.type = WIRE_HAVE_ALL}, unchoke = {.type = WIRE_UNCHOKE};
	struct swarm *s;

	(void)state;
	rng_seed(&d.rng, 5);
	s = swarm_new(&l, (const uint8_t[20]){5}, &config, &world_ops, &d, &d.rng, w.now);
	seed = join(s, &d, 1);
	silent = join(s, &d, 2);
	outbuf_sent(&silent->out, outbuf_len(&silent->out));
	assert_int_equal(swarm_event(seed, &all, w.now), E_OK);
	assert_int_equal(swarm_event(seed, &unchoke, w.now), E_OK);
	fetch(s, seed, 15000, w.now);
	assert_true(outbuf_len(&silent->out) < BOUNDS);
	take_haves(silent, told);
	for (int i = 0; i < 3; i++) { /* it reads a part, and more become good meanwhile */
		swarm_tick(s, w.now += SECOND);
		fetch(s, seed, 16000 + 1000 * (uint32_t)i, w.now);
		assert_true(outbuf_len(&silent->out) < BOUNDS);
		take_haves(silent, told);
	}
	for (int i = 0; i < 10; i++) {
		swarm_tick(s, w.now += SECOND);
		assert_true(outbuf_len(&silent->out) < BOUNDS);
		take_haves(silent, told);
	}
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(told[i], bitfield_get(swarm_have(s), i));
	swarm_tick(s, w.now += SECOND);
	assert_int_equal(outbuf_len(&silent->out), 0);
	swarm_leave(&seed, w.now);
	swarm_leave(&silent, w.now);
	swarm_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(t_haves)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
