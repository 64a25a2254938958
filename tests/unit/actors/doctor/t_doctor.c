/* SPDX-License-Identifier: MIT */
/* What the doctor makes of facts. */
#include "actors/doctor/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/lib/config_text.h"

static const struct config *load(const char *more)
{
	char text[512], errors[1024];
	const struct config *c;

	snprintf(text, sizeof text, "[download]\ndir = /d\n[state]\ndir = /s\n%s", more);
	assert_int_equal(load_one(text, &c, errors, sizeof errors), E_OK);
	return c;
}

static const struct finding *named(const struct findings *f, const char *name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (strcmp(f->list[i].name, name) == 0)
			return &f->list[i];
	fail_msg("%s was not looked at", name);
	return NULL;
}

static void expect(const struct findings *f, const char *name, enum doctor_verdict verdict,
	const char *words, bool advice)
{
	const struct finding *x = named(f, name);

	print_message("# %s: %s -> %s\n", x->name, x->seen, x->advice);
	assert_int_equal(x->verdict, verdict);
	assert_non_null(strstr(x->seen, words));
	assert_int_equal(x->advice[0] != '\0', advice);
}

static void test_network(void **state)
{
	const struct config *c = load("");
	struct network_view v = {.port = 6681, .tcp = 7000, .udp = 7000, .interface_there = true};
	struct findings f = {0};

	(void)state;
	v.mappings[v.mappings_n++] = (struct mapping_view){
		.method = "pcp", .proto = "tcp", .mapped = true, .external = 7000, .expires = 60};
	doctor_network(&f, c, &v);
	expect(&f, "listening", DOCTOR_OK, "TCP 7000", false);
	expect(&f, "interface", DOCTOR_OK, "none is set", false);
	expect(&f, "mapping", DOCTOR_OK, "tcp port 7000", false);
	assert_int_equal(doctor_verdict(&f), DOCTOR_OK);

	f = (struct findings){0};
	v.mappings[0].mapped = false;
	assert_int_equal(endpoint_parse("192.168.1.1:0", &v.gateway), E_OK);
	snprintf(v.advice, sizeof v.advice, "forward it by hand");
	snprintf(v.interface, sizeof v.interface, "tun0");
	v.interface_there = false;
	snprintf(v.port_file, sizeof v.port_file, "/p: no such file");
	doctor_network(&f, c, &v);
	expect(&f, "listening", DOCTOR_BAD, "tun0 is away", false);
	expect(&f, "interface", DOCTOR_BAD, "no device tun0", true);
	expect(&f, "mapping", DOCTOR_WARN, "192.168.1.1 has mapped nothing", true);
	expect(&f, "port file", DOCTOR_WARN, "no such file", true);
	assert_int_equal(doctor_verdict(&f), DOCTOR_BAD);
	config_unref(&c);
}

static void test_reached(void **state)
{
	const struct config *c = load("");
	struct network_view v = {.port = 6681};
	struct dht_view d = {.enabled = true, .asked_ago = -1};
	struct findings f = {0};

	(void)state;
	doctor_reached(&f, c, &v, &d);
	expect(&f, "reached", DOCTOR_WARN, "nobody", true);
	assert_non_null(strstr(named(&f, "reached")->advice, "6681"));
	f = (struct findings){0};
	d.asked_ago = 5;
	d.family[0].has_address = true;
	assert_int_equal(endpoint_parse("5.6.7.8:6681", &d.family[0].address), E_OK);
	doctor_reached(&f, c, &v, &d);
	expect(&f, "reached", DOCTOR_OK, "5 s ago", false);
	expect(&f, "address", DOCTOR_OK, "5.6.7.8", false);
	config_unref(&c);
}

static void test_dht(void **state)
{
	struct dht_view d = {.waits = "switched off: dht.enabled"};
	struct findings f = {0};

	(void)state;
	doctor_dht(&f, &d);
	expect(&f, "DHT", DOCTOR_WARN, "switched off", false);
	f = (struct findings){0};
	d = (struct dht_view){.enabled = true, .waits = "looks for its first nodes"};
	d.family[0].open = true;
	doctor_dht(&f, &d);
	expect(&f, "DHT", DOCTOR_WARN, "0 good nodes", true);
	f = (struct findings){0};
	d.family[0].ready = true;
	d.family[0].good = 100;
	d.waits[0] = '\0';
	doctor_dht(&f, &d);
	expect(&f, "DHT", DOCTOR_OK, "100 good nodes", false);
}

static void test_volumes(void **state)
{
	char path[] = "/data";
	struct volume_view v[4] = {
		{.path = path,
			.there = true,
			.free = UINT64_C(1) << 40,
			.total = UINT64_C(1) << 41},
		{.path = path,
			.there = true,
			.free = UINT64_C(1) << 30,
			.total = UINT64_C(1) << 41},
		{.path = path, .there = true, .free = 1000, .total = UINT64_C(1) << 41},
		{.path = path, .err = E_PERM},
	};
	static const enum doctor_verdict want[] = {DOCTOR_OK, DOCTOR_WARN, DOCTOR_BAD, DOCTOR_BAD};
	struct findings f = {0};

	(void)state;
	doctor_volumes(&f, v, ARRAY_LEN(v));
	assert_int_equal(f.n, ARRAY_LEN(v));
	for (unsigned i = 0; i < f.n; i++) {
		assert_int_equal(f.list[i].verdict, want[i]);
		assert_int_equal(f.list[i].advice[0] != '\0', want[i] != DOCTOR_OK);
	}
}

static void test_proxy(void **state)
{
	const struct config *c = load("[proxy]\nurl = socks5://me:hidden@h:1\nfor = peers, dht\n");
	struct network_view v = {.port = 6681};
	struct findings f = {0};

	(void)state;
	doctor_proxy(&f, c);
	doctor_network(&f, c, &v);
	expect(&f, "proxy", DOCTOR_OK, "SOCKS5 at h:1, peers; the DHT is off", false);
	expect(&f, "listening", DOCTOR_OK, "because of the proxy", false);
	assert_null(strstr(named(&f, "proxy")->seen, "hidden"));
	config_unref(&c);
}

static void test_resolver(void **state)
{
	const struct config *c =
		load("[network]\ninterface = tun0\ndns = 127.0.0.53, 9.9.9.9:53\n");
	struct findings f = {0};

	(void)state;
	doctor_machine(&f, c);
	expect(&f, "resolver", DOCTOR_BAD, "127.0.0.53", true);
	named(&f, "clock");
	named(&f, "IPv6");
	named(&f, "descriptors");
	config_unref(&c);
}

static void test_page(void **state)
{
	struct findings f = {0};
	char *page;
	size_t n;

	(void)state;
	doctor_note(&f, "one", DOCTOR_OK, NULL, "is %s", "well");
	doctor_note(&f, "two", DOCTOR_BAD, "mend it", "is not");
	page = doctor_page(&f, &n);
	assert_string_equal(page, "ok    one            is well\n"
				  "bad   two            is not\n"
				  "                     -> mend it\n");
	assert_int_equal(n, strlen(page));
	free(page);
	for (unsigned i = 0; i < 2 * FINDINGS_MAX; i++)
		doctor_note(&f, "more", DOCTOR_WARN, "", "%u", i);
	assert_int_equal(f.n, FINDINGS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_reached),
		cmocka_unit_test(test_dht),
		cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_resolver),
		cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
