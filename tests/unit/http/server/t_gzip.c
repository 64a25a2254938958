/* SPDX-License-Identifier: MIT */
/* Compression in slices gives what went in, whatever the slices; and who takes it. */
#include "http/server/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "proto/base/rng.h"

static void unpack(const char *p, size_t n, char *out, size_t room)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)p,
		.avail_in = (uInt)n,
		.next_out = (Bytef *)out,
		.avail_out = (uInt)room + 1};

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, room);
	assert_int_equal(z.avail_in, 0);
	inflateEnd(&z);
}

/* At random cuts, empty slices among them; words that shrink, then noise that does not. */
static void slices_give_the_whole(void **state)
{
	enum { SIZE = 400000 };
	char *text = malloc(SIZE), *out = malloc(SIZE + 1);
	struct rng rng;

	(void)state;
	rng_seed(&rng, 7);
	for (size_t i = 0; i < SIZE; i++)
		text[i] = i < SIZE / 2 ? "status progress "[i % 16] : (char)rng_below(&rng, 256);
	for (unsigned round = 0; round < 40; round++) {
		size_t size = round < 20 ? round : SIZE, n;
		struct gzip *g = gzip_new();
		char *packed;

		for (size_t at = 0, take; at < size || size == 0; at += take) {
			take = rng_below(&rng, 1u << (round % 18 + 1));
			take = MIN(take, size - at);
			assert_true(gzip_some(g, text + at, take, at + take == size));
			if (at + take == size)
				break;
		}
		packed = gzip_take(g, &n);
		gzip_free(&g);
		assert_null(g);
		unpack(packed, n, out, size);
		assert_memory_equal(out, text, size);
		xfree(packed);
	}
	free(text);
	free(out);
}

static void who_takes_it(void **state)
{
	static const struct {
		const char *header;
		bool takes;
	} rows[] = {
		{NULL, false},
		{"", false},
		{"gzip", true},
		{"GZip", true},
		{"br, gzip", true},
		{" \tgzip ;q=0.5, br", true},
		{"gzip;q=1.0", true},
		{"gzip;q=0", false},
		{"gzip;q=0.000", false},
		{"gzip;Q=0", false},
		{"gzip; q=0.001", true},
		{"deflate, br", false},
		{"x-gzip", false},
		{"gzipped", false},
		{"br;q=1, gzip;q=0, identity", false},
		{",,,", false},
		{"identity", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (gzip_accepted(rows[i].header) != rows[i].takes)
			fail_msg("row %zu: '%s'", i, rows[i].header);
}

static void other_codings_are_taken_by_name(void **state)
{
	(void)state;
	assert_true(coding_accepted("gzip, deflate, br", "br"));
	assert_false(coding_accepted("gzip, br;q=0", "br"));
	assert_false(coding_accepted("gzip, brotli", "br"));
	assert_false(coding_accepted(NULL, "br"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_give_the_whole),
		cmocka_unit_test(who_takes_it),
		cmocka_unit_test(other_codings_are_taken_by_name),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
