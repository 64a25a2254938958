/* SPDX-License-Identifier: MIT */
/* Where a configuration comes from: the order of sources, default places, reload, documents. */
#include "config/value.h"
#include "tests/unit/lib/config_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A temporary home with .config/torrentd/conf.d. */
struct home {
	char dir[64], var[80], main[128], first[160], second[160];
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void make_dir(const char *base, const char *name)
{
	char path[160];

	snprintf(path, sizeof path, "%s/%s", base, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int make_home(void **state)
{
	struct home *h = xcalloc(1, sizeof *h);
	const char *tmp = getenv("TMPDIR");

	snprintf(h->dir, sizeof h->dir, "%.40s/h-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(h->dir) == NULL)
		return -1;
	make_dir(h->dir, ".config");
	make_dir(h->dir, ".config/torrentd");
	make_dir(h->dir, ".config/torrentd/conf.d");
	snprintf(h->var, sizeof h->var, "HOME=%s", h->dir);
	snprintf(h->main, sizeof h->main, "%s/.config/torrentd/torrentd.conf", h->dir);
	snprintf(h->first, sizeof h->first, "%s/.config/torrentd/conf.d/10-a.conf", h->dir);
	snprintf(h->second, sizeof h->second, "%s/.config/torrentd/conf.d/20-b.conf", h->dir);
	*state = h;
	return 0;
}

static int drop_home(void **state)
{
	static const char *const dirs[] = {
		"/.config/torrentd/conf.d", "/.config/torrentd", "/.config", ""};
	struct home *h = *state;
	char path[160];

	unlink(h->main);
	unlink(h->first);
	unlink(h->second);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s%s", h->dir, dirs[i]);
		rmdir(path);
	}
	xfree(h);
	return 0;
}

static char errors_[CONFIG_ERRORS_SIZE];

static const struct config *load_ok(const struct config_input *in)
{
	const struct config *c = NULL;
	enum config_action action;

	enum err e = config_load(in, &c, &action, errors_, sizeof errors_);
	assert_string_equal(errors_, "");
	assert_int_equal(e, E_OK);
	assert_int_equal(action, CONFIG_RUN);
	return c;
}

#define ARGS(...)                                                                                  \
	(char *const[]){"torrentd", __VA_ARGS__},                                                  \
		.argc = (int)ARRAY_LEN(((char *[]){"torrentd", __VA_ARGS__}))

static void expect_source(const struct config *c, enum config_option o, enum config_from from,
	const char *where, int line)
{
	const struct config_source *s = config_source(c, o);

	assert_int_equal(s->from, from);
	assert_string_equal(s->where, where);
	assert_int_equal(s->line, line);
}

static void test_order_of_sources(void **state)
{
	struct home *h = *state;
	char *env[] = {h->var, "TORRENTD_PEERS_MAX=4", "TORRENTD_PEERS_HALF_OPEN=4", "OTHER=1",
		"TORRENTD_PORT=tcp://10.0.0.1:8080", "TORRENTD_SERVICE_HOST=10.0.0.1", NULL};
	struct config_input in = {.argv = ARGS("--peers.half_open=5", "--set", "log.level=debug",
					  "--tracker.numwant", "6", "--set=store.workers=3"),
		.envp = env};

	write_file(h->main,
		"[peers]\nport=1\nmax_per_torrent=1\nupload_slots=1\nmax=1\nhalf_open=1\n");
	write_file(h->second, "[peers]\nupload_slots=3\nmax=3\nhalf_open=3\n");
	write_file(h->first, "[peers]\nmax_per_torrent=2\nupload_slots=2\nmax=2\nhalf_open=2\n");
	const struct config *c = load_ok(&in);
	assert_int_equal(c->peers_request_queue, 2000);
	assert_int_equal(c->peers_port, 1);
	assert_int_equal(c->peers_max_per_torrent, 2);
	assert_int_equal(c->peers_upload_slots, 3);
	assert_int_equal(c->peers_max, 4);
	assert_int_equal(c->peers_half_open, 5);
	assert_int_equal(c->log_level, CONFIG_LOG_DEBUG);
	assert_int_equal(c->tracker_numwant, 6);
	assert_int_equal(c->store_workers, 3);
	expect_source(c, OPT_peers_port, CONFIG_FROM_FILE, h->main, 2);
	expect_source(c, OPT_peers_upload_slots, CONFIG_FROM_FILE, h->second, 2);
	expect_source(c, OPT_peers_max, CONFIG_FROM_ENV, "TORRENTD_PEERS_MAX", 0);
	expect_source(c, OPT_peers_half_open, CONFIG_FROM_ARGS, "command line", 0);
	assert_int_equal(config_files(c)->n, 3);
	assert_string_equal(config_files(c)->v[1], h->first);
	config_unref(&c);
}

static void test_missing_files(void **state)
{
	struct home *h = *state;
	char *env[] = {h->var, NULL};
	struct config_input in = {.argv = ARGS("--config", "/nowhere/torrentd.conf"), .envp = env};
	const struct config *c;
	enum config_action action;

	assert_int_equal(config_load(&in, &c, &action, errors_, sizeof errors_), E_SYNTAX);
	assert_string_equal(errors_,
		"/nowhere/torrentd.conf: the configuration file cannot be read: "
		"no such file or directory\n");
	in.argc = 1;
	c = load_ok(&in);
	assert_int_equal(config_files(c)->n, 0);
	config_unref(&c);
}

static const struct {
	char *args[4];
	const char *errors;
} bad_args[] = {
	{{"--api.prot=1"}, "unknown option \"api.prot\"; did you mean \"api.port\"?"},
	{{"--api.prot", "1"}, "unknown option \"api.prot\"; did you mean \"api.port\"?"},
	{{"--port=1"}, "unknown option \"--port\"; did you mean \"--api.port\"?"},
	{{"--state=/x"}, "unknown option \"--state\"; did you mean \"--state.dir\"?"},
	{{"--hepl"}, "unknown option \"--hepl\"; did you mean \"--help\"?"},
	{{"--api.port"}, "api.port needs a value"},
	{{"--config"}, "config needs a value"},
	{{"--set", "api.port"}, "--set needs section.name=value"},
	{{"--api.port=x"}, "api.port: \"x\" is not a whole number"},
	{{"file"}, "file: options begin with --; nothing else is expected"},
	{{"--"}, "--: options begin with --; nothing else is expected"},
	{{"--check-config=1"}, "check-config takes no value"},
};

static void test_bad_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_args); i++) {
		char *argv[5] = {"torrentd"};
		struct config_input in = {
			.argc = 1, .argv = argv, .envp = home_env, .no_files = true};
		const struct config *c;
		enum config_action action;
		char want[200];
		while (in.argc < 4 && bad_args[i].args[in.argc - 1] != NULL) {
			argv[in.argc] = bad_args[i].args[in.argc - 1];
			in.argc++;
		}
		snprintf(want, sizeof want, "command line: %s\n", bad_args[i].errors);
		assert_int_equal(config_load(&in, &c, &action, errors_, sizeof errors_), E_SYNTAX);
		assert_string_equal(errors_, want);
	}
}

