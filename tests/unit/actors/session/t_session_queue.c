/* SPDX-License-Identifier: MIT */
/* Whose turn it is, which files are wanted, and when seeding ends. */
#include "tests/unit/lib/session_world.h"

#include <sys/resource.h>

static const char *const one_of_each[] = {
	"--queue.downloads=1", "--queue.seeds=1", "--queue.stalled=5m", NULL};

static void forget(struct world *w)
{
	turn_all(w);
	w->log_n = 0;
	w->log[0] = '\0';
}

/* One that is there: row, and how many of its three pieces it has.  Nothing is expected of it. */
static struct tref have(struct world *w, const char *name, int64_t row, uint32_t pieces)
{
	ask_add(w, name, NULL, true);
	answer_add(w, row);
	turn_all(w);
	store_says_ready(w, E_OK, pieces);
	turn_all(w);
	if (pieces == 3)
		answer(w, MSG_STATE_SET, E_OK); /* when it was complete */
	forget(w);
	return w->t;
}

static void set_saved(struct world *w, const char *name, enum torrent_op op, uint64_t value)
{
	ask_set(w, name, op, value);
	turn_all(w);
	answer(w, MSG_STATE_SET, E_OK);
}

static void move(struct world *w, const char *name, enum queue_move to, uint64_t position)
{
	struct m_torrent_set *set = make_set_of(w, name, TORRENT_MOVE);

	set->move = to;
	set->value = position;
	ask(w, &set->h);
}

/* Names and states of all, in the order of the queue: "b:downloading a:queued". */
static const char *order(struct world *w)
{
	static const char marks[] = {[STATUS_STOPPED] = 'S',
		[STATUS_CHECKING] = 'C',
		[STATUS_DOWNLOADING] = 'D',
		[STATUS_SEEDING] = 'U',
		[STATUS_QUEUED] = 'q',
		[STATUS_ERROR] = 'E'};
	static char text[256];
	const struct m_torrent_view *v;
	size_t n = 0;

	ask_view(w, NULL);
	turn_all(w);
	answer(w, MSG_TRACKER_VIEW, E_TIMEOUT);
	answer(w, MSG_PEERS_VIEW, E_TIMEOUT);
	forget(w);
	v = container_of(w->view, struct m_torrent_view, h);
	for (uint32_t place = 1; place <= v->torrents_n; place++)
		for (uint32_t i = 0; i < v->torrents_n; i++)
			if (v->torrents[i].place == place)
				n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%c",
					n > 0 ? " " : "", v->torrents[i].meta->name,
					marks[v->torrents[i].status]);
	text[n] = '\0';
	return text;
}

/* --- the queue --- */

static void test_turns(void **state)
{
	struct world *w = *state;
	struct tref a;

	w->options = one_of_each;
	world_start(w, 1);
	a = have(w, "a", 1, 1);
	ask_add(w, "b", NULL, true);
	answer_add(w, 2);
	forget(w);
	store_says_ready(w, E_OK, 1);
	EXPECT(w, "TRACKER_ADD(0,16385) PEERS_ADD(0,1)"); /* waits */
	(void)have(w, "c", 3, 3);
	assert_string_equal(order(w), "aD bq cU");
	w->t = a;
	peers_say_done(w);
	/* b is next to download; a comes before c, and so goes on without a break. */
	EXPECT(w, "STATE_SET(1,3,1700001000) STATE_TOTALS(0,0,0) TRACKER_COMPLETED"
		  " TRACKER_START TRACKER_STOP PEERS_SET(1,0,0) PEERS_SET(0,0,0)");
	assert_string_equal(order(w), "aU bD cq");
}

static void test_start_and_stop(void **state)
{
	struct world *w = *state;

	w->options = one_of_each;
	world_start(w, 1);
	(void)have(w, "a", 1, 1);
	(void)have(w, "b", 2, 1);
	(void)have(w, "c", 3, 1);
	assert_string_equal(order(w), "aD bq cq");
	set_saved(w, "a", TORRENT_STOP, 0);
	assert_string_equal(order(w), "aS bD cq");
	set_saved(w, "a", TORRENT_START, 0); /* comes before b */
	assert_string_equal(order(w), "aD bq cq");
	set_saved(w, "c", TORRENT_START, 1); /* by force */
	assert_string_equal(order(w), "aD bq cD");
	set_saved(w, "c", TORRENT_START, 0);
	assert_string_equal(order(w), "aD bq cq");
	ask_set(w, "a", TORRENT_REMOVE, 0);
	turn_all(w);
	answer(w, MSG_STATE_SET, E_OK);
	assert_string_equal(order(w), "bD cq");
	store_says_error(w, E_IO, false); /* of c, which waits */
	assert_string_equal(order(w), "bD cE");
}

