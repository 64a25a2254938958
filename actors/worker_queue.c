/* SPDX-License-Identifier: MIT */
/*
 * Batches of blocks wait here and are worked on two a turn.
 *
 * What an actor sends leaves at the end of its turn.  To hash and write everything that is in the
 * inbox first would give peers all of its buffers back at once, after having had none: both sides
 * would take turns instead of working side by side.  Two, because a batch is often blocks of a
 * single piece, and two pieces are hashed faster together.
 *
 * Invariant: whoever must see what blocks have done (a sync, a close) calls worker_queue_run()
 * first, so that the order of arrival holds.
 */
#include "actors/worker_priv.h"

#define BATCHES 2

static struct msg *pop(struct worker *w)
{
	struct msg *m = w->queue[w->queue_at];

	w->queue_at = (w->queue_at + 1) % w->queue_room;
	w->queue_n--;
	return m;
}

static void grow(struct worker *w)
{
	uint32_t room = MAX(64, w->queue_room * 2);
	struct msg **v = xcalloc(room, sizeof(struct msg *));
	uint32_t n = w->queue_n;

	for (uint32_t i = 0; i < n; i++)
		v[i] = pop(w);
	xfree(w->queue);
	w->queue = v;
	w->queue_room = room;
	w->queue_at = 0;
	w->queue_n = n;
}

void worker_on_blocks(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);

	if (w->queue_n == w->queue_room)
		grow(w);
	w->queue[(w->queue_at + w->queue_n++) % w->queue_room] = *m;
	*m = NULL;
	loop_task_post(actor_loop(a), &w->queue_task);
}

static void run_some(struct worker *w)
{
	for (unsigned i = 0; i < BATCHES && w->queue_n > 0; i++) {
		struct msg *m = pop(w);

		worker_blocks_take(w, (const struct m_blocks *)(void *)m);
		msg_free(w->actor, &m);
	}
	worker_blocks_run(w, w->queue_n > 0);
}

static void run_task(struct loop_task *task)
{
	struct worker *w = container_of(task, struct worker, queue_task);

	if (w->queue_n > 0)
		run_some(w);
	if (w->queue_n > 0)
		loop_task_post(actor_loop(w->actor), &w->queue_task);
}

void worker_queue_run(struct worker *w)
{
	while (w->queue_n > 0)
		run_some(w);
}

void worker_queue_init(struct worker *w)
{
	w->queue_task.fn = run_task;
}

void worker_queue_fini(struct worker *w)
{
	loop_task_del(actor_loop(w->actor), &w->queue_task);
	while (w->queue_n > 0) {
		struct msg *m = pop(w);

		msg_free(w->actor, &m);
	}
	xfree(w->queue);
	w->queue = NULL;
}
