/* SPDX-License-Identifier: MIT */
/*
 * Actors: casts, calls, replies, deadlines, cancelling, order, what must panic, stop without a
 * leak.
 *
 * The test's thread is the actor "main"; what others do is told to it by messages.
 */
#include "actors/kernel/actor.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/kernel/stats.h"

enum { R_MAIN, R_ECHO, R_RING };
enum { M_ECHO = KMSG_FIRST_USER_, M_LATE, M_NUMBER, M_TOKEN, M_BUFFER, M_MAX_ };

#define BIT(r) (1u << (r))
#define ECHO   ADDR(R_ECHO, 0)

struct m_number {
	struct msg h;
	uint64_t n;
	char *owned;
};

static void number_fini(struct msg *m)
{
	free(((struct m_number *)(void *)m)->owned);
}

static const struct msg_type types[M_MAX_] = {
	[KMSG_NONE] = {"NONE", sizeof(struct msg), NULL, 0, 0, 0},
	[KMSG_PING] = {"PING", sizeof(struct msg), NULL, ~0u, ~0u, 1000},
	[KMSG_QUIESCE] = {"QUIESCE", sizeof(struct msg), NULL, ~0u, ~0u, 2000},
	[KMSG_TERM] = {"TERM", sizeof(struct msg), NULL, ~0u, ~0u, 0},
	[M_ECHO] = {"ECHO", sizeof(struct m_number), number_fini, BIT(R_MAIN), BIT(R_ECHO), 5000},
	[M_LATE] = {"LATE", sizeof(struct m_number), number_fini, BIT(R_MAIN), BIT(R_ECHO), 20},
	[M_NUMBER] = {"NUMBER", sizeof(struct m_number), number_fini, BIT(R_MAIN) | BIT(R_ECHO),
		BIT(R_MAIN) | BIT(R_ECHO), 0},
	[M_TOKEN] = {"TOKEN", sizeof(struct m_number), number_fini, BIT(R_MAIN) | BIT(R_RING),
		BIT(R_MAIN) | BIT(R_RING), 0},
	[M_BUFFER] = {"BUFFER", sizeof(struct m_number), number_fini, BIT(R_MAIN), BIT(R_ECHO),
		5000},
};
static const char *const roles[] = {"main", "echo", "ring"};
static const struct msg_table table = {.types = types,
	.n = M_MAX_,
	.roles = roles,
	.roles_n = ARRAY_LEN(roles)};

static struct m_number *number_of(struct msg *m)
{
	return (struct m_number *)(void *)m;
}

/* --- echo: answers, keeps late ones, sends numbers back --- */

struct echo {
	struct msg *held;
};

static void *echo_init(struct actor *a, const void *arg)
{
	(void)a, (void)arg;
	return xcalloc(1, sizeof(struct echo));
}

static void echo_fini(struct actor *a)
{
	struct echo *e = actor_self(a);

	msg_free(a, &e->held);
	xfree(e);
}

static void echo_echo(struct actor *a, struct msg **m)
{
	number_of(*m)->n *= 2;
	actor_reply(a, m, number_of(*m)->n == 26 ? E_DENIED : E_OK);
}

/* Leaves it to the kernel to answer with what is in err. */
static void echo_buffer(struct actor *a, struct msg **m)
{
	(void)a;
	if (number_of(*m)->n == 99)
		usleep(200000); /* a disk that hangs */
	number_of(*m)->owned = xstrdup("owned by the message");
	(*m)->err = number_of(*m)->n ? E_NOSPACE : E_OK;
}

/* Answers the one before it. */
static void echo_late(struct actor *a, struct msg **m)
{
	struct echo *e = actor_self(a);
	struct msg *now = e->held;

	e->held = *m;
	*m = NULL;
	if (now != NULL)
		actor_reply(a, &now, E_OK);
}

static void echo_number(struct actor *a, struct msg **m)
{
	actor_cast(a, (*m)->from, m);
}

