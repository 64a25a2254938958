/* SPDX-License-Identifier: MIT */
/* What the session shows, counts and remembers: views, totals, the start, limits. */
#include "tests/unit/lib/session_world.h"

/* --- totals --- */

static void test_totals(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	peers_say_totals(w, 10, 1, 16385);
	peers_say_totals(w, 20, 2, 16385);
	EXPECT(w, "");
	pass_time(w, 1);
	peers_say_totals(w, 30, 3, 16385);
	EXPECT(w, "");
	pass_time(w, 2);
	EXPECT(w, "STATE_TOTALS(30,3,0)");
	pass_time(w, 60); /* nothing new, nothing written */
	EXPECT(w, "");
	peers_say_totals(w, 40, 3, 1);
	peers_say_done(w);
	EXPECT(w, "STATE_SET(1,3,1700001063) STATE_TOTALS(40,3,0) TRACKER_COMPLETED");
	peers_say_done(w); /* told twice: completed once */
	EXPECT(w, "");
}

static void on_quiet(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	(void)a;
	(void)m;
	say(ctx, "quiet=%s", err_name(err));
}

static void test_stop(void **state)
{
	struct world *w = *state;
	struct msg *m;

	world_start(w, 1);
	have_torrent(w, "a");
	peers_say_totals(w, 10, 1, 16385);
	EXPECT(w, "");
	m = msg_new(http_of(w), MSG_QUIESCE);
	actor_call(http_of(w), ADDR_SESSION, &m, on_quiet, w);
	EXPECT(w, "quiet=OK STATE_TOTALS(10,1,0)");
	peers_say_totals(w, 11, 1, 16385); /* their last word */
	EXPECT(w, "STATE_TOTALS(11,1,0)");
	ask_add(w, "b", NULL, true);
	EXPECT(w, "ADD=STOPPING");
}

/* The daemon stops while things are under way; world_free() looks that nothing is left. */
static void test_stop_busy(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	ask_add(w, "b", NULL, true);
	ask_add(w, "b", NULL, true);
	ask_set(w, "a", TORRENT_STOP, 0);
	ask_set(w, "a", TORRENT_START, 0);
	ask_set(w, "a", GLOBAL_UP_RATE, 9);
	ask_view(w, NULL);
	turn_all(w);
	store_says_error(w, E_NOSPACE, false);
	turn_all(w);
}

/* --- views --- */

static void answer_peers_view(struct world *w, struct tref t)
{
	struct m_peers_view *v = container_of(*kept(w, MSG_PEERS_VIEW), struct m_peers_view, h);

	v->torrents = xcalloc(1, sizeof *v->torrents);
	v->torrents_n = 1;
	v->torrents[0] = (struct torrent_peers){.t = t,
		.bitfield = xmemdup("\xc0", 1),
		.bits = 3,
		.have = 2,
		.left = 1,
		.downloaded = 100,
		.uploaded = 7,
		.wasted = 3,
		.down_rate = 55,
		.peers = xcalloc(1, sizeof(struct peer_view)),
		.peers_n = 1};
	answer(w, MSG_PEERS_VIEW, E_OK);
}

static void answer_tracker_view(struct world *w, struct tref t)
{
	struct m_tracker_view *v =
		container_of(*kept(w, MSG_TRACKER_VIEW), struct m_tracker_view, h);

	v->torrents = xcalloc(1, sizeof *v->torrents);
	v->torrents_n = 1;
	v->torrents[0] = (struct torrent_trackers){
		.t = t, .trackers = xcalloc(1, sizeof(struct tracker_view)), .n = 1};
	v->torrents[0].trackers[0].url = xstrdup("http://t/a");
	answer(w, MSG_TRACKER_VIEW, E_OK);
}

static const struct m_torrent_view *seen(struct world *w)
{
	assert_non_null(w->view);
	return container_of(w->view, struct m_torrent_view, h);
}

static void test_view(void **state)
{
	struct world *w = *state;
	const struct torrent_view *v;

	world_start(w, 1);
	have_torrent(w, "a");
	ask_view(w, "a");
	EXPECT(w, "TRACKER_VIEW PEERS_VIEW");
	answer_peers_view(w, w->t);
	EXPECT(w, "");
	answer_tracker_view(w, w->t);
	EXPECT(w, "VIEW=OK");
	assert_int_equal(seen(w)->torrents_n, 1);
	assert_int_equal(seen(w)->down_limit, 1000);
	v = &seen(w)->torrents[0];
	assert_string_equal(v->meta->name, "a");
	assert_string_equal(v->path, "/downloads");
	assert_true(v->status == STATUS_DOWNLOADING && v->started && v->error == NULL);
	assert_true(v->size == 32769 && v->piece_length == 16384 && v->left == 1);
	assert_true(v->bits == 3 && v->have == 2 && v->bitfield[0] == 0xc0);
	assert_true(v->downloaded == 100 && v->uploaded_ever == 7 && v->wasted == 3);
	assert_true(v->down_rate == 55 && v->peers_n == 1 && v->trackers_n == 1);
	assert_true(v->started_at > 1700000000 && v->added > 1700000000 && v->completed_at == 0);
}

