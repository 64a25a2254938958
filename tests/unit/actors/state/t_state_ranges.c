/* SPDX-License-Identifier: MIT */
/* Whatever numbers the database holds, those that come out of it can be reckoned with. */
#include "tests/unit/lib/state_world.h"

#include <sqlite3.h>

static const int64_t numbers[] = {
	INT64_MIN, INT64_MIN + 1, -2, -1, 0, 1, INT64_C(1) << 50, INT64_MAX - 1, INT64_MAX};

/* Sets every number of the row and the global settings, while nobody has the database open. */
static void put_everywhere(const struct world *w, int64_t value)
{
	char path[128], sql[1024];
	sqlite3 *sq = NULL;

	snprintf(path, sizeof path, "%s/torrentd.db", w->dir);
	snprintf(sql, sizeof sql,
		"UPDATE torrent SET started=%1$lld, down_limit=%1$lld, up_limit=%1$lld, "
		"added=%1$lld, "
		"completed_at=%1$lld, downloaded=%1$lld, uploaded=%1$lld, wasted=%1$lld, "
		"sequential=%1$lld, edges_first=%1$lld, place=%1$lld, seed_ratio=%1$lld, "
		"seed_time=%1$lld, seed_idle=%1$lld, seeded=%1$lld, encryption=%1$lld, "
		"discreet=%1$lld;"
		"INSERT OR REPLACE INTO setting VALUES ('up_limit', %1$lld), ('down_limit', "
		"%1$lld);",
		(long long)value);
	assert_int_equal(sqlite3_open(path, &sq), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sq, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(sq), SQLITE_OK);
}

/* Seconds become microseconds, bytes are added up, thousandths are multiplied with bytes. */
static void expect_sane(const struct torrent_record *r)
{
	const int64_t times[] = {
		r->added, r->completed_at, r->seed.time, r->seed.idle, (int64_t)r->seeded};
	int64_t us;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		assert_true(mul_ok(times[i], USEC_PER_SEC, &us));
		assert_true(add_ok(us, INT64_MAX / 2, &us));
		assert_true(times[i] >= -1);
	}
	assert_true(r->downloaded < UINT64_MAX / 128 && r->uploaded < UINT64_MAX / 128);
	assert_true(r->wasted < UINT64_MAX / 128);
	assert_true(r->wishes.down_limit <= INT64_MAX / USEC_PER_SEC);
	assert_true(r->wishes.up_limit <= INT64_MAX / USEC_PER_SEC);
	assert_true(r->wishes.encryption <= WISH_ENCRYPTION_REQUIRED);
	assert_true(r->seed.ratio >= SEED_GLOBAL && r->seed.ratio <= 1000000000);
}

static void whatever_is_there(void **state)
{
	struct world *w = *state;
	int64_t row;

	world_start(w);
	row = add_torrent(w, "ranges", 3);

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const struct m_state_load *m;

		world_stop(w, true);
		put_everywhere(w, numbers[i]);
		world_start(w);
		m = load(w);
		assert_int_equal(m->torrents_n, 1);
		assert_int_equal(m->torrents[0].row, row);
		expect_sane(&m->torrents[0]);
		assert_true(m->up_limit <= INT64_MAX / USEC_PER_SEC);
		assert_true(m->down_limit <= INT64_MAX / USEC_PER_SEC);
	}
	world_stop(w, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whatever_is_there, world_new, world_free),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
