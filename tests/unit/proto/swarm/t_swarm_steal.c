/* SPDX-License-Identifier: MIT */
/* A fast and a slow seed: the end does not wait for the slow one. */
#include "tests/unit/lib/swarm_world.h"

/* Seconds until the leech has everything from a fast seed and slow ones of so many blocks a second.
 */
static int64_t time_of(unsigned slow, unsigned steps_a_block, uint64_t *wasted)
{
	struct world w;
	int64_t done;

	world_init(&w, 2 + slow, 1 + slow);
	w.node[0].upload = 2;
	for (unsigned i = 1; i <= slow; i++) {
		w.node[i].upload = 1;
		w.node[i].every = steps_a_block;
	}
	for (unsigned i = 0; i <= slow; i++)
		world_connect(&w, 1 + slow, i);
	world_run(&w, 400);
	assert_true(world_done(&w));
	done = w.node[1 + slow].done_at;
	*wasted = w.node[1 + slow].swarm->wasted;
	world_fini(&w);
	return done / SECOND;
}

static void t_steal(void **state)
{
	uint64_t wasted;
	int64_t alone = time_of(0, 1, &wasted), with;

	(void)state;
	assert_int_equal(wasted, 0);
	with = time_of(3, 40, &wasted);
	print_message("# %d s alone, %d s with three slow ones, %u blocks wasted\n", (int)alone,
		(int)with, (unsigned)(wasted / BLOCK_SIZE));
	assert_true(with <= alone + 2);
	assert_true(wasted <= 16 * BLOCK_SIZE);
}

/* What was asked twice arrives from the fast one, and the slow one is told at once. */
static void t_cancel(void **state)
{
	struct world w;
	struct swarm_peer *fast, *slow;
	uint32_t asked;

	(void)state;
	world_init(&w, 3, 2);
	world_connect(&w, 2, 0);
	world_connect(&w, 2, 1);
	w.node[1].free_rider = true;
	w.node[0].upload = 4;
	for (unsigned i = 0; i < 40; i++)
		world_step(&w);
	fast = w.node[2].ends[0].peer;
	slow = w.node[2].ends[1].peer;
	assert_true(fast->pace > 10 * BLOCK_SIZE);
	assert_int_equal(slow->pace, 0);
	assert_true(slow->asked.n > 0);
	asked = slow->asked.n;
	world_run(&w, 100);
	assert_true(world_done(&w));
	assert_int_equal(slow->asked.n, 0);
	world_step(&w);
	assert_true(w.node[1].ends[2].peer->serving.n < asked);
	world_fini(&w);
}

/* The end does not wait for a long queue either, where another would be done with it much sooner.
 */
static void t_queue(void **state)
{
	struct world w;
	struct swarm_peer *slow;
	uint32_t most = 0;

	(void)state;
	world_init(&w, 3, 2);
	world_connect(&w, 2, 0);
	world_connect(&w, 2, 1);
	w.node[0].upload = 4;
	w.node[1].upload = 4;
	slow = w.node[2].ends[1].peer;
	for (unsigned i = 0; i < 100 && !world_done(&w); i++) {
		if (i == 16) {
			w.node[1].upload = 1;
			most = slow->asked.n;
		}
		world_step(&w);
	}
	assert_true(world_done(&w));
	print_message("# %u ms, %u blocks at once with the slow one, %u wasted\n",
		(unsigned)((w.node[2].done_at - SECOND) / 1000), most,
		(unsigned)(w.node[2].swarm->wasted / BLOCK_SIZE));
	assert_true(most >= 30);
	assert_true(w.node[2].done_at - SECOND <= 38 * STEP);
	assert_true(w.node[2].swarm->wasted <= 8 * BLOCK_SIZE);
	world_fini(&w);
}

/* How much stands with a peer that has given so many blocks a second, after such a delay, us. */
static uint32_t asked_of(uint32_t rate, int64_t delay)
{
	struct world w;
	struct swarm_peer *p;
	uint32_t asked;

	world_init(&w, 2, 1);
	w.config.max_requests = 500;
	swarm_configure(w.node[1].swarm, &w.config);
	world_connect(&w, 1, 0);
	p = w.node[1].ends[0].peer;
	w.node[0].free_rider = true;
	world_run(&w, 2);
	assert_true(p->asked.n > 0);
	p->reqq = 500;
	p->delay = delay;
	for (unsigned i = 0; i < 20; i++) {
		meter_add(&p->down, (uint64_t)rate * BLOCK_SIZE);
		meter_add(&w.node[1].swarm->down, (uint64_t)rate * BLOCK_SIZE);
		w.now += SECOND;
		p->last_block_at = w.now;
		swarm_tick(w.node[1].swarm, w.now);
	}
	node_ask(&w.node[1]);
	asked = p->asked.n;
	world_fini(&w);
	return asked;
}

/* A second's worth, but beyond what the delay needs not most of what is left: others have it too.
 */
static void t_share(void **state)
{
	(void)state;
	assert_in_range(asked_of(10, 0), 11, 13);
	assert_in_range(asked_of(40, 0), 41, 43);
	assert_int_equal(asked_of(100, 0), 64);
	assert_int_equal(asked_of(1000, 0), 64);
	assert_true(asked_of(100, SECOND / 2) > 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_steal),
		cmocka_unit_test(t_cancel),
		cmocka_unit_test(t_queue),
		cmocka_unit_test(t_share),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
