/* SPDX-License-Identifier: MIT */
/* The mirror of the torrents: which topics have news, sequences that only grow, finding by number
 * and hash. */
#include "actors/status/mirror.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/base/rng.h"

#define BASE 1000u

static struct torrent_row row_of(uint32_t n, uint8_t first)
{
	struct torrent_row row;

	memset(&row, 0, sizeof row);
	row.n = n;
	memset(row.identity.infohash, first, 20);
	return row;
}

/* The references of the row are the mirror's. */
static unsigned put(struct mirror *m, struct torrent_row row)
{
	uint32_t n = row.n;
	const struct mirrored *t;
	unsigned topics;

	t = mirror_put(m, &row, &topics);
	assert_ptr_equal(t, mirror_by_n(m, n));
	return topics;
}

static void test_news(void **unused)
{
	struct torrent_row row = row_of(5, 1), next;
	struct mirror m = {0};
	const struct mirrored *t;

	(void)unused;
	mirror_reset(&m, BASE);
	assert_null(mirror_by_n(&m, 5));
	assert_null(mirror_by_hash(&m, row.identity.infohash));
	next = row;
	assert_int_equal(put(&m, next), 1u << TOPIC_STATE | 1u << TOPIC_PROGRESS);
	t = mirror_by_n(&m, 5);
	assert_ptr_equal(mirror_by_hash(&m, row.identity.infohash), t);
	next = row;
	assert_int_equal(put(&m, next), 0);
	row.rates.down = 7;
	next = row;
	assert_int_equal(put(&m, next), 1u << TOPIC_PROGRESS);
	row.status.error = label_new("the disk failed");
	next = row;
	(void)label_ref(next.status.error);
	assert_int_equal(put(&m, next), 1u << TOPIC_STATE | 1u << TOPIC_ERROR);
	label_unref(&row.status.error);
	next = row;
	assert_int_equal(put(&m, next), 1u << TOPIC_STATE | 1u << TOPIC_ERROR);
	assert_int_equal(t->sequence[TOPIC_STATE], BASE + 3);
	assert_int_equal(t->sequence[TOPIC_PROGRESS], BASE + 2);
	assert_int_equal(t->sequence[TOPIC_ERROR], BASE + 2);
	assert_int_equal(t->sequence[TOPIC_PIECE], BASE);
	mirror_fini(&m);
}

/* One that is added again goes on behind where it was. */
static void test_again(void **unused)
{
	struct mirror m = {0};
	struct torrent_row row = row_of(1, 9);

	(void)unused;
	mirror_reset(&m, BASE);
	(void)put(&m, row_of(1, 9));
	mirror_by_n(&m, 1)->sequence[TOPIC_STATE] = BASE + 41;
	mirror_remove(&m, mirror_by_n(&m, 1));
	assert_null(mirror_by_hash(&m, row.identity.infohash));
	(void)put(&m, row_of(2, 9));
	assert_int_equal(
		mirror_by_hash(&m, row.identity.infohash)->sequence[TOPIC_STATE], BASE + 42);
	/* The other order: it is there already when the one before goes. */
	(void)put(&m, row_of(3, 9));
	mirror_remove(&m, mirror_by_n(&m, 2));
	assert_ptr_equal(mirror_by_hash(&m, row.identity.infohash), mirror_by_n(&m, 3));
	mirror_fini(&m);
}

static void test_stale(void **unused)
{
	struct mirror m = {0};
	struct mirrored *t;
	uint32_t at = 0, n = 0;

	(void)unused;
	mirror_reset(&m, BASE);
	for (uint32_t i = 1; i <= 10; i++)
		(void)put(&m, row_of(i, (uint8_t)i));
	m.round++;
	for (uint32_t i = 2; i <= 10; i += 2)
		(void)put(&m, row_of(i, (uint8_t)i));
	while ((t = mirror_stale(&m, &at)) != NULL) {
		assert_int_equal(t->row.n % 2, 1);
		mirror_remove(&m, t);
		n++;
	}
	assert_int_equal(n, 5);
	assert_int_equal(m.n, 5);
	mirror_fini(&m);
}

/* Many come and go in any order, and their hashes collide. */
static void test_many(void **unused)
{
	static uint32_t there[2000]; /* by number: 1 when it is */
	struct mirror m = {0};
	struct rng r;
	uint32_t next = 1;

	(void)unused;
	memset(there, 0, sizeof there);
	rng_seed(&r, 3);
	mirror_reset(&m, BASE);
	while (next < ARRAY_LEN(there)) {
		uint32_t n = (uint32_t)rng_below(&r, next);

		if (rng_below(&r, 3) > 0 || n == 0 || there[n] == 0) {
			struct torrent_row row = row_of(next, 0);

			row.identity.infohash[0] = (uint8_t)(next % 7);
			memcpy(row.identity.infohash + 8, &next, sizeof next);
			(void)put(&m, row);
			there[next++] = 1;
		} else {
			mirror_remove(&m, mirror_by_n(&m, n));
			there[n] = 0;
		}
	}
	for (uint32_t n = 1; n < next; n++) {
		struct torrent_row row = row_of(n, 0);
		const struct mirrored *t = mirror_by_n(&m, n);

		row.identity.infohash[0] = (uint8_t)(n % 7);
		memcpy(row.identity.infohash + 8, &n, sizeof n);
		assert_int_equal(t != NULL, there[n]);
		assert_ptr_equal(mirror_by_hash(&m, row.identity.infohash), t);
	}
	mirror_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
