/* SPDX-License-Identifier: MIT */
/* What torrentctl can be told: the tables of commands and options.  Constants. */
#ifndef HTTP_CTL_COMMANDS_H
#define HTTP_CTL_COMMANDS_H

#include "proto/base/base.h"

#define CTL_OPTION_NAME 32 /* room for "--first-last" */

enum ctl_option {
#define OPTION(name, ...) CTL_##name,
#include "http/ctl/options.def"
#undef OPTION
	CTL_OPTION_MAX_
};

enum ctl_verb {
#define COMMAND(name, ...) CTL_VERB_##name,
#include "http/ctl/commands.def"
#undef COMMAND
	CTL_VERB_MAX_
};

struct ctl_option_row {
	const char *name;  /* "token_file" */
	char letter;       /* 0: none */
	const char *value; /* what follows it; NULL: nothing */
	const char *words; /* what it does */
};

struct ctl_command_row {
	const char *name;
	uint32_t least, most; /* operands */
	const char *operands; /* how they are written */
	const char *options;  /* names with spaces between, besides those of every command */
	const char *words;    /* what it does */
};

const struct ctl_option_row *ctl_option_row(enum ctl_option);
const struct ctl_command_row *ctl_command_row(enum ctl_verb);

/* As it is written on a command line: "--token-file". */
void ctl_option_print(enum ctl_option, char out[CTL_OPTION_NAME]);

/* By what is written there, n characters without the dashes; CTL_OPTION_MAX_: there is none. */
enum ctl_option ctl_option_find(const char *name, size_t n);
enum ctl_option ctl_option_by_letter(char letter);
/* CTL_VERB_MAX_: there is none. */
enum ctl_verb ctl_verb_find(const char *name);

/* Those that every command takes, too. */
bool ctl_takes(enum ctl_verb, enum ctl_option);
bool ctl_is_common(enum ctl_option);

#endif
