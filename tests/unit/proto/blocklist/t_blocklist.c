/* SPDX-License-Identifier: MIT */
/* Blocklists: every format's lines, and that a list says of each address what its ranges say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rng.h"
#include "proto/blocklist/blocklist.h"

/* --- lines --- */

static const struct line {
	const char *text;
	const char *lo, *hi; /* NULL: no range */
	bool bad;
} lines[] = {
	/* P2P */
	{"name:1.2.3.4-1.2.3.9", "1.2.3.4", "1.2.3.9", false},
	{"na:me - 5, inc:1.2.3.4-1.2.3.9", "1.2.3.4", "1.2.3.9", false},
	{"name 9.9.9.9-8.8.8.8:1.2.3.4 - 1.2.3.9  ", "1.2.3.4", "1.2.3.9", false},
	{":1.2.3.4-1.2.3.4", "1.2.3.4", "1.2.3.4", false},
	{"name:2001:db8::1-2001:db8::ff", "2001:db8::1", "2001:db8::ff", false},
	{"a: name:2001:db8::1-2001:db8::ff\r", "2001:db8::1", "2001:db8::ff", false},
	{"name:1.2.3.4", NULL, NULL, true},
	{"name:1.2.3.4-", NULL, NULL, true},
	{"name:1.2.3.4-1.2.3.9 x", NULL, NULL, true},
	{"name:1.2.3.4-1.2.3.256", NULL, NULL, true},
	{"name:1.2.3.4-2001:db8::1", NULL, NULL, true},
	{"name without a range", NULL, NULL, true},
	{"name:", NULL, NULL, true},
	/* DAT */
	{"001.002.003.004 - 001.002.003.255 , 000 , a name", "1.2.3.4", "1.2.3.255", false},
	{"001.002.003.010-001.002.003.018,127,x", "1.2.3.10", "1.2.3.18", false},
	{"001.002.003.004 - 001.002.003.255 , 128 , passes", NULL, NULL, false},
	{"001.002.003.004 - 001.002.003.255 , 200", NULL, NULL, false},
	{"001.002.003.004 - 001.002.003.255 , x , y", NULL, NULL, true},
	{"0001.2.3.4 - 1.2.3.9 , 0", "1.2.3.4", "1.2.3.9", false},
	/* networks, ranges, single ones */
	{"10.1.2.3/8", "10.0.0.0", "10.255.255.255", false},
	{"10.1.2.3/32", "10.1.2.3", "10.1.2.3", false},
	{"10.1.2.3/31 # two", "10.1.2.2", "10.1.2.3", false},
	{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", false},
	{"10.1.2.3/33", NULL, NULL, true},
	{"10.1.2.3/", NULL, NULL, true},
	{"10.1.2.3/x", NULL, NULL, true},
	{"2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", false},
	{"2001:db8::7/128", "2001:db8::7", "2001:db8::7", false},
	{"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
	{"2001:db8::/129", NULL, NULL, true},
	{"1.2.3.4", "1.2.3.4", "1.2.3.4", false},
	{"  1.2.3.4 ; why", "1.2.3.4", "1.2.3.4", false},
	{"1.2.3.9-1.2.3.4", "1.2.3.4", "1.2.3.9", false},
	{"2001:db8::9 - 2001:db8::1", "2001:db8::1", "2001:db8::9", false},
	{"2001:db8::9", "2001:db8::9", "2001:db8::9", false},
	{"1.2.3", NULL, NULL, true},
	{"1.2.3.4.5", NULL, NULL, true},
	{"1.2.3.04567", NULL, NULL, true},
	{"999.1.1.1", NULL, NULL, true},
	/* no range */
	{"", NULL, NULL, false},
	{"   \t", NULL, NULL, false},
	{"\r", NULL, NULL, false},
	{"# 1.2.3.4", NULL, NULL, false},
	{"// 1.2.3.4", NULL, NULL, false},
	{"; 1.2.3.4", NULL, NULL, false},
	{"/1.2.3.4", NULL, NULL, true},
	{"\x1f\x8b\x08", NULL, NULL, true},
};

static struct endpoint ip(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse_ip(text, strlen(text), &e), E_OK);
	return e;
}

/* The address before or behind. */
static struct endpoint step(struct endpoint e, int by)
{
	for (int i = 15; i >= 0; i--) {
		e.ip[i] = (uint8_t)(e.ip[i] + by);
		if (e.ip[i] != (by > 0 ? 0 : 255))
			break;
	}
	return e;
}

static const struct blocklist *list_of(const char *text, size_t n, struct blocklist_report *r)
{
	struct blocklist_maker *m = blocklist_maker_new();
	uint8_t *exact = xmemdup(text, n); /* for the sanitizers */

	(void)blocklist_add(m, exact, n, r);
	xfree(exact);
	return blocklist_make(&m, 0);
}

static void t_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct blocklist_report r;
		const struct blocklist *l = list_of(lines[i].text, strlen(lines[i].text), &r);
		struct endpoint lo, hi, out;

		if (r.ranges != (lines[i].lo != NULL) || r.bad != lines[i].bad)
			fail_msg("\"%s\": %u ranges, %u bad", lines[i].text, r.ranges, r.bad);
		if (lines[i].lo != NULL) {
			lo = ip(lines[i].lo);
			hi = ip(lines[i].hi);
			if (!blocklist_has(l, &lo) || !blocklist_has(l, &hi))
				fail_msg("\"%s\": its ends are not in it", lines[i].text);
			out = step(lo, -1);
			if (endpoint_is_v4(&out) == endpoint_is_v4(&lo) && blocklist_has(l, &out) &&
				endpoint_compare(&out, &lo) < 0)
				fail_msg("\"%s\": what is before it is in it", lines[i].text);
			out = step(hi, 1);
			if (endpoint_is_v4(&out) == endpoint_is_v4(&hi) && blocklist_has(l, &out) &&
				endpoint_compare(&out, &hi) > 0)
				fail_msg("\"%s\": what is behind it is in it", lines[i].text);
		}
		blocklist_unref(&l);
	}
}