static const struct actor_handler echo_handlers[] = {
	{M_ECHO, echo_echo},
	{M_LATE, echo_late},
	{M_NUMBER, echo_number},
	{M_BUFFER, echo_buffer},
	{0, NULL},
};
static const struct actor_spec echo_spec = {.role_name = "echo",
	.handlers = echo_handlers,
	.init = echo_init,
	.fini = echo_fini};

/* --- ring: passes a token on, as often as it says; one that says 0 ends there --- */

static void ring_token(struct actor *a, struct msg **m)
{
	uint64_t left = number_of(*m)->n - 1;
	unsigned next = (ADDR_INDEX(actor_addr(a)) + 1) % 3;

	if (number_of(*m)->n == 0)
		return;
	number_of(*m)->n = left;
	actor_cast(a, left ? ADDR(R_RING, next) : ADDR(R_MAIN, 0), m);
}

static const struct actor_handler ring_handlers[] = {{M_TOKEN, ring_token}, {0, NULL}};
static const struct actor_spec ring_spec = {.role_name = "ring", .handlers = ring_handlers};

/* --- main: the test itself --- */

struct seen {
	unsigned replies, numbers, tokens, lost;
	bool disorder;
	enum err err;
	uint64_t n;
	char words[32];
};

struct rig {
	struct actors *set;
	struct actor *me;
	struct seen seen;
};

static void *main_init(struct actor *a, const void *arg)
{
	(void)a;
	return *(struct rig *const *)arg;
}

static void main_number(struct actor *a, struct msg **m)
{
	struct rig *r = actor_self(a);

	r->seen.disorder |= number_of(*m)->n != r->seen.numbers;
	r->seen.numbers++;
}

static void main_token(struct actor *a, struct msg **m)
{
	struct rig *r = actor_self(a);

	(void)m;
	r->seen.tokens++;
}

static const struct actor_handler main_handlers[] = {
	{M_NUMBER, main_number}, {M_TOKEN, main_token}, {0, NULL}};
static const struct actor_spec main_spec = {.role_name = "main",
	.handlers = main_handlers,
	.init = main_init};

static void on_reply(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct seen *s = ctx;

	(void)a;
	s->replies++;
	s->err = err;
	if (m == NULL) {
		s->lost++;
		return;
	}
	if (types[(*m)->type].size != sizeof(struct m_number))
		return;
	s->n = number_of(*m)->n;
	if (number_of(*m)->owned != NULL)
		(void)snprintf(s->words, sizeof s->words, "%s", number_of(*m)->owned);
}

static void rig_open(struct rig *r)
{
	struct rig *self = r;

	*r = (struct rig){.set = actors_new(&table)};
	actors_add(r->set, ECHO, &echo_spec, NULL);
	for (unsigned i = 0; i < 3; i++)
		actors_add(r->set, ADDR(R_RING, i), &ring_spec, NULL);
	r->me = actors_add_here(r->set, ADDR(R_MAIN, 0), &main_spec, &self);
	actors_start(r->set);
}

static void rig_close(struct rig *r)
{
	actors_join(r->set);
	actors_free(&r->set);
	assert_null(r->set);
}

/* Turns until *counter reaches n; a test that waits too long fails. */
static void turn_until(struct rig *r, const unsigned *counter, unsigned n)
{
	int64_t end = clock_mono_us() + 20 * USEC_PER_SEC;

	while (*counter < n && clock_mono_us() < end)
		assert_true(actor_turn(r->me, 100 * USEC_PER_MSEC));
	assert_int_equal(*counter, n);
}

static struct msg *number_new(struct rig *r, uint16_t type, uint64_t n)
{
	struct m_number *m = msg_new(r->me, type);

	m->n = n;
	return &m->h;
}

static uint64_t call(struct rig *r, uint16_t type, uint64_t n)
{
	struct msg *m = number_new(r, type, n);
	uint64_t id = actor_call(r->me, ECHO, &m, on_reply, &r->seen);

	assert_null(m);
	return id;
}

