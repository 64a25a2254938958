/* SPDX-License-Identifier: MIT */
/* Who gets in: headers and addresses in, verdicts out. */
#include "tests/unit/lib/http_world.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CHROME "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/140\r\n"
#define IMG    "Accept: image/avif,image/webp,*/*;q=0.8\r\n"

static unsigned enter(struct http_world *w, const char *lines)
{
	headworld_get(w, lines);
	return headworld_enter(w);
}

static unsigned change(struct http_world *w, const char *lines)
{
	headworld_get(w, lines);
	return headworld_change(w);
}

static void host_is_localhost_or_the_address_of_the_connection(void **state)
{
	static const char *const good[] = {"localhost", "LOCALHOST:8080", "127.0.0.1",
		"127.9.9.9:1", "[::1]", "[::1]:8080", "192.168.1.5:8080"};
	static const char *const bad[] = {"0.0.0.0:8080", "0.0.0.0", "[::]",
		"[::ffff:127.0.0.1]:8080", "[::ffff:7f00:1]:8080", "[::ffff:192.168.1.5]",
		"8.8.8.8", "192.168.1.6", "[fe80::1]", "evil.example", "127.0.0.1.evil.example", "",
		":80", "[::1", "[::1]x", "localhost:", "localhost:x", "0x7f.1", "127.1",
		"2130706433"};
	struct http_world w;
	char line[200];

	(void)state;
	headworld_init(&w);
	w.facts.local = endpoint_from_v4((const uint8_t[]){192, 168, 1, 5}, 8080);
	w.config.api_local = CONFIG_LOCAL_OFF;
	w.facts.open = true;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		snprintf(line, sizeof line, "Host: %s\r\n", good[i]);
		assert_int_equal(enter(&w, line), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(line, sizeof line, "Host: %s\r\n", bad[i]);
		assert_int_equal(enter(&w, line), 421);
	}
}

static void hosts_are_listed_by_name_or_by_domain(void **state)
{
	static const char *const list[] = {"box", "*.example.org", "8.8.8.8"};
	struct http_world w;

	(void)state;
	headworld_init(&w);
	w.config.api_hosts = headworld_list(list, 3);
	w.facts.open = true;
	assert_int_equal(enter(&w, "Host: Box:81\r\n"), 0);
	assert_int_equal(enter(&w, "Host: a.example.org\r\n"), 0);
	assert_int_equal(enter(&w, "Host: a.b.EXAMPLE.org:1\r\n"), 0);
	assert_int_equal(enter(&w, "Host: 8.8.8.8\r\n"), 0);
	assert_int_equal(enter(&w, "Host: example.org\r\n"), 421);
	assert_int_equal(enter(&w, "Host: .example.org\r\n"), 421);
	assert_int_equal(enter(&w, "Host: evilexample.org\r\n"), 421);
	assert_int_equal(enter(&w, "Host: a.example.org.evil\r\n"), 421);
}

static void other_sites_are_refused(void **state)
{
	struct http_world w;

	(void)state;
	headworld_init(&w);
	assert_int_equal(enter(&w, "Origin: http://127.0.0.1:8080\r\n"), 0);
	assert_int_equal(enter(&w, "Origin: http://127.0.0.1\r\n"), 403);
	assert_int_equal(enter(&w, "Origin: null\r\n"), 403);
	assert_int_equal(enter(&w, "Origin: http://evil.example\r\n"), 403);
	assert_int_equal(
		enter(&w, "Origin: http://127.0.0.1:8080\r\nOrigin: http://evil.example\r\n"), 403);
	assert_int_equal(enter(&w, "Sec-Fetch-Site: cross-site\r\n"), 403);
	assert_int_equal(enter(&w, "Sec-Fetch-Site: same-site\r\n"), 403);
	assert_int_equal(enter(&w, "Sec-Fetch-Site: none\r\n"), 0);
	assert_int_equal(enter(&w, "Sec-Fetch-Site: same-origin\r\n"), 0);
}

