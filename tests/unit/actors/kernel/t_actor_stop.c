/* SPDX-License-Identifier: MIT */
/*
 * Stop under load: actors that flood each other with calls and casts are quiesced and ended while
 * they do.
 *
 * actors_join() panics when a message is left alive; besides, every call must have got exactly one
 * answer.
 */
#include "actors/kernel/actor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "actors/kernel/stats.h"

enum { R_MAIN, R_FLOOD };
enum { M_ASK = KMSG_FIRST_USER_, M_TELL, M_MAX_ };

#define BIT(r)    (1u << (r))
#define FLOODERS  4u
#define IN_FLIGHT 64u
#define ROUNDS    50u
#define MAIN_ADDR ADDR(R_MAIN, 0)

struct m_ask {
	struct msg h;
	char *text;
};

static void ask_fini(struct msg *m)
{
	xfree(((struct m_ask *)(void *)m)->text);
}

static const struct msg_type types[M_MAX_] = {
	[KMSG_NONE] = {"NONE", sizeof(struct msg), NULL, 0, 0, 0},
	[KMSG_PING] = {"PING", sizeof(struct msg), NULL, ~0u, ~0u, 1000},
	[KMSG_QUIESCE] = {"QUIESCE", sizeof(struct msg), NULL, ~0u, ~0u, 20000},
	[KMSG_TERM] = {"TERM", sizeof(struct msg), NULL, ~0u, ~0u, 0},
	[M_ASK] = {"ASK", sizeof(struct m_ask), ask_fini, BIT(R_FLOOD), BIT(R_FLOOD), 30000},
	[M_TELL] = {"TELL", sizeof(struct m_ask), ask_fini, BIT(R_FLOOD), BIT(R_FLOOD), 0},
};
static const char *const roles[] = {"main", "flood"};
static const struct msg_table table = {.types = types,
	.n = M_MAX_,
	.roles = roles,
	.roles_n = ARRAY_LEN(roles)};

/* What a flooder has seen; main reads it after the join. */
struct tally {
	uint64_t asked, answered, ok, stopping, timeout;
	uint64_t heard;
};

struct flood {
	struct actor *actor;
	struct tally *tally;
	struct loop_task task;
	struct msg *kept; /* a call that is answered only after the next has come */
	unsigned pending;
	unsigned next;
};

static struct msg *ask_new(struct actor *a, uint16_t type)
{
	struct m_ask *m = msg_new(a, type);

	m->text = xstrdup("who owns this?");
	return &m->h;
}

static uint16_t next_of(struct flood *f)
{
	return ADDR(R_FLOOD, f->next++ % FLOODERS); /* itself included */
}

static void flood_answered(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct flood *f = ctx;

	(void)a, (void)m;
	f->pending--;
	f->tally->answered++;
	f->tally->ok += err == E_OK;
	f->tally->stopping += err == E_STOPPING;
	f->tally->timeout += err == E_TIMEOUT;
	if (!f->task.queued && err == E_OK)
		loop_task_post(actor_loop(f->actor), &f->task);
}

static void flood_more(struct loop_task *t)
{
	struct flood *f = container_of(t, struct flood, task);

	for (; f->pending < IN_FLIGHT; f->pending++) {
		struct msg *m = ask_new(f->actor, M_ASK);

		f->tally->asked++;
		(void)actor_call(f->actor, next_of(f), &m, flood_answered, f);
		m = ask_new(f->actor, M_TELL);
		actor_cast(f->actor, next_of(f), &m);
	}
}

static void *flood_init(struct actor *a, const void *arg)
{
	struct flood *f = xcalloc(1, sizeof *f);

	f->actor = a;
	f->tally = *(struct tally *const *)arg + ADDR_INDEX(actor_addr(a));
	f->task.fn = flood_more;
	loop_task_post(actor_loop(a), &f->task);
	return f;
}

static void flood_fini(struct actor *a)
{
	struct flood *f = actor_self(a);

	loop_task_del(actor_loop(a), &f->task);
	msg_free(a, &f->kept);
	xfree(f);
}

static void flood_ask(struct actor *a, struct msg **m)
{
	struct flood *f = actor_self(a);
	struct msg *before = f->kept;

	f->kept = *m;
	*m = NULL;
	if (before != NULL)
		actor_reply(a, &before, E_OK);
}

