/* SPDX-License-Identifier: MIT */
/* Actors: casts, calls, replies, deadlines, cancelling, order, stop without a leak. */
#include "tests/unit/lib/actor_rig.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static void call_gets_its_reply(void **state)
{
	static const struct {
		uint16_t type;
		uint64_t n;
		enum err err;
		uint64_t want;
		const char *words;
	} rows[] = {
		{M_ECHO, 21, E_OK, 42, ""},
		{M_ECHO, 13, E_DENIED, 26, ""},
		{M_BUFFER, 0, E_OK, 0, "owned by the message"},
		{M_BUFFER, 7, E_NOSPACE, 7, "owned by the message"},
	};
	struct rig r;

	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		memset(&r.seen, 0, sizeof r.seen);
		(void)rig_call(&r, rows[i].type, rows[i].n);
		assert_int_equal(r.seen.replies, 0); /* never from inside the call */
		rig_turn_until(&r, &r.seen.replies, 1);
		assert_int_equal(r.seen.err, rows[i].err);
		assert_int_equal(r.seen.n, rows[i].want);
		assert_string_equal(r.seen.words, rows[i].words);
	}
	rig_close(&r);
}

static void casts_keep_their_order(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < 20000; i++) {
		struct msg *m = rig_number(&r, M_NUMBER, i);

		actor_cast(r.me, ECHO, &m);
		if (i % 500 == 0)
			assert_true(actor_turn(r.me, 0));
	}
	rig_turn_until(&r, &r.seen.numbers, 20000);
	assert_false(r.seen.disorder);
	rig_close(&r);
}

/* Who only sends gets back what others only receive, long before they have hoarded many. */
static void few_messages_go_round(void **state)
{
	struct rig r = {.set = actors_new(&rig_table)}, *self = &r;
	struct actor *ring = actors_add(r.set, ADDR(R_RING, 0), &rig_ring, NULL);
	const struct msg *seen[16];
	unsigned n = 0, k;

	(void)state;
	r.me = actors_add_here(r.set, ADDR(R_MAIN, 0), &rig_main, &self);
	actors_start_here(r.set);
	for (unsigned i = 0; i < 1000; i++) {
		struct msg *m = rig_number(&r, M_TOKEN, 0);

		for (k = 0; k < n && seen[k] != m; k++)
			;
		if (k == n && n < ARRAY_LEN(seen))
			seen[n++] = m;
		actor_cast(r.me, ADDR(R_RING, 0), &m);
		assert_true(actor_turn(r.me, 0));
		assert_true(actor_turn(ring, 0));
		assert_true(actor_turn(ring, 0));
	}
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* nothing is kept there */
	assert_in_range(n, 2, 12);
#endif
	rig_close(&r);
}

/* A message needs no descriptor: when strangers hold all of them, the first one between two actors
 * is sent as ever. */
static void first_message_needs_no_descriptor(void **state)
{
	struct rlimit before, none;
	struct rig r;
	int fd;

	(void)state;
	rig_open(&r);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	fd = dup(STDERR_FILENO);
	assert_true(fd < 0 && errno == EMFILE);
	for (unsigned i = 0; i < 3; i++) {
		struct msg *m = rig_number(&r, M_TOKEN, 6);

		actor_cast(r.me, ADDR(R_RING, i), &m);
	}
	(void)rig_call(&r, M_ECHO, 21);
	rig_turn_until(&r, &r.seen.replies, 1);
	rig_turn_until(&r, &r.seen.tokens, 3);
	rig_close(&r);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void token_goes_round(void **state)
{
	struct msg *m;
	struct rig r;

	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < 10; i++) {
		m = rig_number(&r, M_TOKEN, 300 + i);
		actor_cast(r.me, ADDR(R_RING, i % 3), &m);
	}
	rig_turn_until(&r, &r.seen.tokens, 10);
	rig_close(&r);
}

static void call_times_out_and_late_reply_is_freed(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	(void)rig_call(&r, M_LATE, 1);
	rig_turn_until(&r, &r.seen.replies, 1);
	assert_int_equal(r.seen.err, E_TIMEOUT);
	assert_int_equal(r.seen.lost, 1);
	assert_int_equal(stat_get(r.me, STAT_CALLS_TIMED_OUT), 1);
	(void)rig_call(&r, M_LATE, 2); /* sets the first one free */
	rig_turn_until(&r, &r.seen.replies, 2);
	assert_int_equal(r.seen.err, E_TIMEOUT);
	(void)rig_call(&r, M_ECHO, 3); /* its reply comes after the late one */
	rig_turn_until(&r, &r.seen.replies, 3);
	assert_int_equal(r.seen.err, E_OK);
	assert_int_equal(stat_get(r.me, STAT_REPLIES_LATE), 1);
	rig_close(&r);
}

