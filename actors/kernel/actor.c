/* SPDX-License-Identifier: MIT */
/*
 * One actor: its turn, and what it does with a message.
 *
 * A turn is: wait; take the time once; timers; events; drain the inbox; run queue; tick_end; send
 * what was collected; reap.  The descriptor of an inbox says only that something arrived since it
 * was last found empty.  So an actor starts hot, drains up to a budget, stays hot when the budget
 * ends before the inbox does, and sleeps only when it is not hot.
 */
#include "actors/kernel/actor_priv.h"

#include <inttypes.h>

#include "actors/kernel/log_priv.h"

#define DRAIN_BUDGET 256 /* messages a turn, so that sockets and timers get their share */

static void begin_quiesce(struct actor *a, struct msg **m)
{
	if (a->stopping) {
		actor_reply(a, m, a->quiesced ? E_OK : E_BUSY);
		return;
	}
	a->stopping = true;
	a->quiesce = *m;
	*m = NULL;
	if (a->spec->quiesce != NULL)
		a->spec->quiesce(a);
	else
		actor_quiesced(a);
}

void actor_quiesced(struct actor *a)
{
	actor_check_thread(a);
	must(a->stopping && !a->quiesced);
	a->quiesced = true;
	if (a->quiesce != NULL)
		actor_reply(a, &a->quiesce, E_OK);
}

/* What the handler leaves is freed, or goes back to the caller with the err the handler has set. */
static void run_handler(struct actor *a, struct msg **m)
{
	actor_msg_f *fn = a->dispatch[(*m)->type];

	must(fn != NULL);
	fn(a, m);
	if (*m == NULL)
		return;
	if ((*m)->call != 0)
		actor_reply(a, m, (*m)->err);
	else
		msg_free(a, m);
}

static void dispatch(struct actor *a, struct msg **m)
{
	if ((*m)->reply) {
		calls_deliver(a, m);
	} else if ((*m)->type == KMSG_PING) {
		actor_reply(a, m, E_OK);
	} else if ((*m)->type == KMSG_QUIESCE) {
		begin_quiesce(a, m);
	} else if ((*m)->type == KMSG_TERM) {
		a->phase = ACTOR_DRAINING;
		msg_free(a, m);
	} else if (a->stopping && (*m)->call != 0) {
		actor_reply(a, m, E_STOPPING);
	} else {
		run_handler(a, m);
	}
}

static void trace(const struct actor *a, const struct msg *m, int64_t waited)
{
	const struct actors *set = a->set;
	const char *kind = m->reply ? "reply" : m->call != 0 ? "call" : "cast";
	const char *from = m->from == UINT16_MAX ? "end" : actors_find(set, m->from)->name;
	char about[64] = "";
	const char *key =
		set->table->about != NULL ? set->table->about(m, about, sizeof about) : NULL;

	log_event(LOG_INFO, "trace",
		"message=%s kind=%s from=%s to=%s err=%s age_us=%" PRId64 " %s=%s",
		msg_name(a->types, m->type), kind, from, a->name, err_name(m->err), waited,
		key != NULL ? key : "of", about);
}

static struct msg *receive(struct actor *a)
{
	struct msg *m;
	void *p;
	int64_t waited;

	if (inbox_recv(a->inbox, &p) == E_AGAIN)
		return NULL;
	CAST_OBJ(m, p, MSG_MAGIC);
	must(m->queued && m->to == a->addr && m->type < a->set->table->n);
	m->queued = false;
	waited = loop_now(a->loop) - m->sent_us;
	if (__atomic_load_n(&a->set->trace[m->type], __ATOMIC_RELAXED))
		trace(a, m, waited);
	a->taken++;
	stat_add(a, STAT_MSGS_IN, 1);
	stat_count(&a->in[m->type], 1);
	stat_add(a, STAT_QUEUE_DELAY_US, waited > 0 ? (uint64_t)waited : 0);
	return m;
}

static void note_mail(struct actor *a)
{
	uint32_t n = __atomic_load_n(&a->mail, __ATOMIC_RELAXED) - a->taken;

	if (n > a->mail_most)
		__atomic_store_n(&a->mail_most, n, __ATOMIC_RELAXED);
}

/* What was taken no longer waits: told once a turn, as senders write there, too. */
static void take_off(struct actor *a)
{
	(void)__atomic_fetch_sub(&a->mail, a->taken, __ATOMIC_RELAXED);
	a->taken = 0;
}

