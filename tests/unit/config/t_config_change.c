/* SPDX-License-Identifier: MIT */
/* Options changed over the API: the text that keeps them, and what may not be changed. */
#include "config/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static char why[512];

static const struct config *load(const char *changed, const char *arg)
{
	static char errors[CONFIG_ERRORS_SIZE];
	char *argv[] = {"torrentd", "--state.dir=/s", "--download.dir=/d", (char *)(uintptr_t)arg};
	char *env[] = {"TORRENTD_PEERS_MAX=40", NULL};
	struct config_input in = {.argc = arg != NULL ? 4 : 3,
		.argv = argv,
		.envp = env,
		.no_files = true,
		.changed = changed};
	enum config_action action;
	const struct config *c = NULL;

	if (config_load(&in, &c, &action, errors, sizeof errors) != E_OK)
		fail_msg("%s", errors);
	return c;
}

static void a_setting_takes_the_place_of_the_one_before(void **state)
{
	const struct config *c = load(NULL, NULL);
	char *changed = NULL;

	(void)state;
	assert_int_equal(config_change(&changed, c, "tracker.numwant", "7", why, sizeof why), E_OK);
	assert_string_equal(changed, "tracker.numwant = 7\n");
	assert_int_equal(
		config_change(&changed, c, "download.max_rate", "2 MiB/s", why, sizeof why), E_OK);
	assert_int_equal(
		config_change(&changed, c, "tracker.numwant", " 8 ", why, sizeof why), E_OK);
	assert_string_equal(changed, "download.max_rate = 2MiB/s\ntracker.numwant = 8\n");
	assert_int_equal(
		config_change(&changed, c, "download.max_rate", NULL, why, sizeof why), E_OK);
	assert_string_equal(changed, "tracker.numwant = 8\n");
	assert_int_equal(
		config_change(&changed, c, "tracker.numwant", NULL, why, sizeof why), E_OK);
	assert_string_equal(changed, "");
	assert_int_equal(
		config_change(&changed, c, "tracker.numwant", NULL, why, sizeof why), E_OK);
	assert_string_equal(changed, "");
	free(changed);
	config_unref(&c);
}

/* What is written is read again as what was meant. */
static void any_text_comes_back_as_it_was(void **state)
{
	static const char *const texts[] = {"\"a # b\"", "\"a\\\\b\"", "[x]", "\"\\\"\"", "a = b"};
	const struct config *c = load(NULL, NULL), *again;
	char *changed = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *want = texts[i];
		char plain[20];

		assert_int_equal(
			config_change(&changed, c, "log.trace", want, why, sizeof why), E_OK);
		again = load(changed, NULL);
		assert_int_equal(again->log_trace.n, 1);
		assert_int_equal(config_source(again, OPT_log_trace)->from, CONFIG_FROM_API);
		/* the same without what quotes it */
		snprintf(plain, sizeof plain, "%s", again->log_trace.v[0]);
		assert_null(strchr(plain, '\n'));
		if (want[0] != '"')
			assert_string_equal(plain, want);
		config_unref(&again);
	}
	free(changed);
	config_unref(&c);
}

static void what_is_wrong_leaves_the_text(void **state)
{
	static const struct {
		const char *name, *value;
		enum err err;
		const char *words;
	} rows[] = {
		{"tracker.numwan", "7", E_NOT_FOUND, "did you mean \"tracker.numwant\""},
		{"", "7", E_NOT_FOUND, "no option"},
		{"tracker.numwant", "", E_SYNTAX, "tracker.numwant: "},
		{"tracker.numwant", "-1", E_RANGE, "minimum"},
		{"tracker.numwant", "1\npeers.port = 1", E_SYNTAX, "control character"},
		{"api.token", "0123456789abcdef", E_PERM, "configuration file"},
		{"api.hosts", "x", E_PERM, "who gets in"},
		{"state.dir", "/x", E_PERM, "configuration file"},
		{"download.dir", "/x", E_PERM, "places of this machine"},
		{"download.roots", "/x", E_PERM, "places of this machine"},
		{"blocklist.sources", "http://list.example/x, /etc/passwd", E_PERM,
			"\"/etc/passwd\" does not lie beneath"},
		{"peers.max", "7", E_PERM, "environment"},
		{"tracker.tier_all", "x", E_NOT_FOUND, "no option"},
		{"log.level", "debug", E_PERM, "command line"},
	};
	const struct config *c = load(NULL, "--log.level=info");
	char *changed = strdup("tracker.numwant = 7\n");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum err e =
			config_change(&changed, c, rows[i].name, rows[i].value, why, sizeof why);

		if (e != rows[i].err || strstr(why, rows[i].words) == NULL)
			fail_msg("%s: %s: %s", rows[i].name, err_name(e), why);
		assert_string_equal(changed, "tracker.numwant = 7\n");
	}
	free(changed);
	config_unref(&c);
}

/* What became locked since can be taken back. */
static void environment_and_command_line_go_before(void **state)
{
	const struct config *c =
		load("peers.max = 50\nlog.level = debug\npeers.port = 7\n", "--log.level=error");

	(void)state;
	assert_int_equal(c->peers_max, 40);
	assert_int_equal(c->log_level, CONFIG_LOG_ERROR);
	assert_int_equal(c->peers_port, 7);
	assert_int_equal(config_source(c, OPT_peers_port)->from, CONFIG_FROM_API);
	char *changed = strdup("peers.max = 50\n");
	assert_int_equal(config_change(&changed, c, "peers.max", NULL, why, sizeof why), E_OK);
	assert_string_equal(changed, "");
	free(changed);
	config_unref(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_setting_takes_the_place_of_the_one_before),
		cmocka_unit_test(any_text_comes_back_as_it_was),
		cmocka_unit_test(what_is_wrong_leaves_the_text),
		cmocka_unit_test(environment_and_command_line_go_before),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
