/* SPDX-License-Identifier: MIT */
/* proxy.url taken apart, and what it puts out. */
#include "config/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/lib/config_text.h"

static void test_urls(void **state)
{
	static const struct {
		const char *text;
		bool http;
		const char *host;
		uint16_t port;
		const char *user, *password;
	} rows[] = {
		{"socks5://proxy.example:1080", false, "proxy.example", 1080, "", ""},
		{"http://192.0.2.1:3128/", true, "192.0.2.1", 3128, "", ""},
		{"socks5://me:pw@[2001:db8::1]:1", false, "2001:db8::1", 1, "me", "pw"},
		{"socks5://me@host:65535", false, "host", 65535, "me", ""},
		{"http://a%40b:p%3A%25w:x@host:80", true, "host", 80, "a@b", "p:%w:x"},
		{"socks5://me:p@w@host:80", false, "host", 80, "me", "p@w"},
	};
	struct proxy_url u;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("# %s\n", rows[i].text);
		assert_int_equal(config_proxy_parse(rows[i].text, &u, &why), E_OK);
		assert_int_equal(u.http, rows[i].http);
		assert_string_equal(u.host, rows[i].host);
		assert_int_equal(u.port, rows[i].port);
		assert_string_equal(u.user, rows[i].user);
		assert_string_equal(u.password, rows[i].password);
	}
}

static void test_bad_urls(void **state)
{
	static const char *const rows[] = {"", "socks4://host:1", "socks5://", "socks5://host",
		"socks5://host:0", "socks5://host:65536", "socks5://host:1x",
		"socks5://host:1/path", "socks5://:1", "socks5://a b:1", "socks5://@host:1",
		"socks5://a%0:b@host:1", "socks5://a%00:b@host:1", "socks5://a:%zz@host:1",
		"socks5://2001:db8::1:80", "socks5://[]:80"};
	char longest[400] = "socks5://";
	struct proxy_url u;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("# %s\n", rows[i]);
		assert_int_equal(config_proxy_parse(rows[i], &u, &why), E_SYNTAX);
	}
	memset(longest + 9, 'x', 300);
	memcpy(longest + 309, "@host:1", 8);
	assert_int_equal(config_proxy_parse(longest, &u, &why), E_SYNTAX);
}

static const struct config *load(const char *more)
{
	char text[512], errors[1024];
	const struct config *c;

	snprintf(text, sizeof text, "[download]\ndir = /d\n[state]\ndir = /s\n%s", more);
	assert_int_equal(load_one(text, &c, errors, sizeof errors), E_OK);
	return c;
}

/* What cannot go by the proxy, or would go beside it, is off; without a proxy nothing is. */
static void test_what_is_put_out(void **state)
{
	static const struct {
		const char *text;
		bool dht, lsd, portmap, in;
	} rows[] = {
		{"[proxy]\nfor = peers, dht", true, true, true, true},
		{"[proxy]\nurl = socks5://h:1", false, false, false, false},
		{"[proxy]\nurl = socks5://h:1\nincoming = true", false, true, true, true},
		{"[proxy]\nurl = socks5://h:1\nfor = peers", true, false, false, false},
		{"[proxy]\nurl = socks5://h:1\nfor = trackers, webseeds", true, true, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config *c = load(rows[i].text);

		print_message("# %s\n", rows[i].text);
		assert_int_equal(c->dht_enabled, rows[i].dht);
		assert_int_equal(c->peers_lsd, rows[i].lsd);
		assert_int_equal(c->portmap_enabled, rows[i].portmap);
		assert_int_equal(config_lets_in(c), rows[i].in);
		config_unref(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_bad_urls),
		cmocka_unit_test(test_what_is_put_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