static void test_view_late(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	ask_view(w, NULL);
	EXPECT(w, "TRACKER_VIEW PEERS_VIEW");
	answer_tracker_view(w, w->t);
	EXPECT(w, "");
	pass_time(w, 2);
	EXPECT(w, "VIEW=OK");
	assert_true(seen(w)->torrents_n == 1 && seen(w)->torrents[0].trackers_n == 1);
	assert_true(seen(w)->torrents[0].peers_n == 0 && seen(w)->torrents[0].bitfield != NULL);
	answer_peers_view(w, w->t); /* too late, and harmless */
	EXPECT(w, "");
	ask_view(w, "unknown");
	EXPECT(w, "VIEW=NOT_FOUND");
}

/* Asked for in its first moment: nobody else has heard of it. */
static void test_view_early(void **state)
{
	struct world *w = *state;
	const struct torrent_view *v;

	world_start(w, 1);
	ask_add(w, "a", NULL, true);
	answer_add(w, 1);
	turn_all(w);
	w->log_n = 0;
	w->log[0] = '\0';
	ask_view(w, "a");
	EXPECT(w, "TRACKER_VIEW PEERS_VIEW");
	answer(w, MSG_PEERS_VIEW, E_OK);
	answer(w, MSG_TRACKER_VIEW, E_OK);
	EXPECT(w, "VIEW=OK");
	v = &seen(w)->torrents[0];
	assert_int_equal(v->trackers_n, 1);
	assert_string_equal(v->trackers[0].url, "http://t/a");
	assert_true(!v->trackers[0].contacted && v->trackers[0].seeders == -1);
	/* the tracker actor hears of it between the question and the answer */
	ask_view(w, "a");
	EXPECT(w, "TRACKER_VIEW PEERS_VIEW");
	store_says_ready(w, E_OK, 1);
	turn_all(w);
	w->log_n = 0;
	w->log[0] = '\0';
	answer(w, MSG_PEERS_VIEW, E_OK);
	answer(w, MSG_TRACKER_VIEW, E_OK);
	EXPECT(w, "VIEW=OK");
	assert_int_equal(seen(w)->torrents[0].trackers_n, 1);
}

/* Removed while the others were asked. */
static void test_view_gone(void **state)
{
	struct world *w = *state;
	struct tref stale;

	world_start(w, 1);
	have_torrent(w, "a");
	stale = w->t;
	stale.gen++;
	ask_view(w, NULL);
	turn_all(w);
	answer_tracker_view(w, stale);
	ask_set(w, "a", TORRENT_REMOVE, 0);
	turn_all(w);
	answer(w, MSG_STATE_SET, E_OK);
	turn_all(w);
	w->log_n = 0;
	answer_peers_view(w, w->t);
	EXPECT(w, "VIEW=OK");
	assert_int_equal(seen(w)->torrents_n, 0);
}

/* --- the start --- */

static struct torrent_record make_record(unsigned row)
{
	struct torrent_record r = {
		.row = row, .run = row % 2 != 0 ? RUN_STARTED : 0, .downloaded = 1000};
	char name[16];

	snprintf(name, sizeof name, "t%u", row);
	r.meta = made_meta(name, 3);
	r.path = xstrdup("/downloads");
	bitfield_init(&r.synced, 3);
	bitfield_set(&r.synced, 0);
	return r;
}

static void prepare_load(struct world *w, unsigned n)
{
	w->load.torrents = xcalloc(n, sizeof *w->load.torrents);
	w->load.torrents_n = n;
	for (unsigned i = 0; i < n; i++)
		w->load.torrents[i] = make_record(i + 1);
}

static void show_log(struct world *w)
{
	w->hold_load = true;
	world_start(w, 2);
	w->hold_load = false;
}

static void answer_held_load(struct world *w)
{
	struct msg **m = kept(w, MSG_STATE_LOAD);
	struct actor *a = container_of(m, struct call_kept, m)->a;

	w->log_n = 0;
	w->log[0] = '\0';
	answer_load(w, a, m);
}

static void test_load(void **state)
{
	struct world *w = *state;

	prepare_load(w, 4);
	w->load.torrents[1].removing = true; /* the last run did not finish it */
	w->load.torrents[1].removal = REMOVAL_DELETE;
	w->load.torrents[2].removing = true;
	xfree(w->load.torrents[3].path);
	w->load.torrents[3].path = xstrdup("/elsewhere");
	w->load.has_up_limit = true;
	w->load.up_limit = 10;
	show_log(w);
	ask_set(w, "t1", TORRENT_STOP, 0); /* comes too early, and waits */
	ask_view(w, "t2");
	turn_all(w);
	answer_held_load(w);
	EXPECT(w, "VIEW=NOT_FOUND STATE_SHELVE(3) STATE_SET(1,0,0)"
		  " STORE_OPEN(t2,/downloads,fresh=0,root=1) STORE_CLOSE(1)"
		  " STORE_OPEN(t1,/downloads,fresh=0,root=1)"
		  " PEERS_GLOBAL(500,5) PEERS_GLOBAL(500,5)");
	ask_view(w, NULL);
	turn_all(w);
	pass_time(w, 2);
	assert_int_equal(seen(w)->torrents_n, 2);
	assert_string_equal(seen(w)->torrents[0].meta->name, "t1");
	assert_true(seen(w)->torrents[0].bitfield[0] == 0x80 && seen(w)->torrents[0].have == 1);
	assert_int_equal(seen(w)->torrents[0].downloaded_ever, 1000);
	assert_int_equal(seen(w)->torrents[1].status, STATUS_ERROR);
	assert_non_null(strstr(seen(w)->torrents[1].error, "download.roots"));
}