/* --- the tests --- */

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
		(void)call(&r, rows[i].type, rows[i].n);
		assert_int_equal(r.seen.replies, 0); /* never from inside the call */
		turn_until(&r, &r.seen.replies, 1);
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
		struct msg *m = number_new(&r, M_NUMBER, i);

		actor_cast(r.me, ECHO, &m);
		if (i % 500 == 0)
			assert_true(actor_turn(r.me, 0));
	}
	turn_until(&r, &r.seen.numbers, 20000);
	assert_false(r.seen.disorder);
	rig_close(&r);
}

/* Who only sends gets back what others only receive, long before they have hoarded many. */
static void few_messages_go_round(void **state)
{
	struct rig r = {.set = actors_new(&table)}, *self = &r;
	struct actor *ring = actors_add(r.set, ADDR(R_RING, 0), &ring_spec, NULL);
	const struct msg *seen[16];
	unsigned n = 0, k;

	(void)state;
	r.me = actors_add_here(r.set, ADDR(R_MAIN, 0), &main_spec, &self);
	actors_start_here(r.set);
	for (unsigned i = 0; i < 1000; i++) {
		struct msg *m = number_new(&r, M_TOKEN, 0);

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
		struct msg *m = number_new(&r, M_TOKEN, 6);

		actor_cast(r.me, ADDR(R_RING, i), &m);
	}
	(void)call(&r, M_ECHO, 21);
	turn_until(&r, &r.seen.replies, 1);
	turn_until(&r, &r.seen.tokens, 3);
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
		m = number_new(&r, M_TOKEN, 300 + i);
		actor_cast(r.me, ADDR(R_RING, i % 3), &m);
	}
	turn_until(&r, &r.seen.tokens, 10);
	rig_close(&r);
}

static void call_times_out_and_late_reply_is_freed(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	(void)call(&r, M_LATE, 1);
	turn_until(&r, &r.seen.replies, 1);
	assert_int_equal(r.seen.err, E_TIMEOUT);
	assert_int_equal(r.seen.lost, 1);
	assert_int_equal(stat_get(r.me, STAT_CALLS_TIMED_OUT), 1);
	(void)call(&r, M_LATE, 2); /* sets the first one free */
	turn_until(&r, &r.seen.replies, 2);
	assert_int_equal(r.seen.err, E_TIMEOUT);
	(void)call(&r, M_ECHO, 3); /* its reply comes after the late one */
	turn_until(&r, &r.seen.replies, 3);
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
		struct msg *m = number_new(&r, M_ECHO, i);

		(void)actor_call(r.me, ECHO, &m, on_reply, i % 3 ? &gone : &kept);
	}
	actor_cancel_calls(r.me, &gone);
	turn_until(&r, &kept.replies, 100);
	assert_int_equal(gone.replies, 0);
	(void)call(&r, M_ECHO, 1);
	turn_until(&r, &r.seen.replies, 1);
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
		uint64_t id = call(&r, M_ECHO, i);

		assert_true(id > last);
		last = id;
		if (i % 100 == 0)
			turn_until(&r, &r.seen.replies, i + 1);
	}
	turn_until(&r, &r.seen.replies, 1000);
	rig_close(&r);
}

static void quiesced_actor_refuses_calls(void **state)
{
	struct msg *m;
	struct rig r;

	(void)state;
	rig_open(&r);
	m = msg_new(r.me, KMSG_QUIESCE);
	(void)actor_call(r.me, ECHO, &m, on_reply, &r.seen);
	turn_until(&r, &r.seen.replies, 1);
	assert_int_equal(r.seen.err, E_OK);
	(void)call(&r, M_ECHO, 4);
	turn_until(&r, &r.seen.replies, 2);
	assert_int_equal(r.seen.err, E_STOPPING);
	assert_int_equal(r.seen.n, 4); /* the handler has not seen it */
	assert_int_equal(r.seen.lost, 0);
	m = number_new(&r, M_NUMBER, 0); /* casts still work */
	actor_cast(r.me, ECHO, &m);
	turn_until(&r, &r.seen.numbers, 1);
	m = msg_new(r.me, KMSG_PING); /* and so does a ping */
	(void)actor_call(r.me, ECHO, &m, on_reply, &r.seen);
	turn_until(&r, &r.seen.replies, 3);
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
		m = number_new(&r, M_LATE, i);
		(void)actor_call_within(r.me, ECHO, &m, 60 * USEC_PER_SEC, on_reply, &r.seen);
	}
	turn_until(&r, &r.seen.replies, 99); /* echo holds the last */
	actors_join(r.set);
	assert_int_equal(r.seen.replies, 100);
	assert_int_equal(r.seen.err, E_STOPPING);
	assert_int_equal(r.seen.lost, 1);
	actors_free(&r.set);
}

