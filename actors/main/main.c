/* SPDX-License-Identifier: MIT */
/*
 * The daemon's start and end: configuration, database, actors, and out again.
 *
 * What can be wrong from outside (configuration, state directory) is found before any thread runs,
 * told in one line, and nothing is started.  Ends with 0 after a clean stop, 1 when something
 * failed, 2 when the configuration is wrong.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "actors/kernel/log.h"
#include "actors/kernel/panic.h"
#include "actors/main/consult.h"
#include "actors/main/descriptors.h"
#include "actors/main/first_token.h"
#include "actors/main/listening.h"
#include "actors/main/notify.h"
#include "actors/main/supervise.h"
#include "actors/main/topology.h"
#include "actors/msg/env.h"
#include "actors/state/state.h"
#include "actors/status/status.h"
#include "proto/base/qr.h"

enum { EXIT_CLEAN = 0, EXIT_FAILED = 1, EXIT_CONFIG = 2 };

extern char **environ;

_Static_assert(
	(int)LOG_ERROR == (int)CONFIG_LOG_ERROR && (int)LOG_WARNING == (int)CONFIG_LOG_WARNING &&
		(int)LOG_INFO == (int)CONFIG_LOG_INFO && (int)LOG_DEBUG == (int)CONFIG_LOG_DEBUG,
	"the choices of log.level stand in the order of enum log_level");

/* Signals come through a descriptor of main's loop; a closed socket is an error code, no signal. */
static int open_signals(void)
{
	sigset_t set;
	int fd;

	must(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	must(fd >= 0);
	return fd;
}

/* One line for a person who has just started it. */
static void print_banner(const struct config *c, const struct actor_env *env)
{
	char url[LISTENING_URL];
	struct endpoint at;

	printf("torrentd %s:", config_version());
	if (listening_at(env, &at)) {
		listening_url(&at, url);
		printf(" %s%s/ ", url, c->api_base_path);
	}
	if (c->api_socket[0] != '\0')
		printf(" socket %s ", c->api_socket);
	printf(" state %s  downloads %s\n", c->state_dir, c->download_dir);
	fflush(stdout);
}

/* A person at a terminal may scan it with a phone. */
static void draw_link(const char *url)
{
	char text[QR_TEXT];
	struct qr q;

	if (isatty(STDOUT_FILENO) == 0 || qr_make(&q, url, strlen(url)) != E_OK)
		return;
	(void)qr_draw(&q, text);
	fputs(text, stdout);
}

/* For the one who may read the terminal, or the journal of the first start. */
static void print_first_token(
	const struct start_tokens *s, const struct config *c, const struct actor_env *env)
{
	char url[LISTENING_URL], link[512];
	struct endpoint at;

	if (s->path[0] != '\0')
		printf("torrentd: the first token for other machines and programs is in %s\n",
			s->path);
	if (s->link[0] != '\0' && listening_at(env, &at)) {
		listening_reached(&at);
		listening_url(&at, url);
		snprintf(link, sizeof link, "%s%s/#/pair/%s", url, c->api_base_path, s->link);
		printf("torrentd: pair a device within five minutes: %s\n", link);
		draw_link(link);
	}
	fflush(stdout);
}

static int run_actors(struct supervise_arg *arg, struct actor_env *env)
{
	struct actors *set = actors_new(&message_table);
	struct actor *self;
	bool failed;

	arg->set = set;
	topology_add(set, env);
	self = actors_add_here(set, ADDR_MAIN, &main_spec, arg);
	actors_start(set);
	print_banner(arg->config, env);
	notify_send("READY=1");
	while (!supervisor_ended(self))
		(void)actor_turn(self, INT64_MAX);
	failed = supervisor_failed(self);
	if (failed)
		_exit(EXIT_FAILED); /* who hangs cannot be joined; the database is committed */
	actors_join(set);
	actors_free(&set);
	return EXIT_CLEAN;
}

/* What actors would have owned. */
static void close_unused(struct actor_env *env)
{
	state_db_close(&env->db);
	if (env->status != NULL)
		publisher_close(&env->status);
}

/* With all open that others may have: what is left is divided, and the actors run. */
static int run_within_limits(struct supervise_arg *arg, struct actor_env *env)
{
	char why[256] = "";
	int status;

	arg->limits = descriptors_take(env);
	env->config = descriptors_fit(&arg->limits, arg->config, NULL, why, sizeof why);
	if (env->config == NULL) {
		fprintf(stderr, "torrentd: %s\n", why);
		close_unused(env);
		return EXIT_FAILED;
	}
	fetch_global_init();
	status = run_actors(arg, env);
	fetch_global_fini();
	config_unref(&env->config);
	return status;
}

static int run_with_tokens(struct supervise_arg *arg, struct actor_env *env)
{
	struct start_tokens tokens;
	char why[5000] = "";
	int status = EXIT_FAILED;

	if (first_token_find(env, arg->config, &tokens, why, sizeof why) == E_OK) {
		print_first_token(&tokens, arg->config, env);
		status = run_within_limits(arg, env);
	} else {
		fprintf(stderr, "torrentd: %s\n", why);
		close_unused(env);
	}
	first_token_done(&tokens);
	return status;
}

static int run_listening(struct supervise_arg *arg, struct state_db *db)
{
	struct actor_env env;
	char why[1024] = "";
	int status;

	topology_env(&env, arg->config);
	env.db = db;
	arg->env = &env;
	if (listening_open(&env, arg->config, why, sizeof why) != E_OK) {
		fprintf(stderr, "torrentd: %s\n", why);
		state_db_close(&env.db);
		return EXIT_FAILED;
	}
	if (publisher_open(arg->config, &env.status, why, sizeof why) == E_OK) {
		status = run_with_tokens(arg, &env);
	} else {
		fprintf(stderr, "torrentd: %s\n", why);
		state_db_close(&env.db);
		status = EXIT_FAILED;
	}
	listening_close(&env, arg->config);
	return status;
}

/*
 * The configuration with what was changed over the API; a new reference.  When that does not fit
 * any more (somebody has edited the file since), the daemon runs without it, and says so: it is
 * kept, and can be changed over the API.
 */
static const struct config *load_changes(
	const struct config *c, struct config_input *in, const char *changed)
{
	enum config_action action = CONFIG_RUN;
	const struct config *all = NULL;
	char *errors = xcalloc(1, CONFIG_ERRORS_SIZE);

	in->changed = changed;
	if (config_load(in, &all, &action, errors, CONFIG_ERRORS_SIZE) != E_OK) {
		fprintf(stderr,
			"torrentd: what was changed over the API does not fit the configuration "
			"any "
			"more and is left out:\n%s\n",
			errors);
		in->changed = NULL;
		all = config_ref(c);
	}
	xfree(errors);
	return all;
}

static int run_daemon(const struct config *c, struct config_input *in)
{
	struct supervise_arg arg = {.input = in};
	struct state_db *db;
	char why[1024] = "", *changed = NULL;
	int status = EXIT_FAILED;

	log_set_level((enum log_level)c->log_level);
	panic_install();
	arg.signals = open_signals();
	if (state_db_open(c->state_dir, &db, why, sizeof why) != E_OK) {
		fprintf(stderr, "torrentd: %s\n", why);
	} else {
		if (state_db_changed(db) != NULL)
			arg.changed = changed = xstrdup(state_db_changed(db));
		arg.config = load_changes(c, in, changed);
		status = run_listening(&arg, db);
		config_unref(&arg.config);
	}
	xfree(changed);
	close(arg.signals);
	return status;
}

#define LARGE (1 << 20)

/*
 * Buffers from a MiB on come from the system, and go back to it at once.  Left alone, the allocator
 * raises that limit to the largest buffer it has seen, and each thread keeps twice as much for
 * good.
 */
static void keep_no_large_buffers(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, LARGE);
}

int main(int argc, char **argv)
{
	struct config_input in = {
		.argc = argc, .argv = argv, .envp = environ, .root = geteuid() == 0};
	enum config_action action = CONFIG_RUN;
	const struct config *c = NULL;
	char *errors = xcalloc(1, CONFIG_ERRORS_SIZE);
	int status = EXIT_CONFIG;

	keep_no_large_buffers();
	if (config_load(&in, &c, &action, errors, CONFIG_ERRORS_SIZE) != E_OK)
		fprintf(stderr, "%s%s", errors,
			errors[0] != '\0' && errors[strlen(errors) - 1] == '\n' ? "" : "\n");
	else if (action == CONFIG_DOCTOR)
		status = consult(c, stdout);
	else if (action != CONFIG_RUN)
		status = config_perform(action, c, stdout);
	else
		status = run_daemon(c, &in);
	if (c != NULL)
		config_unref(&c);
	xfree(errors);
	return status;
}
