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
#include "actors/worker/priv.h"

#define BATCHES 2

void worker_on_blocks(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);

	wring_push(&w->queue, m);
	loop_task_post(actor_loop(a), &w->queue_task);
}

static void run_some(struct worker *w)
{
	for (unsigned i = 0; i < BATCHES && w->queue.n > 0; i++) {
		struct msg *m = wring_pop(&w->queue);

		worker_blocks_take(w, MSG_AS(BLOCKS_WRITE, m));
		msg_free(w->actor, &m);
	}
	worker_blocks_run(w, w->queue.n > 0);
}

static void run_task(struct loop_task *task)
{
	struct worker *w = container_of(task, struct worker, queue_task);

	if (w->queue.n > 0)
		run_some(w);
	if (w->queue.n > 0)
		loop_task_post(actor_loop(w->actor), &w->queue_task);
}

void worker_queue_run(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	while (w->queue.n > 0)
		run_some(w);
}

void worker_queue_init(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	w->queue_task.fn = run_task;
}

void worker_queue_fini(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	loop_task_del(actor_loop(w->actor), &w->queue_task);
	wring_fini(&w->queue, w->actor);
}
