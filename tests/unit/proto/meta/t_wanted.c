/* SPDX-License-Identifier: MIT */
/* Priorities of files as priorities of pieces, and the bytes that follow from them. */
#include "proto/meta/layout.h"
#include "proto/meta/wanted.h"
#include "tests/unit/lib/torrents.h"

/* Pieces of 16 KiB.  a: 0 to 2; b (1 byte): 2; c: 3 and 4; none; a pad and d: 4. */
static const char text[] = "d4:infod5:filesl"
			   "d6:lengthi40000e4:pathl1:aeed6:lengthi1e4:pathl1:bee"
			   "d4:attr1:p6:lengthi9151e4:pathl2:p1ee"
			   "d6:lengthi20000e4:pathl1:cee"
			   "d6:lengthi0e4:pathl4:noneee"
			   "d6:lengthi5e4:pathl1:dee"
			   "e4:name1:n12:piece lengthi16384e6:pieces100:" H H H H H "ee";

static struct metainfo *make(void)
{
	struct slice s = {(const uint8_t *)text, sizeof text - 1};
	struct metainfo *m = NULL;

	assert_int_equal(parse_copy(s, &m, NULL), E_OK);
	assert_int_equal(m->pieces, 5);
	assert_int_equal(m->files_n, 6);
	assert_true(m->files[2].pad);
	return m;
}

static void test_pieces(void **state)
{
	static const struct {
		const char *files; /* NULL: all normal */
		bool edges;
		const char *pieces;
	} cases[] = {
		{NULL, false, "44444"},
		{"444444", false, "44444"},
		{"000000", false, "00000"},
		{"100000", false, "11100"},
		{"017004", false, "00104"},
		{"070000", false, "00700"},
		{"007000", false, "00000"}, /* a pad file has no wish of its own */
		{"140100", false, "11411"},
		{"000704", false, "00077"},
		{"000001", false, "00001"},
		{"000070", false, "00000"},
		{NULL, true, "74777"},
		{"700000", true, "76700"},
		{"000100", true, "00077"},
		{"000000", true, "00000"},
	};
	struct metainfo *m = make();
	uint8_t files[6], pieces[5];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		for (unsigned k = 0; cases[i].files != NULL && k < 6; k++)
			files[k] = (uint8_t)(cases[i].files[k] - '0');
		wanted_pieces(m, cases[i].files != NULL ? files : NULL, cases[i].edges, pieces);
		for (unsigned k = 0; k < 5; k++)
			if (pieces[k] != cases[i].pieces[k] - '0')
				fail_msg("case %u, piece %u: %u", i, k, pieces[k]);
	}
	metainfo_unref(&m);
}

static void test_left(void **state)
{
	const uint8_t only_c[6] = {[3] = 4}, nothing[6] = {0};
	struct metainfo *m = make();
	struct bitfield have;

	(void)state;
	bitfield_init(&have, 5);
	assert_true(wanted_left(m, NULL, NULL) == m->size);
	assert_true(wanted_left(m, NULL, &have) == m->size);
	assert_true(wanted_left(m, only_c, NULL) == m->size - 3 * 16384);
	assert_true(wanted_left(m, nothing, &have) == 0);
	bitfield_set(&have, 4);
	bitfield_set(&have, 0);
	assert_true(wanted_left(m, NULL, &have) == 3 * 16384);
	assert_true(wanted_left(m, only_c, &have) == 16384);
	bitfield_set(&have, 3);
	assert_true(wanted_left(m, only_c, &have) == 0);
	bitfield_free(&have);
	metainfo_unref(&m);
}

static void test_done(void **state)
{
	static const struct {
		uint8_t have;
		uint64_t done[6];
	} cases[] = {
		{0x00, {0}},
		{0xf8, {40000, 1, 9151, 20000, 0, 5}},
		{0x20, {7232, 1, 9151, 0, 0, 0}},
		{0x08, {0, 0, 0, 3616, 0, 5}},
	};
	struct metainfo *m = make();

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
		for (uint32_t f = 0; f < 6; f++)
			assert_true(wanted_file_done(m, f, &cases[i].have) == cases[i].done[f]);
	metainfo_unref(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_done),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
