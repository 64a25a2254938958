/* SPDX-License-Identifier: MIT */
/* Where things lie by default: XDG directories for a user, the usual ones for a service. */
#ifndef CONFIG_PATHS_H
#define CONFIG_PATHS_H

#include "config/config.h"

/* Any text may be NULL: nothing is known (no $HOME). */
struct paths {
	const char *home; /* borrowed from the environment */
	char *config;     /* the default configuration file */
	char *state;      /* default of state.dir */
	char *downloads;  /* default of download.dir */
};

/* A service is root or what systemd gave a state directory ($STATE_DIRECTORY). */
struct paths paths_find(const struct config_input *in);

void paths_done(struct paths *p);

#endif