/* The numbers of IPv4 lie among those of IPv6: no range of one family says anything of the other.
 */
static void t_families(void **state)
{
	static const struct {
		const char *text, *ip;
		bool has;
	} rows[] = {
		{"::/0\n1.2.3.4", "1.2.3.4", true},
		{"::/0\n1.2.3.4", "1.2.3.5", false},
		{"::/0\n1.2.3.4", "2001:db8::1", true},
		{"::/0\n1.2.3.4", "::1", true},
		{"::/64\n1.2.3.4", "1.2.3.4", true},
		{"::fffe:0:0/95\n0.0.0.0/1", "1.2.3.4", true},
		{"::fffe:0:0/95\n0.0.0.0/1", "192.0.2.1", false},
		{"::fffe:0:0/95\n0.0.0.0/1", "::fffe:0:1", true},
		{"::/0", "1.2.3.4", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct blocklist_report r;
		const struct blocklist *l = list_of(rows[i].text, strlen(rows[i].text), &r);
		struct endpoint e = ip(rows[i].ip);

		if (blocklist_has(l, &e) != rows[i].has)
			fail_msg("row %zu: %s", i, rows[i].ip);
		blocklist_unref(&l);
	}
}

static void t_file(void **state)
{
	static const char text[] = "\xef\xbb\xbf# a mixed one\r\n"
				   "x:1.0.0.0-1.0.0.9\r\n"
				   "nonsense\r\n"
				   "more of it\r\n"
				   "001.000.000.010 - 001.000.000.020 , 0 , adjacent\r\n"
				   "1.0.0.15/32\r\n"
				   "2001:db8::/64\n"
				   "9.9.9.9";
	struct blocklist_report r;
	const struct blocklist *l = list_of(text, sizeof text - 1, &r);
	struct endpoint e = ip("9.9.9.9");

	(void)state;
	assert_int_equal(r.ranges, 5);
	assert_int_equal(r.bad, 2);
	assert_int_equal(r.bad_line, 3);
	assert_string_equal(r.bad_text, "nonsense\r");
	assert_int_equal(blocklist_ranges(l), 3); /* merged */
	assert_true(blocklist_has(l, &e));
	blocklist_unref(&l);
}

/* --- P2B --- */

#define P2B(v) "\xff\xff\xff\xffP2B" v

static const struct p2b {
	const char *name, *bytes;
	size_t n;
	uint32_t ranges, bad;
	enum err err;
} p2bs[] = {
	{"version 1", P2B("\1") "one\0\1\2\3\4\1\2\3\11two\0\5\0\0\0\5\0\0\1", 8 + 12 + 12, 2, 0,
		E_OK},
	{"version 2, without a name", P2B("\2") "\0\1\2\3\4\1\2\3\11", 8 + 9, 1, 0, E_OK},
	{"version 3",
		P2B("\3") "\0\0\0\1one\0\0\0\0\2\0\0\0\0\1\2\3\4\1\2\3\11\0\0\0\0\5\0\0\0\5\0\0\1",
		8 + 4 + 4 + 4 + 24, 2, 0, E_OK},
	{"version 4", P2B("\4") "\0\1\2\3\4\1\2\3\11", 8 + 9, 0, 0, E_UNSUPPORTED},
	{"cut in a range", P2B("\1") "one\0\1\2\3\4\1\2\3\11two\0\5\0\0", 8 + 12 + 7, 1, 1, E_OK},
	{"cut in a name", P2B("\1") "one\0\1\2\3\4\1\2\3\11tw", 8 + 12 + 2, 1, 1, E_OK},
	{"no range", P2B("\1"), 8, 0, 0, E_SYNTAX},
	{"more names than there are", P2B("\3") "\xff\xff\xff\xffone\0", 8 + 4 + 4, 0, 1, E_SYNTAX},
	{"more ranges than there are",
		P2B("\3") "\0\0\0\0\xff\xff\xff\xff\0\0\0\0\1\2\3\4\1\2\3\11", 8 + 8 + 12, 1, 1,
		E_OK},
	{"the wrong way round", P2B("\2") "\0\1\2\3\11\1\2\3\4", 8 + 9, 1, 0, E_OK},
};

static void t_p2b(void **state)
{
	struct endpoint in = ip("1.2.3.7"), out = ip("1.2.3.10");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(p2bs); i++) {
		struct blocklist_maker *m = blocklist_maker_new();
		uint8_t *exact = xmemdup(p2bs[i].bytes, p2bs[i].n);
		struct blocklist_report r;
		enum err err = blocklist_add(m, exact, p2bs[i].n, &r);
		const struct blocklist *l = blocklist_make(&m, 0);

		if (err != p2bs[i].err || r.ranges != p2bs[i].ranges || r.bad != p2bs[i].bad)
			fail_msg("%s: %s, %u ranges, %u bad", p2bs[i].name, err_name(err), r.ranges,
				r.bad);
		assert_int_equal(blocklist_has(l, &in), p2bs[i].ranges > 0);
		assert_false(blocklist_has(l, &out));
		blocklist_unref(&l);
		xfree(exact);
	}
}

