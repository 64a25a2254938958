/* SPDX-License-Identifier: MIT */
/* What people wish of a torrent is kept; a database of the first version is taken over. */
#include "tests/unit/lib/state_world.h"

#include <sqlite3.h>

/* The schema of version 1, as it was released. */
static const char version_1[] =
	"CREATE TABLE torrent (row INTEGER PRIMARY KEY AUTOINCREMENT,"
	" infohash BLOB NOT NULL UNIQUE, path TEXT NOT NULL, started INTEGER NOT NULL,"
	" removing INTEGER NOT NULL DEFAULT 0, down_limit INTEGER NOT NULL,"
	" up_limit INTEGER NOT NULL, added INTEGER NOT NULL,"
	" completed_at INTEGER NOT NULL DEFAULT 0, downloaded INTEGER NOT NULL DEFAULT 0,"
	" uploaded INTEGER NOT NULL DEFAULT 0, wasted INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE metainfo (row INTEGER PRIMARY KEY REFERENCES torrent ON DELETE CASCADE,"
	" data BLOB NOT NULL);"
	"CREATE TABLE pieces (row INTEGER PRIMARY KEY REFERENCES torrent ON DELETE CASCADE,"
	" synced BLOB NOT NULL);"
	"CREATE TABLE note (row INTEGER NOT NULL REFERENCES torrent ON DELETE CASCADE,"
	" piece INTEGER NOT NULL, PRIMARY KEY (row, piece)) WITHOUT ROWID;"
	"CREATE TABLE stamp (row INTEGER NOT NULL REFERENCES torrent ON DELETE CASCADE,"
	" file INTEGER NOT NULL, present INTEGER NOT NULL, dirty INTEGER NOT NULL,"
	" size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,"
	" device INTEGER NOT NULL, PRIMARY KEY (row, file)) WITHOUT ROWID;"
	"CREATE TABLE partial (row INTEGER NOT NULL REFERENCES torrent ON DELETE CASCADE,"
	" piece INTEGER NOT NULL, blocks_n INTEGER NOT NULL, blocks BLOB NOT NULL,"
	" PRIMARY KEY (row, piece)) WITHOUT ROWID;"
	"CREATE TABLE setting (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO setting VALUES ('up_limit', 500), ('clean', 1);"
	"PRAGMA user_version=1; PRAGMA application_id=1413767728;";

static void put_files(struct world *w, int64_t row, const char *list)
{
	struct msg *m = msg_new(w->session, MSG_STATE_SET);
	struct m_state_set *set = container_of(m, struct m_state_set, h);

	set->row = row;
	set->key = STATE_FILES;
	set->data_n = list != NULL ? (uint32_t)strlen(list) : 0;
	set->data = list != NULL ? xmemdup(list, set->data_n) : NULL;
	call(w, w->session, m);
	assert_int_equal(settle(w), E_OK);
}

static void put_places(struct world *w, int64_t a, int64_t b)
{
	struct msg *m = msg_new(w->session, MSG_STATE_SET);
	struct m_state_set *set = container_of(m, struct m_state_set, h);

	set->key = STATE_PLACES;
	set->places_n = 2;
	set->places = xcalloc(2, sizeof *set->places);
	set->places[0] = (struct row_place){a, INT64_MIN};
	set->places[1] = (struct row_place){b, 77};
	call(w, w->session, m);
	assert_int_equal(settle(w), E_OK);
}

static void put_limits(struct world *w, int64_t row, struct seed_limits limits)
{
	struct msg *m = msg_new(w->session, MSG_STATE_SET);
	struct m_state_set *set = container_of(m, struct m_state_set, h);

	set->row = row;
	set->key = STATE_SEED_LIMITS;
	set->seed = limits;
	call(w, w->session, m);
	assert_int_equal(settle(w), E_OK);
}

static void check_defaults(const struct torrent_record *r)
{
	assert_true(r->run <= RUN_STARTED && !r->wishes.sequential && !r->wishes.first_last &&
		    r->wishes.encryption == WISH_ENCRYPTION_AS_CONFIGURED);
	assert_true(r->seed.ratio == SEED_GLOBAL && r->seed.time == SEED_GLOBAL);
	assert_true(
		r->seed.idle == SEED_GLOBAL && r->seeded == 0 && r->wishes.file_priority == NULL);
}

