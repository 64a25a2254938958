/* SPDX-License-Identifier: MIT */
/* The table of options, made from options.def, and finding entries in it by name. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "config/config.h"

enum option_type {
	TYPE_BOOL,
	TYPE_INT,
	TYPE_SIZE,
	TYPE_RATE,
	TYPE_DURATION,
	TYPE_RATIO,
	TYPE_STRING,
	TYPE_SECRET,
	TYPE_CHOICE,
	TYPE_PATH,
	TYPE_LIST,
	TYPE_PATHS,
};

struct option {
	const char *section, *name;
	const char *full; /* "section.name" */
	enum option_type type;
	const char *def; /* text, in the file's syntax */
	int64_t min, max;
	const char *unit;
	bool live;
	const char *doc;
	size_t offset; /* of the field in struct config */
};

struct section {
	const char *name, *doc;
};

/* Indexed by enum config_option. */
extern const struct option options[OPT_MAX_];

extern const struct section sections[];
extern const size_t sections_n;

/* The option's index, or OPT_MAX_.  Names need not end in NUL. */
enum config_option option_find(const char *section, const char *name);

/* Finds "section.name". */
enum config_option option_find_full(const char *full);

bool section_exists(const char *name);

/*
 * Writes "; did you mean ...?" or a list of what exists, for an unknown option or section.
 * `section` may be NULL: then `name` is a full name ("api.prot").
 */
void option_suggest(const char *section, const char *name, char *buf, size_t size);
void section_suggest(const char *name, char *buf, size_t size);

/* The least number of single-character edits (insert, delete, change, swap) from a to b, at
 * most 64. */
size_t option_distance(const char *a, const char *b);

/* The field of an option; c and the field stay const or not as c is. */
static inline void *option_field(struct config *c, enum config_option o)
{
	return (char *)c + options[o].offset;
}

static inline const void *option_field_const(const struct config *c, enum config_option o)
{
	return (const char *)c + options[o].offset;
}

#endif
