/* SPDX-License-Identifier: MIT */
/*
 * Checkpoints: payload is synced first, then the database says so.
 *
 * A verified piece is noted in the database without a sync, at once when it is alone and a quarter
 * of a second apart when there are many: a note spares work after a crash and is not what keeps the
 * piece, as unsynced data in a file that we wrote to is hashed anyway (trust.c).  That we
 * write to a file is told before the turn ends.  Every few seconds or MiB all workers sync what
 * they wrote; then the pieces become synced in one transaction.  A sync covers what a worker had
 * noted before its answer: notes and answers of one worker come in order.  A file written to by one
 * worker after that worker's sync stays dirty, whatever the others say of it.
 *
 * A database whose disk hangs does not gather notes: of each torrent one is under way at a time,
 * and what is new meanwhile goes in the next; no checkpoint begins while the one before is not
 * saved.
 *
 * Invariants: a piece is in `noted` or `syncing` from its verification until a sync covers it;
 * dirty_count[f] is the number of pairs that name f.
 */
#include "actors/store/priv.h"

#include <stdlib.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/log.h"

/* Verified pieces are told to the database so far apart at least. */
#define NEWS_US (250 * USEC_PER_MSEC)
/* With checkpoints no further apart than that, what the next one tells is not told before. */
#define BRISK_US (750 * USEC_PER_MSEC)
/* However much is verified, checkpoints are so far apart: each has its price. */
#define APART_US (500 * USEC_PER_MSEC)
/* So long is waited for the database, whose disk may hang. */
#define STATE_PATIENCE (3600 * USEC_PER_SEC)
#define LOOKS          256u /* files looked at by name in a checkpoint, beside those written to */
#define FILES_SEARCHED 64u  /* so many files are looked for in a checkpoint one by one */

/* --- notes --- */

static void mark_news(struct storrent *t)
{
	if (t->has_news)
		return;
	t->has_news = true;
	t->news_next = t->s->news;
	t->s->news = t;
}

void store_note_piece(struct storrent *t, uint32_t piece)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	if (!bitfield_set(&t->have, piece))
		return;
	vec32_push(&t->noted, piece);
	store_watch_note(t, piece);
	t->news_pieces = true;
	t->dirty_bytes += layout_piece_size(&t->layout, piece);
	t->downloaded += layout_piece_size(&t->layout, piece);
	mark_news(t);
}

void store_note_dirty(struct storrent *t, uint16_t worker, uint32_t file)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	if (t->dirty_n == t->dirty_room) {
		t->dirty_room = MAX(16, t->dirty_room * 2);
		t->dirty = xrealloc(t->dirty, t->dirty_room * sizeof *t->dirty);
	}
	if (t->dirty_count == NULL)
		t->dirty_count = xcalloc(t->meta->files_n + 1, sizeof *t->dirty_count);
	t->dirty[t->dirty_n++] = (struct dirty_pair){file, worker};
	if (t->dirty_count[file]++ == 0)
		vec32_push(&t->news_dirty, file);
	t->s->news_urgent |= !t->brisk;
	mark_news(t);
}

void store_note_made(struct storrent *t, uint32_t bytes)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	if (bytes <= t->dirs_made)
		return;
	t->dirs_made = bytes;
	mark_news(t);
}

bool store_file_is_dirty(const struct storrent *t, uint32_t file)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	return t->dirty_count != NULL && t->dirty_count[file] > 0;
}

void store_dirty_clear(struct storrent *t, uint16_t worker)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->dirty_n; i++)
		if (t->dirty[i].worker == worker)
			t->dirty_count[t->dirty[i].file]--;
		else
			t->dirty[n++] = t->dirty[i];
	t->dirty_n = n;
	if (n == 0) {
		xfree(t->dirty_count);
		t->dirty_count = NULL;
	}
}

/* A copy of what the database is to hold as noted. */
static uint32_t *copy_noted(const struct storrent *t, uint32_t *n)
{
	uint32_t *v;

	*n = t->noted.n + t->syncing.n;
	if (*n == 0)
		return NULL;
	v = xcalloc(*n, sizeof *v);
	if (t->noted.n > 0)
		memcpy(v, t->noted.v, t->noted.n * sizeof *v);
	if (t->syncing.n > 0)
		memcpy(v + t->noted.n, t->syncing.v, t->syncing.n * sizeof *v);
	return v;
}

