/* SPDX-License-Identifier: MIT */
/* Rows as JSON: the same text in whatever slices, what a delta has and leaves out, and where
 * somebody says to be. */
#include "http/api/list_render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct torrent_row rows[2];
static struct row_gone gone[] = {{.n = 4}, {.n = 9}};

static int begin(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct torrent_row *t = &rows[i];

		memset(t, 0, sizeof *t);
		t->n = i + 1;
		t->born = 10 * i + 1;
		for (unsigned g = 0; g < ROW_GROUPS; g++)
			t->changed[g] = t->born;
		label_set(&t->identity.name, i == 0 ? "a \"quoted\"" : "b");
		label_set(&t->identity.path, "/dl");
		t->identity.size = 100;
		t->progress.progress = 5000;
		t->progress.ratio = 1500;
		t->rates.eta = -1;
		t->swarm.swarm_seeds = -1;
	}
	rows[1].status.status = STATUS_SEEDING;
	rows[1].status.why = WHY_SEEDING_IDLE;
	return 0;
}

static int end(void **state)
{
	(void)state;
	row_fini(&rows[0]);
	row_fini(&rows[1]);
	return 0;
}

static struct m_torrent_rows answer(void)
{
	return (struct m_torrent_rows){
		.epoch_now = 0xabc, .rev = 20, .rows = rows, .rows_n = 2, .gone = gone};
}

/* The whole text, in slices of so many bytes; valid until the next call. */
static const char *text_of(
	const struct m_torrent_rows *m, const struct list_wish *wish, size_t slice)
{
	static char text[8192];
	struct json_out o = {0};
	struct list_render r;
	unsigned turns = 0;

	list_render_init(&r, m, wish, 1700000000);
	while (!list_render_some(&r, &o, slice))
		assert_true(++turns < 10000);
	assert_true(o.n < sizeof text);
	memcpy(text, o.p, o.n);
	text[o.n] = '\0';
	json_out_fini(&o);
	return text;
}

static uint32_t fields(const char *names)
{
	struct slice bad;
	uint32_t bits;

	assert_int_equal(list_fields(&bits, names, &bad), E_OK);
	return bits;
}

static void test_slices(void **state)
{
	struct m_torrent_rows m = answer();
	struct list_wish wish = {.fields = LIST_FIELDS_ALL};
	char *whole;

	(void)state;
	m.gone_n = 2;
	whole = strdup(text_of(&m, &wish, 1u << 20));
	for (size_t slice = 1; slice < 300; slice += 7)
		assert_string_equal(text_of(&m, &wish, slice), whole);
	assert_non_null(strstr(whole, "\"reset\":true,\"fields\":[\"n\",\"hash\",\"name\","));
	assert_non_null(strstr(whole, "\"a \\\"quoted\\\"\""));
	assert_non_null(strstr(whole, "\"seeding\",null,\"seeding_idle\",0.5,100"));
	free(whole);
}

static void test_list(void **state)
{
	struct m_torrent_rows m = answer();
	struct list_wish wish = {.fields = fields("name,state")};

	(void)state;
	m.next = 7;
	assert_string_equal(text_of(&m, &wish, 1),
		"{\"now\":1700000000,\"epoch\":\"0000000000000abc\",\"rev\":20,\"reset\":true,"
		"\"fields\":[\"n\",\"name\",\"state\"],\"add\":[[1,\"a "
		"\\\"quoted\\\"\",\"stopped\"],"
		"[2,\"b\",\"seeding\"]],\"set\":[],\"gone\":[],\"next\":\"0000000000000abc.20."
		"7\"}");
	wish.more = true;
	wish.seen = (struct list_point){0xabc, 15};
	m.rows_n = 0;
	m.next = 0;
	assert_string_equal(text_of(&m, &wish, 1),
		"{\"now\":1700000000,\"epoch\":\"0000000000000abc\",\"rev\":15,\"reset\":false,"
		"\"fields\":[\"n\",\"name\",\"state\"],\"add\":[],\"set\":[],\"gone\":[],"
		"\"next\":null}");
}

