/* SPDX-License-Identifier: MIT */
/* What leaves a connection: a block that has begun is finished, or nothing leaves any more. */
#include "tests/unit/lib/peers_world.h"

#include <string.h>

#include "proto/wire/wire.h"

/* A leech that has been given a slot, and of whose blocks the first has begun. */
static struct remote *slow_reader(struct world *w)
{
	struct remote *r;

	w->maps = true;
	w->send_buffer = 8192;
	world_start(w, 2);
	r = world_join(w, "192.0.2.7:5000", "reader");
	remote_say(w, r, MSG_ID_INTERESTED);
	world_pass(w, 12 * USEC_PER_SEC);
	assert_string_equal(remote_words(w, r), "bitfield unchoke");
	remote_request(w, r, 1, 131072); /* its file is mapped from here on */
	world_pass(w, USEC_PER_SEC);
	assert_string_equal(remote_words(w, r), "piece(1,131072)");
	for (uint32_t i = 1; i < 5; i++)
		remote_request(w, r, 0, i * BLOCK_SIZE);
	world_turn(w);
	remote_read(w, r, 3000);
	assert_int_equal(r->in_n, 3000);
	return r;
}

static void pages_that_went_away_in_mid_block(void **state)
{
	struct world *w = *state;
	struct remote *r = slow_reader(w);
	unsigned reads = w->reads;

	w->resident = false;
	w->hold_reads = true;
	world_pass(w, 2 * USEC_PER_SEC); /* it is looked again */
	remote_request(w, r, 3, 0);      /* of a piece it has not: it will be rejected */
	assert_string_equal(remote_words(w, r), "");
	assert_true(r->in_n < WIRE_PIECE_HEADER + BLOCK_SIZE);
	assert_int_equal(w->reads, reads + 1);
	w->resident = true;
	world_answer_reads(w, E_OK);
	assert_string_equal(remote_words(w, r),
		"piece(0,16384) reject(3,0) piece(0,32768) piece(0,49152) piece(0,65536)");
}

static void a_map_that_faults_in_mid_block(void **state)
{
	struct world *w = *state;
	struct remote *r = slow_reader(w);
	unsigned reads = w->reads;

	w->faults = true;
	w->hold_reads = true;
	remote_request(w, r, 3, 0);
	assert_string_equal(remote_words(w, r), "");
	assert_int_equal(w->reads, reads + 1); /* into memory of our own, once */
	world_answer_reads(w, E_OK);
	assert_string_equal(remote_words(w, r),
		"piece(0,16384) reject(3,0) piece(0,32768) piece(0,49152) piece(0,65536)");
}

/* Being read already, it is not read again, whoever else finds that the map cannot be read. */
static void what_is_loading_is_not_loaded_again(void **state)
{
	struct world *w = *state;
	struct remote *r = slow_reader(w);
	unsigned reads;

	w->resident = false;
	w->hold_reads = true;
	remote_request(w, r, 0, 131072); /* in another extent, that is loading */
	remote_request(w, r, 0, 131072 + BLOCK_SIZE);
	remote_request(w, r, 1, 0);
	world_turn(w);
	reads = w->reads;
	w->faults = true;
	remote_read(w, r, 30000);
	world_turn(w);
	assert_int_equal(w->reads, reads + 1); /* the one that was to leave */
	w->faults = false;
	w->resident = true;
	world_answer_reads(w, E_OK);
	world_answer_reads(w, E_OK);
	assert_string_equal(remote_words(w, r),
		"piece(0,16384) piece(0,32768) piece(0,49152) piece(0,65536) piece(0,131072) "
		"piece(0,147456) piece(1,0)");
}

static void a_block_that_cannot_be_finished_ends_the_connection(void **state)
{
	struct world *w = *state;
	struct remote *r = slow_reader(w);

	w->faults = true;
	w->hold_reads = true;
	remote_request(w, r, 3, 0);
	remote_read(w, r, SIZE_MAX);
	world_answer_reads(w, E_IO);
	assert_true(remote_closed(w, r));
	assert_string_equal(remote_words(w, r), "");
	assert_true(r->in_n < WIRE_PIECE_HEADER + BLOCK_SIZE);
}

static void a_block_that_has_not_begun_is_rejected(void **state)
{
	struct world *w = *state;
	struct remote *r = slow_reader(w);

	assert_string_equal(
		remote_words(w, r), "piece(0,16384) piece(0,32768) piece(0,49152) piece(0,65536)");
	w->faults = true;
	w->hold_reads = true;
	remote_request(w, r, 0, 0);
	world_answer_reads(w, E_IO);
	assert_string_equal(remote_words(w, r), "reject(0,0)");
	assert_false(remote_closed(w, r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			pages_that_went_away_in_mid_block, world_new, world_free),
		cmocka_unit_test_setup_teardown(
			a_map_that_faults_in_mid_block, world_new, world_free),
		cmocka_unit_test_setup_teardown(
			what_is_loading_is_not_loaded_again, world_new, world_free),
		cmocka_unit_test_setup_teardown(
			a_block_that_cannot_be_finished_ends_the_connection, world_new, world_free),
		cmocka_unit_test_setup_teardown(
			a_block_that_has_not_begun_is_rejected, world_new, world_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