/* --- what is allowed, and counts --- */

static void t_allowed(void **state)
{
	static const char text[] = "10.0.0.0/8\n2001:db8::/32\n0.0.0.0-0.0.0.9\n255.255.255.0/24";
	static const struct {
		const char *ip;
		bool blocked;
	} asked[] = {
		{"10.1.0.0", true},
		{"10.1.2.3", false},
		{"10.1.2.2", true},
		{"10.1.2.4", true},
		{"10.255.255.254", true},
		{"10.255.255.255", false},
		{"10.0.0.0", false},
		{"0.0.0.0", false},
		{"0.0.0.9", true},
		{"255.255.255.255", false},
		{"255.255.255.127", true},
		{"2001:db8::5", false},
		{"2001:db8::1:5", true},
	};
	static const char *const allowed[] = {"10.1.2.3", "10.255.255.255", "10.0.0.0/32",
		"0.0.0.0/30", "255.255.255.128/25", "2001:db8::/112", "10.1.2.3-10.1.2.3"};
	struct blocklist_maker *m = blocklist_maker_new();
	const struct blocklist *l;
	struct blocklist_report r;

	(void)state;
	assert_int_equal(blocklist_add(m, (const uint8_t *)text, sizeof text - 1, &r), E_OK);
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		assert_int_equal(blocklist_allow(m, allowed[i]), E_OK);
	assert_int_equal(blocklist_allow(m, "10.0.0.0/99"), E_SYNTAX);
	assert_int_equal(blocklist_allow(m, ""), E_SYNTAX);
	l = blocklist_make(&m, 41);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct endpoint e = ip(asked[i].ip);

		if (blocklist_has(l, &e) != asked[i].blocked)
			fail_msg("%s", asked[i].ip);
	}
	struct endpoint yes = ip("10.1.2.2"), no = ip("10.1.2.3");

	assert_int_equal(blocklist_refusals(l), 41);
	assert_true(blocklist_refuses(l, &yes));
	assert_false(blocklist_refuses(l, &no));
	assert_int_equal(blocklist_refusals(l), 42);
	const struct blocklist *second = blocklist_ref(l);

	blocklist_unref(&l);
	assert_null(l);
	assert_true(blocklist_has(second, &yes));
	blocklist_unref(&second);
	assert_false(blocklist_has(NULL, &yes));
	assert_null(blocklist_ref(NULL));
}

