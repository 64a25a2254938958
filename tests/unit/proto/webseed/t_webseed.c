/* SPDX-License-Identifier: MIT */
/* URLs of files, what answers mean, when a seed is asked again, and runs of requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/time.h"
#include "proto/webseed/answer.h"
#include "proto/webseed/names.h"
#include "proto/webseed/run.h"

#define HASH "01234567890123456789"

static struct metainfo *parse(const char *torrent)
{
	struct metainfo *m;
	struct parse_error pe = {0};

	if (metainfo_parse(torrent, strlen(torrent), &m, &pe) != E_OK)
		fail_msg("%s at %zu", pe.what, pe.offset);
	return m;
}

static void check_url(
	struct httpseed_names *names, const char *base, uint32_t file, const char *want)
{
	char out[HTTPSEED_URL_MAX];
	struct wr w = wr_of(out, sizeof out);

	assert_true(httpseed_url(names, base, file, &w));
	assert_string_equal(out, want);
}

static void test_one_file(void **state)
{
	struct metainfo *m = parse("d4:infod6:lengthi5e4:name9:a b+#?%.z12:piece lengthi16384e"
				   "6:pieces20:" HASH "ee");
	struct httpseed_names *names = httpseed_names_new(m);

	(void)state;
	check_url(names, "http://h/x", 0, "http://h/x");
	check_url(names, "http://h/x/", 0, "http://h/x/a%20b%2B%23%3F%25.z");
	check_url(names, "http://h/?f=", 0, "http://h/?f=");
	httpseed_names_free(&names);
	metainfo_unref(&m);
}

/* The names are those of the torrent, though ours are made safe: "..", a slash, a control. */
static void test_many_files(void **state)
{
	struct metainfo *m = parse("d4:infod5:filesld6:lengthi1e4:pathl1:d5:\xc3\xa4 [\x01"
				   "eed6:lengthi2e4:pathl2:..3:a/beee4:name3:n&m12:piece "
				   "lengthi16384e6:pieces20:" HASH "ee");
	struct httpseed_names *names = httpseed_names_new(m);

	(void)state;
	check_url(names, "http://h", 0, "http://h/n%26m/d/%C3%A4%20%5B%01");
	check_url(names, "http://h/p/", 0, "http://h/p/n%26m/d/%C3%A4%20%5B%01");
	check_url(names, "http://h/p/", 1, "http://h/p/n%26m/../a%2Fb");
	httpseed_names_free(&names);
	metainfo_unref(&m);
}

static void test_url_too_long(void **state)
{
	struct metainfo *m = parse("d4:infod6:lengthi5e4:name4:abcd12:piece lengthi16384e"
				   "6:pieces20:" HASH "ee");
	struct httpseed_names *names = httpseed_names_new(m);
	char out[16];

	(void)state;
	for (size_t room = 0; room < sizeof out; room++) {
		struct wr w = wr_of(out, room);

		assert_int_equal(httpseed_url(names, "http://h/", 0, &w), room >= 14);
	}
	httpseed_names_free(&names);
	metainfo_unref(&m);
}

/* --- answers --- */

static void test_answers(void **state)
{
	static const struct {
		struct httpseed_range asked;
		struct httpseed_head head;
		enum httpseed_verdict verdict;
		uint64_t skip;
		int64_t wait; /* s */
	} rows[] = {
		{{100, 50, 1000}, {206, "bytes 100-149/1000", NULL, 50, false}, HTTPSEED_TAKE, 0,
			0},
		{{100, 50, 1000}, {206, "Bytes 100-149/*", NULL, -1, false}, HTTPSEED_TAKE, 0, 0},
		{{100, 50, 1000}, {206, "bytes 100-120/1000", NULL, 21, false}, HTTPSEED_TAKE, 0,
			0},
		{{100, 50, 1000}, {206, "bytes 101-149/1000", NULL, 49, false}, HTTPSEED_WAIT, 0,
			0},
		{{100, 50, 1000}, {206, "bytes 100-149/999", NULL, 50, false}, HTTPSEED_NO_FILE, 0,
			0},
		{{100, 50, 1000}, {206, NULL, NULL, 50, false}, HTTPSEED_WAIT, 0, 0},
		{{100, 50, 1000}, {206, "bytes 99999999999999999999-1/2", NULL, 50, false},
			HTTPSEED_WAIT, 0, 0},
		{{100, 50, 1000}, {206, "bytes 100-149/1000", NULL, 50, true}, HTTPSEED_WAIT, 0, 0},
		{{0, 1000, 1000}, {200, NULL, NULL, 1000, false}, HTTPSEED_TAKE, 0, 0},
		{{100, 50, 1000}, {200, NULL, NULL, 1000, false}, HTTPSEED_TAKE, 100, 0},
		{{100, 50, 1000}, {200, NULL, NULL, -1, false}, HTTPSEED_TAKE, 100, 0},
		{{100, 50, 1000}, {200, NULL, NULL, 50, false}, HTTPSEED_NO_FILE, 0, 0},
		{{HTTPSEED_SKIP_MAX + 1, 50, UINT64_MAX}, {200, NULL, NULL, -1, false},
			HTTPSEED_WAIT, 0, 3600},
		{{0, 1, 1}, {404, NULL, NULL, 9, false}, HTTPSEED_NO_FILE, 0, 0},
		{{0, 1, 1}, {410, NULL, NULL, 9, false}, HTTPSEED_NO_FILE, 0, 0},
		{{0, 1, 1}, {416, NULL, NULL, 9, false}, HTTPSEED_NO_FILE, 0, 0},
		{{0, 1, 1}, {403, NULL, NULL, 9, false}, HTTPSEED_WAIT, 0, 600},
		{{0, 1, 1}, {503, NULL, "7", 9, false}, HTTPSEED_WAIT, 0, 7},
		{{0, 1, 1}, {429, NULL, "99999999999999999999999", 9, false}, HTTPSEED_WAIT, 0, 0},
		{{0, 1, 1}, {429, NULL, "86400", 9, false}, HTTPSEED_WAIT, 0, 3600},
		{{0, 1, 1}, {503, NULL, "Sun, 06 Nov 1994 08:49:37 GMT", 9, false}, HTTPSEED_WAIT,
			0, 12},
		{{0, 1, 1}, {503, NULL, "Sun, 06 Nov 1994 08:49:20 GMT", 9, false}, HTTPSEED_WAIT,
			0, 0},
		{{0, 1, 1}, {503, NULL, "Sun, 06 Nov", 9, false}, HTTPSEED_WAIT, 0, 0},
		{{0, 1, 1}, {503, NULL, "soon", 9, false}, HTTPSEED_WAIT, 0, 0},
		{{0, 1, 1}, {302, NULL, NULL, 9, false}, HTTPSEED_WAIT, 0, 0},
		{{0, 1, 1}, {0, NULL, NULL, -1, false}, HTTPSEED_WAIT, 0, 0},
	};
	struct httpseed_judgement j;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		/* 06 Nov 1994 08:49:25 */
		httpseed_judge(&rows[i].asked, &rows[i].head, 784111765, &j);
		if (j.verdict != rows[i].verdict || j.skip != rows[i].skip ||
			j.wait != rows[i].wait * USEC_PER_SEC)
			fail_msg("row %zu: verdict %d, skip %d, wait %d", i, (int)j.verdict,
				(int)j.skip, (int)(j.wait / USEC_PER_SEC));
		assert_int_equal(j.why[0] == '\0', j.verdict == HTTPSEED_TAKE);
	}
}