static void send_news(struct storrent *t)
{
	struct m_state_note *n;
	struct msg *m;

	if (t->noting || (!t->news_pieces && t->news_dirty.n == 0 && t->dirs_made == t->dirs_told))
		return;
	t->noting = true;
	n = msg_new(t->s->actor, MSG_STATE_NOTE);
	m = &n->h;
	n->t = t->t;
	n->row = t->row;
	n->downloaded = t->downloaded;
	n->made = t->dirs_made > t->dirs_told ? t->dirs_made : 0;
	t->dirs_told = t->dirs_made;
	n->pieces = copy_noted(t, &n->pieces_n);
	n->dirty_ns = clock_wall_s() * INT64_C(1000000000);
	n->dirty = vec32_take(&t->news_dirty, &n->dirty_n);
	t->news_pieces = false;
	actor_cast(t->s->actor, ADDR_STATE, &m);
}

void store_news_noted(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	t->noting = false;
	if (t->news_pieces || t->news_dirty.n > 0 || t->dirs_made != t->dirs_told)
		mark_news(t);
}

void store_news_flush(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	while (s->news != NULL) {
		struct storrent *t = s->news;

		s->news = t->news_next;
		t->has_news = false;
		send_news(t);
	}
	s->news_urgent = false;
	s->news_due = actor_now(s->actor) + NEWS_US;
	loop_timer_del(actor_loop(s->actor), &s->news_timer);
}

void store_news_end_tick(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	if (s->news == NULL)
		return;
	if (s->news_urgent || actor_now(s->actor) >= s->news_due)
		store_news_flush(s);
	else if (!loop_timer_is_set(&s->news_timer))
		loop_timer_set(actor_loop(s->actor), &s->news_timer, s->news_due);
}

static void on_news_timer(struct loop_timer *timer, int64_t now)
{
	(void)now;
	store_news_flush(container_of(timer, struct store, news_timer));
}

void store_news_init(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	s->news_timer.fn = on_news_timer;
}

/* --- the sync --- */

void store_sync_drop(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	xfree(t->synced_stamps);
	t->synced_stamps = NULL;
	t->synced_stamps_n = 0;
	partials_free(&t->listed, &t->listed_n);
}

/* Moves n elements of *from to the end of *to; the first list is taken as it is. */
static void move_list(void **to, uint32_t *to_n, void **from, uint32_t *n, size_t size)
{
	if (*n == 0)
		return;
	if (*to_n == 0) {
		xfree(*to);
		*to = *from;
		*from = NULL;
	} else {
		*to = xrealloc(*to, (*to_n + *n) * size);
		memcpy((uint8_t *)*to + *to_n * size, *from, *n * size);
	}
	*to_n += *n;
	*n = 0;
}

static void collect(struct storrent *t, struct m_worker_sync *s)
{
	void *stamps = t->synced_stamps, *new_stamps = s->stamps;
	void *listed = t->listed, *new_listed = s->partials;

	move_list(&stamps, &t->synced_stamps_n, &new_stamps, &s->stamps_n, sizeof *s->stamps);
	move_list(&listed, &t->listed_n, &new_listed, &s->partials_n, sizeof *s->partials);
	t->synced_stamps = stamps;
	s->stamps = new_stamps;
	t->listed = listed;
	s->partials = new_listed;
}

/* What this worker had verified before its answer is covered by its sync. */
static void cover(struct storrent *t, uint16_t worker)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->noted.n; i++)
		if (tref_worker(t->t, t->noted.v[i], t->s->workers) == ADDR_INDEX(worker))
			vec32_push(&t->syncing, t->noted.v[i]);
		else
			t->noted.v[n++] = t->noted.v[i];
	t->noted.n = n;
}

