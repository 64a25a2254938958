/* SPDX-License-Identifier: MIT */
/* A torrent that came by a magnet link, before and after its metainfo is known. */
#include "proto/base/encode.h"
#include "tests/unit/lib/state_world.h"

#include <sqlite3.h>

/* The bare metainfo of made_meta(name, 3). */
static struct metainfo *bare_of(const char *name, const char *rest)
{
	struct metainfo *whole = made_meta(name, 3), *bare;
	char link[512], hex[41];

	hex_encode(whole->infohash.v1, 20, hex);
	snprintf(link, sizeof link, "magnet:?xt=urn:btih:%s%s", hex, rest);
	assert_int_equal(metainfo_from_magnet(link, strlen(link), &bare, NULL), E_OK);
	metainfo_unref(&whole);
	return bare;
}

static int64_t add_magnet(struct world *w, const char *name)
{
	static const struct file_wish choice[] = {{0, UINT32_MAX, 0}, {3, 5, 7}};
	struct msg *m = msg_new(w->session, MSG_STATE_ADD);
	struct m_state_add *add = MSG_AS(STATE_ADD, m);

	add->meta = bare_of(name, "&dn=other&tr=http://t/a&x.pe=1.2.3.4:5");
	add->path = xstrdup("/downloads/dir");
	add->run = RUN_STARTED;
	add->seed = (struct seed_limits){SEED_GLOBAL, SEED_GLOBAL, SEED_GLOBAL};
	add->wishes.discreet = DISCREET_UNTIL_KNOWN;
	add->choice = xmemdup(choice, sizeof choice);
	add->choice_n = ARRAY_LEN(choice);
	call(w, w->session, m);
	assert_int_equal(settle(w), E_OK);
	return MSG_AS(STATE_ADD, w->answer)->row;
}

static void put_meta(struct world *w, int64_t row, struct metainfo *meta, bool aside)
{
	struct msg *m = msg_new(w->session, MSG_STATE_META);
	struct m_state_meta *put = MSG_AS(STATE_META, m);

	put->row = row;
	put->meta = meta;
	put->aside = aside;
	put->choose = !aside && !meta->bare;
	put->file_priority = put->choose ? xmemdup("\7", 1) : NULL;
	put->file_priority_n = put->choose;
	call(w, w->session, m);
	assert_int_equal(settle(w), E_OK);
}

static struct torrent_record *only(struct world *w)
{
	struct m_state_load *l = load(w);

	assert_int_equal(l->torrents_n, 1);
	return &l->torrents[0];
}

static void test_bare(void **state)
{
	struct world *w = *state;
	struct torrent_record *r;
	struct m_state_set *set;
	int64_t row;

	world_start(w);
	row = add_magnet(w, "m");
	restart(w, false);
	r = only(w);
	assert_true(r->row == row && r->meta->bare && r->run == RUN_STARTED);
	assert_string_equal(r->meta->name, "other");
	assert_string_equal(r->path, "/downloads/dir");
	assert_non_null(strstr(r->link, "&x.pe=1.2.3.4%3A5"));
	assert_true(r->wishes.discreet == DISCREET_UNTIL_KNOWN && r->found == NULL);
	assert_int_equal(r->choice_n, 2);
	assert_true(r->choice[0].last == UINT32_MAX && r->choice[0].priority == 0);
	assert_true(
		r->choice[1].first == 3 && r->choice[1].last == 5 && r->choice[1].priority == 7);
	set = msg_new(w->session, MSG_STATE_SET);
	set->row = row;
	set->key = STATE_CHOICE;
	set->choice = xcalloc(1, sizeof *set->choice);
	set->choice_n = 1;
	call(w, w->session, &set->h);
	assert_int_equal(settle(w), E_OK);
	set_value(w, row, STATE_DISCREET, DISCREET_ON);
	put_meta(w, row, bare_of("m", "&tr=http://t/a&tr=http://t/b"), false);
	restart(w, true);
	r = only(w);
	assert_true(r->choice_n == 1 && r->choice[0].last == 0);
	assert_true(r->wishes.discreet == DISCREET_ON);
	assert_int_equal(r->meta->tiers_n, 2);
	world_stop(w, true);
}