/* --- packed --- */

static uint8_t *pack(const char *text, size_t *n)
{
	struct blocklist_report r;
	const struct blocklist *l = list_of(text, strlen(text), &r);
	uint8_t *p = blocklist_pack(l, n);

	blocklist_unref(&l);
	return p;
}

static void t_packed(void **state)
{
	static const char text[] = "1.2.3.4-1.2.3.9\n255.0.0.0/8\n2001:db8::/32\nffff::/16";
	static const struct {
		const char *ip;
		bool has;
	} asked[] = {{"1.2.3.3", false}, {"1.2.3.4", true}, {"1.2.3.9", true}, {"1.2.3.10", false},
		{"255.255.255.255", true}, {"2001:db8::1", true}, {"2001:db9::1", false},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true}};
	struct blocklist_maker *m = blocklist_maker_new();
	const struct blocklist *l;
	struct blocklist_report r;
	size_t n, again_n;
	uint8_t *p = pack(text, &n), *again;

	(void)state;
	assert_int_equal(blocklist_add(m, p, n, &r), E_OK);
	assert_int_equal(r.ranges, 4);
	l = blocklist_make(&m, 0);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct endpoint e = ip(asked[i].ip);

		if (blocklist_has(l, &e) != asked[i].has)
			fail_msg("%s", asked[i].ip);
	}
	again = blocklist_pack(l, &again_n);
	assert_int_equal(again_n, n);
	assert_memory_equal(again, p, n);
	blocklist_unref(&l);
	xfree(again);
	xfree(p);
}

