/* SPDX-License-Identifier: MIT */
/*
 * The store: checks on demand, torrents in line, syncs that fail, closing and deleting.
 */
#include "tests/unit/lib/store_db.h"

/* --- checking --- */

static void test_recheck(void **state)
{
	struct world *w = begin(slow);
	char path[200];

	(void)state;
	files_write(w->down, now.meta, files);
	open_expect(w, E_OK, PIECES, PIECES);
	put(path_of(path, sizeof path, w->down, "t/b"), 49 * KIB, "spoilt");
	check_torrent(w, T0);
	expect_ready(w, E_OK, PIECES - 1, PIECES);
	assert_int_equal(now.rec.synced.count, PIECES - 1);
	assert_false(bitfield_get(&now.rec.synced, 4));
	send_piece(w, 4);
	assert_int_equal(now.ok, 1);
	files_check(w->down, now.meta, files);
	check_torrent(w, T0);
	expect_ready(w, E_OK, PIECES, PIECES);
	assert_int_equal(unlink(path), 0);
	check_torrent(w, T0); /* asked for: then what is gone is gone */
	expect_ready(w, E_OK, 3, 3);
	assert_int_equal(now.rec.synced.count, 3);
	end(w);
}

/* Everything is missing: held; the check says what is left, and lets it begin again. */
static void test_held(void **state)
{
	struct world *w = begin(slow);
	char path[200];

	(void)state;
	files_write(w->down, now.meta, files);
	open_expect(w, E_OK, PIECES, PIECES);
	stop(w);
	for (int i = 0; i < 3; i++) {
		const char *const names[] = {"t/a", "t/b", "t/c"};

		assert_int_equal(unlink(path_of(path, sizeof path, w->down, names[i])), 0);
	}
	start(w, slow);
	open_expect(w, E_NOENT, 0, 0);
	assert_int_equal(now.rec.synced.count, PIECES); /* nothing is given up yet */
	send_piece(w, 0);
	assert_int_equal(now.ok, 0);
	assert_int_equal(w->lent, 0);
	check_torrent(w, T0);
	expect_ready(w, E_OK, 0, 0);
	assert_int_equal(now.rec.synced.count, 0);
	send_piece(w, 0);
	assert_int_equal(now.ok, 1);
	end(w);
}

static void test_queue(void **state)
{
	static const char *const args[] = {"--store.check_rate=1MiB/s", NULL};
	struct world *w = begin(args);
	struct m_store_progress *p;
	struct m_store_ready *r;
	struct tref first;
	int64_t before;

	(void)state;
	files_write(w->down, now.meta, files);
	before = clock_mono_us();
	open_as(w, T0, w->down);
	open_as(w, T1, w->down);
	p = AS(m_store_progress, seen_wait(w, MSG_STORE_PROGRESS));
	first = p->t;
	assert_int_equal(p->total, PIECES);
	seen_free(w, &p->h);
	r = ready_wait(w);
	assert_true(tref_equal(r->t, first));
	seen_free(w, &r->h);
	while ((p = AS(m_store_progress, seen_now(w, MSG_STORE_PROGRESS))) != NULL) {
		assert_true(tref_equal(p->t, first)); /* one after the other */
		seen_free(w, &p->h);
	}
	r = ready_wait(w);
	assert_false(tref_equal(r->t, first));
	assert_int_equal(r->have.count, PIECES);
	seen_free(w, &r->h);
	/* the first 150 KiB and a part of the second pass before the last is charged */
	assert_true(clock_mono_us() - before > 150000);
	/* closed while it waits and while it is checked */
	check_torrent(w, T0);
	check_torrent(w, T1);
	settle(w);
	assert_int_equal(close_torrent(w, T1, false), E_OK);
	assert_int_equal(close_torrent(w, T0, false), E_OK);
	assert_int_equal(now.rec.synced.count, PIECES);
	end(w);
}

/* --- closing --- */

