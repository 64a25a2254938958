/* SPDX-License-Identifier: MIT */
/* The pieces of a torrent as strips and runs, the same in whatever slices. */
#include "http/api/aspect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define H (PIECE_HAVE | PIECE_WANTED)
#define F (PIECE_BEGUN | PIECE_WANTED)
#define W PIECE_WANTED
#define S 0

/* The whole text, in slices of so many bytes; valid until the next call. */
static const char *text_of(
	const struct torrent_view *t, const struct aspect_wish *wish, size_t slice)
{
	static char text[4096];
	struct aspect_render r;
	struct json_out o = {0};

	aspect_init(&r, t, wish);
	while (!aspect_some(&r, &o, slice))
		assert_true(o.n < sizeof text);
	snprintf(text, sizeof text, "%.*s", (int)o.n, o.p);
	json_out_fini(&o);
	return text;
}

static void test_strips_tell_all_and_none_from_some(void **state)
{
	uint8_t states[] = {H, H, H, F, W, S, S, S}, copies[] = {0, 2, 3, 4, 1, 1, 255, 255};
	struct torrent_view t = {.bits = 8,
		.have = 3,
		.piece_length = 16384,
		.piece_states = states,
		.piece_copies = copies};
	struct aspect_wish wish = {.of = ASPECT_PIECES, .buckets = 4};

	(void)state;
	/* have: all, one of two, none, none; copies: the least and the mean of each two */
	assert_string_equal(text_of(&t, &wish, 1),
		"{\"pieces\":8,\"piece_length\":16384,\"pieces_have\":3,\"copies\":0.875,"
		"\"buckets\":4,\"have\":\"/38AAA==\",\"in_flight\":\"AH8AAA==\","
		"\"wanted\":\"//9/AA==\",\"min_copies\":\"AAMB/w==\","
		"\"mean_copies\":\"AQMB/w==\"}");
}

static void test_fewer_pieces_than_buckets(void **state)
{
	uint8_t states[] = {H}, copies[] = {0};
	struct torrent_view t = {.bits = 1,
		.have = 1,
		.piece_length = 16384,
		.piece_states = states,
		.piece_copies = copies};
	struct aspect_wish wish = {.of = ASPECT_PIECES, .buckets = 512};

	(void)state;
	assert_non_null(strstr(text_of(&t, &wish, 1), "\"buckets\":1,\"have\":\"/w==\""));
	t.bits = t.have = 0; /* of a magnet nothing is known */
	assert_non_null(strstr(text_of(&t, &wish, 1), "\"buckets\":0,\"have\":\"\""));
}

static void test_runs_are_the_same_in_any_slices(void **state)
{
	uint8_t states[] = {H, H, H, F, W, S, S, S}, copies[8] = {0};
	struct torrent_view t = {.bits = 8,
		.have = 3,
		.piece_length = 16384,
		.piece_states = states,
		.piece_copies = copies};
	struct aspect_wish wish = {.of = ASPECT_PIECES, .full = true};
	char whole[4096];

	(void)state;
	snprintf(whole, sizeof whole, "%s", text_of(&t, &wish, 100000));
	assert_non_null(strstr(whole, "\"runs\":[[\"h\",3],[\"f\",1],[\"w\",1],[\"s\",3]]}"));
	for (size_t slice = 1; slice < 40; slice++)
		assert_string_equal(text_of(&t, &wish, slice), whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strips_tell_all_and_none_from_some),
		cmocka_unit_test(test_fewer_pieces_than_buckets),
		cmocka_unit_test(test_runs_are_the_same_in_any_slices),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
