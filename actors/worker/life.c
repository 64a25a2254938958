/* SPDX-License-Identifier: MIT */
/*
 * The end of a torrent in a worker: its pieces, jobs and descriptors go with it.
 */
#include "actors/worker/priv.h"

void worker_torrent_free(struct worker *w, struct wtorrent **tp)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	struct wtorrent *t;

	TAKE_OBJ(t, tp, WTORRENT_MAGIC);
	worker_pieces_forget(w, t, E_OK);
	worker_fds_close(w, t);
	if (t->t.slot < w->slots_n && w->slots[t->t.slot] == t)
		w->slots[t->t.slot] = NULL;
	metainfo_unref(&t->meta);
	worker_part_free(t);
	xfree(t->files);
	xfree(t->ids);
	xfree(t->shorts);
	xfree(t->unsynced);
	xfree(t->root);
	xfree(t->path);
	FREE_OBJ(t);
}

void worker_on_close(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct wtorrent *t = worker_find(w, MSG_AS(WORKER_CLOSE, *m)->t);

	worker_queue_run(w);
	if (t != NULL) {
		worker_jobs_cancel(w, t);
		worker_torrent_free(w, &t);
		worker_notes_flush(w);
	}
	actor_reply(a, m, E_OK);
}
