/* SPDX-License-Identifier: MIT */
/* What is made of the tables of commands and options: help, the manual page, completion. */
#ifndef HTTP_CTL_USAGE_H
#define HTTP_CTL_USAGE_H

#include <stdio.h>

#include "http/ctl/commands.h"

/* All commands, or, of one, its options too. */
void ctl_usage_print(enum ctl_verb, FILE *out); /* CTL_VERB_MAX_: all */

/* torrentctl(1); no date and no machine goes into it. */
void ctl_manual_print(FILE *out);

/* shell: bash, zsh or fish.  false: another. */
bool ctl_completion_print(const char *shell, FILE *out);

#endif
