/* SPDX-License-Identifier: MIT */
/*
 * Pieces hashed from disk, two a turn, so that blocks and extents do not wait behind a check.
 *
 * Two, because two streams of SHA-1 side by side take little longer than one (proto/sha1x2.h); the
 * disk is asked meanwhile for the two that come next.  They are read in runs that stay in the
 * processor's cache until they are hashed.
 *
 * What is found good counts as data that the next sync makes durable: after a crash the page cache
 * may be all that has it.  Missing and short files only mean that a piece is not there; other
 * failures end the job, because to take them for missing data would have it downloaded again.
 */
#include "actors/worker/priv.h"

/* Of each of two pieces: both fit into the second cache of today's processors. */
#define HASH_RUN (16u * BLOCK_SIZE)

/* A piece in hand. */
struct look {
	uint32_t piece, size;
	uint32_t len; /* of the run in hand */
	uint8_t *data;
	uint8_t sum[HASH_SHA1_SIZE];
	struct wfail f; /* err is set: it could not be read */
};

static bool is_wanted(const struct m_worker_hash *m, uint32_t i)
{
	return m->want == NULL || (m->want[i >> 3] >> (7 - (i & 7)) & 1);
}

/* After a failed sync: writes what was read, so that its pages are dirty again. */
static bool write_again(struct worker *w, struct wtorrent *t, struct look *l, uint32_t begin)
{
	uint8_t *data[HASH_RUN / BLOCK_SIZE];
	uint32_t n = (l->len + BLOCK_SIZE - 1) / BLOCK_SIZE;

	for (uint32_t i = 0; i < n; i++)
		data[i] = l->data + (size_t)i * BLOCK_SIZE;
	return worker_write(w, t, l->piece, begin / BLOCK_SIZE, n, data, &l->f);
}

static void read_run(struct worker *w, struct wtorrent *t, struct look *l, uint32_t at)
{
	l->len = l->f.err == E_OK && at < l->size ? MIN(l->size - at, HASH_RUN) : 0;
	if (l->len == 0)
		return;
	if (!worker_read(w, t, l->piece, at, l->len, l->data, &l->f) ||
		(t->suspect && !write_again(w, t, l, at)))
		l->len = 0;
}

/* Hashes one or two pieces; a failure of one leaves the other alone. */
static void hash_pieces(struct worker *w, struct wtorrent *t, struct look *v, unsigned n)
{
	uint32_t most = 0;

	for (unsigned i = 0; i < n; i++) {
		v[i].size = layout_piece_size(&t->layout, v[i].piece);
		v[i].data = w->scratch + (size_t)i * HASH_RUN;
		v[i].f = (struct wfail){0};
		most = MAX(most, v[i].size);
		hasher_reset(w->hashers[i]);
	}
	for (uint32_t at = 0; at < most; at += HASH_RUN) {
		for (unsigned i = 0; i < n; i++)
			read_run(w, t, &v[i], at);
		if (n == 2)
			hasher_update_two(w->hashers[0], v[0].data, v[0].len, w->hashers[1],
				v[1].data, v[1].len);
		else
			hasher_update(w->hashers[0], v[0].data, v[0].len);
	}
	for (unsigned i = 0; i < n; i++)
		hasher_final(w->hashers[i], v[i].sum);
}

static bool is_good(const struct wtorrent *t, const struct look *l)
{
	return l->f.err == E_OK &&
	       memcmp(l->sum, metainfo_hash(t->meta, l->piece), sizeof l->sum) == 0;
}

/* Of a piece that a move was interrupted at: whether the part file has what the files lack. */
static bool salvage_piece(struct worker *w, struct wtorrent *t, struct look *l)
{
	bool doubt = worker_part_doubt(t, l->piece), good = is_good(t, l);
	struct look other = {.piece = l->piece};

	if (!doubt)
		return good;
	if (!good) {
		t->salvage = true;
		hash_pieces(w, t, &other, 1);
		t->salvage = false;
	}
	if (!worker_part_settle(w, t, l->piece, !good && is_good(t, &other), &l->f))
		return false;
	return good || is_good(t, &other);
}

