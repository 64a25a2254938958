/* SPDX-License-Identifier: MIT */
/* What the session does with commands and reports: every message in and every message out. */
#include "tests/unit/lib/session_world.h"

/* --- adding --- */

static void test_add(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	ask_add(w, "a", NULL, true);
	EXPECT(w, "STATE_ADD(a,/downloads)");
	answer_add(w, 1);
	EXPECT(w, "ADD=OK STORE_OPEN(a,/downloads,fresh=1,root=1)");
	store_says_ready(w, E_OK, 1);
	EXPECT(w, "TRACKER_ADD(1,16385) PEERS_ADD(1,1)");
	ask_add(w, "a", NULL, true);
	EXPECT(w, "ADD=EXISTS");
	ask_add(w, "stopped", "/srv/other/x", false);
	EXPECT(w, "STATE_ADD(stopped,/srv/other/x)");
	answer_add(w, 2);
	EXPECT(w, "ADD=OK STORE_OPEN(stopped,/srv/other/x,fresh=1,root=0)");
	store_says_ready(w, E_OK, 3);
	EXPECT(w, "STATE_SET(2,3,1700001000) TRACKER_ADD(0,0) PEERS_ADD(0,3)");
}

static void test_add_paths(void **state)
{
	static const struct {
		const char *asked, *path; /* NULL: refused */
	} cases[] = {
		{"sub/dir", "/downloads/sub/dir"},
		{"/downloads/./x//y/", "/downloads/x/y"},
		{"/srv/other", "/srv/other"},
		{"a/../b", "/downloads/b"},
		{"..", NULL},
		{"../downloads2", NULL},
		{"/downloads/../etc", NULL},
		{"/downloadsx", NULL},
		{"/srv", NULL},
		{"/", NULL},
		{"", NULL},
	};
	struct world *w = *state;
	char text[128], name[8];

	world_start(w, 1);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(name, sizeof name, "p%u", i);
		ask_add(w, name, cases[i].asked, true);
		if (cases[i].path == NULL) {
			EXPECT(w, "ADD=PATH");
			assert_non_null(strstr(w->why, "download.roots"));
			continue;
		}
		snprintf(text, sizeof text, "STATE_ADD(%s,%s)", name, cases[i].path);
		EXPECT(w, text);
		answer(w, MSG_STATE_ADD, E_NOSPACE);
		EXPECT(w, "ADD=NOSPACE");
	}
}

static void test_add_bad(void **state)
{
	struct world *w = *state;
	struct msg *m;
	struct m_torrent_add *add;

	world_start(w, 1);
	m = msg_new(http_of(w), MSG_TORRENT_ADD);
	add = container_of(m, struct m_torrent_add, h);
	add->body = xmemdup("d4:infodee", 10);
	add->body_n = 10;
	ask(w, m);
	EXPECT(w, "ADD=SYNTAX");
	assert_memory_equal(w->why, "not a valid torrent: info", 25);
	assert_non_null(strstr(w->why, "(at byte "));
}

/* The second waits for the fate of the first. */
static void test_add_twice(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	ask_add(w, "a", NULL, true);
	ask_add(w, "a", "/srv/other", true);
	ask_add(w, "a", NULL, true);
	EXPECT(w, "STATE_ADD(a,/downloads)");
	snprintf(
		container_of(*kept(w, MSG_STATE_ADD), struct m_state_add, h)->why.text, 32, "full");
	answer(w, MSG_STATE_ADD, E_NOSPACE);
	EXPECT(w, "ADD=NOSPACE STATE_ADD(a,/srv/other)");
	assert_string_equal(w->why, "full");
	answer_add(w, 7);
	EXPECT(w, "ADD=OK ADD=EXISTS STORE_OPEN(a,/srv/other,fresh=1,root=0)");
}

/* --- commands --- */