static void test_waits(void **state)
{
	struct httpseed_health h = {0};
	int64_t now = 1000 * USEC_PER_SEC;
	static const int waits[] = {30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		httpseed_failed(&h, 0, now);
		assert_int_equal(h.until - now, waits[i] * USEC_PER_SEC);
	}
	httpseed_worked(&h);
	assert_int_equal(h.until, 0);
	httpseed_failed(&h, 7 * USEC_PER_SEC, now);
	assert_int_equal(h.until - now, 30 * USEC_PER_SEC);
	httpseed_failed(&h, 900 * USEC_PER_SEC, now);
	assert_int_equal(h.until - now, 900 * USEC_PER_SEC);
}

/* --- runs --- */

static struct httpseed_request block(uint32_t n)
{
	return (struct httpseed_request){
		n / 4, n % 4 * BLOCK_SIZE, BLOCK_SIZE, (uint64_t)n * BLOCK_SIZE};
}

static void push(struct httpseed_queue *q, uint32_t n)
{
	struct httpseed_request r = block(n);

	assert_true(httpseed_queue_push(q, &r));
}

static void test_runs(void **state)
{
	static const uint32_t asked[] = {5, 9, 6, 4, 8, 7, 20};
	struct httpseed_queue q = {0};
	struct httpseed_request out[8], gone = block(8);

	(void)state;
	assert_int_equal(httpseed_queue_take(&q, 1000, out, 8), 0);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++)
		push(&q, asked[i]);
	assert_true(httpseed_queue_remove(&q, &gone));
	assert_false(httpseed_queue_remove(&q, &gone));
	/* From the oldest on: what lies before it waits for its own turn. */
	assert_int_equal(httpseed_queue_take(&q, UINT64_MAX, out, 8), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(out[i].offset, (5 + i) * BLOCK_SIZE);
	assert_int_equal(httpseed_queue_take(&q, UINT64_MAX, out, 8), 1);
	assert_int_equal(out[0].offset, 9 * BLOCK_SIZE);
	push(&q, 21);
	push(&q, 5);
	assert_int_equal(httpseed_queue_take(&q, UINT64_MAX, out, 8), 2);
	assert_int_equal(out[0].offset, 4 * BLOCK_SIZE);
	assert_int_equal(out[1].offset, 5 * BLOCK_SIZE);
	assert_int_equal(httpseed_queue_take(&q, UINT64_MAX, out, 8), 2);
	assert_int_equal(out[1].offset, 21 * BLOCK_SIZE);
	httpseed_queue_fini(&q);
}

static void test_runs_are_bounded(void **state)
{
	struct httpseed_queue q = {0};
	struct httpseed_request out[8], more = block(HTTPSEED_REQUESTS_MAX);

	(void)state;
	for (uint32_t i = 0; i < HTTPSEED_REQUESTS_MAX; i++)
		push(&q, i);
	assert_false(httpseed_queue_push(&q, &more));
	assert_int_equal(httpseed_queue_take(&q, 3 * BLOCK_SIZE, out, 8), 3);
	assert_int_equal(httpseed_queue_take(&q, UINT64_MAX, out, 8), 8);
	assert_int_equal(out[0].piece, 0);
	assert_int_equal(out[0].begin, 3 * BLOCK_SIZE);
	httpseed_queue_fini(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_file),
		cmocka_unit_test(test_many_files),
		cmocka_unit_test(test_url_too_long),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_runs_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