static void test_whole(void **state)
{
	struct world *w = *state;
	struct torrent_record *r;
	int64_t row;

	world_start(w);
	row = add_magnet(w, "m");
	put_meta(w, row, made_meta("m", 3), true);
	restart(w, false);
	r = only(w);
	assert_true(r->meta->bare && r->found != NULL && !r->found->bare);
	assert_string_equal(r->found->name, "m");
	assert_int_equal(r->choice_n, 2);
	put_meta(w, row, made_meta("m", 3), false);
	restart(w, false);
	r = only(w);
	assert_false(r->meta->bare);
	assert_int_equal(r->meta->pieces, 3);
	assert_true(r->found == NULL && r->choice_n == 0);
	assert_true(r->wishes.discreet == DISCREET_OFF);
	assert_int_equal(r->wishes.file_priority_n, 1);
	assert_int_equal(r->wishes.file_priority[0], 7);
	assert_non_null(strstr(r->link, "x.pe="));
	/* Another metainfo of a whole one; its wishes stay. */
	struct m_state_meta *put = msg_new(w->session, MSG_STATE_META);
	put->row = row;
	put->meta = made_meta("m", 3);
	call(w, w->session, &put->h);
	assert_int_equal(settle(w), E_OK);
	restart(w, true);
	assert_int_equal(only(w)->wishes.file_priority[0], 7);
	struct m_state_remove *remove = msg_new(w->session, MSG_STATE_REMOVE);
	remove->row = row;
	call(w, w->session, &remove->h);
	assert_int_equal(settle(w), E_OK);
	restart(w, true);
	assert_int_equal(load(w)->torrents_n, 0);
	world_stop(w, true);
}

static void run_sql(const struct world *w, const char *sql)
{
	char path[128];
	sqlite3 *sq = NULL;

	snprintf(path, sizeof path, "%s/torrentd.db", w->dir);
	assert_int_equal(sqlite3_open(path, &sq), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sq, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(sq), SQLITE_OK);
}

/* Whatever somebody has put there: what makes no sense is left out, the torrent stays. */
static void test_nonsense(void **state)
{
	static const struct {
		const char *sql;
		uint32_t choice_n;
	} rows[] = {
		{"UPDATE magnet SET choice = CAST('00000000000000000' AS BLOB)", 0},
		{"UPDATE magnet SET choice = CAST('000000010000000000' AS BLOB)", 0},
		{"UPDATE magnet SET choice = CAST('0000000000000000ff' AS BLOB)", 0},
		{"UPDATE magnet SET choice = CAST('000000000000000007zz' AS BLOB)", 1},
		{"UPDATE magnet SET choice = 5, found = 'd4:infode'", 0},
		{"UPDATE torrent SET discreet = 99", 0},
		{"UPDATE torrent SET discreet = -99", 0},
	};
	struct world *w = *state;
	struct torrent_record *r;
	int64_t row;

	world_start(w);
	row = add_magnet(w, "m");
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		world_stop(w, true);
		run_sql(w, rows[i].sql);
		world_start(w);
		r = only(w);
		assert_true(r->meta->bare && r->found == NULL);
		assert_int_equal(r->choice_n, rows[i].choice_n);
		assert_true(r->wishes.discreet <= DISCREET_ON);
	}
	/* The .torrent of another one, and a link that is none. */
	put_meta(w, row, made_meta("other", 3), true);
	restart(w, true);
	assert_null(only(w)->found);
	world_stop(w, true);
	run_sql(w, "UPDATE magnet SET link = 'magnet:?xt=urn:btih:"
		   "000102030405060708090a0b0c0d0e0f10111213'");
	world_start(w);
	assert_int_equal(load(w)->torrents_n, 0);
	world_stop(w, true);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)
	const struct CMUnitTest tests[] = {
		TEST(test_bare),
		TEST(test_whole),
		TEST(test_nonsense),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