static void links_of_other_sites_lead_to_pages_alone(void **state)
{
#define SITE     "Sec-Fetch-Site: cross-site\r\n"
#define NAVIGATE "Sec-Fetch-Mode: navigate\r\n"
#define WINDOW   "Sec-Fetch-Dest: document\r\n"
	static const struct {
		bool document;
		unsigned status;
		const char *lines;
	} rows[] = {
		{true, 0, SITE NAVIGATE WINDOW},
		{true, 0, "Sec-Fetch-Site: same-site\r\n" NAVIGATE WINDOW},
		{false, 403, SITE NAVIGATE WINDOW},
		{true, 403, SITE NAVIGATE "Sec-Fetch-Dest: iframe\r\n"},
		{true, 403, SITE "Sec-Fetch-Mode: no-cors\r\n" WINDOW},
		{true, 403, SITE WINDOW},
		{true, 403, SITE NAVIGATE},
		{true, 403, SITE},
		{true, 403, "Origin: http://evil.example\r\n" SITE NAVIGATE WINDOW},
	};
	struct http_world w;

	(void)state;
	headworld_init(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		w.facts.document = rows[i].document;
		if (enter(&w, rows[i].lines) != rows[i].status)
			fail_msg("row %zu", i);
	}
}

static void listed_origins_may_ask_and_read(void **state)
{
	static const char *const list[] = {"https://app.example:8443"};
	struct http_world w;
	struct guard_verdict v;

	(void)state;
	headworld_init(&w);
	w.config.api_origins = headworld_list(list, 1);
	w.config.api_token = "correct-horse-battery";
	headworld_get(&w, "Origin: https://app.example:8443\r\nSec-Fetch-Site: cross-site\r\n"
			  "Authorization: Bearer correct-horse-battery\r\n");
	guard_enter(&w.facts, &v);
	assert_int_equal(v.status, 0);
	assert_string_equal(v.origin, "https://app.example:8443");
	guard_change(&w.facts, &v);
	assert_int_equal(v.status, 0);
	assert_int_equal(enter(&w, "Origin: https://app.example\r\n"), 403);
	assert_int_equal(enter(&w, "Origin: https://app.example:8443\r\n"), 401);
	headworld_head(&w,
		"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example:8443\r\n"
		"Access-Control-Request-Method: GET\r\n\r\n",
		strlen("OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: "
		       "https://app.example:8443\r\n"
		       "Access-Control-Request-Method: GET\r\n\r\n"));
	assert_int_equal(headworld_enter(&w), 204);
}

static void the_token_is_wanted(void **state)
{
	struct http_world w;

	(void)state;
	headworld_init(&w);
	w.config.api_token = "correct-horse-battery";
	assert_int_equal(enter(&w, ""), 401);
	assert_int_equal(enter(&w, "Authorization: Bearer correct-horse-batterx\r\n"), 401);
	assert_int_equal(enter(&w, "Authorization: Basic correct-horse-battery\r\n"), 401);
	assert_int_equal(enter(&w, "authorization: bearer correct-horse-battery\r\n"), 0);
	assert_int_equal(enter(&w, "Authorization: Bearer correct-horse-battery\r\n"
				   "Authorization: Bearer correct-horse-battery\r\n"),
		401);
}

static void who_gets_in_has_all_scopes_and_who_does_not_has_none(void **state)
{
	static const struct {
		char *token;
		const char *lines;
		unsigned scopes;
	} rows[] = {
		{"", "", SCOPE_ALL},
		{"correct-horse-battery", "Authorization: Bearer correct-horse-battery\r\n",
			SCOPE_ALL},
		{"correct-horse-battery", "", 0},
		{"", "Authorization: Bearer correct-horse-battery\r\n", 0},
		{"", "Host: evil.example\r\n", 0},
		{"", "Origin: http://evil.example\r\n", 0},
	};
	struct guard_verdict v;
	struct http_world w;

	(void)state;
	headworld_init(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		w.config.api_token = rows[i].token;
		headworld_get(&w, rows[i].lines);
		guard_enter(&w.facts, &v);
		assert_int_equal(v.scopes, rows[i].scopes);
	}
}

