/* SPDX-License-Identifier: MIT */
/*
 * The store: directories and symbolic links that are made for a torrent, and go with its data.
 */
#include "tests/unit/lib/store_db.h"

#include <errno.h>

/* --- directories --- */

static const char *deep(const struct world *w)
{
	static char path[200];

	return path_of(path, sizeof path, w->down, "x/y/z");
}

static void open_deep(struct world *w, uint32_t have, uint32_t hashed)
{
	open_as(w, T0, deep(w));
	expect_ready(w, E_OK, have, hashed);
}

/* Which of them there were before, what else is in them at the end, and what is left. */
static const struct {
	const char *before, *foreign, *left, *gone;
} dirs[] = {
	{NULL, NULL, NULL, "x"},
	{"x", NULL, "x", "x/y"},
	{"x/y/z", NULL, "x/y/z", "x/y/z/t"},
	{NULL, "x/y/z/mine", "x/y/z/mine", "x/y/z/t"},
	{NULL, "x/mine", "x/mine", "x/y"},
	{NULL, "x/y/z/t/mine", "x/y/z/t/mine", "x/y/z/t/a"},
};

static void make_dirs(const struct world *w, const char *name)
{
	char path[200];

	path_of(path, sizeof path, w->down, name);
	for (char *s = path + strlen(w->down) + 1; (s = strchr(s, '/')) != NULL; *s++ = '/') {
		*s = '\0';
		assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
	}
	assert_int_equal(mkdir(path, 0777), 0);
}

static void test_dirs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		for (uint32_t again = 0; again < 3;
			again++) { /* at once, after a stop, after a kill */
			struct world *w = begin(slow);
			char path[200];

			if (dirs[i].before != NULL)
				make_dirs(w, dirs[i].before);
			open_deep(w, 0, 0);
			send_piece(w, 0);
			settle(w);
			if (again > 0) {
				(again == 1 ? stop : crash)(w);
				start(w, slow);
				open_deep(w, 1, again - 1);
			}
			if (dirs[i].foreign != NULL)
				put(path_of(path, sizeof path, w->down, dirs[i].foreign), 0, "x");
			assert_int_equal(close_torrent(w, T0, true), E_OK);
			assert_true(dirs[i].left == NULL || file_exists(w->down, dirs[i].left));
			assert_false(file_exists(w->down, dirs[i].gone));
			end(w);
		}
}

/* What is kept with its data keeps its directories, too. */
static void test_kept(void **state)
{
	struct world *w = begin(slow);

	(void)state;
	open_deep(w, 0, 0);
	send_piece(w, 0);
	assert_int_equal(close_torrent(w, T0, false), E_OK);
	assert_true(file_exists(w->down, "x/y/z/t/a"));
	end(w);
}

/* --- links --- */

static const struct tfile linked[] = {{"d/a", 100 * KIB, false}, {"d/to a>d/a", 0, false},
	{"e/f/up>d", 0, false}, {"l>d/a", 0, false}, {"out>../../etc/passwd", 0, false},
	{"b", 60 * KIB, false}, {NULL, 0, false}};

static bool link_is(const struct world *w, const char *name, const char *want)
{
	char path[200], text[100] = "";
	ssize_t n = readlink(path_of(path, sizeof path, w->down, name), text, sizeof text - 1);

	return n > 0 && strcmp(text, want) == 0;
}

static void expect_links(const struct world *w)
{
	assert_true(link_is(w, "t/d/to a", "a"));
	assert_true(link_is(w, "t/e/f/up", "../../d"));
	assert_true(link_is(w, "t/l", "d/a"));
	assert_false(file_exists(w->down, "t/out"));
}

static void test_links(void **state)
{
	struct world *w = begin_with(linked, 2, slow);
	uint32_t all = now.meta->pieces;

	(void)state;
	open_expect(w, E_OK, 0, 0);
	assert_false(file_exists(w->down, "t"));
	for (uint32_t i = 0; i < all; i++)
		send_piece(w, i);
	expect_links(w);
	stop(w);
	start(w, slow);
	open_expect(w, E_OK, all, 0);
	assert_int_equal(close_torrent(w, T0, true), E_OK);
	assert_false(file_exists(w->down, "t"));
	end(w);
}

/* Complete without a write: they are made once that is known. */
static void test_links_found_complete(void **state)
{
	struct world *w = begin_with(linked, 2, slow);
	char path[200];

	(void)state;
	files_write(w->down, now.meta, linked);
	now.rec.fresh = true;
	open_expect(w, E_OK, now.meta->pieces, now.meta->pieces);
	expect_links(w);
	/* one that was removed comes back, also where nothing is to be hashed */
	assert_int_equal(unlink(path_of(path, sizeof path, w->down, "t/l")), 0);
	stop(w);
	start(w, slow);
	open_expect(w, E_OK, now.meta->pieces, 0);
	expect_links(w);
	end(w);
}

/* What stands in their place stays, also when the data goes; and none is followed. */
static void test_links_in_the_way(void **state)
{
	struct world *w = begin_with(linked, 2, slow);
	char path[200], outside[200];

	(void)state;
	make_dirs(w, "t/e");
	make_dirs(w, "outside");
	put(path_of(path, sizeof path, w->down, "t/l"), 0, "mine");
	path_of(outside, sizeof outside, w->down, "outside");
	assert_int_equal(symlink(outside, path_of(path, sizeof path, w->down, "t/e/f")), 0);
	open_expect(w, E_OK, 0, 0);
	for (uint32_t i = 0; i < now.meta->pieces; i++)
		send_piece(w, i);
	assert_int_equal(now.ok, now.meta->pieces);
	assert_true(link_is(w, "t/d/to a", "a"));
	assert_false(file_exists(w->down, "outside/up"));
	assert_int_equal(close_torrent(w, T0, true), E_OK);
	assert_true(file_exists(w->down, "t/l") && link_is(w, "t/e/f", outside));
	assert_false(file_exists(w->down, "t/d"));
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dirs),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_links_found_complete),
		cmocka_unit_test(test_links_in_the_way),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