static void test_commands(void **state)
{
	static const struct {
		enum torrent_op op;
		uint64_t value;
		const char *first, *then; /* before and after the database has answered */
	} cases[] = {
		{TORRENT_START, 0, "SET=OK", NULL},
		{TORRENT_STOP, 0, "STATE_SET(1,0,0)", "SET=OK TRACKER_STOP PEERS_SET(0,0,0)"},
		{TORRENT_STOP, 0, "SET=OK", NULL},
		{TORRENT_DOWN_RATE, 500, "STATE_SET(1,1,500)", "SET=OK PEERS_SET(0,500,0)"},
		{TORRENT_DOWN_RATE, 500, "SET=OK PEERS_SET(0,500,0)", NULL},
		{TORRENT_UP_RATE, 9, "STATE_SET(1,2,9)", "SET=OK PEERS_SET(0,500,9)"},
		{TORRENT_START, 0, "STATE_SET(1,0,1)", "SET=OK TRACKER_START PEERS_SET(1,500,9)"},
		{GLOBAL_DOWN_RATE, 70, "STATE_SET(0,5,70)", "SET=OK PEERS_GLOBAL(70,0)"},
		{GLOBAL_UP_RATE, 80, "STATE_SET(0,6,80)", "SET=OK PEERS_GLOBAL(70,80)"},
	};
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		ask_set(w, "a", cases[i].op, cases[i].value);
		EXPECT(w, cases[i].first);
		if (cases[i].then == NULL)
			continue;
		answer(w, MSG_STATE_SET, E_OK);
		EXPECT(w, cases[i].then);
	}
	ask_set(w, "unknown", TORRENT_START, 0);
	EXPECT(w, "SET=NOT_FOUND");
}

static void test_command_order(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	ask_set(w, "a", TORRENT_STOP, 0);
	ask_set(w, "a", TORRENT_DOWN_RATE, 5);
	ask_set(w, "a", TORRENT_START, 0);
	EXPECT(w, "STATE_SET(1,0,0)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK STATE_SET(1,1,5) TRACKER_STOP PEERS_SET(0,0,0)");
	answer(w, MSG_STATE_SET, E_NOSPACE); /* not written: not so */
	EXPECT(w, "SET=NOSPACE STATE_SET(1,0,1)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK TRACKER_START PEERS_SET(1,0,0)");
}

/* --- removing --- */

static void test_remove(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	ask_set(w, "a", TORRENT_REMOVE, 1);
	ask_set(w, "a", TORRENT_STOP, 0); /* behind the removal */
	EXPECT(w, "STATE_SET(1,4,2)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK SET=NOT_FOUND TRACKER_REMOVE PEERS_REMOVE");
	ask_set(w, "a", TORRENT_START, 0);
	ask_view(w, "a");
	EXPECT(w, "SET=NOT_FOUND VIEW=NOT_FOUND");
	ask_add(w, "a", NULL, true); /* waits for the end of the old one */
	EXPECT(w, "");
	answer_detached(w, 1, 5);
	EXPECT(w, "STORE_CLOSE(1)");
	answer(w, MSG_STORE_CLOSE, E_OK);
	EXPECT(w, "STATE_REMOVE(1)");
	answer(w, MSG_STATE_REMOVE, E_OK);
	EXPECT(w, "STATE_ADD(a,/downloads)");
	answer_add(w, 2);
	EXPECT(w, "ADD=OK STORE_OPEN(a,/downloads,fresh=1,root=1)");
}

static void test_remove_early(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	ask_add(w, "a", NULL, true);
	answer_add(w, 1);
	EXPECT(w, "STATE_ADD(a,/downloads) ADD=OK STORE_OPEN(a,/downloads,fresh=1,root=1)");
	ask_set(w, "a", TORRENT_REMOVE, 0);
	EXPECT(w, "STATE_SET(1,4,1)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK STORE_CLOSE(0)");
	store_says_ready(w, E_OK, 1); /* was on its way */
	EXPECT(w, "");
	answer(w, MSG_STORE_CLOSE, E_OK);
	EXPECT(w, "STATE_SHELVE(1)");
	answer(w, MSG_STATE_SHELVE, E_NOSPACE);
	EXPECT(w, "");
	pass_time(w, 61);
	EXPECT(w, "STATE_SHELVE(1)");
	answer(w, MSG_STATE_SHELVE, E_OK);
	store_says_ready(w, E_OK, 1); /* of a torrent that is gone */
	EXPECT(w, "");
}

/* --- trouble with files --- */

static const struct torrent_view *look(struct world *w)
{
	ask_view(w, "a");
	turn_all(w);
	pass_time(w, 2); /* nobody answers */
	assert_non_null(w->view);
	w->log_n = 0;
	w->log[0] = '\0';
	return &container_of(w->view, struct m_torrent_view, h)->torrents[0];
}

static void forget(struct world *w)
{
	turn_all(w);
	w->log_n = 0;
	w->log[0] = '\0';
}

/* The same without any time passing. */
static const struct torrent_view *look_now(struct world *w)
{
	ask_view(w, "a");
	turn_all(w);
	answer(w, MSG_TRACKER_VIEW, E_TIMEOUT);
	answer(w, MSG_PEERS_VIEW, E_TIMEOUT);
	forget(w);
	return &MSG_AS(TORRENT_VIEW, w->view)->torrents[0];
}

