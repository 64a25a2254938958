/* SPDX-License-Identifier: MIT */
/* What a browser sees of a daemon without the page: the API as text, whatever it says. */
#include "http/web/priv.h"
#include "tests/unit/lib/web_world.h"

static void never(struct request *r)
{
	answer_ok(r);
}

static const struct resource resources[] = {
	{.path = "/", .methods = METHOD_GET, .fn = page_none, .params = ""},
	{.path = "/a", .methods = METHOD_GET, .fn = never, .params = "", .doc = "1 < 2 & <b>"},
	{.path = "/hidden", .methods = METHOD_GET, .fn = never, .params = ""},
};
static const struct resources all = {.v = resources, .n = ARRAY_LEN(resources)};

static void it_says_so_and_lists_the_api(void **state)
{
	static const char *const options[] = {NULL};
	struct webworld w;
	struct webclient c;

	(void)state;
	webworld_start(&w, &all, options, NULL);
	assert_int_equal(webclient_ask(&w, &c, "/", "Accept: text/html\r\n"), 200);
	assert_memory_equal(webclient_header(&c, "Content-Type"), "text/html", 9);
	assert_non_null(strstr(c.body, "built without its page"));
	assert_non_null(strstr(c.body, "<dt>/a</dt><dd>1 &lt; 2 &amp; &lt;b></dd>"));
	assert_null(strstr(c.body, "hidden"));
	webclient_close(&c);
	webworld_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_so_and_lists_the_api),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
