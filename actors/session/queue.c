/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is: how many torrents download and how many seed at the same time.
 *
 * Each kind has those that run and those that wait, in the order of all torrents.  After every
 * event as many run as may, and none waits before one that runs; that costs O(log n) for each
 * torrent that changes sides.  One that runs without moving anything is set aside: it goes on, but
 * takes nobody's turn until something moves again.  What was started by force stands outside.
 */
#include "actors/session/priv.h"

enum { KIND_DOWN, KIND_SEED };

static struct torrent *torrent_of(struct rank_node *n)
{
	return container_of(n, struct torrent, turn_node);
}

static struct queue *queue_of(struct torrent *t)
{
	return &t->session->queues[t->turn_kind];
}

static uint32_t limit_of(const struct session *s, unsigned kind)
{
	int n = kind == KIND_SEED ? s->config->queue_seeds : s->config->queue_downloads;

	return n > 0 ? (uint32_t)n : UINT32_MAX;
}

/* --- sides --- */

static void watch(struct torrent *t)
{
	struct session *s = t->session;

	if (limit_of(s, t->turn_kind) == UINT32_MAX || s->config->queue_stalled == 0)
		return;
	loop_timer_set(session_loop(s), &t->stall, t->moved_at + s->config->queue_stalled);
}

static void leave(struct torrent *t)
{
	if (t->turn == TURN_RUNS)
		rank_remove(&queue_of(t)->runs, &t->turn_node);
	else if (t->turn == TURN_WAITS)
		rank_remove(&queue_of(t)->waits, &t->turn_node);
	loop_timer_del(session_loop(t->session), &t->stall);
	t->turn = TURN_NONE;
}

static void enter(struct torrent *t, enum turn turn)
{
	t->turn = turn;
	if (turn == TURN_RUNS)
		rank_insert(&queue_of(t)->runs, &t->turn_node, t->place, t->row);
	else if (turn == TURN_WAITS)
		rank_insert(&queue_of(t)->waits, &t->turn_node, t->place, t->row);
	if (turn == TURN_RUNS)
		watch(t);
}

static void change_side(struct rank_node *n, enum turn turn)
{
	struct torrent *t = torrent_of(n);

	leave(t);
	if (turn == TURN_RUNS)
		t->moved_at = actor_now(t->session->actor);
	enter(t, turn);
	torrent_sync_active(t);
}

static void settle(struct session *s, unsigned kind)
{
	struct queue *q = &s->queues[kind];
	uint32_t limit = limit_of(s, kind);

	for (;;) {
		struct rank_node *next = rank_first(&q->waits), *last = rank_last(&q->runs);

		if (next != NULL && rank_size(&q->runs) < limit)
			change_side(next, TURN_RUNS);
		else if (last != NULL &&
			 (rank_size(&q->runs) > limit || (next != NULL && rank_before(next, last))))
			change_side(last, TURN_WAITS);
		else
			break;
	}
}

void queue_settle(struct session *s)
{
	settle(s, KIND_DOWN);
	settle(s, KIND_SEED);
}

/* --- events --- */

static bool wants_turn(const struct torrent *t)
{
	return t->started && !t->forced && t->phase == PHASE_READY && !t->detaching &&
	       t->fault != FAULT_STOP;
}

void queue_update(struct torrent *t)
{
	uint8_t kind = t->complete ? KIND_SEED : KIND_DOWN, old = t->turn_kind;
	bool in = t->turn != TURN_NONE, want = wants_turn(t);

	if (in == want && (!want || kind == old))
		return;
	if (in)
		leave(t);
	t->turn_kind = kind;
	if (want)
		enter(t, TURN_WAITS);
	if (in)
		settle(t->session, old);
	if (want)
		settle(t->session, kind);
}

void queue_drop(struct torrent *t)
{
	leave(t);
}

void queue_moved(struct torrent *t)
{
	enum turn turn = t->turn;

	if (turn != TURN_RUNS && turn != TURN_WAITS)
		return;
	leave(t);
	enter(t, turn);
}

bool queue_lets_run(const struct torrent *t)
{
	return t->forced || t->turn == TURN_RUNS || t->turn == TURN_STALLED;
}

void queue_on_stall_timer(struct loop_timer *timer, int64_t now)
{
	struct torrent *t = container_of(timer, struct torrent, stall);
	int64_t patience = t->session->config->queue_stalled;

	CHECK_OBJ(t, TORRENT_MAGIC);
	must(t->turn == TURN_RUNS);
	if (patience == 0)
		return;
	if (now < t->moved_at + patience) {
		loop_timer_set(session_loop(t->session), timer, t->moved_at + patience);
		return;
	}
	leave(t);
	enter(t, TURN_STALLED);
	settle(t->session, t->turn_kind);
}

void queue_payload(struct torrent *t, bool downloaded, bool uploaded)
{
	if (!(t->turn_kind == KIND_SEED ? uploaded : downloaded))
		return;
	t->moved_at = actor_now(t->session->actor);
	if (t->turn != TURN_STALLED)
		return;
	leave(t);
	enter(t, TURN_RUNS);
	settle(t->session, t->turn_kind);
}

/* Stalled ones count again when a person says that they always do. */
static void count_stalled(struct session *s)
{
	for (uint32_t i = 0; s->config->queue_stalled == 0 && i < s->slots_n; i++) {
		struct torrent *t = s->slots[i].t;

		if (t == NULL || t->turn != TURN_STALLED)
			continue;
		leave(t);
		enter(t, TURN_RUNS);
	}
}

/* A person has changed the limits: the only walk, over those that run or did. */
void queue_reload(struct session *s)
{
	count_stalled(s);
	for (unsigned kind = 0; kind < ARRAY_LEN(s->queues); kind++)
		for (uint32_t i = 0; i < rank_size(&s->queues[kind].runs); i++)
			watch(torrent_of(rank_at(&s->queues[kind].runs, i)));
	queue_settle(s);
}
