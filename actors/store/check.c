/* SPDX-License-Identifier: MIT */
/*
 * Checks: torrents wait in line, one at a time is hashed by all workers together.
 *
 * A piece is hashed by the worker that owns it, which also knows what it wrote of it.  Each worker
 * walks over its own pieces in a stretch of the torrent at a time, so that together they read the
 * files from front to back.  A job is some MiB, so that messages are few, and less where the rate
 * is capped, so that the cap holds over a second; but two pieces at least: a worker hashes them
 * side by side.  With the next job in its queue it never waits for this actor, and reads ahead from
 * one job into the next.  A close or a stop waits for two pieces, not for a job.
 */
#include "actors/store/priv.h"

#define JOB_BYTES     (UINT64_C(16) << 20)
#define JOBS_A_SECOND 8u /* at least, when the rate is capped */
#define JOBS_MAX      2u /* under way for each worker */
#define PROGRESS_US   (USEC_PER_SEC / 4)

/* --- the line --- */

static void begin_next(struct store *s)
{
	struct storrent *t = s->queue;

	if (s->checking != NULL || t == NULL)
		return;
	s->queue = t->queue_next;
	if (s->queue == NULL)
		s->queue_end = &s->queue;
	t->queue_next = NULL;
	s->checking = t;
	if (t->cursor == NULL)
		t->cursor = xcalloc(s->workers, sizeof *t->cursor);
	memset(t->cursor, 0, s->workers * sizeof *t->cursor);
	memset(s->jobs, 0, s->workers * sizeof *s->jobs);
	t->issued = t->hashed = 0;
	t->progress_at = 0;
	loop_task_post(actor_loop(s->actor), &s->check_task);
}

void store_check_queue(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	struct store *s = t->s;

	t->queue_next = NULL;
	*s->queue_end = t;
	s->queue_end = &t->queue_next;
	begin_next(s);
}

void store_check_end(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	struct store *s = t->s;
	struct storrent **at = &s->queue;

	if (s->checking == t) {
		s->checking = NULL;
		xfree(t->cursor);
		t->cursor = NULL;
		begin_next(s);
		return;
	}
	while (*at != NULL && *at != t)
		at = &(*at)->queue_next;
	if (*at == NULL)
		return;
	*at = t->queue_next;
	if (s->queue_end == &t->queue_next)
		s->queue_end = at;
}

/* --- jobs --- */

static bool is_of(const struct storrent *t, uint32_t piece, unsigned worker)
{
	return tref_worker(t->t, piece, t->s->workers) == worker;
}

/* The worker's next piece to hash, from its cursor on; want.bits when there is none. */
static uint32_t next_piece(const struct storrent *t, unsigned worker)
{
	uint32_t i = t->cursor[worker];

	while (i < t->want.bits) {
		i = bitfield_next_set(&t->want, i);
		if (i >= t->want.bits || is_of(t, i, worker))
			return i;
		i++;
	}
	return i;
}

static void tell_progress(struct storrent *t)
{
	struct m_store_progress *p;
	struct msg *m;
	int64_t now = actor_now(t->s->actor);

	if (t->progress_at != 0 && now < t->progress_at + PROGRESS_US)
		return;
	t->progress_at = now;
	p = msg_new(t->s->actor, MSG_STORE_PROGRESS);
	m = &p->h;
	p->t = t->t;
	p->checked = t->hashed;
	p->total = t->want.count;
	actor_cast(t->s->actor, ADDR_SESSION, &m);
}

static void take_result(struct storrent *t, const struct m_worker_hash *h)
{
	for (uint32_t i = 0; i < h->n; i++) {
		if (!bits_get(h->want, i))
			continue;
		t->hashed++;
		if (bits_get(h->good, i))
			bitfield_set(&t->have, h->first + i);
	}
}

void store_hashed(struct storrent *t, enum err err, struct m_worker_hash *h)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	t->s->jobs[ADDR_INDEX(h->h.from)]--;
	if (err == E_OK) {
		take_result(t, h);
		tell_progress(t);
	}
	if (t->s->checking == t)
		store_check_feed(t);
}

static uint64_t pieces_per_job(const struct storrent *t)
{
	uint64_t rate = t->s->config->store_check_rate, bytes = JOB_BYTES;

	if (rate > 0)
		bytes = MIN(bytes, rate / JOBS_A_SECOND);
	return MAX(UINT64_C(2), bytes / t->layout.piece_length);
}

/* Sends the worker's pieces from `first` on; the bytes they have. */
static uint64_t send_job(struct storrent *t, unsigned worker, uint32_t first)
{
	uint64_t span = pieces_per_job(t) * t->s->workers, bytes = 0;
	struct m_worker_hash *h = msg_new(t->s->actor, MSG_WORKER_HASH);

	h->t = t->t;
	h->first = first;
	h->n = (uint32_t)MIN(span, t->want.bits - first);
	h->want = xcalloc(1, bitfield_bytes(h->n));
	for (uint32_t i = 0; i < h->n; i++) {
		if (!is_of(t, first + i, worker) || !bitfield_get(&t->want, first + i))
			continue;
		bits_set(h->want, i);
		t->issued++;
		bytes += layout_piece_size(&t->layout, first + i);
	}
	t->cursor[worker] = first + h->n;
	t->s->jobs[worker]++;
	store_call(t, ADDR(ROLE_WORKER, worker), &h->h);
	return bytes;
}

/* false: not yet, the timer is set. */
static bool rate_allows(struct store *s)
{
	if (s->config->store_check_rate == 0 || actor_now(s->actor) >= s->check_next)
		return true;
	loop_timer_set(actor_loop(s->actor), &s->check_timer, s->check_next);
	return false;
}

static void charge_rate(struct store *s, uint64_t bytes)
{
	uint64_t rate = s->config->store_check_rate;

	if (rate > 0)
		s->check_next = MAX(s->check_next, actor_now(s->actor)) +
				(int64_t)((double)bytes * USEC_PER_SEC / (double)rate);
}

void store_check_feed(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	struct store *s = t->s;

	if (t->err != E_OK || t->closing || t->phase != PHASE_CHECK)
		return;
	for (unsigned round = 0; round < JOBS_MAX; round++)
		for (unsigned w = 0; w < s->workers && store_check_left(t); w++) {
			uint32_t first = s->jobs[w] > round ? t->want.bits : next_piece(t, w);

			if (first >= t->want.bits)
				continue;
			if (!rate_allows(s))
				return;
			charge_rate(s, send_job(t, w, first));
		}
}

static void on_check_timer(struct loop_timer *timer, int64_t now)
{
	struct store *s = container_of(timer, struct store, check_timer);

	(void)now;
	if (s->checking != NULL)
		store_check_feed(s->checking);
}

void store_check_reload(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	loop_timer_del(actor_loop(s->actor), &s->check_timer);
	s->check_next = actor_now(s->actor);
	if (s->checking != NULL)
		store_check_feed(s->checking);
}

void store_check_init(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	s->queue_end = &s->queue;
	s->jobs = xcalloc(s->workers, sizeof *s->jobs);
	s->check_timer.fn = on_check_timer;
}
