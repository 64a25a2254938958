/* SPDX-License-Identifier: MIT */
/* The tables of commands and options, and finding in them. */
#include "http/ctl/commands.h"

#include <stdio.h>

#define MANY UINT32_MAX

static const struct ctl_option_row options[] = {
#define OPTION(name, letter, value, words) {#name, letter, value, words},
#include "http/ctl/options.def"
#undef OPTION
};

static const struct ctl_command_row commands[] = {
#define COMMAND(name, least, most, operands, options, words)                                       \
	{#name, least, most, operands, options, words},
#include "http/ctl/commands.def"
#undef COMMAND
};

const struct ctl_option_row *ctl_option_row(enum ctl_option o)
{
	must(o < CTL_OPTION_MAX_);
	return &options[o];
}

const struct ctl_command_row *ctl_command_row(enum ctl_verb v)
{
	must(v < CTL_VERB_MAX_);
	return &commands[v];
}

void ctl_option_print(enum ctl_option o, char out[CTL_OPTION_NAME])
{
	int n = snprintf(out, CTL_OPTION_NAME, "--%s", ctl_option_row(o)->name);

	must(n > 0 && n < CTL_OPTION_NAME);
	for (char *p = out; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
}

enum ctl_option ctl_option_find(const char *name, size_t n)
{
	char written[CTL_OPTION_NAME];
	unsigned o = 0;

	for (; o < CTL_OPTION_MAX_; o++) {
		ctl_option_print((enum ctl_option)o, written);
		if (strlen(written + 2) == n && memcmp(written + 2, name, n) == 0)
			break;
	}
	return (enum ctl_option)o;
}

enum ctl_option ctl_option_by_letter(char letter)
{
	unsigned o = 0;

	while (o < CTL_OPTION_MAX_ && options[o].letter != letter)
		o++;
	return (enum ctl_option)o;
}

enum ctl_verb ctl_verb_find(const char *name)
{
	unsigned v = 0;

	while (v < CTL_VERB_MAX_ && strcmp(commands[v].name, name) != 0)
		v++;
	return (enum ctl_verb)v;
}

bool ctl_is_common(enum ctl_option o)
{
	return o <= CTL_version; /* they stand first */
}

bool ctl_takes(enum ctl_verb v, enum ctl_option o)
{
	const char *name = ctl_option_row(o)->name;
	size_t n = strlen(name);

	for (const char *p = ctl_command_row(v)->options; *p != '\0'; p += strspn(p, " ")) {
		size_t word = strcspn(p, " ");

		if (word == n && memcmp(p, name, n) == 0)
			return true;
		p += word;
	}
	return ctl_is_common(o);
}
