/* SPDX-License-Identifier: MIT */
/* A fast and a very slow seed: the end does not wait for the slow one. */
#include "tests/unit/swarm_world.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_steal),
		cmocka_unit_test(t_cancel),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