void store_synced(struct storrent *t, enum err err, struct m_worker_sync *s)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	store_dirty_clear(t, s->h.from);
	for (uint32_t i = 0; i < s->looks_n; i++)
		if (s->looks[i].file <= t->meta->files_n)
			store_file_looked(t, &s->looks[i]);
	if (err == E_OK) {
		collect(t, s);
		cover(t, s->h.from);
	}
}

/* Some of the files in turn, so that the price of a sync does not grow with the torrent; all,
 * shared among the workers, when it becomes complete. */
static void ask_looks(struct storrent *t, struct m_worker_sync *s)
{
	bool all = t->have.count == t->meta->pieces && t->noted.n > 0;
	uint32_t n = all ? t->meta->files_n / t->s->workers + 1 : LOOKS / t->s->workers + 1;

	if (t->look_at >= t->meta->files_n)
		t->look_at = 0;
	s->look_first = t->look_at;
	s->look_n = n;
	t->look_at += n;
}

void store_sync(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	loop_timer_del(actor_loop(t->s->actor), &t->timer);
	store_sync_drop(t);
	t->due = false;
	t->dirty_bytes = 0;
	t->young.n = 0;
	for (unsigned i = 0; i < t->s->workers; i++) {
		struct m_worker_sync *s = msg_new(t->s->actor, MSG_WORKER_SYNC);

		s->t = t->t;
		s->flush_partials = true;
		ask_looks(t, s);
		store_call(t, ADDR(ROLE_WORKER, i), &s->h);
	}
}

/* --- telling the database --- */

static int compare_stamps(const void *pa, const void *pb)
{
	const struct file_stamp *a = pa, *b = pb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return a->mtime_ns < b->mtime_ns ? -1 : a->mtime_ns > b->mtime_ns;
}

/* One stamp a file: the latest, as each worker took its own. */
static uint32_t sort_stamps(struct file_stamp *v, uint32_t n)
{
	uint32_t out = 0;

	if (n > 0)
		qsort(v, n, sizeof *v, compare_stamps);
	for (uint32_t i = 0; i < n; i++) {
		if (i + 1 < n && v[i + 1].file == v[i].file)
			continue;
		v[out++] = v[i];
	}
	return out;
}

/* After a look at all files: those that are there, and those that the database knows of. */
static void stamps_of_all(struct storrent *t, struct m_state_pieces *p)
{
	uint32_t part = t->meta->files_n;
	uint8_t *known = xcalloc(part + 1, 1);

	for (uint32_t i = 0; i < t->before_n; i++)
		if (t->before[i].file <= part)
			known[t->before[i].file] = 1;
	for (uint32_t i = 0; i < t->synced_stamps_n; i++)
		t->now[t->synced_stamps[i].file] = t->synced_stamps[i];
	p->stamps = xcalloc(part + 1, sizeof *p->stamps);
	for (uint32_t i = 0; i < part; i++)
		if (!t->meta->files[i].pad && (t->full || t->now[i].exists || known[i]))
			p->stamps[p->stamps_n++] = t->now[i];
	if (t->now[part].exists || known[part])
		p->stamps[p->stamps_n++] = t->now[part];
	xfree(known);
}

static bool has_stamp(const struct m_state_pieces *p, uint32_t file)
{
	for (uint32_t i = 0; i < p->stamps_n; i++)
		if (p->stamps[i].file == file)
			return true;
	return false;
}

/* The stamps say what is dirty; no note is needed of those files, nor of pieces. */
static void tell_dirty(struct storrent *t, struct m_state_pieces *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->stamps_n; i++)
		p->stamps[i].dirty = store_file_is_dirty(t, p->stamps[i].file);
	for (uint32_t i = 0; i < t->news_dirty.n && i < FILES_SEARCHED; i++)
		if (!has_stamp(p, t->news_dirty.v[i]))
			t->news_dirty.v[n++] = t->news_dirty.v[i];
	for (uint32_t i = FILES_SEARCHED; i < t->news_dirty.n; i++)
		t->news_dirty.v[n++] = t->news_dirty.v[i];
	t->news_dirty.n = n;
	t->news_pieces = false;
	send_news(t);
}