static void a_scope_that_is_missing_is_named(void **state)
{
	static const struct {
		unsigned has, needed;
		const char *named; /* NULL: granted */
	} rows[] = {
		{SCOPE_READ, SCOPE_READ, NULL},
		{SCOPE_READ, SCOPE_ADD, " add,"},
		{SCOPE_READ | SCOPE_ADD, SCOPE_MANAGE, " manage,"},
		{SCOPE_MANAGE, SCOPE_READ, " read,"},
		{SCOPE_READ, SCOPE_READ | SCOPE_ADMIN, " admin,"},
		{SCOPE_ALL & ~SCOPE_ADMIN, SCOPE_ADMIN, " admin,"},
		{SCOPE_ALL, SCOPE_ALL, NULL},
		{SCOPE_ALL, SCOPE_ALL + 1, "a scope"},
		{0, SCOPE_READ, " read,"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct guard_verdict v = {.scopes = rows[i].has};

		guard_scopes(rows[i].needed, &v);
		assert_int_equal(v.status, rows[i].named != NULL ? 403 : 0);
		if (rows[i].named != NULL)
			assert_non_null(strstr(v.why, rows[i].named));
	}
}

static void what_browsers_send_unasked_changes_nothing(void **state)
{
	static const char *const pages[] = {CHROME IMG, CHROME, IMG, "Accept: text/html\r\n",
		"Referer: http://127.0.0.1:8080/\r\n", "Sec-Fetch-Site: none\r\n",
		"Sec-Fetch-Mode: no-cors\r\n", "Sec-CH-UA: x\r\n",
		"Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n",
		"Sec-Fetch-Mode: cors\r\n" CHROME, "Upgrade-Insecure-Requests: 1\r\n"};
	struct http_world w;
	char lines[500];

	(void)state;
	headworld_init(&w);
	for (unsigned token = 0; token < 2; token++) {
		w.config.api_token = token ? "correct-horse-battery" : "";
		for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
			for (unsigned shown = 0; shown < 2; shown++) {
				snprintf(lines, sizeof lines, "%s%s%s", pages[i],
					token ? "Authorization: Bearer correct-horse-battery\r\n"
					      : "",
					shown ? "X-Requested-With: x\r\n" : "");
				assert_int_equal(enter(&w, lines), 0);
				assert_int_equal(change(&w, lines), shown ? 0 : 403);
			}
		}
	}
}

static void programs_and_own_pages_change_things(void **state)
{
	struct http_world w;

	(void)state;
	headworld_init(&w);
	assert_int_equal(change(&w, ""), 0);
	assert_int_equal(change(&w, "User-Agent: curl/8.5.0\r\nAccept: */*\r\n"), 0);
	assert_int_equal(change(&w, "User-Agent: node\r\nSec-Fetch-Mode: cors\r\n"), 0);
	assert_int_equal(change(&w, CHROME "Sec-Fetch-Site: same-origin\r\n"), 0);
	assert_int_equal(change(&w, CHROME "Origin: http://127.0.0.1:8080\r\n"), 0);
	assert_int_equal(change(&w, CHROME "X-Torrentd: 1\r\n"), 0);
}

static void only_trusted_proxies_are_believed(void **state)
{
	static const char *const proxies[] = {"127.0.0.0/8"}, *const hosts[] = {"t.example"};
	static const char told[] = "Host: 127.0.0.1:8080\r\nX-Forwarded-Host: t.example:8443\r\n"
				   "X-Forwarded-Proto: https\r\nOrigin: https://t.example:8443\r\n";
	struct http_world w;

	(void)state;
	headworld_init(&w);
	w.config.api_hosts = headworld_list(hosts, 1);
	assert_int_equal(enter(&w, told), 403);
	w.config.api_trusted_proxies = headworld_list(proxies, 1);
	w.facts.open = true;
	assert_int_equal(enter(&w, told), 0);
	assert_int_equal(enter(&w, "X-Forwarded-Host: evil.example\r\n"), 421);
	assert_int_equal(enter(&w, "X-Forwarded-Host: t.example\r\nX-Forwarded-Proto: https\r\n"
				   "Origin: http://t.example\r\n"),
		403);
	w.facts.open = false;
	assert_int_equal(enter(&w, "X-Forwarded-For: 203.0.113.9\r\n"), 401);
	assert_int_equal(enter(&w, "X-Forwarded-For: 127.0.0.1, 203.0.113.9\r\n"), 401);
	w.facts.peer = endpoint_from_v4((const uint8_t[]){10, 0, 0, 1}, 0);
	assert_int_equal(enter(&w, "X-Forwarded-For: 127.0.0.1\r\n"), 401);
}

