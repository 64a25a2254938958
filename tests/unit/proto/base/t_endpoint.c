/* SPDX-License-Identifier: MIT */
/* Endpoints: text both ways, kinds of address, compact forms, BEP 40's examples. */
#include "proto/base/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct endpoint ep(const char *text)
{
	struct endpoint e;

	memset(&e, 0, sizeof e);
	assert_int_equal(endpoint_parse(text, &e), E_OK);
	return e;
}

static void test_text_round_trips(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{"1.2.3.4:6881", "1.2.3.4:6881"},
		{"0.0.0.0:0", "0.0.0.0:0"},
		{"255.255.255.255:65535", "255.255.255.255:65535"},
		{"[::1]:6881", "[::1]:6881"},
		{"[::]:1", "[::]:1"},
		{"[0:0:0:0:0:0:0:0]:1", "[::]:1"},
		{"[::ffff:9.8.7.6]:80", "9.8.7.6:80"},
		{"[2001:DB8:0:0:1:0:0:1]:5", "[2001:db8::1:0:0:1]:5"},
		{"[2001:db8:0:1:1:1:1:1]:5", "[2001:db8:0:1:1:1:1:1]:5"},
		{"[2001:0:0:1:0:0:0:1]:5", "[2001:0:0:1::1]:5"},
		{"[fe80::]:5", "[fe80::]:5"},
		{"[1:2:3:4:5:6:7::]:5", "[1:2:3:4:5:6:7:0]:5"},
		{"[64:ff9b::1.2.3.4]:9", "[64:ff9b::102:304]:9"},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
			"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct endpoint e = ep(t[i].in), back;
		char buf[ENDPOINT_TEXT];

		assert_int_equal(endpoint_format(&e, buf, sizeof buf), strlen(t[i].out));
		assert_string_equal(buf, t[i].out);
		back = ep(buf);
		assert_true(endpoint_equal(&e, &back));
		assert_int_equal(endpoint_hash(&e, 7), endpoint_hash(&back, 7));
	}
}

static void test_bad_text_is_refused(void **state)
{
	static const struct {
		const char *in;
		enum err err;
	} t[] = {{"", E_SYNTAX}, {"1.2.3.4", E_SYNTAX}, {"1.2.3.4:", E_SYNTAX},
		{"1.2.3.4:65536", E_RANGE}, {"1.2.3.4:999999", E_RANGE},
		{"1.2.3.4:9999999", E_SYNTAX}, {"1.2.3:1", E_SYNTAX}, {"1.2.3.256:1", E_SYNTAX},
		{"01.2.3.4:1", E_SYNTAX}, {"1.2.3.4.5:1", E_SYNTAX}, {"1..3.4:1", E_SYNTAX},
		{"host:1", E_SYNTAX}, {"[1.2.3.4]:1", E_SYNTAX}, {"::1:1", E_SYNTAX},
		{"[::1]1", E_SYNTAX}, {"[::1", E_SYNTAX}, {"[]:1", E_SYNTAX}, {"[:]:1", E_SYNTAX},
		{"[:::]:1", E_SYNTAX}, {"[1::2::3]:1", E_SYNTAX}, {"[12345::]:1", E_SYNTAX},
		{"[1:2:3:4:5:6:7]:1", E_SYNTAX}, {"[1:2:3:4:5:6:7:8:9]:1", E_SYNTAX},
		{"[1:2:3:4:5:6:7:8::]:1", E_SYNTAX}, {"[::1%lo]:1", E_SYNTAX},
		{"[1:2:3:4:5:6:7:1.2.3.4]:1", E_SYNTAX}, {"[::1.2.3]:1", E_SYNTAX},
		{"[1:]:1", E_SYNTAX}, {"[g::]:1", E_SYNTAX}, {"1.2.3.4:1 ", E_SYNTAX}};
	struct endpoint e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (endpoint_parse(t[i].in, &e) != t[i].err)
			fail_msg("%s", t[i].in);
}

static void test_small_buffers_get_no_part(void **state)
{
	struct endpoint e = ep("1.2.3.4:6881");
	char buf[13];

	(void)state;
	assert_int_equal(endpoint_format(&e, buf, 12), 0);
	assert_string_equal(buf, "");
	assert_int_equal(endpoint_format(&e, buf, 13), 12);
	assert_int_equal(endpoint_format_ip(&e, buf, 13), 7);
	assert_string_equal(buf, "1.2.3.4");
}

