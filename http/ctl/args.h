/* SPDX-License-Identifier: MIT */
/* The command line, read by the tables. */
#ifndef HTTP_CTL_ARGS_H
#define HTTP_CTL_ARGS_H

#include "http/ctl/commands.h"

struct ctl_args {
	enum ctl_verb verb; /* CTL_VERB_MAX_: none was named */
	bool given[CTL_OPTION_MAX_];
	const char *value[CTL_OPTION_MAX_]; /* borrowed from argv; NULL: of a flag, or not given */
	const char **words;                 /* the operands; owned list of borrowed texts */
	uint32_t words_n, words_room;
};

/*
 * Reads all of argv.  Options may stand anywhere, as --name VALUE, --name=VALUE, -n VALUE and
 * -nVALUE; behind -- there are none.  false: *why says what is wrong.  ctl_args_fini() either way.
 */
bool ctl_args_read(struct ctl_args *, int argc, char *const *argv, char *why, size_t why_n);
void ctl_args_fini(struct ctl_args *);

#endif
