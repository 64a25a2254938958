/* SPDX-License-Identifier: MIT */
/*
 * The worker actor: a thread that may block on files.
 *
 * There are W of them.  Peers send received blocks straight to the worker that owns the piece; the
 * store sends everything that concerns a whole torrent.  What goes out is collected: answers about
 * blocks per peers shard, notes to the store, both leave when a batch is full or the turn ends;
 * notes of good pieces alone may wait a little longer for others.
 *
 * Invariants: a buffer that came in goes back exactly once; nothing is sent about a torrent that is
 * not open; a stale tref finds nothing.
 */
#include "actors/worker/priv.h"

#include <stdio.h>

#include "actors/kernel/log.h"

/* --- messages --- */

static void on_reload(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_reload *r = MSG_AS(RELOAD, *m);
	const struct config *old = w->config;

	w->config = config_ref(r->config);
	config_unref(&old);
}

/* --- the actor --- */

static uint32_t share_of_blocks(const struct worker *w)
{
	uint64_t n = w->config->store_write_buffer / w->workers / 2 / BLOCK_SIZE;

	return n < 1 ? 1 : (uint32_t)MIN(n, UINT32_MAX);
}

static void *init_worker(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct worker *w;

	ALLOC_OBJ(w, WORKER_MAGIC);
	w->actor = a;
	w->config = config_ref(env->config);
	w->index = ADDR_INDEX(actor_addr(a));
	w->workers = env->workers;
	w->shards = env->shards;
	w->scratch = xcalloc(1, WORKER_RUN_BYTES);
	w->held_max = share_of_blocks(w);
	worker_out_init(w);
	worker_fds_init(w, (unsigned)w->config->store_open_files / w->workers);
	worker_pieces_init(w);
	worker_queue_init(w);
	worker_loads_init(w);
	worker_jobs_init(w);
	return w;
}

static void end_tick(struct actor *a)
{
	worker_out_flush(actor_self(a));
}

/* The store has closed every torrent by now, unless its disks hang; what is left goes back. */
static void quiesce_worker(struct actor *a)
{
	struct worker *w = actor_self(a);

	worker_loads_run(w);
	worker_queue_run(w);
	for (uint32_t i = 0; i < w->slots_n; i++)
		if (w->slots[i] != NULL) {
			worker_jobs_cancel(w, w->slots[i]);
			worker_pieces_forget(w, w->slots[i], E_OK);
		}
	worker_notes_flush(w);
	actor_quiesced(a);
}

static void fini_worker(struct actor *a)
{
	struct worker *w = actor_self(a);

	w->ending = true;
	loop_timer_del(actor_loop(a), &w->idle);
	loop_timer_del(actor_loop(a), &w->notes_timer);
	worker_out_drop(w);
	worker_jobs_fini(w);
	worker_queue_fini(w);
	worker_loads_fini(w);
	for (uint32_t i = 0; i < w->slots_n; i++)
		if (w->slots[i] != NULL)
			worker_torrent_free(w, &(struct wtorrent *){w->slots[i]});
	must(w->held == 0);
	worker_pieces_fini(w);
	worker_fds_fini(w);
	config_unref(&w->config);
	xfree(w->scratch);
	xfree(w->out);
	xfree(w->slots);
	FREE_OBJ(w);
}

static const struct actor_handler worker_handlers[] = {
	{MSG_BLOCKS_WRITE, worker_on_blocks},
	{MSG_EXTENT_READ, worker_on_extent},
	{MSG_CONTENT_READ, worker_on_content},
	{MSG_FILE_MAP, worker_on_map},
	{MSG_VOLUMES, worker_on_volumes},
	{MSG_FOLDERS, worker_on_folders},
	{MSG_WORKER_OPEN, worker_on_open},
	{MSG_WORKER_STAT, worker_on_stat},
	{MSG_WORKER_HASH, worker_on_hash},
	{MSG_WORKER_FILES, worker_on_files},
	{MSG_WORKER_SYNC, worker_on_sync},
	{MSG_WORKER_CLOSE, worker_on_close},
	{MSG_WORKER_LINKS, worker_on_links},
	{MSG_WORKER_DELETE, worker_on_delete},
	{MSG_WORKER_SHIFT, worker_on_shift},
	{MSG_WORKER_LOOK, worker_on_look},
	{MSG_RELOAD, on_reload},
	{0, NULL},
};

const struct actor_spec worker_spec = {
	.role_name = "worker",
	.handlers = worker_handlers,
	.init = init_worker,
	.quiesce = quiesce_worker,
	.tick_end = end_tick,
	.fini = fini_worker,
};
