/* SPDX-License-Identifier: MIT */
/* The server: what a resource is given and gives, and what it does when the process has no
 * descriptor left. */
#include "tests/unit/lib/web_world.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/stats.h"

static void say_ok(struct request *r)
{
	answer_ok(r);
}

static void say_part(struct request *r)
{
	const char *hash;

	answer_header(r, "X-Test", "a\r\nX-Split: %d", 1);
	if (param_text(r, "hash", &hash))
		answer_text(r, strcmp(hash, "none") == 0 ? 404 : 200, "it is %s", hash);
}

static void say_problem(struct request *r)
{
	if (request_may(r, SCOPE_ALL + 1))
		answer_problem(r, 500, "never", "never");
}

static const struct document page = {.type = "text/html",
	.tag = "W/\"abc\"",
	.policy = "default-src 'self'",
	.plain = {(const uint8_t *)"plain", 5},
	.gzip = {(const uint8_t *)"gz", 2},
	.br = {(const uint8_t *)"b", 1}};
static const struct document kept = {.type = "text/css",
	.tag = "W/\"def\"",
	.policy = "default-src 'self'",
	.immutable = true,
	.plain = {(const uint8_t *)"style", 5}};

static void show_page(struct request *r)
{
	answer_document(r, &page);
}

static void show_kept(struct request *r)
{
	answer_document(r, &kept);
}

static const struct resource resources[] = {
	{.path = "/page", .methods = METHOD_GET, .fn = show_page, .params = ""},
	{.path = "/kept", .methods = METHOD_GET, .fn = show_kept, .params = ""},
	{.path = "/hashes/{hash}/part", .methods = METHOD_GET, .fn = say_part, .params = ""},
	{.path = "/part/{hash}", .methods = METHOD_GET, .fn = say_part, .params = ""},
	{.path = "/api/v1/part/{hash}", .methods = METHOD_GET, .fn = say_part, .params = ""},
	{.path = "/api/v1/may", .methods = METHOD_GET, .fn = say_problem, .params = ""},
	{.path = "/ok", .methods = METHOD_GET, .fn = say_ok, .params = ""},
	{.path = "/all", .methods = METHOD_GET, .scopes = SCOPE_ALL, .fn = say_ok, .params = ""},
	{.path = "/nobody",
		.methods = METHOD_GET,
		.scopes = SCOPE_ALL + 1, /* one that nobody has */
		.fn = say_ok,
		.params = ""},
};
static const struct resources all = {.v = resources, .n = ARRAY_LEN(resources)};
static const char *const plain[] = {NULL};

/* From now on no descriptor can be had; to be undone with give_back(). */
static void take_all(struct rlimit *before)
{
	struct rlimit none;
	int next = dup(0);

	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
	none = *before;
	none.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void give_back(const struct rlimit *before)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, before), 0);
}

/* Turns for so long; how often it woke. */
static uint64_t turns_in(struct webworld *w, int64_t us)
{
	uint64_t before = stat_get(w->http, STAT_TURNS);

	for (int64_t end = clock_mono_us() + us; clock_mono_us() < end;)
		assert_true(actor_turn(w->http, end - clock_mono_us()));
	return stat_get(w->http, STAT_TURNS) - before;
}

static void wait_without_descriptors(bool others)
{
	struct webworld w;
	struct webclient first, late;
	struct rlimit before;

	webworld_start(&w, &all, plain, NULL);
	if (others)
		assert_int_equal(webclient_ask(&w, &first, "/ok", ""), 200);
	webclient_open(&w, &late);
	take_all(&before);
	webclient_get(&w, &late, "/ok", "");
	assert_in_range(turns_in(&w, 1500 * USEC_PER_MSEC), 0, 200);
	if (others) { /* who is there is served */
		webclient_get(&w, &first, "/ok", "");
		webclient_read(&w, &first);
		assert_int_equal(first.status, 200);
	}
	give_back(&before);
	webclient_read(&w, &late);
	assert_int_equal(late.status, 200);
	webclient_close(&late);
	if (others)
		webclient_close(&first);
	webworld_end(&w);
}

static void nobody_is_there(void **state)
{
	(void)state;
	wait_without_descriptors(false);
}

static void somebody_is_there(void **state)
{
	(void)state;
	wait_without_descriptors(true);
}

static void a_resource_is_for_who_has_its_scopes(void **state)
{
	struct webclient c;
	struct webworld w;

	(void)state;
	webworld_start(&w, &all, plain, NULL);
	assert_int_equal(webclient_ask(&w, &c, "/all", ""), 200);
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/nobody", ""), 403);
	assert_non_null(strstr(c.body, "lack a scope"));
	webclient_close(&c);
	webworld_end(&w);
}

