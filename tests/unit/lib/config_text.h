/* SPDX-License-Identifier: MIT */
/* Loading a configuration from a text, for the tests of config/. */
#ifndef TESTS_UNIT_LIB_CONFIG_TEXT_H
#define TESTS_UNIT_LIB_CONFIG_TEXT_H

#include "config/load.h"

#define HOME_VAR "HOME=/home/u"

static char *const home_env[] = {HOME_VAR, NULL};

/* Loads one file's text alone, as if it were "F". */
static inline enum err load_one(
	const char *text, const struct config **out, char *errors, size_t size)
{
	struct config_input in = {.envp = home_env, .no_files = true};
	struct report report = report_of(errors, size);
	size_t n = strlen(text);
	char *copy = xmemdup(text, n + 1);
	struct load l;

	*out = NULL;
	load_begin(&l, &in, &report);
	load_text(&l, "F", copy, n);
	xfree(copy);
	return load_end(&l, out);
}

#endif
