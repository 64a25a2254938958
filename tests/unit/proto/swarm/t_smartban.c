/* SPDX-License-Identifier: MIT */
/* Smart ban: histories of blocks by table, its bounds, and a swarm of liars against a model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/rng.h"
#include "proto/swarm/smartban.h"

/* A script: "b2a" is block b (a letter a..) by sender 2 with content a; '!' fails, '.' passes. */
static const struct {
	const char *name, *script, *guilty, *cleared;
} rows[] = {
	{"one liar of two", "a1x b2y ! a1x b1z .", "2", "1"},
	{"the first attempt was right but for one block", "a1x b2y ! a3x b3z .", "2", "13"},
	{"two liars", "a1p b2q ! a3x b3z .", "12", "3"},
	{"who sends two versions is found without a good one", "a1x b2y ! a1x b2z !", "2", ""},
	{"the same version twice proves nothing", "a1x b2y ! a1x b2y !", "", ""},
	{"three attempts", "a1x b2y ! a3x b2y ! a4x b4z .", "2", "134"},
	{"nobody is not blamed", "a0x b1y ! a1z b1y .", "", "1"},
	{"a note of the same twice", "a1x a1x b2y b2y ! a1x a1x b1z b1z .", "2", "1"},
	{"a piece that never failed", ".", "", ""},
};

static bool is_among(const struct smartban_names *names, uint32_t who)
{
	for (unsigned i = 0; i < names->n; i++)
		if (names->v[i] == who)
			return true;
	return false;
}

static void compare_names(const char *row, const struct smartban_names *got, const char *want)
{
	if (got->n != strlen(want))
		fail_msg("%s: %u names, not %s", row, got->n, want);
	for (; *want != '\0'; want++)
		if (!is_among(got, (uint32_t)(*want - '0')))
			fail_msg("%s: %c is missing", row, *want);
}

static void t_histories(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smartban *b = smartban_new();
		struct smartban_names guilty = {.n = 0}, cleared = {.n = 0};

		for (const char *p = rows[i].script; *p != '\0'; p++) {
			if (*p == '!') {
				smartban_failed(b, 7, &guilty);
				assert_true(smartban_suspects(b, 7));
			} else if (*p == '.') {
				smartban_passed(b, 7, &guilty, &cleared);
				assert_false(smartban_suspects(b, 7));
				assert_int_equal(smartban_notes(b), 0);
			} else if (*p != ' ') {
				uint32_t who = (uint32_t)(p[1] - '0');

				smartban_note(b, 7, (uint32_t)(p[0] - 'a'),
					who > 0 ? who : SMARTBAN_NOBODY, (uint64_t)p[2]);
				p += 2;
			}
		}
		compare_names(rows[i].name, &guilty, rows[i].guilty);
		compare_names(rows[i].name, &cleared, rows[i].cleared);
		smartban_free(&b);
		assert_null(b);
	}
}

static void t_bounds(void **state)
{
	struct smartban *b = smartban_new();
	struct smartban_names guilty, cleared;

	(void)state;
	for (uint32_t piece = 0; piece < 3 * SMARTBAN_PIECES; piece++)
		smartban_note(b, piece, 0, piece, 1);
	assert_false(smartban_suspects(b, 2 * SMARTBAN_PIECES - 1));
	assert_true(smartban_suspects(b, 2 * SMARTBAN_PIECES));
	assert_int_equal(smartban_notes(b), SMARTBAN_PIECES);
	for (uint32_t i = 0; i < 2 * SMARTBAN_NOTES; i++)
		smartban_note(b, 1000, i, i, i);
	assert_true(smartban_notes(b) <= SMARTBAN_NOTES);
	assert_true(smartban_suspects(b, 1000));
	for (uint32_t i = 0; i < 200; i++)
		smartban_note(b, 1000, i, 5000 + i, 77777777);
	smartban_passed(b, 1000, &guilty, &cleared);
	assert_true(guilty.n <= SMARTBAN_NAMES && cleared.n == SMARTBAN_NAMES);
	smartban_free(&b);
}

static void t_digest(void **state)
{
	uint8_t a[1000] = {0}, b[1000] = {0};

	(void)state;
	assert_true(smartban_digest(a, sizeof a) == smartban_digest(b, sizeof b));
	b[999] = 1;
	assert_true(smartban_digest(a, sizeof a) != smartban_digest(b, sizeof b));
	assert_true(smartban_digest(a, 999) == smartban_digest(b, 999));
}

#define BLOCKS 8u
#define PEERS  6u

/* Every liar that spoilt a block is named when the piece passes, and no honest one ever. */
static void t_liars(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 11);
	for (unsigned round = 0; round < 500; round++) {
		struct smartban *b = smartban_new();
		struct smartban_names guilty, cleared;
		bool liar[PEERS], lied[PEERS] = {0}, good = false;

		for (uint32_t k = 0; k < PEERS; k++)
			liar[k] = k > 0 && rng_below(&rng, 3) == 0;
		while (!good) {
			good = true;
			for (uint32_t i = 0; i < BLOCKS; i++) {
				uint32_t who = rng_below(&rng, PEERS);
				bool lie = liar[who] && rng_below(&rng, 2) == 0;

				lied[who] |= lie;
				good = good && !lie;
				smartban_note(b, 3, i, who, lie ? 100 + rng_below(&rng, 2) : i);
			}
			if (good)
				break;
			smartban_failed(b, 3, &guilty);
			for (uint32_t k = 0; k < guilty.n; k++)
				assert_true(lied[guilty.v[k]]);
		}
		smartban_passed(b, 3, &guilty, &cleared);
		for (uint32_t k = 0; k < PEERS; k++) {
			assert_int_equal(is_among(&guilty, k), lied[k]);
			assert_false(lied[k] && is_among(&cleared, k));
		}
		smartban_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_histories),
		cmocka_unit_test(t_bounds),
		cmocka_unit_test(t_digest),
		cmocka_unit_test(t_liars),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