static void cancelled_calls_are_silent(void **state)
{
	struct seen kept = {0}, gone = {0};
	struct rig r;

	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < 300; i++) {
		struct msg *m = rig_number(&r, M_ECHO, i);

		(void)actor_call(r.me, ECHO, &m, rig_on_reply, i % 3 ? &gone : &kept);
	}
	actor_cancel_calls(r.me, &gone);
	rig_turn_until(&r, &kept.replies, 100);
	assert_int_equal(gone.replies, 0);
	(void)rig_call(&r, M_ECHO, 1);
	rig_turn_until(&r, &r.seen.replies, 1);
	assert_int_equal(stat_get(r.me, STAT_REPLIES_LATE), 200);
	rig_close(&r);
}

static void ids_are_never_reused(void **state)
{
	uint64_t last = 0;
	struct rig r;

	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t id = rig_call(&r, M_ECHO, i);

		assert_true(id > last);
		last = id;
		if (i % 100 == 0)
			rig_turn_until(&r, &r.seen.replies, i + 1);
	}
	rig_turn_until(&r, &r.seen.replies, 1000);
	rig_close(&r);
}

static void quiesced_actor_refuses_calls(void **state)
{
	struct msg *m;
	struct rig r;

	(void)state;
	rig_open(&r);
	m = msg_new(r.me, KMSG_QUIESCE);
	(void)actor_call(r.me, ECHO, &m, rig_on_reply, &r.seen);
	rig_turn_until(&r, &r.seen.replies, 1);
	assert_int_equal(r.seen.err, E_OK);
	(void)rig_call(&r, M_ECHO, 4);
	rig_turn_until(&r, &r.seen.replies, 2);
	assert_int_equal(r.seen.err, E_STOPPING);
	assert_int_equal(r.seen.n, 4); /* the handler has not seen it */
	assert_int_equal(r.seen.lost, 0);
	m = rig_number(&r, M_NUMBER, 0); /* casts still work */
	actor_cast(r.me, ECHO, &m);
	rig_turn_until(&r, &r.seen.numbers, 1);
	m = msg_new(r.me, KMSG_PING); /* and so does a ping */
	(void)actor_call(r.me, ECHO, &m, rig_on_reply, &r.seen);
	rig_turn_until(&r, &r.seen.replies, 3);
	assert_int_equal(r.seen.err, E_OK);
	rig_close(&r);
}

static void pending_calls_end_with_stopping(void **state)
{
	struct msg *m;
	struct rig r;

	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < 100; i++) {
		m = rig_number(&r, M_LATE, i);
		(void)actor_call_within(r.me, ECHO, &m, 60 * USEC_PER_SEC, rig_on_reply, &r.seen);
	}
	rig_turn_until(&r, &r.seen.replies, 99); /* echo holds the last */
	actors_join(r.set);
	assert_int_equal(r.seen.replies, 100);
	assert_int_equal(r.seen.err, E_STOPPING);
	assert_int_equal(r.seen.lost, 1);
	actors_free(&r.set);
}

static void one_thread_by_hand(void **state)
{
	struct rig r = {.set = actors_new(&rig_table)}, *self = &r;
	struct actor *echo = actors_add(r.set, ECHO, &rig_echo, NULL);

	(void)state;
	r.me = actors_add_here(r.set, ADDR(R_MAIN, 0), &rig_main, &self);
	actors_start_here(r.set);
	(void)rig_call(&r, M_ECHO, 5);
	assert_int_equal(actor_deadline(r.me), 0); /* it has something to send */
	for (int i = 0; i < 100 && r.seen.replies == 0; i++) {
		assert_true(actor_turn(r.me, 0));
		assert_true(actor_turn(echo, 0));
	}
	assert_int_equal(r.seen.n, 10);
	assert_int_equal(actor_deadline(echo), INT64_MAX);
	rig_close(&r);
	assert_int_equal(r.seen.replies, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_gets_its_reply),
		cmocka_unit_test(casts_keep_their_order),
		cmocka_unit_test(few_messages_go_round),
		cmocka_unit_test(token_goes_round),
		cmocka_unit_test(first_message_needs_no_descriptor),
		cmocka_unit_test(call_times_out_and_late_reply_is_freed),
		cmocka_unit_test(cancelled_calls_are_silent),
		cmocka_unit_test(ids_are_never_reused),
		cmocka_unit_test(quiesced_actor_refuses_calls),
		cmocka_unit_test(pending_calls_end_with_stopping),
		cmocka_unit_test(one_thread_by_hand),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
