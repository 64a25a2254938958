/* SPDX-License-Identifier: MIT */
/*
 * Who has a slot: how many torrents download, how many seed, and how many look for their metainfo
 * at the same time.
 *
 * Each kind has those that run and those that wait, in the order of all torrents.  When it is
 * settled as many run as may, and none waits before one that runs; that costs O(log n) for each
 * torrent that changes sides.  One that runs without moving anything is set aside: it goes on, but
 * takes nobody's slot until something moves again.  What was started by force stands outside.
 *
 * Nobody is told anything from here: who changes sides is marked, and the sweep goes on with it.
 */
#include "actors/session/priv.h"

enum { KIND_DOWN, KIND_SEED, KIND_MAGNET };

static struct torrent *torrent_of(struct ordered_node *n)
{
	return container_of(n, struct torrent, queue_node);
}

static struct queue *queue_of(struct torrent *t)
{
	return &t->session->queues[t->queue_kind];
}

static uint32_t limit_of(const struct session *s, unsigned kind)
{
	const struct config *c = s->config;
	int n = kind == KIND_SEED     ? c->queue_seeds
		: kind == KIND_MAGNET ? c->queue_magnets
				      : c->queue_downloads;

	return n > 0 ? (uint32_t)n : UINT32_MAX;
}

/* --- sides --- */

static void watch(struct torrent *t)
{
	struct session *s = t->session;

	if (limit_of(s, t->queue_kind) == UINT32_MAX || s->config->queue_stalled == 0)
		return;
	loop_timer_set(session_loop(s), &t->stall, t->moved_at + s->config->queue_stalled);
}

static void leave(struct torrent *t)
{
	if (t->slot == SLOT_RUNS)
		ordered_remove(&queue_of(t)->runs, &t->queue_node);
	else if (t->slot == SLOT_WAITS)
		ordered_remove(&queue_of(t)->waits, &t->queue_node);
	loop_timer_del(session_loop(t->session), &t->stall);
	t->slot = SLOT_NONE;
}

static void enter(struct torrent *t, enum queue_slot slot)
{
	t->slot = slot;
	if (slot == SLOT_RUNS)
		ordered_insert(&queue_of(t)->runs, &t->queue_node, t->place, t->row);
	else if (slot == SLOT_WAITS)
		ordered_insert(&queue_of(t)->waits, &t->queue_node, t->place, t->row);
	if (slot == SLOT_RUNS)
		watch(t);
}

static void change_side(struct ordered_node *n, enum queue_slot slot)
{
	struct torrent *t = torrent_of(n);

	leave(t);
	if (slot == SLOT_RUNS)
		t->moved_at = torrent_now(t);
	enter(t, slot);
	torrent_mark(t);
}

static void settle(struct session *s, unsigned kind)
{
	struct queue *q = &s->queues[kind];
	uint32_t limit = limit_of(s, kind);

	for (;;) {
		struct ordered_node *next = ordered_first(&q->waits),
				    *last = ordered_last(&q->runs);

		if (next != NULL && ordered_size(&q->runs) < limit)
			change_side(next, SLOT_RUNS);
		else if (last != NULL && (ordered_size(&q->runs) > limit ||
						 (next != NULL && ordered_before(next, last))))
			change_side(last, SLOT_WAITS);
		else
			break;
	}
}

void queue_settle(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	settle(s, KIND_DOWN);
	settle(s, KIND_SEED);
	settle(s, KIND_MAGNET);
}

/* --- events --- */

static bool wants_slot(const struct torrent *t)
{
	return (t->phase == TPHASE_READY || torrent_seeking(t)) && torrent_started(t) &&
	       !torrent_forced(t) && t->fault != FAULT_STOP;
}

void queue_update(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	uint8_t kind = torrent_seeking(t) ? KIND_MAGNET : t->complete ? KIND_SEED : KIND_DOWN;
	bool in = t->slot != SLOT_NONE, want = wants_slot(t);

	if (in == want && (!want || kind == t->queue_kind))
		return;
	leave(t);
	t->queue_kind = kind;
	if (want)
		enter(t, SLOT_WAITS);
}

void queue_drop(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	leave(t);
}

void queue_moved(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	enum queue_slot slot = t->slot;

	if (slot != SLOT_RUNS && slot != SLOT_WAITS)
		return;
	leave(t);
	enter(t, slot);
}

bool queue_lets_run(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	return torrent_forced(t) || t->slot == SLOT_RUNS || t->slot == SLOT_STALLED;
}

void queue_on_stall_timer(struct loop_timer *timer, int64_t now)
{
	struct torrent *t = container_of(timer, struct torrent, stall);
	int64_t patience = t->session->config->queue_stalled;

	CHECK_OBJ(t, TORRENT_MAGIC);
	must(t->slot == SLOT_RUNS);
	if (patience == 0)
		return;
	if (now < t->moved_at + patience) {
		loop_timer_set(session_loop(t->session), timer, t->moved_at + patience);
		return;
	}
	leave(t);
	enter(t, SLOT_STALLED);
	torrent_mark(t);
}

void queue_payload(struct torrent *t, bool downloaded, bool uploaded)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (!(t->queue_kind == KIND_SEED ? uploaded : downloaded))
		return;
	t->moved_at = torrent_now(t);
	if (t->slot != SLOT_STALLED)
		return;
	leave(t);
	enter(t, SLOT_RUNS);
	torrent_mark(t);
}

/* Stalled ones count again when a person says that they always do. */
static void count_stalled(struct session *s)
{
	for (uint32_t i = 0; s->config->queue_stalled == 0 && i < s->slots.n; i++) {
		struct torrent *t = session_torrent(s, i);

		if (t == NULL || t->slot != SLOT_STALLED)
			continue;
		leave(t);
		enter(t, SLOT_RUNS);
		torrent_mark(t);
	}
}

/* A person has changed the limits: the only walk, over those that run or did. */
void queue_reload(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	count_stalled(s);
	for (unsigned kind = 0; kind < ARRAY_LEN(s->queues); kind++)
		for (uint32_t i = 0; i < ordered_size(&s->queues[kind].runs); i++)
			watch(torrent_of(ordered_at(&s->queues[kind].runs, i)));
}