static void test_delete(void **state)
{
	struct world *w = begin(slow);
	struct m_store_close *c = msg_new(actor_of(w, ADDR_SESSION), MSG_STORE_CLOSE);
	struct msg *m = &c->h;
	char path[200];

	(void)state;
	open_expect(w, E_OK, 0, 0);
	for (uint32_t i = 0; i < PIECES - 1; i++)
		send_piece(w, i);
	send_blocks(w, 4, 0, 1);
	put(path_of(path, sizeof path, w->down, "mine"), 0, "x");
	c->t = T0; /* two ask: both are answered */
	w->waiting++;
	actor_call(actor_of(w, ADDR_SESSION), ADDR_STORE, &m, take_answer, w);
	assert_int_equal(close_torrent(w, T0, true), E_OK);
	assert_false(file_exists(w->down, "t"));
	assert_true(file_exists(w->down, "mine"));
	assert_int_equal(w->lent, 0);
	end(w);
}

/* --- disks that fail: workers that do as they are told --- */

FAKE(worker);

static struct {
	unsigned fail;  /* so many syncs fail */
	uint8_t bad;    /* this piece does not hash; 0xff: all do */
	unsigned syncs; /* seen */
} disk;

static void act_as_worker(struct world *w, struct actor *a, struct msg **m)
{
	if ((*m)->type == MSG_WORKER_STAT) {
		struct m_worker_stat *s = AS(m_worker_stat, *m);

		s->stamps_n = 5;
		s->stamps = xcalloc(5, sizeof *s->stamps);
		for (uint32_t i = 0; i < 5; i++)
			s->stamps[i].file = i;
		bitfield_init(&s->data, PIECES);
	} else if ((*m)->type == MSG_WORKER_HASH) {
		struct m_worker_hash *h = AS(m_worker_hash, *m);

		h->good = xmemdup(h->want, bitfield_bytes(h->n));
		if (disk.bad >= h->first && disk.bad < h->first + h->n)
			h->good[0] &= (uint8_t) ~(0x80 >> (disk.bad - h->first));
	} else if ((*m)->type == MSG_WORKER_SYNC && disk.syncs++ < disk.fail * 2) {
		snprintf(AS(m_worker_sync, *m)->why.text, 256, "sync 't/a': failed");
		actor_reply(a, m, E_IO);
	} else {
		hear(w, a, m);
	}
}

static struct world *begin_faked(const char *const *args, unsigned fail, uint8_t bad)
{
	struct world *w = world_dirs();

	memset(&now, 0, sizeof now);
	now.files = files;
	now.workers = 2;
	disk.fail = fail;
	disk.bad = bad;
	disk.syncs = 0;
	now.meta = torrent_of(files, PIECE);
	now.l = layout_of_metainfo(now.meta);
	bitfield_init(&now.rec.synced, PIECES);
	world_config(w, args);
	w->env.workers = 2;
	w->on_seen = act_as_worker;
	w->set = actors_new(&message_table);
	actors_add_here(w->set, ADDR_SESSION, &fake_session, w);
	actors_add_here(w->set, ADDR_STATE, &fake_state, w);
	actors_add_here(w->set, ADDR_STORE, &store_spec, &w->env);
	for (unsigned i = 0; i < 2; i++)
		actors_add_here(w->set, ADDR(ROLE_WORKER, i), &fake_worker, w);
	actors_start_here(w->set);
	return w;
}

static void note(struct world *w, uint32_t piece)
{
	struct actor *a = actor_of(w, ADDR(ROLE_WORKER, tref_worker(T0, piece, 2)));
	struct m_worker_note *n = msg_new(a, MSG_WORKER_NOTE);
	struct msg *m = &n->h;

	n->n = 2;
	n->notes[0] = (struct note){.kind = NOTE_PIECE_OK, .t = T0, .index = piece};
	n->notes[1] = (struct note){.kind = NOTE_FILE_DIRTY, .t = T0, .index = 0};
	actor_cast(a, ADDR_STORE, &m);
}

/* A failed sync: nothing is called synced, the pieces are hashed again, and said to be lost if bad.
 */