static void test_moves(void **state)
{
	static const struct {
		const char *name;
		enum queue_move to;
		uint64_t position;
		const char *after; /* NULL: nothing is written */
	} cases[] = {
		{"c", MOVE_TOP, 0, "cD aq bq dq"},
		{"c", MOVE_TOP, 0, NULL},
		{"c", MOVE_DOWN, 0, "aD cq bq dq"},
		{"c", MOVE_BOTTOM, 0, "aD bq dq cq"},
		{"c", MOVE_DOWN, 0, NULL},
		{"c", MOVE_UP, 0, "aD bq cq dq"},
		{"a", MOVE_TO, 3, "bD cq aq dq"},
		{"a", MOVE_TO, 99, "bD cq dq aq"},
		{"a", MOVE_TO, 1, "aD bq cq dq"},
		{"d", MOVE_TO, 2, "aD dq bq cq"},
		{"d", MOVE_UP, 0, "dD aq bq cq"},
	};
	struct world *w = *state;

	w->options = one_of_each;
	world_start(w, 1);
	(void)have(w, "a", 1, 1);
	(void)have(w, "b", 2, 1);
	(void)have(w, "c", 3, 1);
	(void)have(w, "d", 4, 1);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		move(w, cases[i].name, cases[i].to, cases[i].position);
		if (cases[i].after == NULL) {
			EXPECT(w, "SET=OK");
			continue;
		}
		EXPECT(w, "STATE_PLACES(1)");
		answer(w, MSG_STATE_SET, E_OK);
		assert_string_equal(order(w), cases[i].after);
	}
	move(w, "a", MOVE_TOP, 0);
	move(w, "b", MOVE_TOP, 0);
	EXPECT(w, "STATE_PLACES(1)"); /* one after the other */
	answer(w, MSG_STATE_SET, E_NOSPACE);
	EXPECT(w, "SET=NOSPACE STATE_PLACES(1)");
	answer(w, MSG_STATE_SET, E_OK);
	assert_string_equal(order(w), "bD dq aq cq");
	move(w, "unknown", MOVE_TOP, 0);
	EXPECT(w, "SET=NOT_FOUND");
}

/* Two change places until the gap between their neighbours is used up. */
static void test_gaps(void **state)
{
	struct world *w = *state;
	unsigned renumbered = 0;

	w->options = one_of_each;
	world_start(w, 1);
	(void)have(w, "a", 1, 1);
	(void)have(w, "b", 2, 1);
	(void)have(w, "c", 3, 1);
	(void)have(w, "d", 4, 1);
	for (unsigned i = 0; i < 80; i++) {
		move(w, i % 2 == 0 ? "c" : "b", MOVE_TO, 2);
		turn_all(w);
		renumbered += strcmp(w->log, "STATE_PLACES(4)") == 0;
		answer(w, MSG_STATE_SET, E_OK);
		forget(w);
		assert_string_equal(order(w), i % 2 == 0 ? "aD cq bq dq" : "aD bq cq dq");
	}
	assert_in_range(renumbered, 1, 5);
}

static void test_stalled(void **state)
{
	struct world *w = *state;
	struct tref a;

	w->options = one_of_each;
	world_start(w, 1);
	a = have(w, "a", 1, 1);
	(void)have(w, "b", 2, 1);
	pass_time(w, 200);
	w->t = a;
	peers_say_totals(w, 100, 0, 16385);
	pass_time(w, 200);
	assert_string_equal(order(w), "aD bq");
	pass_time(w, 101);
	assert_string_equal(order(w), "aD bD"); /* a goes on, and is not counted */
	w->t = a;
	peers_say_totals(w, 100, 50, 16385); /* an upload is no progress of a download */
	assert_string_equal(order(w), "aD bD");
	peers_say_totals(w, 200, 50, 16385);
	assert_string_equal(order(w), "aD bq");
}

