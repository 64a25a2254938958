/* SPDX-License-Identifier: MIT */
/* The manual pages, made from the table of options, and what other pages are made with. */
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

/* What a page begins with: its title, section, and the line of NAME. */
void man_print_head(const char *title, int section, const char *name, const char *words, FILE *out);
/* A word and what it means; a line of text. */
void man_print_item(const char *name, const char *words, FILE *out);
void man_print_line(const char *s, FILE *out);

#endif