static void test_wishes(void **state)
{
	struct world *w = *state;
	struct torrent_record *r;
	struct m_state_add *add;
	struct msg *m;
	int64_t a, b;

	world_start(w);
	a = add_torrent(w, "plain", 3);
	m = make_add(w, "chosen", 3);
	add = container_of(m, struct m_state_add, h);
	add->wishes.file_priority = xmemdup("\7", 1);
	add->wishes.file_priority_n = 1;
	add->wishes.sequential = add->wishes.first_last = true;
	add->place = 1234;
	add->wishes.encryption = WISH_ENCRYPTION_OFF;
	add->wishes.labels = label_new("tv\nnew");
	call(w, w->session, m);
	assert_int_equal(settle(w), E_OK);
	b = container_of(w->answer, struct m_state_add, h)->row;
	restart(w, false);
	r = load(w)->torrents;
	check_defaults(&r[0]);
	assert_true(r[0].run == RUN_STARTED && r[1].wishes.sequential && r[1].wishes.first_last &&
		    r[1].place == 1234 && r[1].wishes.encryption == WISH_ENCRYPTION_OFF);
	assert_true(r[1].wishes.file_priority_n == 1 && r[1].wishes.file_priority[0] == 7);
	assert_null(r[0].wishes.labels);
	assert_string_equal(label_text(r[1].wishes.labels), "tv\nnew");
	put_files(w, a, "\1");
	put_files(w, b, NULL);
	put_places(w, b, a);
	set_value(w, a, STATE_RUN, RUN_STARTED | RUN_FORCED | RUN_LIMIT_OVERRIDDEN);
	set_value(w, b, STATE_RUN, RUN_LIMIT_REACHED);
	put_limits(w, b, (struct seed_limits){1500, 0, SEED_GLOBAL});
	set_value(w, b, STATE_SEQUENTIAL, 0);
	set_value(w, b, STATE_ENCRYPTION, WISH_ENCRYPTION_REQUIRED);
	m = msg_new(w->session, MSG_STATE_TOTALS);
	container_of(m, struct m_totals, h)->row = b;
	container_of(m, struct m_totals, h)->seeded = 99;
	actor_cast(w->session, ADDR_STATE, &m);
	restart(w, true);
	r = load(w)->torrents;
	assert_true(r[0].run == (RUN_STARTED | RUN_FORCED | RUN_LIMIT_OVERRIDDEN));
	assert_true(r[0].wishes.file_priority[0] == 1 && r[0].place == 77);
	assert_true(r[1].run == RUN_LIMIT_REACHED && r[1].wishes.file_priority == NULL);
	assert_true(r[1].place == INT64_MIN && !r[1].wishes.sequential && r[1].wishes.first_last);
	assert_true(r[1].seed.ratio == 1500 && r[1].seed.time == 0 && r[1].seed.idle == -1);
	assert_int_equal(r[1].seeded, 99);
	assert_int_equal(r[1].wishes.encryption, WISH_ENCRYPTION_REQUIRED);
	put_limits(w, a, (struct seed_limits){0, 0, 0});
	put_files(w, a, "\1\1\1"); /* of no torrent with one file */
	restart(w, true);
	r = load(w)->torrents;
	assert_true(r[0].run == (RUN_STARTED | RUN_FORCED) && r[0].wishes.file_priority == NULL);
	world_stop(w, false);
}

/* What the first version left behind: two torrents, a setting, pieces.  Executed as text. */
static void make_version_1(const struct world *w)
{
	char path[128];
	size_t n;
	char *bytes = made_bytes("old", 3, &n);
	struct metainfo *meta = made_meta("old", 3);
	sqlite3_stmt *st = NULL;
	sqlite3 *sq = NULL;

	snprintf(path, sizeof path, "%s/torrentd.db", w->dir);
	assert_int_equal(sqlite3_open(path, &sq), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sq, version_1, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sq,
				 "INSERT INTO torrent (row, infohash, path, started, down_limit,"
				 " up_limit, added, uploaded) VALUES (5, ?, '/d', 1, 9, 0, 7, 3)",
				 -1, &st, NULL),
		SQLITE_OK);
	sqlite3_bind_blob(st, 1, meta->infohash.v1, 20, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
	assert_int_equal(
		sqlite3_prepare_v2(sq, "INSERT INTO metainfo VALUES (5, ?)", -1, &st, NULL),
		SQLITE_OK);
	sqlite3_bind_blob(st, 1, bytes, (int)n, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_exec(sq,
				 "INSERT INTO pieces VALUES (5, x'a0');"
				 "INSERT INTO note VALUES (5, 1), (5, 2);"
				 "INSERT INTO stamp VALUES (5, 0, 1, 0, 8, 9, 10, 11)",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_close(sq), SQLITE_OK);
	metainfo_unref(&meta);
	free(bytes);
}

static void test_version_1(void **state)
{
	struct world *w = *state;
	struct torrent_record *r;

	make_version_1(w);
	for (int i = 0; i < 2; i++) { /* migrated, and opened as what it is now */
		world_start(w);
		assert_int_equal(load(w)->torrents_n, 1);
		assert_true(container_of(w->answer, struct m_state_load, h)->up_limit == 500);
		r = container_of(w->answer, struct m_state_load, h)->torrents;
		check_defaults(r);
		assert_true(r->row == 5 && r->run == RUN_STARTED && r->wishes.down_limit == 9 &&
			    r->uploaded == 3);
		assert_true(r->synced.count == 2 && bitfield_get(&r->synced, 2));
		assert_true(r->unsynced_n == 2 && r->unsynced[0] == 1 && r->unsynced[1] == 2);
		assert_true(r->place == INT64_C(5) << 32 && r->made == 0);
		assert_true(r->stamps_n == 1 && r->stamps[0].inode == 10);
		assert_true(r->stamps[0].device == 11 && r->stamps[0].born_ns == 0);
		assert_string_equal(r->meta->name, "old");
		assert_int_equal(add_torrent(w, i == 0 ? "new" : "newer", 2), 6 + i);
		if (i == 0) {
			struct msg *m = msg_new(w->session, MSG_STATE_REMOVE);
			container_of(m, struct m_state_remove, h)->row = 6;
			call(w, w->session, m);
			assert_int_equal(settle(w), E_OK);
		}
		world_stop(w, true);
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)
	const struct CMUnitTest tests[] = {
		TEST(test_wishes),
		TEST(test_version_1),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