static void local_is_who_came_by_loopback_alone(void **state)
{
	static const char *const proxies[] = {"127.0.0.0/8", "10.0.0.0/8"};
	static const struct {
		uint8_t peer[4];
		const char *lines;
		unsigned status;
	} rows[] = {
		{{127, 0, 0, 1}, "", 0},
		{{127, 0, 0, 1}, "X-Forwarded-For: 127.0.0.1\r\n", 0},
		{{127, 0, 0, 1}, "X-Forwarded-For: ::1 ,\t127.0.0.1\r\n", 0},
		/* two proxies on this machine */
		{{127, 0, 0, 1}, "X-Forwarded-For: 203.0.113.9, 127.0.0.1\r\n", 401},
		/* one that adds a line of its own to what the client says */
		{{127, 0, 0, 1}, "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: 203.0.113.9\r\n",
			401},
		{{127, 0, 0, 1}, "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 127.0.0.1\r\n",
			401},
		{{127, 0, 0, 1}, "X-Forwarded-For: unknown\r\n", 401},
		{{127, 0, 0, 1}, "X-Forwarded-For: \r\n", 401},
		{{127, 0, 0, 1}, "X-Forwarded-For: 127.0.0.1,\r\n", 401},
		{{127, 0, 0, 1}, "X-Forwarded-For: 127.0.0.1 203.0.113.9\r\n", 401},
		{{127, 0, 0, 1}, "X-Forwarded-For: ,127.0.0.1\r\n", 401},
		/* that is the proxy's machine */
		{{10, 0, 0, 1}, "X-Forwarded-For: 127.0.0.1\r\n", 401},
	};
	struct http_world w;

	(void)state;
	headworld_init(&w);
	w.config.api_trusted_proxies = headworld_list(proxies, 2);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		w.facts.peer = endpoint_from_v4(rows[i].peer, 0);
		assert_int_equal(enter(&w, rows[i].lines), rows[i].status);
	}
}