static unsigned count_words(const char *text, const char *word)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		n++;
	return n;
}

/* Not all at once; one answer lets one more in, and a new torrent goes first. */
static void test_window(void **state)
{
	struct world *w = *state;
	struct tref first;

	prepare_load(w, 300);
	show_log(w);
	answer_held_load(w);
	turn_all(w);
	assert_int_equal(count_words(w->log, "STORE_OPEN"), 256);
	w->log_n = 0;
	ask_add(w, "new", NULL, true);
	answer_add(w, 1000);
	EXPECT(w, "STATE_ADD(new,/downloads) ADD=OK");
	first = w->t;
	store_says_ready(w, E_OK, 1);
	turn_all(w);
	assert_int_equal(count_words(w->log, "STORE_OPEN(new,"), 1);
	assert_int_equal(count_words(w->log, "STORE_OPEN("), 1);
	w->log_n = 0;
	w->t = first;
	store_says_ready(w, E_OK, 1); /* again, of one that is open: a new look, not a new place */
	turn_all(w);
	assert_int_equal(count_words(w->log, "STORE_OPEN("), 0);
}

/* Their directory is no download root any more when their turn to be opened comes. */
static void test_root_goes_away(void **state)
{
	static const char *const elsewhere[] = {"--download.dir=/srv/other", NULL};
	struct world *w = *state;
	struct tref first;

	prepare_load(w, 300);
	show_log(w);
	answer_held_load(w);
	turn_all(w);
	first = w->t;
	reload(w, "/srv/other", elsewhere);
	turn_all(w);
	w->log_n = 0;
	w->t = first;
	store_says_ready(w, E_OK, 1);
	turn_all(w);
	assert_int_equal(count_words(w->log, "STORE_OPEN("), 0);
	ask_view(w, NULL);
	turn_all(w);
	pass_time(w, 2);
	assert_int_equal(seen(w)->torrents_n, 300);
	assert_int_equal(seen(w)->torrents[299].status, STATUS_ERROR);
	assert_non_null(strstr(seen(w)->torrents[299].error, "download.roots"));
}

/* While the disk of the database hangs one message a torrent waits for it, however long. */
static void test_totals_have_a_bound(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	w->hold_totals = true;
	for (uint64_t i = 1; i < 100; i++) {
		peers_say_totals(w, i, 0, 16385);
		pass_time(w, 3);
	}
	EXPECT(w, "STATE_TOTALS(1,0,0)");
	w->hold_totals = false;
	take_totals(fake_of(w, ROLE_STATE), w->t);
	EXPECT(w, "STATE_TOTALS(99,0,0)");
	pass_time(w, 60);
	EXPECT(w, "");
}

static void test_load_fails(void **state)
{
	struct world *w = *state;

	show_log(w);
	ask_add(w, "a", NULL, true);
	turn_all(w);
	w->log_n = 0;
	answer(w, MSG_STATE_LOAD, E_IO);
	turn_all(w);
	assert_int_equal(count_words(w->log, "ADD=IO"), 1);
	assert_string_equal(w->why, "the database could not be read");
}

/* --- limits and reload --- */

static void test_limits(void **state)
{
	struct world *w = *state;

	world_start(w, 3);
	ask_set(w, "", GLOBAL_DOWN_RATE, 2);
	turn_all(w);
	w->log_n = 0;
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK PEERS_GLOBAL(1,0) PEERS_GLOBAL(1,0) PEERS_GLOBAL(1,0)");
	ask_set(w, "", GLOBAL_DOWN_RATE, 0);
	turn_all(w);
	w->log_n = 0;
	answer(w, MSG_STATE_SET, E_NOSPACE); /* not written: not so */
	EXPECT(w, "SET=NOSPACE");
	ask_set(w, "", GLOBAL_DOWN_RATE, 0);
	turn_all(w);
	w->log_n = 0;
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK PEERS_GLOBAL(0,0) PEERS_GLOBAL(0,0) PEERS_GLOBAL(0,0)");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)
	const struct CMUnitTest tests[] = {
		TEST(test_totals),
		TEST(test_stop),
		TEST(test_stop_busy),
		TEST(test_view),
		TEST(test_view_late),
		TEST(test_view_early),
		TEST(test_view_gone),
		TEST(test_load),
		TEST(test_window),
		TEST(test_root_goes_away),
		TEST(test_totals_have_a_bound),
		TEST(test_load_fails),
		TEST(test_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
