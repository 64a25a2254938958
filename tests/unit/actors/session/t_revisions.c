/* SPDX-License-Identifier: MIT */
/* What has changed since when: a list by age, marks of those that went, sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/session/revisions.h"

struct world {
	struct revisions rs;
	struct revised t[8];
};

static int begin(void **state)
{
	struct world *w = *state = xcalloc(1, sizeof *w);

	revisions_init(&w->rs, 7);
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(w->t); i++)
		revision_drop(&w->rs, &w->t[i]);
	revisions_fini(&w->rs);
	xfree(w);
	return 0;
}

/* A copy of its row, to be altered and put. */
static struct torrent_row row_of(const struct world *w, unsigned i)
{
	struct torrent_row row;

	row_copy(&row, &w->t[i].row);
	return row;
}

static void put_peers(struct world *w, unsigned i, uint32_t peers)
{
	struct torrent_row row = row_of(w, i);

	row.swarm.peers = peers;
	revision_put(&w->rs, &w->t[i], &row);
}

/* Who changed after that revision, youngest first: "2 0". */
static const char *since(const struct world *w, uint64_t rev)
{
	static char text[64];
	const struct revised *r = NULL;
	size_t n = 0;

	text[0] = '\0';
	while ((r = revision_since(&w->rs, r, rev)) != NULL)
		n += (size_t)snprintf(
			text + n, sizeof text - n, "%s%zu", n > 0 ? " " : "", (size_t)(r - w->t));
	return text;
}

static const char *gone(const struct world *w, uint64_t rev)
{
	static char text[64];
	uint32_t n;
	struct row_gone *list = revision_gone(&w->rs, rev, &n);
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < n; i++)
		at += (size_t)snprintf(
			text + at, sizeof text - at, "%s%u", i > 0 ? " " : "", list[i].n);
	xfree(list);
	return text;
}

static void test_order(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 3; i++)
		put_peers(w, i, 0);
	assert_int_equal(w->rs.rev, 3);
	assert_string_equal(since(w, 0), "2 1 0");
	assert_string_equal(since(w, 1), "2 1");
	assert_string_equal(since(w, 3), "");
	put_peers(w, 0, 5);
	assert_string_equal(since(w, 3), "0");
	assert_string_equal(since(w, 0), "0 2 1");
	put_peers(w, 0, 5); /* no news */
	assert_int_equal(w->rs.rev, 4);
	assert_string_equal(since(w, 4), "");
}

static void test_groups(void **state)
{
	struct world *w = *state;
	struct torrent_row row;

	put_peers(w, 0, 1);
	assert_int_equal(w->t[0].row.born, 1);
	for (unsigned g = 0; g < ROW_GROUPS; g++)
		assert_int_equal(w->t[0].row.changed[g], 1);
	put_peers(w, 0, 2);
	row = row_of(w, 0);
	row.rates.eta = 9;
	row.progress.left = 8;
	revision_put(&w->rs, &w->t[0], &row);
	assert_int_equal(w->t[0].row.born, 1);
	assert_int_equal(w->t[0].row.changed[ROW_IDENTITY], 1);
	assert_int_equal(w->t[0].row.changed[ROW_STATUS], 1);
	assert_int_equal(w->t[0].row.changed[ROW_SWARM], 2);
	assert_int_equal(w->t[0].row.changed[ROW_RATES], 3);
	assert_int_equal(w->t[0].row.changed[ROW_PROGRESS], 3);
	row = row_of(w, 0);
	label_set(&row.identity.name, "a");
	revision_put(&w->rs, &w->t[0], &row);
	assert_int_equal(w->t[0].row.changed[ROW_IDENTITY], 4);
	row = row_of(w, 0);
	label_set(&row.identity.name, "a"); /* the same text is the same label */
	revision_put(&w->rs, &w->t[0], &row);
	assert_int_equal(w->rs.rev, 4);
}