static void test_no_limit(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	(void)have(w, "a", 1, 1);
	(void)have(w, "b", 2, 3);
	(void)have(w, "c", 3, 3);
	pass_time(w, 100000);
	assert_string_equal(order(w), "aD bU cU");
}

/* --- files --- */

#define H20          "hhhhhhhhhhhhhhhhhhhh"
#define FILE16(name) "d6:lengthi16384e4:pathl1:" name "ee"
static const char multi[] = "d4:infod5:filesl" FILE16("a") FILE16("b")
	FILE16("c") "e4:name1:m12:piece lengthi16384e6:pieces60:" H20 H20 H20 "ee";

static void choose(struct world *w, uint32_t first, uint32_t last, uint8_t priority)
{
	struct m_torrent_set *set;
	struct metainfo *meta = NULL;

	assert_int_equal(metainfo_parse(multi, sizeof multi - 1, &meta, NULL), E_OK);
	set = make_set(w, meta, TORRENT_FILES);
	metainfo_unref(&meta);
	set->files = xcalloc(1, sizeof *set->files);
	set->files_n = 1;
	set->files[0] = (struct file_wish){first, last, priority};
	ask(w, &set->h);
}

static void test_files(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	ask_add_bytes(w, multi, sizeof multi - 1);
	answer_add(w, 1);
	turn_all(w);
	store_says_ready(w, E_OK, 1);
	forget(w);
	choose(w, 1, 1, 0);
	EXPECT(w, "STATE_FILES(1,404)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK STORE_FILES(404) PEERS_SET(1,0,0,404)");
	choose(w, 1, 1, 0); /* so already */
	EXPECT(w, "SET=OK");
	choose(w, 1, 3, 0);
	EXPECT(w, "SET=RANGE");
	assert_string_equal(w->why, "files: the torrent has the files 0 to 2");
	choose(w, 1, UINT32_MAX, 0);
	EXPECT(w, "STATE_FILES(1,400)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK STORE_FILES(400) PEERS_SET(1,0,0,400)");
	peers_say_totals(w, 0, 0, 0);
	peers_say_done(w);
	EXPECT(w, "STATE_SET(1,3,1700001000) STATE_TOTALS(0,0,0) TRACKER_COMPLETED");
	answer(w, MSG_STATE_SET, E_OK);
	choose(w, 0, UINT32_MAX, 4);
	EXPECT(w, "STATE_FILES(1,all)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK STORE_FILES(all) PEERS_SET(1,0,0)");
	peers_say_totals(w, 0, 0, 32768);
	assert_string_equal(order(w), "mD");
	pass_time(w, 5);
	forget(w);
	peers_say_totals(w, 32768, 0, 0);
	peers_say_done(w); /* complete again: a new date, and no news for trackers */
	EXPECT(w, "STATE_SET(1,3,1700001005) STATE_TOTALS(32768,0,0)");
}

/* BEP 3, BEP 21: who has a part of it, though all it wants, is no seed and has completed nothing.
 */
static void test_a_part_is_no_seed(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	ask_add_bytes(w, multi, sizeof multi - 1);
	answer_add(w, 1);
	turn_all(w);
	choose(w, 1, 2, 0);
	turn_all(w);
	answer(w, MSG_STATE_SET, E_OK);
	forget(w);
	store_says_ready(w, E_OK, 1); /* all that is wanted */
	EXPECT(w, "STATE_SET(1,3,1700001000) TRACKER_ADD(1,32768) PEERS_ADD(1,1)");
	choose(w, 1, 1, 4);
	turn_all(w);
	answer(w, MSG_STATE_SET, E_OK);
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "STATE_FILES(1,440) SET=OK STORE_FILES(440) PEERS_SET(1,0,0,440)");
	peers_say_left(w, 0, 16384, 32768);
	EXPECT(w, "TRACKER_MORE(32768)"); /* at once */
	peers_say_left(w, 16384, 0, 16384);
	peers_say_done(w);
	EXPECT(w, "STATE_SET(1,3,1700001000) STATE_TOTALS(16384,0,0)");
	choose(w, 2, 2, 4);
	turn_all(w);
	answer(w, MSG_STATE_SET, E_OK);
	answer(w, MSG_STATE_SET, E_OK);
	forget(w);
	peers_say_left(w, 16384, 16384, 16384);
	EXPECT(w, "TRACKER_MORE(16384)");
	peers_say_left(w, 32768, 0, 0);
	peers_say_done(w); /* every piece is there now, for the first time */
	EXPECT(w, "STATE_SET(1,3,1700001000) STATE_TOTALS(32768,0,0) TRACKER_COMPLETED");
}

