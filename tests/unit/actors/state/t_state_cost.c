/* SPDX-License-Identifier: MIT */
/*
 * What the database's library allocates for what a download tells it, again and again.
 *
 * Where SQLite is built without lookaside, as Debian's is, each piece of its memory is a malloc.
 * The counts do not vary from run to run, but they may a little between versions of SQLite.
 */
#include "tests/unit/lib/state_world.h"

#include <sqlite3.h>

static sqlite3_mem_methods real;
static unsigned allocations;

static void *count_malloc(int n)
{
	allocations++;
	return real.xMalloc(n);
}

static void *count_realloc(void *p, int n)
{
	allocations++;
	return real.xRealloc(p, n);
}

static int count_all(void **state)
{
	sqlite3_mem_methods mine;

	(void)state;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
	mine = real;
	mine.xMalloc = count_malloc;
	mine.xRealloc = count_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &mine), SQLITE_OK);
	return 0;
}

#define PIECES 4096u /* of a torrent of 4 GiB */

static struct m_state_pieces *make_checkpoint(struct world *w, int64_t row, unsigned i)
{
	struct m_state_pieces *p = make_pieces(w, row, PIECES);

	for (unsigned k = 0; k < 64 * i; k++)
		bitfield_set(&p->synced, k);
	p->noted = xcalloc(8, sizeof *p->noted);
	for (unsigned k = 0; k < 8; k++)
		p->noted[p->noted_n++] = 64 * i + k;
	p->stamps = xcalloc(1, sizeof *p->stamps);
	p->stamps[p->stamps_n++] =
		(struct file_stamp){.exists = true, .dirty = true, .size = i, .mtime_ns = i};
	p->has_partials = true;
	p->partials = xcalloc(1, sizeof *p->partials);
	p->partials[p->partials_n++] = (struct partial_piece){
		.piece = 64 * i + 9, .blocks = xcalloc(8, 1), .blocks_n = 64};
	return p;
}

/* Four notes and a checkpoint, as at some tens of MiB/s.  The first round inserts what is new. */
static void test_download(void **state)
{
	struct world *w = *state;
	int64_t row;

	world_start(w);
	row = add_torrent(w, "p", PIECES);
	for (unsigned i = 0; i < 32; i++) {
		unsigned before = allocations, between;

		for (unsigned k = 0; k < 4; k++) {
			note_pieces(w, row, 64 * i + 8 * k, 8 * k, false);
			turn(w);
		}
		between = allocations;
		put_pieces(w, make_checkpoint(w, row, i));
		if (i == 0)
			continue;
		assert_in_range(between - before, 1, 19);
		assert_in_range(allocations - between, 1, 13);
	}
	world_stop(w, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_download, world_new, world_free),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, count_all, NULL);
}