/* A proxy that is not believed shows all the same that the client is somebody else. */
static void who_comes_through_a_proxy_is_not_local(void **state)
{
	static const char *const hosts[] = {"box.example"};
	static const struct {
		const char *lines;
		unsigned status;
	} rows[] = {
		{"", 0},
		{"Host: localhost\r\n", 0},
		{"Host: [::1]:8080\r\n", 0},
		{"Host: box.example\r\n", 401},
		{"X-Forwarded-For: 127.0.0.1\r\n", 401},
		{"x-forwarded-proto: https\r\n", 401},
		{"Forwarded: for=127.0.0.1\r\n", 401},
		{"X-Real-IP: 127.0.0.1\r\n", 401},
		{"Via: 1.1 box\r\n", 401},
	};
	struct http_world w;

	(void)state;
	headworld_init(&w);
	w.config.api_hosts = headworld_list(hosts, 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(enter(&w, rows[i].lines), rows[i].status);
}

static void who_is_local_gets_in_as_configured(void **state)
{
	static const struct {
		enum config_local local;
		char *token;
		bool exposed;
		unsigned status, by_path;
	} rows[] = {
		{CONFIG_LOCAL_AUTO, "", false, 0, 0},
		{CONFIG_LOCAL_AUTO, "correct-horse-battery", false, 401, 0},
		{CONFIG_LOCAL_AUTO, "", true, 401, 0},
		{CONFIG_LOCAL_AUTO, "correct-horse-battery", true, 401, 0},
		{CONFIG_LOCAL_ON, "correct-horse-battery", false, 0, 0},
		{CONFIG_LOCAL_OFF, "", false, 401, 401},
	};
	struct http_world w;

	(void)state;
	headworld_init(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		w.config.api_local = (int)rows[i].local;
		w.config.api_token = rows[i].token;
		w.facts.exposed = rows[i].exposed;
		assert_int_equal(enter(&w, ""), rows[i].status);
		w.facts.peer = endpoint_from_v4((const uint8_t[]){192, 168, 1, 9}, 0);
		assert_int_equal(enter(&w, ""), 401);
		w.facts.peer = (struct endpoint){0};
		w.facts.by_path = true;
		assert_int_equal(enter(&w, ""), rows[i].by_path);
		assert_int_equal(enter(&w, "Via: 1.1 proxy\r\n"), 401);
		assert_int_equal(enter(&w, "Host: evil.example\r\n"), 421);
		w.facts.by_path = false;
		w.facts.peer = endpoint_from_v4((const uint8_t[]){127, 0, 0, 1}, 0);
	}
}

static void who_passes_others_on_by_a_path_is_believed_if_listed(void **state)
{
	static const char *const list[] = {"unix", "10.0.0.1"};
	static const char forwarded[] = "X-Forwarded-For: 203.0.113.7, 10.0.0.1\r\n";
	struct endpoint client;
	struct http_world w;

	(void)state;
	headworld_init(&w);
	w.facts.by_path = true;
	w.facts.peer = (struct endpoint){0};
	headworld_get(&w, forwarded);
	client = facts_client(&w.facts);
	assert_true(endpoint_is_unspecified(&client));
	w.config.api_trusted_proxies = headworld_list(list, 2);
	assert_int_equal(enter(&w, forwarded), 401);
	client = facts_client(&w.facts);
	assert_memory_equal(client.ip + 12, ((const uint8_t[]){203, 0, 113, 7}), 4);
	assert_int_equal(enter(&w, "X-Forwarded-For: 127.0.0.1\r\n"), 0);
	assert_int_equal(enter(&w, ""), 0);
}

static void a_token_that_was_made_has_its_scopes_until_it_expires(void **state)
{
	struct token_record t[2] = {
		{.id = 7, .scopes = SCOPE_READ | SCOPE_ADD, .expires = 100},
		{.id = 8, .scopes = TOKEN_ALL},
	};
	char secret[2][TOKEN_SECRET], line[2][TOKEN_SECRET + 32];
	struct guard_verdict v;
	struct tokens *tokens;
	struct http_world w;

	(void)state;
	headworld_init(&w);
	for (unsigned i = 0; i < 2; i++) {
		token_make(&t[i], secret[i]);
		snprintf(line[i], sizeof line[i], "Authorization: Bearer %.*s\r\n",
			(int)sizeof secret[i] - 1, secret[i]);
	}
	w.facts.tokens = tokens = tokens_new(t, 2);
	w.facts.now = 99;
	headworld_get(&w, line[0]);
	guard_enter(&w.facts, &v);
	assert_true(v.status == 0 && v.by == GUARD_BY_TOKEN && v.token == 7);
	assert_int_equal(v.scopes, SCOPE_READ | SCOPE_ADD);
	w.facts.now = 100;
	guard_enter(&w.facts, &v);
	assert_true(v.status == 401 && !v.tried && v.scopes == 0 && v.token == 0);
	headworld_get(&w, line[1]);
	guard_enter(&w.facts, &v);
	assert_true(v.status == 0 && v.token == 8 && v.scopes == SCOPE_ALL);
	assert_non_null(tokens_by_id(tokens, 8));
	tokens_drop(tokens, 8);
	assert_null(tokens_by_id(tokens, 8));
	guard_enter(&w.facts, &v);
	assert_true(v.status == 401 && !v.tried); /* nobody guesses what it was */
	headworld_get(&w, "Authorization: Bearer guess\r\n");
	guard_enter(&w.facts, &v);
	assert_true(v.status == 401 && v.tried);
	tokens_free(&tokens);
}

/* What a browser sends unasked changes nothing, unless the page shows itself. */
static void a_cookie_lets_a_device_in(void **state)
{
	struct token_record t[2] = {
		{.id = 7, .kind = TOKEN_DEVICE, .scopes = SCOPE_READ},
		{.id = 8, .kind = TOKEN_KEY, .scopes = TOKEN_ALL},
	};
	char secret[2][TOKEN_SECRET], lines[400];
	struct guard_verdict v;
	struct tokens *tokens;
	struct http_world w;

	(void)state;
	headworld_init(&w);
	w.config.api_local = CONFIG_LOCAL_OFF;
	w.config.api_port = 8080;
	token_make(&t[0], secret[0]);
	token_make(&t[1], secret[1]);
	w.facts.tokens = tokens = tokens_new(t, 2);
	snprintf(lines, sizeof lines, "Cookie: torrentd-8080=old\r\nCookie: torrentd-8080=%s\r\n",
		secret[0]);
	headworld_get(&w, lines);
	guard_enter(&w.facts, &v);
	assert_true(v.status == 0 && v.by == GUARD_BY_COOKIE && v.token == 7);
	assert_int_equal(v.scopes, SCOPE_READ);
	assert_int_equal(change(&w, lines), 403);
	snprintf(lines, sizeof lines, "X-Requested-With: x\r\nCookie: a=b; torrentd-8080=%s\r\n",
		secret[0]);
	assert_int_equal(change(&w, lines), 0);
	snprintf(lines, sizeof lines, "Origin: http://evil.example\r\nCookie: torrentd-8080=%s\r\n",
		secret[0]);
	assert_int_equal(enter(&w, lines), 403);
	/* Of which kind a secret is counts. */
	snprintf(lines, sizeof lines, "Cookie: torrentd-8080=%s\r\n", secret[1]);
	assert_int_equal(enter(&w, lines), 401);
	snprintf(lines, sizeof lines, "Authorization: Bearer %s\r\n", secret[0]);
	assert_int_equal(enter(&w, lines), 401);
	snprintf(lines, sizeof lines, "Authorization: Bearer %s\r\n", secret[1]);
	assert_int_equal(enter(&w, lines), 0);
	tokens_free(&tokens);
}

/* Each proxy writes who came to it: what lies before the first that is not believed is hearsay. */
static void the_client_is_whom_the_last_believed_proxy_names(void **state)
{
	static const char *const proxies[] = {"127.0.0.0/8", "10.0.0.0/8"};
	static const struct {
		uint8_t peer[4];
		const char *lines, *client;
	} rows[] = {
		{{203, 0, 113, 1}, "X-Forwarded-For: 198.51.100.1\r\n", "203.0.113.1"},
		{{127, 0, 0, 1}, "", "127.0.0.1"},
		{{127, 0, 0, 1}, "X-Forwarded-For: 198.51.100.1\r\n", "198.51.100.1"},
		{{127, 0, 0, 1}, "X-Forwarded-For: 8.8.8.8, 198.51.100.1\r\n", "198.51.100.1"},
		{{127, 0, 0, 1}, "X-Forwarded-For: 8.8.8.8, 198.51.100.1, 10.1.1.1 \r\n",
			"198.51.100.1"},
		{{127, 0, 0, 1}, "X-Forwarded-For: 10.2.2.2,10.1.1.1\r\n", "10.2.2.2"},
		{{127, 0, 0, 1}, "X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1"},
		{{127, 0, 0, 1}, "X-Forwarded-For: x, 10.1.1.1\r\n", "10.1.1.1"},
		{{127, 0, 0, 1}, "X-Forwarded-For: \r\n", "127.0.0.1"},
		{{127, 0, 0, 1}, "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 8.8.8.8\r\n",
			"127.0.0.1"},
	};
	char text[ENDPOINT_TEXT];
	struct http_world w;

	(void)state;
	headworld_init(&w);
	w.config.api_trusted_proxies = headworld_list(proxies, 2);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoint client;

		w.facts.peer = endpoint_from_v4(rows[i].peer, 80);
		headworld_get(&w, rows[i].lines);
		client = facts_client(&w.facts);
		endpoint_format_ip(&client, text, sizeof text);
		assert_string_equal(text, rows[i].client);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_is_localhost_or_the_address_of_the_connection),
		cmocka_unit_test(hosts_are_listed_by_name_or_by_domain),
		cmocka_unit_test(other_sites_are_refused),
		cmocka_unit_test(links_of_other_sites_lead_to_pages_alone),
		cmocka_unit_test(listed_origins_may_ask_and_read),
		cmocka_unit_test(the_token_is_wanted),
		cmocka_unit_test(who_gets_in_has_all_scopes_and_who_does_not_has_none),
		cmocka_unit_test(a_scope_that_is_missing_is_named),
		cmocka_unit_test(what_browsers_send_unasked_changes_nothing),
		cmocka_unit_test(programs_and_own_pages_change_things),
		cmocka_unit_test(only_trusted_proxies_are_believed),
		cmocka_unit_test(local_is_who_came_by_loopback_alone),
		cmocka_unit_test(who_comes_through_a_proxy_is_not_local),
		cmocka_unit_test(who_is_local_gets_in_as_configured),
		cmocka_unit_test(who_passes_others_on_by_a_path_is_believed_if_listed),
		cmocka_unit_test(a_token_that_was_made_has_its_scopes_until_it_expires),
		cmocka_unit_test(a_cookie_lets_a_device_in),
		cmocka_unit_test(the_client_is_whom_the_last_believed_proxy_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