static void test_wishes(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	(void)have(w, "a", 1, 1);
	ask_set(w, "a", TORRENT_SEQUENTIAL, 1);
	EXPECT(w, "STATE_SET(1,8,1)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK PEERS_SET(1,0,0,seq)");
	ask_set(w, "a", TORRENT_FIRST_LAST, 1);
	EXPECT(w, "STATE_SET(1,9,1)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK PEERS_SET(1,0,0,seq,edges)");
}

/* --- two torrents, one place --- */

static void test_same_target(void **state)
{
	struct world *w = *state;
	char *bytes;
	size_t n;

	world_start(w, 1);
	(void)have(w, "a", 1, 1);
	bytes = made_bytes("a", 2, &n);
	ask_add_bytes(w, bytes, n);
	EXPECT(w, "ADD=EXISTS");
	assert_non_null(strstr(w->why, "'a' in /downloads already; give another path"));
	ask_set(w, "a", TORRENT_REMOVE, 0);
	turn_all(w);
	answer(w, MSG_STATE_SET, E_OK);
	forget(w);
	ask_add_bytes(w, bytes, n); /* waits until the first is gone */
	EXPECT(w, "");
	answer_detached(w, 1, 0);
	turn_all(w);
	answer(w, MSG_STORE_CLOSE, E_OK);
	turn_all(w);
	answer(w, MSG_STATE_SHELVE, E_OK);
	forget(w);
	answer_add(w, 2);
	EXPECT(w, "ADD=OK STORE_OPEN(a,/downloads,fresh=1,root=1)");
	free(bytes);
}

/* --- the end of seeding --- */

static void set_limits(struct world *w, const char *name, int64_t ratio, int64_t time, int64_t idle)
{
	struct m_torrent_set *set = make_set_of(w, name, TORRENT_SEED_LIMITS);

	set->seed = (struct seed_limits){ratio, time, idle};
	ask(w, &set->h);
}

#define STOPPED " TRACKER_STOP PEERS_SET(0,0,0)"

static void test_ratio(void **state)
{
	static const char *const options[] = {"--seed.ratio=1.5", NULL};
	struct world *w = *state;

	w->options = options;
	world_start(w, 1);
	(void)have(w, "a", 1, 3); /* all 32769 bytes were there */
	peers_say_totals(w, 0, 49152, 0);
	EXPECT(w, "");
	peers_say_totals(w, 0, 49154, 0);
	EXPECT(w, "STATE_SET(1,0,8)" STOPPED);
	answer(w, MSG_STATE_SET, E_OK);
	assert_string_equal(order(w), "aS");
	assert_true(container_of(w->view, struct m_torrent_view, h)->torrents[0].limited);
	/* A person wants more of it: started, and beyond its limits. */
	ask_set(w, "a", TORRENT_START, 0);
	EXPECT(w, "STATE_SET(1,0,5)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK TRACKER_START PEERS_SET(1,0,0)");
	peers_say_totals(w, 0, 60000, 0);
	EXPECT(w, "");
	set_limits(w, "a", 2000, SEED_KEEP, SEED_KEEP);
	EXPECT(w, "STATE_SEED(1,2000,-1,-1)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK");
	peers_say_totals(w, 0, 65538, 0);
	turn_all(w);
	assert_non_null(strstr(w->log, "STATE_SET(1,0,8)"));
}

