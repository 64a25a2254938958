/* SPDX-License-Identifier: MIT */
/* The blocklist actor: what it tells whom, and when; what it keeps; what a source may do to it. */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "proto/base/time.h"
#include "tests/unit/lib/blocklist_world.h"

#define WRITE(w, text) blockworld_write((w), (text), sizeof(text) - 1)

static int open_world(void **state)
{
	*state = xcalloc(1, sizeof(struct blockworld));
	blockworld_open(*state);
	return 0;
}

static int close_world(void **state)
{
	blockworld_close(*state);
	xfree(*state);
	return 0;
}

static void body(struct blockworld *w, const char *text)
{
	w->body = text;
	w->body_n = strlen(text);
}

static const struct blocklist_source_view *source(const struct blockworld *w, unsigned i)
{
	assert_true(i < w->view->sources_n);
	return &w->view->sources[i];
}

/* Before anybody has had a turn: what they find first in their mailbox. */
static void t_first_list_is_there_at_the_start(void **state)
{
	struct blockworld *w = *state;

	WRITE(w, "1.2.3.4");
	blockworld_start(w, "F", NULL);
	assert_true(blockworld_blocks(w, "1.2.3.4"));
	assert_false(blockworld_blocks(w, "1.2.3.5"));
	blockworld_settle(w);
	assert_int_equal(w->told[0].times, 1); /* it was read again, and was the same */
	assert_int_equal(w->view->ranges, 1);
	assert_true(w->view->made > 0);
	blockworld_stop(w);
	/* What was kept is as quick, and nobody needs the file. */
	blockworld_unlink(w);
	blockworld_start(w, "F", NULL);
	assert_true(blockworld_blocks(w, "1.2.3.4"));
	blockworld_settle(w);
	assert_int_equal(w->told[0].times, 1);
	assert_string_equal(source(w, 0)->error, err_words(E_NOENT));
	assert_true(source(w, 0)->updated > 0);
	blockworld_stop(w);
}

static void t_without_sources_nobody_is_told_anything(void **state)
{
	struct blockworld *w = *state;

	blockworld_start(w, "", NULL);
	blockworld_update(w);
	assert_true(blockworld_agree(w));
	assert_int_equal(w->told[0].times, 0);
	assert_true(w->view->enabled);
	assert_int_equal(w->view->made, 0);
	blockworld_stop(w);
}

static void t_files_count_before_servers_answer(void **state)
{
	struct blockworld *w = *state;

	WRITE(w, "1.2.3.4");
	body(w, "x:5.0.0.0-5.0.0.9\n");
	blockworld_start(w, "U, F", NULL);
	assert_true(blockworld_blocks(w, "1.2.3.4"));
	assert_false(blockworld_blocks(w, "5.0.0.1"));
	blockworld_settle(w);
	assert_true(blockworld_blocks(w, "1.2.3.4"));
	assert_true(blockworld_blocks(w, "5.0.0.1"));
	assert_int_equal(w->told[0].times, 2);
	assert_int_equal(source(w, 0)->ranges, 1);
	blockworld_stop(w);
}

static void t_a_source_that_fails_keeps_its_own(void **state)
{
	struct blockworld *w = *state;

	WRITE(w, "1.2.3.4");
	body(w, "5.0.0.1\n");
	blockworld_start(w, "U, F", NULL);
	blockworld_settle(w);
	WRITE(w, "1.2.3.5");
	w->status = 404;
	blockworld_update(w);
	assert_true(blockworld_blocks(w, "5.0.0.1"));
	assert_true(blockworld_blocks(w, "1.2.3.5"));
	assert_false(blockworld_blocks(w, "1.2.3.4"));
	assert_string_equal(source(w, 0)->error, "the server answers with status 404");
	assert_string_equal(source(w, 1)->error, "");
	blockworld_stop(w);
	/* And so it does in the next run, without a network. */
	blockworld_server(w, false);
	blockworld_start(w, "U, F", NULL);
	assert_true(blockworld_blocks(w, "5.0.0.1"));
	blockworld_update(w);
	assert_true(blockworld_blocks(w, "5.0.0.1"));
	assert_string_equal(source(w, 0)->error, err_words(E_REFUSED));
	blockworld_stop(w);
}

/* A list that was fetched lately is not fetched at a start. */
static void t_servers_are_asked_in_their_time(void **state)
{
	struct blockworld *w = *state;

	body(w, "5.0.0.1");
	blockworld_start(w, "U", NULL);
	blockworld_settle(w);
	assert_int_equal(w->asked, 1);
	blockworld_stop(w);
	blockworld_start(w, "U", NULL);
	blockworld_settle(w);
	blockworld_reload(w, "U", "--blocklist.allow=9.9.9.9");
	assert_int_equal(w->asked, 1);
	blockworld_update(w);
	assert_int_equal(w->asked, 2);
	blockworld_stop(w);
}

static void t_reload(void **state)
{
	struct blockworld *w = *state;

	WRITE(w, "1.2.3.0/24");
	blockworld_start(w, "F", NULL);
	blockworld_settle(w);
	blockworld_reload(w, "F", "--blocklist.allow=1.2.3.4");
	assert_false(blockworld_blocks(w, "1.2.3.4"));
	assert_true(blockworld_blocks(w, "1.2.3.5"));
	WRITE(w, "1.2.4.0/24");
	blockworld_reload(w, "F", NULL);
	assert_true(blockworld_blocks(w, "1.2.4.4"));
	assert_false(blockworld_blocks(w, "1.2.3.5"));
	blockworld_reload(w, "F", "--blocklist.enabled=false");
	assert_true(blockworld_agree(w));
	assert_null(w->told[0].list);
	assert_false(w->view->enabled);
	assert_int_equal(w->view->sources_n, 0);
	blockworld_reload(w, "F", NULL);
	assert_true(blockworld_blocks(w, "1.2.4.4"));
	blockworld_stop(w);
}