static void accept_piece(struct worker *w, struct wtorrent *t, uint32_t piece)
{
	struct span_iter it = span_iter_of(
		t->meta, layout_offset(&t->layout, piece, 0), layout_piece_size(&t->layout, piece));
	struct file_span s;

	worker_piece_forget_at(w, t, piece);
	while (span_next(&it, &s))
		if (!s.pad)
			worker_file_list(t, worker_place(t, piece, &s).file);
}

static enum err judge(struct worker *w, struct wtorrent *t, struct m_worker_hash *m, struct look *l)
{
	uint32_t i = l->piece - m->first;

	if (salvage_piece(w, t, l)) {
		accept_piece(w, t, l->piece);
		m->good[i >> 3] |= (uint8_t)(0x80 >> (i & 7));
		return E_OK;
	}
	if (is_altered(l->f.err))
		return E_OK;
	if (l->f.err != E_OK)
		worker_words(&m->why, t, &l->f);
	return l->f.err;
}

/* --- jobs --- */

/* The job's next wanted pieces from its place `*at` on, two at most. */
static unsigned pick_pieces(const struct m_worker_hash *m, uint32_t *at, uint32_t v[2])
{
	unsigned n = 0;

	for (; *at < m->n && n < 2; ++*at)
		if (is_wanted(m, *at))
			v[n++] = m->first + *at;
	return n;
}

static void read_ahead(struct worker *w, struct wtorrent *t, const struct whash_job *j)
{
	uint32_t v[2], at = j->at;
	unsigned n = pick_pieces(j->m, &at, v);

	if (n == 0 && j->next != NULL && tref_equal(j->next->m->t, t->t)) {
		at = 0;
		n = pick_pieces(j->next->m, &at, v);
	}
	while (n > 0)
		worker_read_ahead(w, t, v[--n]);
}

static enum err step_job(struct worker *w, struct wtorrent *t, struct whash_job *j)
{
	struct look looks[2];
	uint32_t pieces[2];
	unsigned n = pick_pieces(j->m, &j->at, pieces);
	enum err err = E_OK;

	if (n == 0)
		return E_OK;
	read_ahead(w, t, j);
	for (unsigned i = 0; i < n; i++)
		looks[i] = (struct look){.piece = pieces[i]};
	hash_pieces(w, t, looks, n);
	for (unsigned i = 0; i < n && err == E_OK; i++)
		err = judge(w, t, j->m, &looks[i]);
	return err;
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

/* Two pieces; the rest comes in the turns that follow. */
static void run_jobs(struct loop_task *task)
{
	struct worker *w = container_of(task, struct worker, job_task);
	struct whash_job *j = w->jobs;
	struct wtorrent *t = j != NULL ? worker_find(w, j->m->t) : NULL;
	enum err err = E_OK;

	if (j == NULL)
		return;
	err = t != NULL ? step_job(w, t, j) : E_NOT_FOUND;
	if (err != E_OK || j->at >= j->m->n)
		end_job(w, &w->jobs, err);
	if (w->jobs != NULL)
		loop_task_post(actor_loop(w->actor), &w->job_task);
}

void worker_on_hash(struct actor *a, struct msg **m)
{
	struct worker *w = actor_self(a);
	struct m_worker_hash *h = MSG_AS(WORKER_HASH, *m);
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
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
	struct whash_job **at = &w->jobs;

	while (*at != NULL)
		if (tref_equal((*at)->m->t, t->t))
			end_job(w, at, E_CANCELLED);
		else
			at = &(*at)->next;
}

void worker_jobs_init(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	w->jobs_end = &w->jobs;
	w->job_task.fn = run_jobs;
	for (unsigned i = 0; i < ARRAY_LEN(w->hashers); i++)
		w->hashers[i] = hasher_new(HASH_SHA1);
}

void worker_jobs_fini(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	for (struct whash_job *j = w->jobs, *next; j != NULL; j = next) {
		struct msg *m = &j->m->h;

		next = j->next;
		xfree(j);
		msg_free(w->actor, &m);
	}
	w->jobs = NULL;
	for (unsigned i = 0; i < ARRAY_LEN(w->hashers); i++)
		hasher_free(&w->hashers[i]);
	loop_task_del(actor_loop(w->actor), &w->job_task);
}