static void test_kinds_of_address(void **state)
{
	static const struct {
		const char *ip, *kind; /* U L P M G; "" reserved */
	} t[] = {{"0.0.0.0:1", "U"}, {"[::]:1", "U"}, {"127.9.9.9:1", "L"}, {"[::1]:1", "L"},
		{"10.1.1.1:1", "P"}, {"172.16.0.1:1", "P"}, {"172.31.255.255:1", "P"},
		{"172.32.0.0:1", "G"}, {"172.15.0.0:1", "G"}, {"192.168.3.4:1", "P"},
		{"169.254.0.1:1", "P"}, {"[fe80::1]:1", "P"}, {"[fd00::1]:1", "P"},
		{"[fe00::1]:1", "G"}, {"224.0.0.1:1", "M"}, {"239.255.255.250:1", "M"},
		{"[ff02::1]:1", "M"}, {"240.0.0.1:1", ""}, {"255.255.255.255:1", ""},
		{"0.1.2.3:1", ""}, {"100.64.1.1:1", ""}, {"100.128.0.1:1", "G"},
		{"192.0.2.1:1", ""}, {"198.51.100.9:1", ""}, {"203.0.113.1:1", ""},
		{"[2001:db8::1]:1", ""}, {"[::2]:1", ""}, {"8.8.8.8:1", "G"},
		{"[2a00:1450::1]:1", "G"}, {"[::ffff:127.0.0.1]:1", "L"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct endpoint e = ep(t[i].ip);
		char kind = t[i].kind[0];

		if (endpoint_is_unspecified(&e) != (kind == 'U') ||
			endpoint_is_loopback(&e) != (kind == 'L') ||
			endpoint_is_private_lan(&e) != (kind == 'P') ||
			endpoint_is_multicast(&e) != (kind == 'M') ||
			endpoint_is_global(&e) != (kind == 'G'))
			fail_msg("%s", t[i].ip);
	}
}

static void test_compact_forms(void **state)
{
	static const uint8_t four[] = {1, 2, 3, 4, 0x1a, 0xe1};
	struct endpoint e, v6 = ep("[2001:db8::1]:258"), back;
	uint8_t buf[24];
	struct rd r = rd_of(four, sizeof four);
	struct wr w = wr_of(buf, sizeof buf);

	(void)state;
	assert_true(endpoint_read_compact4(&r, &e));
	assert_true(endpoint_is_v4(&e));
	assert_int_equal(e.port, 6881);
	assert_false(endpoint_read_compact4(&r, &back));
	endpoint_write_compact4(&w, &e);
	endpoint_write_compact6(&w, &v6);
	assert_false(w.full);
	assert_memory_equal(buf, four, 6);
	r = rd_of(buf + 6, 18);
	assert_true(endpoint_read_compact6(&r, &back));
	assert_true(endpoint_equal(&back, &v6));
	endpoint_write_compact4(&w, &e);
	assert_true(w.full);
	r = rd_of(buf, 17);
	assert_false(endpoint_read_compact6(&r, &back));
}

static void test_order_and_hash(void **state)
{
	struct endpoint a = ep("1.2.3.4:1"), b = ep("1.2.3.4:2"), c = ep("1.2.3.5:1");

	(void)state;
	assert_true(endpoint_compare(&a, &b) < 0 && endpoint_compare(&b, &c) < 0);
	assert_true(endpoint_compare(&c, &a) > 0 && endpoint_compare(&a, &a) == 0);
	assert_true(endpoint_same_ip(&a, &b) && !endpoint_same_ip(&a, &c));
	assert_true(endpoint_hash(&a, 1) != endpoint_hash(&b, 1));
	assert_true(endpoint_hash(&a, 1) != endpoint_hash(&c, 1));
	assert_true(endpoint_hash(&a, 1) != endpoint_hash(&a, 2));
}

static void test_canonical_priority(void **state)
{
	static const struct {
		const char *a, *b;
		uint32_t prio;
	} t[] = {
		/* The two examples of BEP 40, then equal addresses: crc32c of the sorted ports
		   6881, 6882. */
		{"123.213.32.10:1", "98.76.54.32:2", 0xec2d7224},
		{"123.213.32.10:1", "123.213.32.234:2", 0x99568189},
	};
	struct endpoint p = ep("1.1.1.1:6881"), q = ep("1.1.1.1:6882");
	struct endpoint x = ep("[2001:db8:1:2:3::1]:1"), y = ep("[2001:db8:1:2:3::1:1]:1");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct endpoint a = ep(t[i].a), b = ep(t[i].b);

		assert_int_equal(endpoint_priority(&a, &b), t[i].prio);
		assert_int_equal(endpoint_priority(&b, &a), t[i].prio);
	}
	assert_int_equal(endpoint_priority(&p, &q), endpoint_priority(&q, &p));
	assert_int_not_equal(endpoint_priority(&p, &q), endpoint_priority(&p, &p));
	assert_int_equal(endpoint_priority(&x, &y), endpoint_priority(&y, &x));
	assert_int_not_equal(endpoint_priority(&x, &y), endpoint_priority(&x, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_round_trips),
		cmocka_unit_test(test_bad_text_is_refused),
		cmocka_unit_test(test_small_buffers_get_no_part),
		cmocka_unit_test(test_kinds_of_address),
		cmocka_unit_test(test_compact_forms),
		cmocka_unit_test(test_order_and_hash),
		cmocka_unit_test(test_canonical_priority),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
