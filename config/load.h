/* SPDX-License-Identifier: MIT */
/* The steps of a load, for config_load() and its tests. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"
#include "config/paths.h"
#include "config/report.h"

struct load {
	struct config *c;      /* being made */
	struct report *report; /* the caller's */
	const char *home;      /* borrowed from the environment */
	enum config_from from; /* what load_text() is a text of */
};

/* A config of defaults; in->envp must outlive the load. */
void load_begin(struct load *l, const struct config_input *in, struct report *report);

/* Applies the text of one file, which is changed; text[n] must be NUL. */
void load_text(struct load *l, const char *path, char *text, size_t n);

/* Checks the whole.  E_OK: *out is a new reference.  E_SYNTAX: there were errors, all is freed. */
enum err load_end(struct load *l, const struct config **out);

#endif