static void test_bad_environment(void **state)
{
	char *env[] = {HOME_VAR, "TORRENTD_PERS_MAX=1", "TORRENTD_API_PORT=x", NULL};
	struct config_input in = {.envp = env, .no_files = true};
	const struct config *c;
	enum config_action action;

	(void)state;
	assert_int_equal(config_load(&in, &c, &action, errors_, sizeof errors_), E_SYNTAX);
	assert_string_equal(errors_,
		"TORRENTD_PERS_MAX: there is no such option; the nearest is TORRENTD_PEERS_MAX\n"
		"TORRENTD_API_PORT: api.port: \"x\" is not a whole number\n");
}

static void test_default_places(void **state)
{
	static const struct {
		char *env[4];
		bool root;
		const char *state_dir, *download_dir;
	} t[] = {
		{{HOME_VAR}, false, "/home/u/.local/state/torrentd", "/home/u/Downloads"},
		{{HOME_VAR, "XDG_STATE_HOME=/s", "XDG_DOWNLOAD_DIR=/d \"x"}, false, "/s/torrentd",
			"/d \"x"},
		{{HOME_VAR, "XDG_STATE_HOME=rel"}, false, "/home/u/.local/state/torrentd",
			"/home/u/Downloads"},
		{{HOME_VAR}, true, "/var/lib/torrentd", "/var/lib/torrentd/downloads"},
		{{HOME_VAR, "STATE_DIRECTORY=/v/t:/v/u"}, false, "/v/t", "/v/t/downloads"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct config_input in = {.envp = t[i].env, .root = t[i].root, .no_files = true};
		const struct config *c = load_ok(&in);
		assert_string_equal(c->state_dir, t[i].state_dir);
		assert_string_equal(c->download_dir, t[i].download_dir);
		config_unref(&c);
	}
}

static void test_no_home(void **state)
{
	struct config_input in = {.no_files = true};
	const struct config *c;
	enum config_action action;

	(void)state;
	assert_int_equal(config_load(&in, &c, &action, errors_, sizeof errors_), E_SYNTAX);
	assert_string_equal(errors_, "download.dir has no default without $HOME: set it\n"
				     "state.dir has no default without $HOME: set it\n");
	struct config_input set = {
		.argv = ARGS("--download.dir=/d", "--state.dir=/s"), .no_files = true};
	c = load_ok(&set);
	assert_string_equal(c->download_roots.v[0], "/d");
	config_unref(&c);
}

static void test_actions(void **state)
{
	static const struct {
		char *arg;
		enum config_action action;
		bool config;
		const char *begins;
	} t[] = {
		{"--version", CONFIG_VERSION, false, "torrentd "},
		{"--help", CONFIG_HELP, false, "usage: torrentd "},
		{"--print-default-config", CONFIG_PRINT_DEFAULT, false, "# The configuration"},
		{"--check-config", CONFIG_CHECK, true,
			"the configuration is good; files read: none\n"},
		{"--print-config", CONFIG_PRINT, true, "[api]\nbind = 127.0.0.1  # default\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct config_input in = {
			.argv = ARGS(t[i].arg), .envp = home_env, .no_files = true};
		const struct config *c;
		enum config_action action;
		char *text = NULL;
		size_t n;
		assert_int_equal(config_load(&in, &c, &action, errors_, sizeof errors_), E_OK);
		assert_int_equal(action, t[i].action);
		assert_int_equal(c != NULL, t[i].config);
		FILE *f = open_memstream(&text, &n);
		assert_int_equal(config_perform(action, c, f), 0);
		fclose(f);
		assert_memory_equal(text, t[i].begins, strlen(t[i].begins));
		free(text);
		if (c != NULL)
			config_unref(&c);
	}
}

static void test_printed_config_loads_again(void **state)
{
	struct config_input in = {
		.argv = ARGS("--api.hosts=a, b", "--download.dir=/a \"#,b",
			"--api.token=0123456789abcdef", "--store.checkpoint_interval=1.5s"),
		.envp = home_env,
		.no_files = true};
	const struct config *c = load_ok(&in), *again;
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	assert_int_equal(config_perform(CONFIG_PRINT, c, f), 0);
	fclose(f);
	assert_null(strstr(text, "0123456789abcdef"));
	assert_int_equal(load_one(text, &again, errors_, sizeof errors_), E_OK);
	for (unsigned i = 0; i < OPT_MAX_; i++)
		if (options[i].type != TYPE_SECRET)
			assert_true(value_equal(&options[i], option_field_const(c, i),
				option_field_const(again, i)));
	free(text);
	config_unref(&c);
	config_unref(&again);
}

static void test_references(void **state)
{
	struct config_input in = {.envp = home_env, .no_files = true};
	const struct config *a = load_ok(&in), *b = config_ref(a);

	(void)state;
	config_unref(&a);
	assert_null(a);
	assert_int_equal(b->api_port, 8080);
	config_unref(&b);
}

static void test_reload(void **state)
{
	struct home *h = *state;
	char *env[] = {h->var, NULL};
	struct config_input in = {.argv = ARGS("--peers.half_open=9"), .envp = env};
	struct config_changes ch;
	const struct config *next = NULL;

	write_file(h->main, "[api]\nport=1\n[peers]\nmax=1\n");
	const struct config *c = load_ok(&in);
	write_file(h->main, "[api]\nport=2\n[peers]\nmax=2\nhalf_open=1\n[log]\nlevel=error\n");
	assert_int_equal(config_reload(c, &in, &next, &ch, errors_, sizeof errors_), E_OK);
	assert_int_equal(ch.live_n, 2);
	assert_int_equal(ch.live[0], OPT_peers_max);
	assert_int_equal(ch.live[1], OPT_log_level);
	assert_int_equal(ch.restart_n, 1);
	assert_string_equal(config_option_name(ch.restart[0]), "api.port");
	assert_int_equal(next->peers_max, 2);
	assert_int_equal(next->peers_half_open, 9);
	assert_int_equal(next->api_port, 1);
	assert_int_equal(c->peers_max, 1);
	config_unref(&c);
	/* The same again changes nothing and still names what waits for a restart. */
	c = next;
	assert_int_equal(config_reload(c, &in, &next, &ch, errors_, sizeof errors_), E_OK);
	assert_int_equal(ch.live_n, 0);
	assert_int_equal(ch.restart_n, 1);
	config_unref(&next);
	write_file(h->main, "[api]\nport=x\n");
	assert_int_equal(config_reload(c, &in, &next, &ch, errors_, sizeof errors_), E_SYNTAX);
	assert_null(next);
	config_unref(&c);
}

/* A proxy stays in force until a restart, and so does what is off because of it. */
static void test_reload_keeps_the_proxy(void **state)
{
	struct home *h = *state;
	char *env[] = {h->var, NULL};
	struct config_input in = {.argv = ARGS("--peers.half_open=9"), .envp = env};
	struct config_changes ch;
	const struct config *next = NULL;

	write_file(h->main, "[proxy]\nurl=socks5://h:1\n");
	const struct config *c = load_ok(&in);
	assert_false(c->peers_lsd);
	write_file(h->main, "[peers]\nlsd=true\n");
	assert_int_equal(config_reload(c, &in, &next, &ch, errors_, sizeof errors_), E_OK);
	assert_string_equal(next->proxy_url, "socks5://h:1");
	assert_false(next->peers_lsd);
	assert_false(next->portmap_enabled);
	config_unref(&next);
	config_unref(&c);
}

/* The token may go away live, the address that needs it only with a restart. */
static void test_reload_checks_the_mixture(void **state)
{
	struct home *h = *state;
	char *env[] = {h->var, NULL};
	struct config_input in = {.argv = ARGS("--log.level=info"), .envp = env};
	struct config_changes ch;
	const struct config *next = NULL;

	write_file(h->main, "[api]\nbind=0.0.0.0\n");
	const struct config *c = load_ok(&in);
	write_file(h->main, "[api]\nbind=127.0.0.1\nlocal=on\n");
	assert_int_equal(config_reload(c, &in, &next, &ch, errors_, sizeof errors_), E_SYNTAX);
	assert_null(next);
	assert_non_null(strstr(errors_, "api.local is on"));
	assert_non_null(strstr(errors_, "with a restart"));
	config_unref(&c);
}

/* The generated files in the tree are those that this program makes; `make docs` makes them again.
 */
static void test_documents_are_fresh(void **state)
{
	static const struct {
		enum config_action action;
		const char *path;
	} t[] = {
		{CONFIG_PRINT_DEFAULT, "config/torrentd.conf.example"},
		{CONFIG_MAN1, "config/torrentd.1"},
		{CONFIG_MAN5, "config/torrentd.conf.5"},
	};
	static char on_disk[1 << 17];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *text = NULL;
		size_t n;
		FILE *out = open_memstream(&text, &n), *in = fopen(t[i].path, "r");
		assert_int_equal(config_perform(t[i].action, NULL, out), 0);
		fclose(out);
		assert_non_null(in);
		on_disk[fread(on_disk, 1, sizeof on_disk - 1, in)] = '\0';
		fclose(in);
		assert_string_equal(on_disk, text);
		free(text);
	}
}