static void test_time(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	(void)have(w, "a", 1, 3);
	pass_time(w, 100);
	set_limits(w, "a", 0, 300, SEED_GLOBAL);
	turn_all(w);
	answer(w, MSG_STATE_SET, E_OK);
	forget(w);
	set_saved(w, "a", TORRENT_STOP, 0);
	pass_time(w, 1000); /* while it is stopped nothing is counted */
	set_saved(w, "a", TORRENT_START, 0);
	forget(w);
	pass_time(w, 199);
	EXPECT(w, "");
	pass_time(w, 2);
	turn_all(w);
	assert_non_null(strstr(w->log, "STATE_SET(1,0,8)"));
	answer(w, MSG_STATE_SET, E_OK);
	assert_string_equal(order(w), "aS");
	assert_in_range(
		container_of(w->view, struct m_torrent_view, h)->torrents[0].seeded, 300, 302);
}

static void test_idle(void **state)
{
	static const char *const options[] = {"--seed.idle=60s", NULL};
	struct world *w = *state;

	w->options = options;
	world_start(w, 1);
	(void)have(w, "a", 1, 1);
	(void)have(w, "b", 2, 3);
	for (unsigned i = 1; i < 5; i++) {
		pass_time(w, 50);
		peers_say_totals(w, 0, i, 0);
	}
	pass_time(w, 55);
	assert_string_equal(order(w), "aD bU");
	pass_time(w, 6);
	assert_string_equal(order(w), "aD bS"); /* a download is not idle seeding */
}

/* --- very many --- */

#define MANY 20000u

static void load_many_seeds(struct world *w)
{
	w->load.torrents = xcalloc(MANY, sizeof *w->load.torrents);
	w->load.torrents_n = MANY;
	for (unsigned i = 0; i < MANY; i++) {
		struct torrent_record *r = &w->load.torrents[i];
		char name[16];

		snprintf(name, sizeof name, "t%u", i);
		*r = (struct torrent_record){.row = i + 1, .run = RUN_STARTED, .completed_at = 1};
		r->uploaded = 1000000;
		r->place = i;
		r->seed = (struct seed_limits){SEED_GLOBAL, SEED_GLOBAL, SEED_GLOBAL};
		r->meta = made_meta(name, 3);
		r->path = xstrdup("/downloads");
		bitfield_init(&r->synced, 3);
	}
}

static unsigned count_status(struct world *w, enum torrent_status status)
{
	const struct m_torrent_view *v;
	unsigned n = 0;

	ask_view(w, NULL);
	turn_all(w);
	v = container_of(w->view, struct m_torrent_view, h);
	for (uint32_t i = 0; i < v->torrents_n; i++)
		n += v->torrents[i].status == status;
	return n;
}

/*
 * All seeds that wait have reached a ratio that was lowered: each that stops makes room for the
 * next, which stops.  The depth of the stack does not follow their number.
 */
static void test_many_stop_at_once(void **state)
{
	static const char *const before[] = {"--queue.seeds=1", "--queue.stalled=0", NULL};
	static const char *const after[] = {
		"--queue.seeds=1", "--queue.stalled=0", "--seed.ratio=1.0", NULL};
	struct rlimit stack;
	struct world *w = *state;

	assert_int_equal(getrlimit(RLIMIT_STACK, &stack), 0);
	stack.rlim_cur = 1 << 20;
	assert_int_equal(setrlimit(RLIMIT_STACK, &stack), 0);
	w->options = before;
	w->mute = w->auto_ready = true;
	load_many_seeds(w);
	world_start(w, 1);
	for (unsigned i = 0; i < MANY / 256 + 2; i++)
		turn_all(w);
	assert_int_equal(count_status(w, STATUS_SEEDING), 1);
	assert_int_equal(count_status(w, STATUS_QUEUED), MANY - 1);
	reload(w, "/downloads", after);
	for (unsigned i = 0; i < MANY / 64; i++)
		turn_all(w);
	assert_int_equal(count_status(w, STATUS_STOPPED), MANY);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)
	const struct CMUnitTest tests[] = {
		TEST(test_turns),
		TEST(test_start_and_stop),
		TEST(test_moves),
		TEST(test_gaps),
		TEST(test_stalled),
		TEST(test_no_limit),
		TEST(test_files),
		TEST(test_a_part_is_no_seed),
		TEST(test_wishes),
		TEST(test_same_target),
		TEST(test_ratio),
		TEST(test_time),
		TEST(test_idle),
		TEST(test_many_stop_at_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