/* Cut, too long, or with a range that ends before it begins: none of it counts. */
static void t_packed_damaged(void **state)
{
	size_t n;
	uint8_t *p = pack("1.2.3.4-1.2.3.9\n2001:db8::/32", &n);

	(void)state;
	for (size_t k = 0; k <= n + 1; k++) {
		struct blocklist_maker *m = blocklist_maker_new();
		uint8_t *exact = xcalloc(1, k + 1);
		struct blocklist_report r;

		memcpy(exact, p, MIN(k, n));
		if (blocklist_add(m, exact, k, &r) != (k == n ? E_OK : E_SYNTAX))
			fail_msg("%zu of %zu bytes", k, n);
		blocklist_maker_free(&m);
		xfree(exact);
	}
	struct blocklist_maker *m = blocklist_maker_new();
	struct blocklist_report r;

	p[8 + 8] = 9; /* 9.2.3.4-1.2.3.9 */
	assert_int_equal(blocklist_add(m, p, n, &r), E_SYNTAX);
	blocklist_maker_free(&m);
	xfree(p);
}

/* Random ranges in a small space, against one flag an address. */
static void t_model(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (unsigned round = 0; round < 300; round++) {
		struct blocklist_maker *m = blocklist_maker_new();
		bool blocked[256] = {false}, allowed[256] = {false};
		unsigned n = rng_below(&rng, 12), v6 = round & 1;
		const struct blocklist *l;

		for (unsigned i = 0; i < n; i++) {
			unsigned a = rng_below(&rng, 256), b = a + rng_below(&rng, 40);
			bool pass = rng_below(&rng, 3) == 0;
			struct blocklist_report r;
			char text[80];

			b = MIN(255u, b);
			snprintf(text, sizeof text,
				v6 ? "2001:db8::%x-2001:db8::%x" : "7.7.7.%u-7.7.7.%u", a, b);
			if (pass)
				assert_int_equal(blocklist_allow(m, text), E_OK);
			else
				assert_int_equal(
					blocklist_add(m, (const uint8_t *)text, strlen(text), &r),
					E_OK);
			for (unsigned k = a; k <= b; k++)
				(pass ? allowed : blocked)[k] = true;
		}
		l = blocklist_make(&m, 0);
		for (unsigned k = 0; k < 256; k++) {
			char text[40];
			struct endpoint e;

			snprintf(text, sizeof text, v6 ? "2001:db8::%x" : "7.7.7.%u", k);
			e = ip(text);
			assert_int_equal(blocklist_has(l, &e), blocked[k] && !allowed[k]);
		}
		blocklist_unref(&l);
	}
}

static void t_size(void **state)
{
	struct blocklist_maker *m = blocklist_maker_new();
	struct blocklist_report r;
	size_t room = 500000 * 40, n = 0;
	char *text = xcalloc(room, 1);
	const struct blocklist *l;

	(void)state;
	for (unsigned i = 0; i < 500000; i++)
		n += (size_t)snprintf(text + n, room - n, "n %u:%u.%u.%u.4-%u.%u.%u.7\n", i,
			i / 65536 + 1, i / 256 % 256, i % 256, i / 65536 + 1, i / 256 % 256,
			i % 256);
	assert_int_equal(blocklist_add(m, (const uint8_t *)text, n, &r), E_OK);
	xfree(text);
	l = blocklist_make(&m, 0);
	assert_int_equal(blocklist_ranges(l), 500000);
	assert_true(blocklist_bytes(l) < 10u << 20);
	blocklist_unref(&l);
	/* Too many are an error, whatever there was before. */
	m = blocklist_maker_new();
	text = xcalloc(BLOCKLIST_RANGES_MAX + 1, 8);
	for (size_t i = 0; i <= BLOCKLIST_RANGES_MAX; i++)
		memcpy(text + i * 8, "1.1.1.1\n", 8);
	assert_int_equal(
		blocklist_add(m, (const uint8_t *)text, ((size_t)BLOCKLIST_RANGES_MAX + 1) * 8, &r),
		E_TOO_BIG);
	xfree(text);
	blocklist_maker_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_lines),
		cmocka_unit_test(t_families),
		cmocka_unit_test(t_file),
		cmocka_unit_test(t_p2b),
		cmocka_unit_test(t_allowed),
		cmocka_unit_test(t_packed),
		cmocka_unit_test(t_packed_damaged),
		cmocka_unit_test(t_model),
		cmocka_unit_test(t_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