/* The first was there at revision 10, and one group of it has changed since; the second is new. */
static void test_delta(void **state)
{
	struct m_torrent_rows m = answer();
	struct list_wish wish = {.fields = fields("name,left,size"),
		.delta = true,
		.seen = {0xabc, 10},
		.no_next = true};

	(void)state;
	m.gone_n = 2;
	rows[0].changed[ROW_PROGRESS] = 12;
	assert_string_equal(text_of(&m, &wish, 1),
		"{\"now\":1700000000,\"epoch\":\"0000000000000abc\",\"rev\":20,\"reset\":false,"
		"\"fields\":[\"n\",\"name\",\"size\",\"left\"],\"add\":[[2,\"b\",100,0]],"
		"\"set\":[[1,{\"left\":0}]],\"gone\":[4,9]}");
	/* What changed is not among what was asked for. */
	wish.fields = fields("name");
	assert_non_null(strstr(text_of(&m, &wish, 1), "\"set\":[],"));
	m.reset = true;
	m.gone_n = 0;
	assert_non_null(strstr(text_of(&m, &wish, 1),
		"\"reset\":true,\"fields\":[\"n\",\"name\"],\"add\":[[1,\"a "
		"\\\"quoted\\\"\"],[2,\"b\"]],\"set\":[]"));
}

static void test_told(void **state)
{
	struct m_torrent_rows m = answer();
	struct list_wish wish = {.fields = fields("name"), .delta = true, .seen = {0xabc, 20}};
	struct json_out o = {0};
	struct list_render r;

	(void)state;
	list_render_init(&r, &m, &wish, 1);
	assert_true(list_render_some(&r, &o, 10000));
	assert_int_equal(r.told, 0);
	json_out_fini(&o);
	wish.seen.rev = 5;
	m.gone_n = 1;
	list_render_init(&r, &m, &wish, 1);
	o = (struct json_out){0};
	assert_true(list_render_some(&r, &o, 10000));
	assert_int_equal(r.told, 2);
	json_out_fini(&o);
}

static void test_points(void **state)
{
	static const struct {
		const char *text;
		bool good, paged;
		uint64_t epoch, rev;
		uint32_t from;
	} table[] = {
		{"0123456789abcdef.42", true, false, 0x0123456789abcdef, 42, 0},
		{"FFFFFFFFFFFFFFFF.0", true, false, UINT64_MAX, 0, 0},
		{"0000000000000001.9223372036854775807", true, false, 1, INT64_MAX, 0},
		{"0000000000000001.9223372036854775808", false, false, 0, 0, 0},
		{"0000000000000001.2.3", true, true, 1, 2, 3},
		{"0000000000000001.2.4294967295", true, true, 1, 2, UINT32_MAX},
		{"0000000000000001.2.4294967296", false, true, 0, 0, 0},
		{"0000000000000001.2", false, true, 0, 0, 0},
		{"0000000000000001.2.3", false, false, 0, 0, 0},
		{"", false, false, 0, 0, 0},
		{"0123456789abcde", false, false, 0, 0, 0},
		{"0123456789abcdef", false, false, 0, 0, 0},
		{"0123456789abcdef.", false, false, 0, 0, 0},
		{"0123456789abcdeg.1", false, false, 0, 0, 0},
		{"0123456789abcdef.1x", false, false, 0, 0, 0},
		{"0123456789abcdef.-1", false, false, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct list_point p;
		uint32_t from = 0;
		bool good = list_point_read(table[i].text, &p, table[i].paged ? &from : NULL);

		if (good != table[i].good)
			fail_msg("'%s'", table[i].text);
		if (!good)
			continue;
		assert_true(p.epoch == table[i].epoch && p.rev == table[i].rev);
		assert_int_equal(from, table[i].from);
	}
}

static void test_fields(void **state)
{
	struct slice bad = {0};
	uint32_t bits;

	(void)state;
	assert_int_equal(fields("n"), 1);
	assert_int_equal(fields("hash"), 3);
	assert_int_equal(fields(",hash,,n,"), 3);
	assert_int_equal(list_fields(&bits, "hash,nam,x", &bad), E_NOT_FOUND);
	assert_int_equal(bad.n, 3);
	assert_memory_equal(bad.p, "nam", 3);
	assert_int_equal(list_fields(&bits, ",", &bad), E_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slices, begin, end),
		cmocka_unit_test_setup_teardown(test_list, begin, end),
		cmocka_unit_test_setup_teardown(test_delta, begin, end),
		cmocka_unit_test_setup_teardown(test_told, begin, end),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
