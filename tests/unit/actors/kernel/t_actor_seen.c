/* SPDX-License-Identifier: MIT */
/* What is seen of actors from outside: what they do, and what is counted of them. */
#include "tests/unit/lib/actor_rig.h"

static void state_is_seen_from_outside(void **state)
{
	struct actor_state s;
	struct rig r;

	(void)state;
	rig_open(&r);
	(void)rig_call(&r, M_ECHO, 1);
	rig_turn_until(&r, &r.seen.replies, 1);
	assert_int_equal(actors_count(r.set), 5);
	actors_state(r.set, 0, &s);
	assert_int_equal(s.addr, ECHO);
	assert_string_equal(s.role, "echo");
	assert_true(s.turns > 0);
	(void)rig_call(&r, M_BUFFER, RIG_HANGS);
	for (int i = 0; i < 2000 && s.handling != M_BUFFER; i++) {
		assert_true(actor_turn(r.me, 1000));
		actors_state(r.set, 0, &s);
	}
	assert_int_equal(s.handling, M_BUFFER);
	assert_string_equal(s.handling_name, "BUFFER");
	assert_in_range(clock_mono_us() - s.since_us, 0, 20 * USEC_PER_SEC);
	rig_release(&r);
	rig_turn_until(&r, &r.seen.replies, 2);
	actors_state(r.set, 2, &s);
	assert_string_equal(s.role, "ring.1");
	assert_true(actors_at(r.set, 4) == r.me);
	rig_close(&r);
}

static uint64_t count_of(struct rig *r, unsigned i, enum stat_kind s)
{
	return stat_get(actors_at(r->set, i), s);
}

/* Of echo, the first, and of the test, the fifth. */
static void what_is_done_is_counted(void **state)
{
	struct actor_counters echo, me;
	struct rig r;

	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < 3; i++)
		(void)rig_call(&r, M_ECHO, i);
	rig_turn_until(&r, &r.seen.replies, 3);
	actors_counters(r.set, 0, &echo);
	actors_counters(r.set, 4, &me);
	assert_string_equal(echo.name, "echo");
	assert_int_equal(echo.in[M_ECHO], 3);
	assert_int_equal(echo.out[M_ECHO], 3);
	assert_int_equal(me.in[M_ECHO], 3);
	assert_int_equal(me.out[M_ECHO], 3);
	assert_int_equal(me.out[M_TOKEN], 0);
	assert_int_equal(me.stats[STAT_CALLS], 3);
	assert_int_equal(me.stats[STAT_MSGS_NEW], 3);
	assert_int_equal(me.calls, 0);
	assert_int_equal(me.waiting, 0);
	assert_in_range(me.waiting_most, 1, 3);
	assert_in_range(echo.waiting_most, 1, 3);
	assert_in_range(echo.stats[STAT_TURNS], 1, count_of(&r, 0, STAT_TURNS));
	assert_in_range(clock_mono_us() - me.turned_us, 0, 20 * USEC_PER_SEC);
	actor_counters_fini(&echo);
	actor_counters_fini(&me);
	rig_close(&r);
}

/* While echo is held up by one, what is sent to it waits, and is seen to wait. */
static void a_mailbox_is_seen_to_fill(void **state)
{
	struct actor_counters echo = {0}, me;
	struct rig r;

	(void)state;
	rig_open(&r);
	(void)rig_call(&r, M_BUFFER, RIG_HANGS);
	for (int i = 0; i < 2000 && echo.handling != M_BUFFER; i++) {
		assert_true(actor_turn(r.me, 1000));
		actor_counters_fini(&echo);
		actors_counters(r.set, 0, &echo);
	}
	for (unsigned i = 0; i < 40; i++)
		(void)rig_call(&r, M_ECHO, i);
	assert_true(actor_turn(r.me, 0));
	actor_counters_fini(&echo);
	actors_counters(r.set, 0, &echo);
	actors_counters(r.set, 4, &me);
	assert_int_equal(echo.waiting, 41); /* with the one in hand */
	assert_int_equal(echo.waiting_most, 41);
	assert_int_equal(me.calls, 41);
	actor_counters_fini(&me);
	rig_release(&r);
	rig_turn_until(&r, &r.seen.replies, 41);
	actor_counters_fini(&echo);
	actors_counters(r.set, 0, &echo);
	assert_int_equal(echo.stats[STAT_MSGS_IN], 41);
	assert_true(echo.waiting_most >= 40);
	actor_counters_fini(&echo);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_is_seen_from_outside),
		cmocka_unit_test(what_is_done_is_counted),
		cmocka_unit_test(a_mailbox_is_seen_to_fill),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