/* The example with every option uncommented is good, and is what the defaults are. */
static void test_example_holds_the_defaults(void **state)
{
	const struct config *c, *plain;
	char *text = NULL, *w;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	assert_int_equal(config_perform(CONFIG_PRINT_DEFAULT, NULL, out), 0);
	fclose(out);
	w = text;
	for (const char *p = text; *p != '\0'; p++)
		if (*p != '#' || p[1] == ' ')
			*w++ = *p;
	*w = '\0';
	enum err e = load_one(text, &c, errors_, sizeof errors_);
	assert_string_equal(errors_, "");
	assert_int_equal(e, E_OK);
	assert_int_equal(load_one("", &plain, errors_, sizeof errors_), E_OK);
	for (unsigned i = 0; i < OPT_MAX_; i++) {
		assert_int_equal(config_source(c, i)->from, CONFIG_FROM_FILE);
		assert_true(value_equal(
			&options[i], option_field_const(c, i), option_field_const(plain, i)));
	}
	config_unref(&c);
	config_unref(&plain);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_of_sources, make_home, drop_home),
		cmocka_unit_test_setup_teardown(test_missing_files, make_home, drop_home),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_bad_environment),
		cmocka_unit_test(test_default_places),
		cmocka_unit_test(test_no_home),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_printed_config_loads_again),
		cmocka_unit_test(test_references),
		cmocka_unit_test_setup_teardown(test_reload, make_home, drop_home),
		cmocka_unit_test_setup_teardown(test_reload_keeps_the_proxy, make_home, drop_home),
		cmocka_unit_test_setup_teardown(
			test_reload_checks_the_mixture, make_home, drop_home),
		cmocka_unit_test(test_documents_are_fresh),
		cmocka_unit_test(test_example_holds_the_defaults),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