static void test_open_fails(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	ask_add(w, "a", NULL, true);
	answer_add(w, 1);
	EXPECT(w, "STATE_ADD(a,/downloads) ADD=OK STORE_OPEN(a,/downloads,fresh=1,root=1)");
	store_says_ready(w, E_NOENT, 0);
	EXPECT(w, "");
	assert_int_equal(look_now(w)->status, STATUS_ERROR);
	assert_string_equal(look_now(w)->error,
		"cannot open 'x'; bring it back, and the torrent goes on by itself");
	ask_set(w, "a", TORRENT_START, 0);
	EXPECT(w, "SET=OK STORE_CLOSE(0)");
	answer(w, MSG_STORE_CLOSE, E_OK);
	EXPECT(w, "STORE_OPEN(a,/downloads,fresh=1,root=1)");
	assert_int_equal(look_now(w)->status, STATUS_CHECKING);
	store_says_ready(w, E_OK, 2);
	EXPECT(w, "TRACKER_ADD(1,1) PEERS_ADD(1,2)");
	assert_null(look_now(w)->error);
}

static void test_remove_failed(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	ask_add(w, "a", NULL, true);
	answer_add(w, 1);
	turn_all(w);
	store_says_ready(w, E_NOENT, 0);
	turn_all(w);
	w->log_n = 0;
	ask_set(w, "a", TORRENT_START, 0);
	ask_set(w, "a", TORRENT_REMOVE, 0);
	EXPECT(w, "SET=OK STATE_SET(1,4,1) STORE_CLOSE(0)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK"); /* the close of the retry is under way */
	answer(w, MSG_STORE_CLOSE, E_OK);
	EXPECT(w, "STATE_SHELVE(1)");
}

static void test_disk_full(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	store_says_error(w, E_NOSPACE, false);
	EXPECT(w, "PEERS_SET(1,no,0,0)");
	assert_int_equal(look_now(w)->status, STATUS_DOWNLOADING);
	assert_string_equal(
		look_now(w)->error, "cannot write 'x'; make room; it is tried again by itself");
	for (int64_t after = 2; after < 200; after *= 2) { /* two seconds at first */
		int64_t wait = after < 60 ? after : 60;

		pass_time(w, wait - 1);
		EXPECT(w, "");
		pass_time(w, 1);
		EXPECT(w, "PEERS_SET(1,0,0)");
		assert_non_null(look_now(w)->error);
		store_says_error(w, E_NOSPACE, false);
		store_says_error(w, E_NOSPACE, false); /* of a write that was under way */
		EXPECT(w, "PEERS_SET(1,no,0,0)");
	}
	pass_time(w, 60);
	EXPECT(w, "PEERS_SET(1,0,0)");
	peers_say_totals(w, 100, 0, 1); /* a piece was written: what was wrong is not any more */
	EXPECT(w, "");
	assert_null(look_now(w)->error);
	store_says_error(w, E_NOSPACE, false);
	EXPECT(w, "PEERS_SET(1,no,0,0)");
	pass_time(w, 2); /* two seconds again */
	EXPECT(w, "STATE_TOTALS(100,0,0) PEERS_SET(1,0,0)");
	pass_time(w, 6); /* nothing came, nothing failed */
	EXPECT(w, "");
	assert_null(look_now(w)->error);
	store_says_error(w, E_READONLY, false);
	EXPECT(w, "PEERS_SET(1,no,0,0)");
	ask_set(w, "a", TORRENT_START, 0); /* a person does not wait for the minute */
	EXPECT(w, "SET=OK PEERS_SET(1,0,0)");
}

static void test_disk_broken(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	store_says_error(w, E_IO, false);
	EXPECT(w, "TRACKER_STOP PEERS_SET(0,0,0)");
	assert_int_equal(look(w)->status, STATUS_ERROR);
	assert_true(look(w)->started);
	ask_set(w, "a", TORRENT_START, 0);
	EXPECT(w, "SET=OK PEERS_REMOVE");
	answer_detached(w, 1, 0);
	EXPECT(w, "STORE_CHECK");
	store_says_ready(w, E_OK, 0);
	EXPECT(w, "TRACKER_START PEERS_ADD(1,0)");
}

/*
 * A volume that is not there: looked at again by itself, and only what the database knows counts,
 * so that nothing is made anew in an empty mount point.
 */
