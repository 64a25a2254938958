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

#define SLOTS_MAX (UINT32_C(1) << 24)

struct wtorrent *worker_find(struct worker *w, struct tref t)
{
	struct wtorrent *wt = t.slot < w->slots_n ? w->slots[t.slot] : NULL;

	if (wt == NULL || !tref_equal(wt->t, t))
		return NULL;
	CHECK_OBJ(wt, WTORRENT_MAGIC);
	return wt;
}

void worker_slot_set(struct worker *w, struct wtorrent *t)
{
	must(t->t.slot < SLOTS_MAX);
	if (t->t.slot >= w->slots_n) {
		uint32_t n = MAX(t->t.slot + 1, w->slots_n * 2);

		w->slots = xrealloc(w->slots, n * sizeof *w->slots);
		memset(w->slots + w->slots_n, 0, (n - w->slots_n) * sizeof *w->slots);
		w->slots_n = n;
	}
	w->slots[t->t.slot] = t;
}

void worker_torrent_free(struct worker *w, struct wtorrent **tp)
{
	struct wtorrent *t;

	TAKE_OBJ(t, tp, WTORRENT_MAGIC);
	worker_pieces_forget(w, t, E_OK);
	worker_fds_close(w, t);
	if (t->t.slot < w->slots_n && w->slots[t->t.slot] == t)
		w->slots[t->t.slot] = NULL;
	metainfo_unref(&t->meta);
	worker_part_free(t);
	xfree(t->files);
	xfree(t->unsynced);
	xfree(t->root);
	xfree(t->path);
	FREE_OBJ(t);
}

/* --- batches out --- */

static void send_blocks(struct worker *w, unsigned shard)
{
	struct msg *m = w->out[shard] != NULL ? &w->out[shard]->h : NULL;

	w->out[shard] = NULL;
	if (m != NULL)
		actor_cast(w->actor, ADDR(ROLE_PEERS, shard), &m);
}

struct block_item *worker_out(struct worker *w, uint16_t to)
{
	unsigned shard = ADDR_INDEX(to);

	must(ADDR_ROLE(to) == ROLE_PEERS && shard < w->shards);
	if (w->ending)
		return &w->scrap;
	if (w->out[shard] != NULL && w->out[shard]->n == BLOCKS_BATCH)
		send_blocks(w, shard);
	if (w->out[shard] == NULL)
		w->out[shard] = msg_new(w->actor, MSG_BLOCKS_DONE);
	struct block_item *it = &w->out[shard]->items[w->out[shard]->n++];

	*it = (struct block_item){0};
	return it;
}

void worker_notes_flush(struct worker *w)
{
	struct msg *m = w->notes != NULL ? &w->notes->h : NULL;

	w->notes = NULL;
	if (m == NULL)
		return;
	w->notes_due = actor_now(w->actor) + WORKER_NOTES_US;
	w->notes_urgent = false;
	loop_timer_del(actor_loop(w->actor), &w->notes_timer);
	actor_cast(w->actor, ADDR_STORE, &m);
}

static void on_notes_timer(struct loop_timer *timer, int64_t now)
{
	(void)now;
	worker_notes_flush(container_of(timer, struct worker, notes_timer));
}

/* That a piece is good can wait a little for others: the store has no hurry either. */
static void flush_due_notes(struct worker *w)
{
	if (w->notes == NULL)
		return;
	if (w->notes_urgent || actor_now(w->actor) >= w->notes_due)
		worker_notes_flush(w);
	else if (!loop_timer_is_set(&w->notes_timer))
		loop_timer_set(actor_loop(w->actor), &w->notes_timer, w->notes_due);
}

static struct note *new_note(struct worker *w, struct wtorrent *t, enum note_kind kind)
{
	if (w->notes != NULL && w->notes->n == ARRAY_LEN(w->notes->notes))
		worker_notes_flush(w);
	if (w->notes == NULL)
		w->notes = msg_new(w->actor, MSG_WORKER_NOTE);
	struct note *n = &w->notes->notes[w->notes->n++];

	w->notes_urgent |= kind != NOTE_PIECE_OK;
	*n = (struct note){.kind = kind, .t = t->t};
	return n;
}

void worker_note(struct worker *w, struct wtorrent *t, enum note_kind kind, uint32_t index)
{
	new_note(w, t, kind)->index = index;
}

void worker_note_error(struct worker *w, struct wtorrent *t, const struct wfail *f)
{
	int64_t now = actor_now(w->actor);

	if (t->error_last == f->err && now < t->error_at + WORKER_ERROR_EVERY_US)
		return;
	t->error_last = f->err;
	t->error_at = now;
	struct note *n = new_note(w, t, NOTE_ERROR);

	n->index = f->file;
	n->err = f->err;
	snprintf(n->op, sizeof n->op, "%s", f->op);
}

void worker_words(struct words *out, const struct wtorrent *t, const struct wfail *f)
{
	char safe[160];
	const char *name = f->file == WFILE_DIR ? t->path : worker_path(t, f->file);

	snprintf(out->text, sizeof out->text, "%s '%s': %s", f->op,
		log_safe(name, safe, sizeof safe), err_words(f->err));
}

/* --- messages --- */

static void on_close(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct wtorrent *t = worker_find(w, ((struct m_worker_close *)(void *)*m)->t);

	worker_queue_run(w);
	if (t != NULL) {
		worker_jobs_cancel(w, t);
		worker_torrent_free(w, &t);
		worker_notes_flush(w);
	}
	actor_reply(a, m, E_OK);
}

static void on_reload(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_reload *r = (struct m_reload *)(void *)*m;
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
	w->out = xcalloc(env->shards, sizeof *w->out);
	w->scratch = xcalloc(1, WORKER_RUN_BYTES);
	w->held_max = share_of_blocks(w);
	w->notes_timer.fn = on_notes_timer;
	worker_fds_init(w, (unsigned)w->config->store_open_files / w->workers);
	worker_pieces_init(w);
	worker_queue_init(w);
	worker_loads_init(w);
	worker_jobs_init(w);
	return w;
}

static void end_tick(struct actor *a)
{
	struct worker *w = actor_self(a);

	for (unsigned i = 0; i < w->shards; i++)
		send_blocks(w, i);
	flush_due_notes(w);
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

/* Only when the program leaves without having waited: nobody can be told any more. */
static void drop_batches(struct worker *w)
{
	for (unsigned i = 0; i < w->shards; i++) {
		struct msg *m = w->out[i] != NULL ? &w->out[i]->h : NULL;

		w->out[i] = NULL;
		msg_free(w->actor, &m);
	}
	struct msg *m = w->notes != NULL ? &w->notes->h : NULL;

	w->notes = NULL;
	msg_free(w->actor, &m);
}

static void fini_worker(struct actor *a)
{
	struct worker *w = actor_self(a);

	w->ending = true;
	loop_timer_del(actor_loop(a), &w->idle);
	loop_timer_del(actor_loop(a), &w->notes_timer);
	drop_batches(w);
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
	{MSG_FILE_MAP, worker_on_map},
	{MSG_WORKER_OPEN, worker_on_open},
	{MSG_WORKER_STAT, worker_on_stat},
	{MSG_WORKER_HASH, worker_on_hash},
	{MSG_WORKER_FILES, worker_on_files},
	{MSG_WORKER_SYNC, worker_on_sync},
	{MSG_WORKER_CLOSE, on_close},
	{MSG_WORKER_DELETE, worker_on_delete},
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