static void test_sync_fails(void **state)
{
	struct world *w = begin_faked(quick, 1, 2);
	struct m_store_error *e;
	struct m_store_ready *r;

	(void)state;
	open_expect(w, E_OK, 0, 0);
	for (uint32_t i = 0; i < 3; i++)
		note(w, i);
	e = AS(m_store_error, seen_wait(w, MSG_STORE_ERROR));
	assert_true(e->lost);
	assert_int_equal(e->err, E_IO);
	assert_string_equal(e->why.text, "sync 't/a': failed");
	seen_free(w, &e->h);
	assert_int_equal(now.rec.synced.count, 0);
	r = ready_wait(w);
	assert_int_equal(r->err, E_OK);
	assert_int_equal(r->hashed, 3);
	assert_int_equal(r->have.count, 2);
	assert_false(bitfield_get(&r->have, 2));
	seen_free(w, &r->h);
	settle(w);
	assert_int_equal(now.rec.synced.count, 2);
	assert_int_equal(now.rec.unsynced_n, 0);
	end(w);
}

/* The sync after the second look fails, too: the torrent is held, and a stop does not sync again.
 */
static void test_sync_keeps_failing(void **state)
{
	struct world *w = begin_faked(quick, 2, 0xff);
	struct m_store_ready *r;

	(void)state;
	open_expect(w, E_OK, 0, 0);
	note(w, 1);
	r = ready_wait(w);
	assert_int_equal(r->err, E_IO);
	seen_free(w, &r->h);
	assert_int_equal(now.rec.synced.count, 0);
	assert_int_equal(now.rec.unsynced_n, 1); /* the next start hashes it */
	assert_int_equal(disk.syncs, 4);
	end(w);
	assert_int_equal(disk.syncs, 4);
}

/* A close must not trust a sync that comes after a failed one. */
static void test_close_after_failure(void **state)
{
	struct world *w = begin_faked(slow, 1, 0xff);

	(void)state;
	open_expect(w, E_OK, 0, 0);
	note(w, 1);
	settle(w);
	assert_int_equal(close_torrent(w, T0, false), E_IO);
	assert_int_equal(disk.syncs, 2);
	assert_int_equal(now.rec.synced.count, 0);
	assert_int_equal(now.rec.unsynced_n, 1);
	end(w);
}

/* What is written while a sync is under way stays dirty and noted. */
static void hold_first_sync(struct world *w, struct actor *a, struct msg **m)
{
	if ((*m)->type == MSG_WORKER_SYNC && disk.syncs++ < 2) {
		struct m_worker_sync *s = AS(m_worker_sync, *m);

		s->stamps = xcalloc(1, sizeof *s->stamps);
		s->stamps[0] = (struct file_stamp){.exists = true, .size = 1};
		s->stamps_n = 1;
		actor_reply(a, m, E_OK);
		if (disk.syncs == 1) /* the first to answer writes again at once */
			note(w, tref_worker(T0, 3, 2) == ADDR_INDEX(actor_addr(a)) ? 3 : 4);
	} else {
		disk.fail = 0;
		act_as_worker(w, a, m);
	}
}

static void test_dirty_again(void **state)
{
	struct world *w = begin_faked(quick, 0, 0xff);

	(void)state;
	open_expect(w, E_OK, 0, 0);
	w->on_seen = hold_first_sync;
	note(w, 0);
	note(w, 1);
	wait_told(w, 1);
	settle(w);
	assert_int_equal(now.rec.synced.count, 2);
	assert_int_equal(now.rec.unsynced_n, 1); /* not covered by the sync before it */
	assert_true(stamp_of(0)->exists && stamp_of(0)->dirty);
	wait_told(w, 2);
	assert_int_equal(now.rec.synced.count, 3);
	assert_int_equal(now.rec.unsynced_n, 0);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recheck),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_delete),
		cmocka_unit_test(test_sync_fails),
		cmocka_unit_test(test_sync_keeps_failing),
		cmocka_unit_test(test_close_after_failure),
		cmocka_unit_test(test_dirty_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
