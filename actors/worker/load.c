/* SPDX-License-Identifier: MIT */
/*
 * Parts of mapped files that are to be brought into memory.
 *
 * The disk is asked for all that is in the inbox before any of it is waited for, and one part is
 * waited for in a turn, so that what comes meanwhile is asked for soon: a disk that has many
 * requests at once brings twice as much as one that has a few.
 *
 * Invariant: a map is lent by peers until the answer, whatever becomes of the torrent here.
 */
#include "actors/worker/priv.h"

#include "actors/kernel/fs.h"

static void answer_one(struct worker *w)
{
	struct msg *m = wring_pop(&w->loads);
	const struct m_extent *e = MSG_AS(EXTENT_READ, m);

	actor_reply(w->actor, &m, fs_map_load(e->map, e->length));
}

static void run_task(struct loop_task *task)
{
	struct worker *w = container_of(task, struct worker, load_task);

	if (w->loads.n > 0)
		answer_one(w);
	if (w->loads.n > 0)
		loop_task_post(actor_loop(w->actor), &w->load_task);
}

void worker_load(struct worker *w, struct msg **m)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	const struct m_extent *e = MSG_AS(EXTENT_READ, *m);

	fs_map_ask(e->map, MAX(e->length, e->ahead));
	wring_push(&w->loads, m);
	loop_task_post(actor_loop(w->actor), &w->load_task);
}

void worker_loads_run(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	while (w->loads.n > 0)
		answer_one(w);
}

void worker_loads_init(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	w->load_task.fn = run_task;
}

void worker_loads_fini(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	loop_task_del(actor_loop(w->actor), &w->load_task);
	wring_fini(&w->loads, w->actor);
}
