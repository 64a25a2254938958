/* SPDX-License-Identifier: MIT */
/*
 * The daemon's start and end: configuration, database, actors, and out again.
 *
 * What can be wrong from outside (configuration, state directory) is found before any thread runs,
 * told in one line, and nothing is started.  Ends with 0 after a clean stop, 1 when something
 * failed, 2 when the configuration is wrong.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "actors/kernel/log.h"
#include "actors/kernel/panic.h"
#include "actors/main/listen.h"
#include "actors/main/notify.h"
#include "actors/main/supervise.h"
#include "actors/main/topology.h"
#include "actors/msg/env.h"
#include "actors/state/state.h"

enum { EXIT_CLEAN = 0, EXIT_FAILED = 1, EXIT_CONFIG = 2 };

extern char **environ;

/* A torrent client lives on descriptors: take all that we may have. */
static void raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == r.rlim_max)
		return;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		log_event(LOG_WARNING, "file_limit", "error=%d", errno);
}

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
	const char *at = c->api_bind;
	const char *colon = strchr(at, ':');

	printf("torrentd %s: http://%s%s%s:%d/  state %s  downloads %s\n", config_version(),
		colon != NULL ? "[" : "", at, colon != NULL ? "]" : "", listen_api_port(env),
		c->state_dir, c->download_dir);
	fflush(stdout);
}

static int run_actors(
	const struct config *c, const struct config_input *in, struct actor_env *env, int signals)
{
	struct supervise_arg arg = {.input = in, .env = env, .config = c, .signals = signals};
	struct actors *set = actors_new(&msg_table);
	struct actor *self;
	bool failed;

	arg.set = set;
	wire_actors(set, env);
	self = actors_add_here(set, ADDR_MAIN, &main_spec, &arg);
	actors_start(set);
	print_banner(c, env);
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

static int run_daemon(const struct config *c, const struct config_input *in)
{
	struct actor_env env;
	char why[1024] = "";
	int signals, status;

	log_set_level((enum log_level)c->log_level);
	panic_install();
	raise_file_limit();
	signals = open_signals();
	wire_env(&env, c);
	if (state_db_open(c->state_dir, &env.db, why, sizeof why) != E_OK) {
		fprintf(stderr, "torrentd: %s\n", why);
		close(signals);
		return EXIT_FAILED;
	}
	if (listen_open(&env, c, why, sizeof why) != E_OK) {
		fprintf(stderr, "torrentd: %s\n", why);
		state_db_close(&env.db);
		close(signals);
		return EXIT_FAILED;
	}
	env.api_port = listen_api_port(&env);
	tracker_global_init();
	status = run_actors(c, in, &env, signals);
	tracker_global_fini();
	listen_close(&env);
	close(signals);
	return status;
}

int main(int argc, char **argv)
{
	struct config_input in = {
		.argc = argc, .argv = argv, .envp = environ, .root = geteuid() == 0};
	enum config_action action = CONFIG_RUN;
	const struct config *c = NULL;
	char *errors = xcalloc(1, CONFIG_ERRORS_SIZE);
	int status = EXIT_CONFIG;

	if (config_load(&in, &c, &action, errors, CONFIG_ERRORS_SIZE) != E_OK)
		fprintf(stderr, "%s%s", errors,
			errors[0] != '\0' && errors[strlen(errors) - 1] == '\n' ? "" : "\n");
	else if (action != CONFIG_RUN)
		status = config_perform(action, c, stdout);
	else
		status = run_daemon(c, &in);
	if (c != NULL)
		config_unref(&c);
	xfree(errors);
	return status;
}