static void test_gone(void **state)
{
	struct world *w = *state;

	put_peers(w, 0, 0); /* n 1, rev 1 */
	put_peers(w, 1, 0);
	revision_drop(&w->rs, &w->t[0]); /* rev 3 */
	assert_string_equal(gone(w, 2), "1");
	assert_string_equal(gone(w, 3), "");
	assert_string_equal(gone(w, 0), "1"); /* who took a list meanwhile has it */
	revision_drop(&w->rs, &w->t[0]);      /* once */
	assert_int_equal(w->rs.rev, 3);
	put_peers(w, 0, 0);
	assert_int_equal(w->t[0].row.n, 3); /* another one */
	revision_drop(&w->rs, &w->t[0]);
	revision_drop(&w->rs, &w->t[1]);
	assert_string_equal(gone(w, 2), "2 3 1");
	assert_string_equal(gone(w, 4), "2 3");
	assert_string_equal(since(w, 0), "");
}

static void test_ring(void **state)
{
	struct world *w = *state;

	put_peers(w, 1, 0); /* rev 1 */
	for (unsigned i = 0; i < REVISIONS_GONE; i++) {
		put_peers(w, 0, 0);
		revision_drop(&w->rs, &w->t[0]);
	}
	assert_true(revision_reaches(&w->rs, 0)); /* the ring is full, and has lost nothing */
	assert_true(revision_reaches(&w->rs, w->rs.rev));
	assert_false(revision_reaches(&w->rs, w->rs.rev + 1));
	put_peers(w, 0, 0);
	revision_drop(&w->rs, &w->t[0]);
	/* The first went at revision 3. */
	assert_false(revision_reaches(&w->rs, 0));
	assert_false(revision_reaches(&w->rs, 2));
	assert_true(revision_reaches(&w->rs, 3));
	assert_string_equal(gone(w, w->rs.rev - 1), "4098");
}

static void test_sums(void **state)
{
	struct world *w = *state;
	struct torrent_row row = row_of(w, 0);

	row.status.status = STATUS_SEEDING;
	row.rates.down = 10;
	row.rates.up = 3;
	revision_put(&w->rs, &w->t[0], &row);
	put_peers(w, 1, 0);
	assert_int_equal(w->rs.counts[STATUS_SEEDING], 1);
	assert_int_equal(w->rs.counts[STATUS_STOPPED], 1);
	assert_int_equal(w->rs.down_rate, 10);
	row = row_of(w, 0);
	row.status.status = STATUS_STOPPED;
	row.rates.down = 4;
	revision_put(&w->rs, &w->t[0], &row);
	assert_int_equal(w->rs.counts[STATUS_SEEDING], 0);
	assert_int_equal(w->rs.counts[STATUS_STOPPED], 2);
	assert_int_equal(w->rs.down_rate, 4);
	revision_drop(&w->rs, &w->t[0]);
	assert_int_equal(w->rs.counts[STATUS_STOPPED], 1);
	assert_int_equal(w->rs.down_rate, 0);
	assert_int_equal(w->rs.up_rate, 0);
}

static void test_marks(void **state)
{
	struct world *w = *state;

	revision_mark(&w->rs, &w->t[2]);
	revision_mark(&w->rs, &w->t[1]);
	revision_mark(&w->rs, &w->t[2]);
	revision_mark(&w->rs, &w->t[0]);
	revision_drop(&w->rs, &w->t[1]);
	assert_ptr_equal(revision_next(&w->rs), &w->t[2]);
	assert_ptr_equal(revision_next(&w->rs), &w->t[0]);
	assert_null(revision_next(&w->rs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(test_groups, begin, end),
		cmocka_unit_test_setup_teardown(test_gone, begin, end),
		cmocka_unit_test_setup_teardown(test_ring, begin, end),
		cmocka_unit_test_setup_teardown(test_sums, begin, end),
		cmocka_unit_test_setup_teardown(test_marks, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