/* The database has just been told: the next time may be a checkpoint again. */
static void mark_pace(struct storrent *t)
{
	int64_t now = actor_now(t->s->actor);

	t->brisk = t->synced_at != 0 && now - t->synced_at < BRISK_US;
	t->synced_at = now;
	if (!t->brisk)
		return;
	loop_timer_del(actor_loop(t->s->actor), &t->s->news_timer);
	t->s->news_due = MAX(t->s->news_due, now + BRISK_US);
}

/* Nobody waits for it: what the database did not take is noted there as unsynced still. */
static void on_state(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct storrent *t = container_of(ctx, struct storrent, saving);

	(void)a;
	(void)m;
	CHECK_OBJ(t, STORRENT_MAGIC);
	must(t->saving > 0);
	t->saving--;
	if (t->due)
		mark_news(t); /* the end of the turn looks at it */
	if (err != E_OK)
		log_event(LOG_ERROR, "checkpoint_not_saved", "ih=%s err=%s",
			infohash_name(t->meta->infohash.v1).text, err_name(err));
}

void store_state_pieces(struct storrent *t, bool wait)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	struct m_state_pieces *p = msg_new(t->s->actor, MSG_STATE_PIECES);

	t->synced_stamps_n = sort_stamps(t->synced_stamps, t->synced_stamps_n);
	p->row = t->row;
	p->downloaded = t->downloaded;
	p->checked = t->whole_check;
	t->whole_check = false;
	bitfield_copy(&p->synced, &t->synced);
	t->syncing.n = 0; /* they are in synced */
	p->noted = copy_noted(t, &p->noted_n);
	if (t->now != NULL) {
		stamps_of_all(t, p);
	} else {
		p->stamps = t->synced_stamps;
		p->stamps_n = t->synced_stamps_n;
		t->synced_stamps = NULL;
		t->synced_stamps_n = 0;
	}
	tell_dirty(t, p);
	p->has_partials = true;
	p->partials = t->listed;
	p->partials_n = t->partials_told = t->listed_n;
	t->listed = NULL;
	t->listed_n = 0;
	mark_pace(t);
	if (wait) {
		store_call(t, ADDR_STATE, &p->h);
	} else {
		struct msg *m = &p->h;

		t->saving++;
		actor_call_within(
			t->s->actor, ADDR_STATE, &m, STATE_PATIENCE, on_state, &t->saving);
	}
}

void store_checkpoint_done(struct storrent *t, bool wait)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	for (uint32_t i = 0; i < t->syncing.n; i++)
		bitfield_set(&t->synced, t->syncing.v[i]);
	if (t->synced_stamps_n > 0 || t->syncing.n > 0 || t->listed_n != t->partials_told)
		store_state_pieces(t, wait);
	store_sync_drop(t);
}

void store_checkpoint_lost(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	bitfield_free(&t->want);
	bitfield_init(&t->want, t->meta->pieces);
	vec32_append(&t->noted, &t->syncing);
	for (uint32_t i = 0; i < t->noted.n; i++) {
		bitfield_set(&t->want, t->noted.v[i]);
		bitfield_clear(&t->have, t->noted.v[i]);
	}
	vec32_free(&t->noted);
	vec32_free(&t->syncing);
	t->news_pieces = false; /* they stay noted until they are checked */
	t->lost = true;
	store_tell_error(t, t->err, t->why, true);
}

void store_checkpoint_arm(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	const struct config *c = t->s->config;
	struct loop *loop = actor_loop(t->s->actor);
	int64_t soon = t->synced_at + APART_US;

	if (t->closing || t->altered.n > 0 || (t->noted.n == 0 && t->dirty_n == 0))
		return;
	if (t->dirty_bytes >= c->store_checkpoint_bytes && soon <= loop_now(loop)) {
		t->due = true;
	} else if (t->dirty_bytes >= c->store_checkpoint_bytes) {
		loop_timer_set(loop, &t->timer, soon);
	} else if (!loop_timer_is_set(&t->timer)) {
		loop_timer_set(loop, &t->timer, loop_now(loop) + c->store_checkpoint_interval);
	}
}
