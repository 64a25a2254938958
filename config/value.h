/* SPDX-License-Identifier: MIT */
/* One value: from text to the field of its option and back, with units and limits. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/options.h"

/* Room for the longest reason. */
#define VALUE_WHY 400

/*
 * Parses `text` (quotes allowed) and replaces what `field` holds.  On error (E_SYNTAX, E_RANGE,
 * E_PATH) the field is as it was and `why` says what is wrong and what would be right, without
 * naming the option. home is what "~/" stands for; NULL when it is not known.
 */
enum err value_parse(const struct option *o, const char *text, const char *home, void *field,
	char *why, size_t size);

/* Checks an absolute path, makes "~/" and doubled or trailing slashes plain.  *out is the caller's.
 */
enum err value_parse_path(const char *text, const char *home, char **out, char *why, size_t size);

/* Gives back what the field owns; the field is then zero. */
void value_free(const struct option *o, void *field);

/* Replaces what `to` holds by a deep copy of `from`. */
void value_copy(const struct option *o, void *to, const void *from);

bool value_equal(const struct option *o, const void *a, const void *b);

/* Writes the value in the file's syntax, so that value_parse gives it back. */
void value_print(const struct option *o, const void *field, FILE *out);

/* The default as it would stand in a file: "" for the empty text, nothing for the empty list. */
const char *value_default(const struct option *o);

/* Writes what the option takes, for people: "number of peers, 1 to 1000". */
void value_print_limits(const struct option *o, FILE *out);

#endif