static void flood_tell(struct actor *a, struct msg **m)
{
	struct flood *f = actor_self(a);

	(void)m;
	f->tally->heard++;
}

/* Calls again when told that it is over: that, too, must come to an end. */
static void flood_quiesce(struct actor *a)
{
	struct flood *f = actor_self(a);
	struct msg *m = ask_new(a, M_TELL);

	actor_cast(a, next_of(f), &m);
	actor_quiesced(a);
}

static const struct actor_handler flood_handlers[] = {
	{M_ASK, flood_ask}, {M_TELL, flood_tell}, {0, NULL}};
static const struct actor_spec flood_spec = {
	.role_name = "flood",
	.handlers = flood_handlers,
	.init = flood_init,
	.quiesce = flood_quiesce,
	.fini = flood_fini,
};

/* --- main --- */

static const struct actor_spec main_spec = {.role_name = "main"};

static void on_ack(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	(void)a, (void)m;
	assert_int_equal(err, E_OK);
	++*(unsigned *)ctx;
}

static void wait_for(struct actor *me, const unsigned *acks, unsigned n)
{
	int64_t end = clock_mono_us() + 20 * USEC_PER_SEC;

	while (*acks < n && clock_mono_us() < end)
		assert_true(actor_turn(me, 100 * USEC_PER_MSEC));
	assert_int_equal(*acks, n);
}

/* Ends the actors while they flood each other; how many of them are quiesced first varies. */
static void run_once(unsigned quiesced, int64_t flood_us, struct tally *sum)
{
	struct actors *set = actors_new(&table);
	struct tally tally[FLOODERS] = {0}, *arg = tally;
	unsigned acks = 0;
	struct actor *me;
	int64_t end;

	for (unsigned i = 0; i < FLOODERS; i++)
		actors_add(set, ADDR(R_FLOOD, i), &flood_spec, &arg);
	me = actors_add_here(set, MAIN_ADDR, &main_spec, NULL);
	actors_start(set);
	for (end = clock_mono_us() + flood_us; clock_mono_us() < end;)
		assert_true(actor_turn(me, 500));
	for (unsigned i = 0; i < quiesced; i++) {
		struct msg *m = msg_new(me, KMSG_QUIESCE);

		(void)actor_call(me, ADDR(R_FLOOD, i), &m, on_ack, &acks);
	}
	wait_for(me, &acks, quiesced);
	actors_join(set);
	for (unsigned i = 0; i < FLOODERS; i++) {
		assert_int_equal(tally[i].asked, tally[i].answered);
		assert_int_equal(tally[i].timeout, 0);
		sum->ok += tally[i].ok;
		sum->stopping += tally[i].stopping;
		sum->heard += tally[i].heard;
	}
	actors_free(&set);
}

static void stop_under_load_leaves_nothing(void **state)
{
	struct tally sum = {0};

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++)
		run_once(i % (FLOODERS + 1), (int64_t)(i % 7) * USEC_PER_MSEC, &sum);
	assert_true(sum.ok > 1000);
	assert_true(sum.stopping > 0);
	assert_true(sum.heard > 1000);
}

/* Some callbacks call again, each time they hear that the end has come. */
static void flood_again(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	unsigned *left = ctx;
	struct msg *again;

	(void)m;
	assert_int_equal(err, E_STOPPING);
	if (--*left == 0)
		return;
	again = msg_new(a, KMSG_PING);
	(void)actor_call(a, MAIN_ADDR, &again, flood_again, ctx);
	assert_null(again);
}

static void callbacks_that_call_again_end(void **state)
{
	struct actors *set = actors_new(&table);
	unsigned left = 40;
	struct actor *me;
	struct msg *m;

	(void)state;
	me = actors_add_here(set, MAIN_ADDR, &main_spec, NULL);
	actors_start(set);
	m = msg_new(me, KMSG_PING);
	(void)actor_call(me, MAIN_ADDR, &m, flood_again, &left);
	actors_join(set);
	assert_int_equal(left, 0);
	actors_free(&set);
}

static void set_that_never_started_is_freed(void **state)
{
	struct actors *set = actors_new(&table);

	(void)state;
	actors_add_here(set, MAIN_ADDR, &main_spec, NULL);
	actors_free(&set);
	assert_null(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop_under_load_leaves_nothing),
		cmocka_unit_test(callbacks_that_call_again_end),
		cmocka_unit_test(set_that_never_started_is_freed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
