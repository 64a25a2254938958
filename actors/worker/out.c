/* SPDX-License-Identifier: MIT */
/*
 * What leaves a worker: answers about blocks, a batch for each peers shard, and notes to the store.
 *
 * Both leave when a batch is full or the turn ends; notes of good pieces alone may wait a little
 * longer for others.
 */
#include "actors/worker/priv.h"

#include <stdio.h>

static void send_blocks(struct worker *w, unsigned shard)
{
	struct msg *m = w->out[shard] != NULL ? &w->out[shard]->h : NULL;

	w->out[shard] = NULL;
	if (m != NULL)
		actor_cast(w->actor, ADDR(ROLE_PEERS, shard), &m);
}

struct block_item *worker_out(struct worker *w, uint16_t to)
{
	CHECK_OBJ(w, WORKER_MAGIC);
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
	CHECK_OBJ(w, WORKER_MAGIC);
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

void worker_note_seen(struct worker *w, struct wtorrent *t, uint32_t file, bool made)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	struct note *n = new_note(w, t, NOTE_FILE_SEEN);

	n->index = file;
	n->id = t->ids[file];
	n->made = made;
}

void worker_note_error(struct worker *w, struct wtorrent *t, const struct wfail *f)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
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

/* Only when the program leaves without having waited: nobody can be told any more. */
void worker_out_drop(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	for (unsigned i = 0; i < w->shards; i++) {
		struct msg *m = w->out[i] != NULL ? &w->out[i]->h : NULL;

		w->out[i] = NULL;
		msg_free(w->actor, &m);
	}
	struct msg *m = w->notes != NULL ? &w->notes->h : NULL;

	w->notes = NULL;
	msg_free(w->actor, &m);
}

void worker_mark_dirty(struct worker *w, struct wtorrent *t, uint32_t file)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	if (*worker_flags(t, file) & WFILE_DIRTY)
		return;
	t->files[file].flags |= WFILE_DIRTY;
	worker_file_list(t, file);
	worker_note(w, t, NOTE_FILE_DIRTY, file);
}

void worker_out_flush(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	for (unsigned i = 0; i < w->shards; i++)
		send_blocks(w, i);
	flush_due_notes(w);
}

void worker_out_init(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	w->out = xcalloc(w->shards, sizeof *w->out);
	w->notes_timer.fn = on_notes_timer;
}
