/* SPDX-License-Identifier: MIT */
/*
 * Pieces hashed from disk, one a turn, so that blocks and extents do not wait behind a check.
 *
 * What is found good counts as data that the next sync makes durable: after a crash the page cache
 * may be all that has it.  Missing and short files only mean that a piece is not there; other
 * failures end the job, because to take them for missing data would have it downloaded again.
 */
#include "actors/worker_priv.h"

static bool is_wanted(const struct m_worker_hash *m, uint32_t i)
{
	return m->want == NULL || (m->want[i >> 3] >> (7 - (i & 7)) & 1);
}

/* After a failed sync: writes what was read, so that its pages are dirty again. */
static bool write_again(struct worker *w, struct wtorrent *t, uint32_t piece, uint32_t begin,
	uint32_t len, struct wfail *f)
{
	uint8_t *data[WORKER_RUN_BLOCKS];
	uint32_t n = (len + BLOCK_SIZE - 1) / BLOCK_SIZE;

	for (uint32_t i = 0; i < n; i++)
		data[i] = w->scratch + (size_t)i * BLOCK_SIZE;
	return worker_write(w, t, piece, begin / BLOCK_SIZE, n, data, f);
}

/* false and *f when a byte could not be read. */
static bool hash_piece(struct worker *w, struct wtorrent *t, uint32_t piece,
	uint8_t sum[HASH_SHA1_SIZE], struct wfail *f)
{
	uint32_t size = layout_piece_size(&t->layout, piece);

	hasher_reset(w->hasher);
	for (uint32_t at = 0, n; at < size; at += n) {
		n = MIN(size - at, WORKER_RUN_BYTES);
		if (!worker_read(w, t, piece, at, n, w->scratch, f))
			return false;
		hasher_update(w->hasher, w->scratch, n);
		if (t->suspect && !write_again(w, t, piece, at, n, f))
			return false;
	}
	hasher_final(w->hasher, sum);
	return true;
}

static void accept_piece(struct worker *w, struct wtorrent *t, uint32_t piece)
{
	struct span_iter it = span_iter_of(
		t->meta, layout_offset(&t->layout, piece, 0), layout_piece_size(&t->layout, piece));
	struct file_span s;

	worker_piece_forget_at(w, t, piece);
	while (span_next(&it, &s))
		if (!s.pad)
			worker_file_list(t, s.file);
}

static enum err step_job(struct worker *w, struct wtorrent *t, struct whash_job *j)
{
	uint32_t i = j->at++, piece = j->m->first + i;
	uint8_t sum[HASH_SHA1_SIZE];
	struct wfail f;

	if (hash_piece(w, t, piece, sum, &f)) {
		if (memcmp(sum, metainfo_hash(t->meta, piece), sizeof sum) != 0)
			return E_OK;
		accept_piece(w, t, piece);
		j->m->good[i >> 3] |= (uint8_t)(0x80 >> (i & 7));
		return E_OK;
	}
	if (f.err == E_NOENT || f.err == E_CHANGED || f.err == E_PATH)
		return E_OK;
	worker_words(&j->m->why, t, &f);
	return f.err;
}

static void end_job(struct worker *w, struct whash_job **at, enum err err)
{
	struct whash_job *j = *at;
	struct msg *m = &j->m->h;

	*at = j->next;
	if (w->jobs_end == &j->next)
		w->jobs_end = at;
	xfree(j);
	actor_reply(w->actor, &m, err);
}

/* One piece; the rest comes in the turns that follow. */
static void run_jobs(struct loop_task *task)
{
	struct worker *w = container_of(task, struct worker, job_task);
	struct whash_job *j = w->jobs;
	struct wtorrent *t = j != NULL ? worker_find(w, j->m->t) : NULL;
	enum err err = E_OK;

	if (j == NULL)
		return;
	while (j->at < j->m->n && !is_wanted(j->m, j->at))
		j->at++;
	if (t == NULL)
		err = E_NOT_FOUND;
	else if (j->at < j->m->n)
		err = step_job(w, t, j);
	if (err != E_OK || j->at >= j->m->n)
		end_job(w, &w->jobs, err);
	if (w->jobs != NULL)
		loop_task_post(actor_loop(w->actor), &w->job_task);
}

void worker_on_hash(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_worker_hash *h = (struct m_worker_hash *)(void *)*m;
	struct wtorrent *t = worker_find(w, h->t);
	struct whash_job *j;

	if (t == NULL || h->first > t->meta->pieces || h->n > t->meta->pieces - h->first) {
		actor_reply(a, m, t == NULL ? E_NOT_FOUND : E_RANGE);
		return;
	}
	h->good = xcalloc(1, bitfield_bytes(h->n) + 1);
	j = xcalloc(1, sizeof *j);
	j->m = h;
	*m = NULL;
	*w->jobs_end = j;
	w->jobs_end = &j->next;
	loop_task_post(actor_loop(a), &w->job_task);
}

void worker_jobs_cancel(struct worker *w, struct wtorrent *t)
{
	struct whash_job **at = &w->jobs;

	while (*at != NULL)
		if (tref_equal((*at)->m->t, t->t))
			end_job(w, at, E_CANCELLED);
		else
			at = &(*at)->next;
}

void worker_jobs_init(struct worker *w)
{
	w->jobs_end = &w->jobs;
	w->job_task.fn = run_jobs;
}

void worker_jobs_fini(struct worker *w)
{
	for (struct whash_job *j = w->jobs, *next; j != NULL; j = next) {
		struct msg *m = &j->m->h;

		next = j->next;
		xfree(j);
		msg_free(w->actor, &m);
	}
	w->jobs = NULL;
	loop_task_del(actor_loop(w->actor), &w->job_task);
}