static void state_is_seen_from_outside(void **state)
{
	struct actor_state s;
	struct rig r;

	(void)state;
	rig_open(&r);
	(void)call(&r, M_ECHO, 1);
	turn_until(&r, &r.seen.replies, 1);
	assert_int_equal(actors_count(r.set), 5);
	actors_state(r.set, 0, &s);
	assert_int_equal(s.addr, ECHO);
	assert_string_equal(s.role, "echo");
	assert_true(s.turns > 0);
	(void)call(&r, M_BUFFER, 99);
	for (int i = 0; i < 2000 && s.handling != M_BUFFER; i++) {
		assert_true(actor_turn(r.me, 1000));
		actors_state(r.set, 0, &s);
	}
	assert_int_equal(s.handling, M_BUFFER);
	assert_string_equal(s.handling_name, "BUFFER");
	assert_in_range(clock_mono_us() - s.since_us, 0, 20 * USEC_PER_SEC);
	turn_until(&r, &r.seen.replies, 2);
	actors_state(r.set, 2, &s);
	assert_string_equal(s.role, "ring.1");
	assert_true(actors_at(r.set, 4) == r.me);
	rig_close(&r);
}

static void one_thread_by_hand(void **state)
{
	struct rig r = {.set = actors_new(&table)}, *self = &r;
	struct actor *echo = actors_add(r.set, ECHO, &echo_spec, NULL);

	(void)state;
	r.me = actors_add_here(r.set, ADDR(R_MAIN, 0), &main_spec, &self);
	actors_start_here(r.set);
	(void)call(&r, M_ECHO, 5);
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

/* --- what must panic --- */

static void send_illegal(struct rig *r)
{
	struct msg *m = number_new(r, M_TOKEN, 1);

	actor_cast(r->me, ECHO, &m);
}

static void send_twice(struct rig *r)
{
	struct msg *m = number_new(r, M_NUMBER, 1), *again = m;

	actor_cast(r->me, ECHO, &m);
	actor_cast(r->me, ECHO, &again);
}

static void cast_a_call(struct rig *r)
{
	struct msg *m = number_new(r, M_ECHO, 1);

	actor_cast(r->me, ECHO, &m);
}

static void call_a_cast(struct rig *r)
{
	struct msg *m = number_new(r, M_NUMBER, 1);

	(void)actor_call(r->me, ECHO, &m, on_reply, NULL);
}

static void send_to_nobody(struct rig *r)
{
	struct msg *m = number_new(r, M_TOKEN, 1);

	actor_cast(r->me, ADDR(R_RING, 9), &m);
}

static void use_another_ones_actor(struct rig *r)
{
	(void)msg_new(actors_at(r->set, 0), M_NUMBER);
}

static void leave_one_alive(struct rig *r)
{
	(void)number_new(r, M_NUMBER, 1);
	actors_join(r->set);
}

static void misuse_panics(void **state)
{
	static void (*const misuses[])(struct rig *) = {send_illegal, send_twice, cast_a_call,
		call_a_cast, send_to_nobody, use_another_ones_actor, leave_one_alive};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(misuses); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct rig r;

			signal(SIGABRT, SIG_DFL); /* cmocka catches it */
			if (freopen("/dev/null", "w", stderr) == NULL)
				_exit(2);
			rig_open(&r);
			misuses[i](&r);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
			fail_msg("misuse %u did not panic (status %x)", i, (unsigned)status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misuse_panics), /* first: it forks while there is one thread */
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
		cmocka_unit_test(state_is_seen_from_outside),
		cmocka_unit_test(one_thread_by_hand),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