static void test_volume_returns(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	ask_add(w, "a", NULL, true);
	answer_add(w, 1);
	turn_all(w);
	store_says_ready(w, E_NOENT, 0);
	forget(w);
	pass_time(w, 2);
	EXPECT(w, "STORE_CLOSE(0)");
	assert_int_equal(look_now(w)->status, STATUS_ERROR);
	answer(w, MSG_STORE_CLOSE, E_OK);
	EXPECT(w, "STORE_OPEN(a,/downloads,fresh=1,root=1)");
	assert_non_null(look_now(w)->error);
	store_says_ready(w, E_NOENT, 0);
	forget(w);
	pass_time(w, 3);
	EXPECT(w, "");
	pass_time(w, 1);
	EXPECT(w, "STORE_CLOSE(0)");
	answer(w, MSG_STORE_CLOSE, E_OK);
	forget(w);
	store_says_ready(w, E_OK, 2);
	EXPECT(w, "TRACKER_ADD(1,1) PEERS_ADD(1,2)");
	assert_null(look_now(w)->error);
	pass_time(w, 200);
	EXPECT(w, "");
}

/* Files that others have changed are the truth when a person says so. */
static void test_start_checks_changed_files(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	ask_add(w, "a", NULL, true);
	answer_add(w, 1);
	turn_all(w);
	store_says_ready(w, E_CHANGED, 0);
	forget(w);
	pass_time(w, 200);
	EXPECT(w, ""); /* not by itself */
	assert_non_null(
		strstr(look_now(w)->error, "start the torrent again to have its files checked"));
	ask_set(w, "a", TORRENT_START, 0);
	EXPECT(w, "SET=OK STORE_CHECK");
	store_says_ready(w, E_OK, 1);
	EXPECT(w, "TRACKER_ADD(1,16385) PEERS_ADD(1,1)");
}

/* Changed while it is in use: what differs is fetched again, and nobody is asked. */
static void test_changed_in_use(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	store_says_error(w, E_CHANGED, true);
	EXPECT(w, "TRACKER_STOP PEERS_REMOVE");
	assert_non_null(strstr(look_now(w)->error, "it is being checked"));
	answer_detached(w, 1, 0);
	EXPECT(w, "");
	store_says_ready(w, E_OK, 0);
	EXPECT(w, "TRACKER_START PEERS_ADD(1,0)");
	assert_null(look_now(w)->error);
}

/* A failed sync: what peers believed to have is not sure any more. */
static void test_lost(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	store_says_error(w, E_IO, true);
	store_says_ready(w, E_OK, 0);
	EXPECT(w, "TRACKER_STOP PEERS_REMOVE");
	answer_detached(w, 1, 0);
	EXPECT(w, "PEERS_ADD(0,0)");
	assert_int_equal(look(w)->status, STATUS_ERROR);
}

static void test_recheck(void **state)
{
	struct world *w = *state;

	world_start(w, 1);
	have_torrent(w, "a");
	peers_say_totals(w, 100, 50, 16385);
	ask_set(w, "a", TORRENT_RECHECK, 0);
	ask_set(w, "a", TORRENT_RECHECK, 0);
	/* Answered when the next run would check it, too, if this one ended now. */
	EXPECT(w, "STATE_SET(1,12,1)");
	answer(w, MSG_STATE_SET, E_NOSPACE);
	EXPECT(w, "SET=NOSPACE STATE_SET(1,12,1)");
	answer(w, MSG_STATE_SET, E_OK);
	EXPECT(w, "SET=OK TRACKER_STOP PEERS_REMOVE");
	answer_detached(w, 2, 150);
	EXPECT(w, "STORE_CHECK");
	pass_time(w, 11);
	EXPECT(w, "STATE_TOTALS(150,0,0)");
	assert_int_equal(look(w)->status, STATUS_CHECKING);
	assert_int_equal(look(w)->have, 2);
	store_says_ready(w, E_OK, 3);
	EXPECT(w, "STATE_SET(1,3,1700001015) TRACKER_START PEERS_ADD(1,3)");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)
	const struct CMUnitTest tests[] = {
		TEST(test_add),
		TEST(test_add_paths),
		TEST(test_add_bad),
		TEST(test_add_twice),
		TEST(test_commands),
		TEST(test_command_order),
		TEST(test_remove),
		TEST(test_remove_early),
		TEST(test_open_fails),
		TEST(test_remove_failed),
		TEST(test_disk_full),
		TEST(test_disk_broken),
		TEST(test_volume_returns),
		TEST(test_start_checks_changed_files),
		TEST(test_changed_in_use),
		TEST(test_lost),
		TEST(test_recheck),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
