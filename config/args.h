/* SPDX-License-Identifier: MIT */
/* The command line and the environment, cut into settings. */
#ifndef CONFIG_ARGS_H
#define CONFIG_ARGS_H

#include "config/options.h"

enum arg_kind {
	ARG_END,
	ARG_ACTION, /* a flag: --help */
	ARG_CONFIG, /* --config FILE: value */
	ARG_SET,    /* name and value */
	ARG_BAD,    /* `why` says what is wrong */
};

struct arg {
	enum arg_kind kind;
	enum config_action action;
	enum config_option option; /* ARG_SET */
	const char *value;         /* borrowed from argv or envp */
	char why[300];
};

struct args {
	char *const *argv;
	int argc, next;
};

struct args args_of(int argc, char *const *argv);

/* Reads the next argument into *out, ARG_END after the last. */
void args_next(struct args *a, struct arg *out);

/*
 * Reads one variable ("TORRENTD_API_PORT=8080").  ARG_END: not one of ours.  `name` of at least 80
 * bytes receives the variable's name, cut when longer.
 */
void env_read(const char *variable, struct arg *out, char *name, size_t size);

/* The value of a variable, or NULL when unset or empty. */
const char *env_get(char *const *envp, const char *name);

/* Writes "TORRENTD_API_PORT". */
void env_name(enum config_option o, char *buf, size_t size);

#endif
