/* SPDX-License-Identifier: MIT */
/* The manual pages, made from the table of options. */
#ifndef CONFIG_MAN_H
#define CONFIG_MAN_H

#include "config/options.h"

/* The arguments that are no options of the table, for the help and torrentd(1). */
struct man_flag {
	const char *usage, *words;
};

extern const struct man_flag man_flags[];
extern const size_t man_flags_n;

/* torrentd(1) and torrentd.conf(5), in roff. */
void man_print_command(FILE *out);
void man_print_file(FILE *out);

#endif