/* What has been refused is counted on from list to list. */
static void t_refusals_are_counted_on(void **state)
{
	struct blockworld *w = *state;
	struct endpoint e = endpoint_from_v4((const uint8_t[]){1, 2, 3, 4}, 1);

	WRITE(w, "1.2.3.4");
	blockworld_start(w, "F", NULL);
	assert_true(blockworld_agree(w));
	assert_true(blocklist_refuses(w->told[2].list, &e));
	WRITE(w, "1.2.3.4\n1.2.3.9");
	blockworld_update(w);
	assert_true(blockworld_agree(w));
	assert_true(blocklist_refuses(w->told[0].list, &e));
	blockworld_settle(w);
	assert_int_equal(w->view->refused, 2);
	blockworld_reload(w, "", NULL);
	assert_int_equal(w->view->refused, 2);
	blockworld_stop(w);
}

/* --- gzip --- */

static size_t pack(const char *text, size_t n, uint8_t *out, size_t room)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)text, .avail_in = (uInt)n};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

/* Cut anywhere, or with any byte altered, it is the list or no list; never another, never a crash.
 */
static void t_gzip_that_is_damaged(void **state)
{
	struct blockworld *w = *state;
	uint8_t packed[200], bad[200];
	size_t n = pack("1.2.3.4\n", 8, packed, sizeof packed);

	blockworld_write(w, packed, n);
	blockworld_start(w, "F", "--log.level=error");
	blockworld_settle(w);
	assert_true(blockworld_blocks(w, "1.2.3.4"));
	for (size_t i = 0; i < n; i++) {
		blockworld_write(w, packed, i);
		blockworld_update(w);
		assert_string_not_equal(source(w, 0)->error, "");
		memcpy(bad, packed, n);
		bad[i] ^= 0x5a;
		blockworld_write(w, bad, n);
		blockworld_update(w);
		assert_true(blockworld_blocks(w, "1.2.3.4"));
		assert_int_equal(w->view->ranges, 1);
	}
	blockworld_stop(w);
}

/* A few hundred KiB that would be more than may be had. */
static void t_gzip_that_is_a_bomb(void **state)
{
	struct blockworld *w = *state;
	size_t n = 257u << 20, room = 1u << 20;
	char *zeros = calloc(1, n);
	uint8_t *packed = xcalloc(1, room);

	assert_non_null(zeros);
	blockworld_write(w, packed, pack(zeros, n, packed, room));
	free(zeros);
	xfree(packed);
	blockworld_start(w, "F", NULL);
	blockworld_settle(w);
	assert_string_equal(source(w, 0)->error, "it is too large once gzip has unpacked it");
	assert_int_equal(w->view->ranges, 0);
	blockworld_stop(w);
}

/* --- what lies on the shelf --- */

static void t_what_was_kept_is_damaged(void **state)
{
	struct blockworld *w = *state;
	char command[200];

	body(w, "1.2.3.4");
	blockworld_start(w, "U", NULL);
	blockworld_settle(w);
	blockworld_stop(w);
	snprintf(command, sizeof command, "for f in %s/blocklist/*; do echo x > $f; done", w->dir);
	assert_int_equal(system(command), 0);
	blockworld_start(w, "U", NULL);
	assert_true(blockworld_agree(w));
	assert_null(w->told[0].list);
	blockworld_settle(w);
	assert_true(blockworld_blocks(w, "1.2.3.4")); /* it is fetched at once */
	assert_int_equal(w->asked, 2);
	blockworld_stop(w);
}

/* A state directory that takes no more: the list holds all the same, for this run. */
static void t_what_cannot_be_kept(void **state)
{
	struct blockworld *w = *state;
	char command[200];

	snprintf(command, sizeof command, "echo x > %s/blocklist", w->dir);
	assert_int_equal(system(command), 0);
	WRITE(w, "1.2.3.4");
	blockworld_start(w, "F", NULL);
	blockworld_settle(w);
	assert_true(blockworld_blocks(w, "1.2.3.4"));
	blockworld_stop(w);
}

/* It is stopped while a server lets it wait. */
static void t_stop_while_a_list_is_fetched(void **state)
{
	struct blockworld *w = *state;

	blockworld_start(w, "U", NULL);
	for (int i = 0; i < 10; i++)
		actor_turn(w->blocker, USEC_PER_MSEC);
	blockworld_stop(w);
}

/* Files that are none: each says so. */
static void t_files_that_are_none(void **state)
{
	struct blockworld *w = *state;

	blockworld_start(w, "/dev/null, /tmp", NULL);
	blockworld_settle(w);
	assert_string_equal(source(w, 0)->error, err_words(E_IS_SPECIAL));
	assert_string_equal(source(w, 1)->error, err_words(E_IS_DIR));
	blockworld_stop(w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(t_first_list_is_there_at_the_start),
		TEST(t_without_sources_nobody_is_told_anything),
		TEST(t_files_count_before_servers_answer),
		TEST(t_a_source_that_fails_keeps_its_own),
		TEST(t_servers_are_asked_in_their_time),
		TEST(t_reload),
		TEST(t_refusals_are_counted_on),
		TEST(t_gzip_that_is_damaged),
		TEST(t_gzip_that_is_a_bomb),
		TEST(t_what_was_kept_is_damaged),
		TEST(t_what_cannot_be_kept),
		TEST(t_stop_while_a_list_is_fetched),
		TEST(t_files_that_are_none),
	};
	int failed;

	fetch_global_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fetch_global_fini();
	return failed;
}
