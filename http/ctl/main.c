/* SPDX-License-Identifier: MIT */
/*
 * torrentctl: the command line client.
 *
 * It asks the daemon over HTTP like any other program, and ends with a status that says what went
 * wrong (enum ctl_status).
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "http/ctl/ctl.h"
#include "http/ctl/place.h"
#include "http/ctl/term.h"
#include "http/ctl/usage.h"

extern char **environ;

/* By enum ctl_verb. */
static enum ctl_status (*const functions[])(struct ctl *) = {
#define COMMAND(name, ...) ctl_run_##name,
#include "http/ctl/commands.def"
#undef COMMAND
};

static bool asks_nobody(enum ctl_verb v)
{
	return v == CTL_VERB_help || v == CTL_VERB_completion;
}

static enum ctl_status run(struct ctl *c)
{
	struct ctl_place place;
	char *why = xcalloc(1, CONFIG_ERRORS_SIZE);
	enum ctl_status status = CTL_USAGE;

	if (asks_nobody(c->args->verb)) {
		status = functions[c->args->verb](c);
	} else if (ctl_place_find(&place, c->args, environ, why, CONFIG_ERRORS_SIZE)) {
		c->client = ctl_client_new(place.url, place.token, place.here);
		status = functions[c->args->verb](c);
		ctl_client_free(&c->client);
		ctl_place_fini(&place);
	} else {
		ctl_complain("%s", why);
		ctl_place_fini(&place);
	}
	xfree(why);
	return status;
}

/* Names are shown by the width of their characters, in whatever language. */
static void choose_locale(void)
{
	(void)setlocale(LC_ALL, "");
	if (MB_CUR_MAX == 1)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)setlocale(LC_NUMERIC, "C");
}

int main(int argc, char **argv)
{
	struct ctl_args args;
	struct ctl c = {.args = &args};
	enum ctl_status status = CTL_DONE;
	char why[512] = "";

	choose_locale();
	(void)signal(SIGPIPE, SIG_DFL);
	if (argc == 2 && strcmp(argv[1], "--print-man") == 0) {
		ctl_manual_print(stdout);
		return CTL_DONE;
	}
	if (!ctl_args_read(&args, argc, argv, why, sizeof why)) {
		ctl_complain("%s", why);
		status = CTL_USAGE;
	} else if (args.given[CTL_version]) {
		printf("torrentctl %s\n", config_version());
	} else if (args.given[CTL_help] || args.verb == CTL_VERB_MAX_) {
		ctl_usage_print(args.verb, args.given[CTL_help] ? stdout : stderr);
		status = args.given[CTL_help] ? CTL_DONE : CTL_USAGE;
	} else {
		c.json = args.given[CTL_json];
		status = run(&c);
	}
	ctl_args_fini(&args);
	if (fflush(stdout) != 0 && status == CTL_DONE)
		status = CTL_FAILED;
	return (int)status;
}
