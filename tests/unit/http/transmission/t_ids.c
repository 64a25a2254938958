/* SPDX-License-Identifier: MIT */
/* Numbers of torrents: found both ways, gone when the list lacks them, and who changed lately. */
#include "http/transmission/ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MANY 500u

static struct metainfo meta = {.magic = METAINFO_MAGIC};

static struct torrent_view view_of(uint32_t n)
{
	struct torrent_view v = {.meta = &meta, .n = n};

	memcpy(v.infohash, &n, sizeof n);
	return v;
}

/* Finds it both ways. */
static void assert_there(const struct tids *t, uint32_t n, bool there)
{
	struct torrent_view v = view_of(n);
	const struct tid *a = tids_find(t, v.infohash), *b = tids_at(t, n);

	assert_true((a != NULL) == there);
	assert_ptr_equal(a, b);
	if (there)
		assert_int_equal(a->id, n);
}

static void test_found_both_ways(void **unused)
{
	struct tids *t = tids_new();
	struct torrent_view *list = calloc(MANY, sizeof *list);

	(void)unused;
	assert_there(t, 1, false);
	for (uint32_t i = 0; i < MANY; i++) /* not in the order of the numbers */
		list[i] = view_of((i * 7 + 3) % MANY + 1);
	tids_sync(t, list, MANY, true, 100);
	for (uint32_t n = 1; n <= MANY; n++)
		assert_there(t, n, true);
	assert_there(t, MANY + 1, false);
	assert_null(tids_at(t, -1));
	tids_sync(t, list, MANY / 2, true, 200);
	for (uint32_t i = 0; i < MANY; i++)
		assert_there(t, list[i].n, i < MANY / 2);
	free(list);
	tids_free(&t);
}

static void test_gone(void **unused)
{
	struct tids *t = tids_new();
	struct torrent_view list[] = {view_of(1), view_of(2), view_of(3)};
	int64_t id;

	(void)unused;
	tids_sync(t, list, 3, true, 100);
	assert_false(tids_gone(t, 100, 0, &id));
	tids_sync(t, list + 2, 1, false, 101); /* a few of them say nothing of the others */
	assert_false(tids_gone(t, 101, 0, &id));
	tids_sync(t, list + 1, 2, true, 102);
	assert_true(tids_gone(t, 102, 0, &id));
	assert_int_equal(id, 1);
	assert_false(tids_gone(t, 102, 1, &id));
	list[1].n = 9; /* removed, and added again */
	tids_sync(t, list + 1, 2, true, 103);
	assert_true(tids_gone(t, 103, 0, &id));
	assert_int_equal(id, 2);
	assert_null(tids_at(t, 2));
	assert_non_null(tids_at(t, 9));
	assert_true(tids_gone(t, 103 + TIDS_RECENT, 0, &id));
	assert_false(tids_gone(t, 103 + TIDS_RECENT, 1, &id));
	assert_false(tids_gone(t, 104 + TIDS_RECENT, 0, &id));
	tids_free(&t);
}

static void test_changes(void **unused)
{
	struct tids *t = tids_new();
	struct torrent_view v = view_of(1);

	(void)unused;
	tids_sync(t, &v, 1, true, 100);
	tids_sync(t, &v, 1, true, 101);
	assert_int_equal(tids_at(t, 1)->changed, 100);
	assert_int_equal(tids_at(t, 1)->active, 0);
	v.status = STATUS_SEEDING;
	tids_sync(t, &v, 1, false, 102);
	assert_int_equal(tids_at(t, 1)->changed, 102);
	assert_int_equal(tids_at(t, 1)->active, 0);
	v.uploaded_ever = 5;
	tids_sync(t, &v, 1, true, 103);
	tids_sync(t, &v, 1, true, 104);
	assert_int_equal(tids_at(t, 1)->changed, 103);
	assert_int_equal(tids_at(t, 1)->active, 103);
	tids_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_both_ways),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