static void hold(struct actor *a, const struct msg *m)
{
	a->hand.msg = m != NULL ? msg_name(a->types, m->type) : NULL;
	a->hand.from = m != NULL ? m->from : 0;
	a->hand.sent_us = m != NULL ? m->sent_us : 0;
	__atomic_store_n(&a->handling, m != NULL ? m->type : KMSG_NONE, __ATOMIC_RELAXED);
}

static void drain_inbox(struct actor *a)
{
	if (!a->hot && a->inbox_node.fd >= 0)
		return;
	a->hot = true;
	for (int i = 0; i < DRAIN_BUDGET && a->phase == ACTOR_RUNNING; i++) {
		struct msg *m;

		note_mail(a);
		m = receive(a);
		if (m == NULL) {
			a->hot = false;
			break;
		}
		hold(a, m);
		dispatch(a, &m);
	}
	hold(a, NULL);
	take_off(a);
}

/* --- a turn --- */

static void mark_hot(struct loop_fd *node, uint32_t ready)
{
	(void)ready;
	container_of(node, struct actor, inbox_node)->hot = true;
}

void actor_enter(struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	log_set_actor(a->name);
	a->hand.turn_us = loop_now(a->loop);
	panic_hand_set(&a->hand);
	__atomic_store_n(&a->since_us, a->hand.turn_us, __ATOMIC_RELAXED);
	__atomic_store_n(&a->turned_us, a->hand.turn_us, __ATOMIC_RELAXED);
}

void actor_begin(struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	must(a->phase == ACTOR_NEW);
	a->thread = pthread_self();
	a->phase = ACTOR_RUNNING;
	a->hot = true;
	a->inbox_node.fd = -1;
	a->inbox_node.fn = mark_hot;
	if (inbox_fd(a->inbox) >= 0)
		must(loop_fd_add(a->loop, &a->inbox_node, inbox_fd(a->inbox), POLL_IN) == E_OK);
	loop_wait(a->loop, 0); /* takes the time */
	actor_enter(a);
	loop_run_events(a->loop);
	if (a->spec->init != NULL)
		a->self = a->spec->init(a, a->arg);
	actor_flush(a);
}

int64_t actor_deadline(const struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	if (a->phase == ACTOR_ENDED)
		return INT64_MAX;
	if (a->hot || a->dirty_n > 0)
		return 0;
	return loop_deadline(a->loop);
}

static void sleep_until_due(struct actor *a, int64_t max_us)
{
	bool busy = actor_deadline(a) == 0 || max_us == 0;

	if (!busy)
		stat_add(a, STAT_SLEEPS, 1);
	__atomic_store_n(&a->since_us, 0, __ATOMIC_RELAXED);
	loop_wait(a->loop, busy ? 0 : max_us);
	actor_enter(a);
	stat_add(a, STAT_TURNS, 1);
}

static void end_turn(struct actor *a)
{
	int64_t took = clock_mono_us() - loop_now(a->loop);

	stat_add(a, STAT_HANDLER_US, took > 0 ? (uint64_t)took : 0);
	panic_hand_set(NULL);
	log_set_actor(a->here ? a->name : NULL);
}

bool actor_turn(struct actor *a, int64_t max_us)
{
	actor_check_thread(a);
	if (a->phase == ACTOR_ENDED)
		return false;
	actor_flush(a); /* what was sent between turns */
	sleep_until_due(a, max_us);
	stat_add(a, STAT_TIMERS, loop_run_timers(a->loop));
	loop_run_events(a->loop);
	drain_inbox(a);
	if (a->phase == ACTOR_RUNNING) {
		loop_run_tasks(a->loop);
		if (a->spec->tick_end != NULL)
			a->spec->tick_end(a);
		actor_flush(a);
		loop_run_reap(a->loop);
	} else {
		actor_finish(a);
	}
	end_turn(a);
	return a->phase != ACTOR_ENDED;
}

void actor_finish(struct actor *a)
{
	struct msg *m;

	CHECK_OBJ(a, ACTOR_MAGIC);
	a->phase = ACTOR_DRAINING;
	calls_end_all(a);
	if (a->quiesce != NULL)
		msg_free(a, &a->quiesce);
	while ((m = receive(a)) != NULL)
		msg_free(a, &m);
	take_off(a);
	actor_flush(a);
	loop_run_reap(a->loop);
	a->phase = ACTOR_ENDED;
	if (a->spec->fini != NULL)
		a->spec->fini(a);
	a->self = NULL;
	must(a->dirty_n == 0);
	loop_fd_del(a->loop, &a->inbox_node);
	loop_run_reap(a->loop);
	calls_free(a);
	msg_spares_free(a);
	__atomic_store_n(&a->since_us, 0, __ATOMIC_RELAXED);
}
