/* SPDX-License-Identifier: MIT */
/*
 * The table of options and finding entries in it, exactly or nearly.
 *
 * A mistyped key is an operator's most usual error, so an unknown name is answered with the nearest
 * one.
 */
#include "config/options.h"

#define KIB         INT64_C(1024)
#define MIB         (1024 * KIB)
#define GIB         (1024 * MIB)
#define MILLISECOND INT64_C(1000)
#define SECOND      (1000 * MILLISECOND)
#define MINUTE      (60 * SECOND)
#define HOUR        (60 * MINUTE)
#define LIVE        true
#define RESTART     false

/* clang-format off */
const struct option options[OPT_MAX_] = {
#define OPT(section_, name_, type_, def_, min_, max_, unit_, when_, doc_) \
	[OPT_##section_##_##name_] = { \
		.section = #section_, .name = #name_, .full = #section_ "." #name_, \
		.type = TYPE_##type_, .def = def_, .min = min_, .max = max_, .unit = unit_, \
		.live = when_, .doc = doc_, .offset = offsetof(struct config, section_##_##name_)},
#include "config/options.def"
};

const struct section sections[] = {
#define SECTION(name_, doc_) {.name = #name_, .doc = doc_},
#include "config/options.def"
};
/* clang-format on */

const size_t sections_n = ARRAY_LEN(sections);

/* Longer names are cut for the comparison; the longest real one is half of this. */
#define NAME_CUT 64

enum config_option option_find(const char *section, const char *name)
{
	unsigned i = 0;

	while (i < OPT_MAX_ &&
		(strcmp(options[i].section, section) != 0 || strcmp(options[i].name, name) != 0))
		i++;
	return (enum config_option)i;
}

enum config_option option_find_full(const char *full)
{
	unsigned i = 0;

	while (i < OPT_MAX_ && strcmp(options[i].full, full) != 0)
		i++;
	return (enum config_option)i;
}

bool section_exists(const char *name)
{
	for (size_t i = 0; i < sections_n; i++)
		if (strcmp(sections[i].name, name) == 0)
			return true;
	return false;
}

size_t option_distance(const char *a, const char *b)
{
	size_t an = strnlen(a, NAME_CUT), bn = strnlen(b, NAME_CUT);
	uint8_t rows[3][NAME_CUT + 1]; /* of the row before last, the last and this one */
	uint8_t *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= bn; j++)
		last[j] = before[j] = (uint8_t)j;
	for (size_t i = 1; i <= an; i++) {
		row[0] = (uint8_t)i;
		for (size_t j = 1; j <= bn; j++) {
			int best = last[j - 1] + (a[i - 1] != b[j - 1]);
			best = MIN(best, last[j] + 1);
			best = MIN(best, row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, before[j - 2] + 1);
			row[j] = (uint8_t)best;
		}
		uint8_t *spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[bn];
}

/* Whether two names are near enough for one to be meant by the other. */
static bool is_near(size_t distance, const char *typed)
{
	return distance <= MAX(1, strnlen(typed, NAME_CUT) / 2);
}

static const struct option *nearest_option(const char *section, const char *name, size_t *distance)
{
	const struct option *best = NULL;

	*distance = SIZE_MAX;
	for (unsigned i = 0; i < OPT_MAX_; i++) {
		const struct option *o = &options[i];
		if (section != NULL && strcmp(o->section, section) != 0)
			continue;
		size_t d = option_distance(name, section != NULL ? o->name : o->full);
		if (d < *distance) {
			*distance = d;
			best = o;
		}
	}
	return best;
}

/* The same name in another section: the operator looked in the wrong place. */
static const struct option *find_elsewhere(const char *name)
{
	for (unsigned i = 0; i < OPT_MAX_; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static void list_options(const char *section, char *buf, size_t size)
{
	int used = snprintf(buf, size, "; its options are");

	for (unsigned i = 0; i < OPT_MAX_ && used > 0 && (size_t)used < size; i++)
		if (strcmp(options[i].section, section) == 0)
			used += snprintf(buf + used, size - (size_t)used, " %s", options[i].name);
}

void option_suggest(const char *section, const char *name, char *buf, size_t size)
{
	size_t distance;
	const struct option *o = nearest_option(section, name, &distance);

	if (o != NULL && is_near(distance, name)) {
		snprintf(buf, size, "; did you mean \"%s\"?", section != NULL ? o->name : o->full);
	} else if ((o = find_elsewhere(name)) != NULL) {
		snprintf(buf, size, "; did you mean \"%s\" in [%s]?", o->name, o->section);
	} else if (section != NULL) {
		list_options(section, buf, size);
	} else {
		snprintf(buf, size, "; --help lists them");
	}
}

void section_suggest(const char *name, char *buf, size_t size)
{
	const struct section *best = &sections[0];

	for (size_t i = 1; i < sections_n; i++)
		if (option_distance(name, sections[i].name) < option_distance(name, best->name))
			best = &sections[i];
	if (is_near(option_distance(name, best->name), name)) {
		snprintf(buf, size, "; did you mean [%s]?", best->name);
		return;
	}
	int used = snprintf(buf, size, "; the sections are");
	for (size_t i = 0; i < sections_n && used > 0 && (size_t)used < size; i++)
		used += snprintf(buf + used, size - (size_t)used, " [%s]", sections[i].name);
}