static void a_part_of_the_path_is_a_parameter(void **state)
{
	struct webclient c;
	struct webworld w;

	(void)state;
	webworld_start(&w, &all, plain, NULL);
	assert_int_equal(webclient_ask(&w, &c, "/part/a%20b", ""), 200);
	assert_memory_equal(c.body, "it is a b\n", c.body_n);
	assert_memory_equal(webclient_header(&c, "X-Test"), "a  X-Split: 1\r", 14);
	assert_null(webclient_header(&c, "X-Split"));
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/hashes/b/part", ""), 200);
	assert_memory_equal(c.body, "it is b\n", c.body_n);
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/part/a?hash=b", ""), 422);
	webclient_close(&c);
	webworld_end(&w);
}

static void errors_of_the_native_api_are_problems(void **state)
{
	static const struct {
		const char *path;
		unsigned status;
		const char *code, *detail;
	} rows[] = {
		{"/api/v1/part/none", 404, "\"code\":\"not_found\"", "\"detail\":\"it is none\""},
		{"/api/v1/nothing", 404, "\"status\":404", "no such endpoint"},
		{"/api/v1/may", 403, "\"code\":\"forbidden\"", "lack a scope"},
		{"/api/v1/may?x=%22", 422, "\"code\":\"invalid\"", "parameter 'x' is not known"},
	};
	struct webclient c;
	struct webworld w;

	(void)state;
	webworld_start(&w, &all, plain, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(webclient_ask(&w, &c, rows[i].path, ""), rows[i].status);
		assert_non_null(strstr(c.in, "Content-Type: application/problem+json\r\n"));
		assert_non_null(strstr(c.body, rows[i].code));
		assert_non_null(strstr(c.body, rows[i].detail));
		webclient_close(&c);
	}
	assert_int_equal(webclient_ask(&w, &c, "/part/none", ""), 404);
	assert_memory_equal(c.body, "it is none\n", c.body_n);
	webclient_close(&c);
	webworld_end(&w);
}

/* Everybody gets to what has no scope; a token that is configured guards the rest. */
static void what_is_open_asks_for_no_token(void **state)
{
	static const char *const guarded[] = {"--api.token=0123456789abcdef0123456789abcdef", NULL};
	struct webclient c;
	struct webworld w;

	(void)state;
	webworld_start(&w, &all, guarded, NULL);
	assert_int_equal(webclient_ask(&w, &c, "/ok", ""), 200);
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/all", ""), 401);
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/nothing", ""), 401); /* nor what there is */
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/all",
				 "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n"),
		200);
	webclient_close(&c);
	webworld_end(&w);
}

static void a_document_comes_in_the_smallest_form(void **state)
{
	static const struct {
		const char *headers, *body;
	} rows[] = {
		{"", "plain"},
		{"Accept-Encoding: gzip\r\n", "gz"},
		{"Accept-Encoding: gzip, br\r\n", "b"},
		{"Accept-Encoding: br;q=0, gzip\r\n", "gz"},
	};
	struct webworld w;
	struct webclient c;

	(void)state;
	webworld_start(&w, &all, plain, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(webclient_ask(&w, &c, "/page", rows[i].headers), 200);
		assert_int_equal(c.body_n, strlen(rows[i].body));
		assert_memory_equal(c.body, rows[i].body, c.body_n);
		webclient_close(&c);
	}
	webworld_end(&w);
}

static void a_document_is_asked_for_again_by_its_tag(void **state)
{
	struct webworld w;
	struct webclient c;

	(void)state;
	webworld_start(&w, &all, plain, NULL);
	assert_int_equal(webclient_ask(&w, &c, "/page", ""), 200);
	assert_memory_equal(webclient_header(&c, "ETag"), "W/\"abc\"", 7);
	assert_memory_equal(webclient_header(&c, "Cache-Control"), "no-cache", 8);
	assert_memory_equal(
		webclient_header(&c, "Content-Security-Policy"), "default-src 'self'", 18);
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/page", "If-None-Match: W/\"abc\"\r\n"), 304);
	webclient_close(&c);
	assert_int_equal(webclient_ask(&w, &c, "/kept", "If-None-Match: W/\"abc\"\r\n"), 200);
	assert_non_null(strstr(webclient_header(&c, "Cache-Control"), "immutable"));
	webclient_close(&c);
	webworld_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(somebody_is_there),
		cmocka_unit_test(a_resource_is_for_who_has_its_scopes),
		cmocka_unit_test(a_part_of_the_path_is_a_parameter),
		cmocka_unit_test(errors_of_the_native_api_are_problems),
		cmocka_unit_test(what_is_open_asks_for_no_token),
		cmocka_unit_test(a_document_comes_in_the_smallest_form),
		cmocka_unit_test(a_document_is_asked_for_again_by_its_tag),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
