/* SPDX-License-Identifier: MIT */
/*
 * Cuts the command line and the environment into settings.
 *
 * An argument that begins with `--` and has a dot is an option of the table; the few without a dot
 * are listed here.
 */
#include "config/args.h"

#define ENV_PREFIX "TORRENTD_"

static const struct {
	const char *name;
	enum config_action action;
} flags[] = {
	{"check-config", CONFIG_CHECK},
	{"doctor", CONFIG_DOCTOR},
	{"print-config", CONFIG_PRINT},
	{"print-default-config", CONFIG_PRINT_DEFAULT},
	{"version", CONFIG_VERSION},
	{"help", CONFIG_HELP},
	{"print-man-1", CONFIG_MAN1},
	{"print-man-5", CONFIG_MAN5},
};

struct args args_of(int argc, char *const *argv)
{
	return (struct args){.argv = argv, .argc = argc, .next = 1};
}

static void set_bad(struct arg *out, const char *what, const char *then)
{
	out->kind = ARG_BAD;
	snprintf(out->why, sizeof out->why, "%.80s%s", what, then);
}

/* Copies the name before the '=' or the end; false when it is longer than any name. */
static bool copy_name(const char *from, size_t n, char *name, size_t size)
{
	size_t kept = MIN(n, size - 1);

	memcpy(name, from, kept);
	name[kept] = '\0';
	return kept == n;
}

static void read_setting(const char *full, const char *value, struct arg *out)
{
	char hint[160];

	out->option = option_find_full(full);
	if (out->option != OPT_MAX_) {
		out->kind = ARG_SET;
		out->value = value;
		return;
	}
	option_suggest(NULL, full, hint, sizeof hint);
	out->kind = ARG_BAD;
	snprintf(out->why, sizeof out->why, "unknown option \"%.80s\"%s", full, hint);
}

/* --set section.name=value */
static void read_set(const char *text, struct arg *out)
{
	char name[80];
	const char *equals = strchr(text, '=');

	if (equals == NULL) {
		set_bad(out, "--set", " needs section.name=value");
		return;
	}
	copy_name(text, (size_t)(equals - text), name, sizeof name);
	read_setting(name, equals + 1, out);
}

static bool read_flag(const char *name, struct arg *out)
{
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (strcmp(name, flags[i].name) == 0) {
			out->kind = ARG_ACTION;
			out->action = flags[i].action;
			return true;
		}
	}
	return false;
}

/* The first option of a section, or NULL. */
static const char *first_of_section(const char *name)
{
	for (unsigned i = 0; i < OPT_MAX_; i++)
		if (strcmp(name, options[i].section) == 0)
			return options[i].full;
	return NULL;
}

/*
 * Nearest among the flags, or the first option of that name whose section was left out ("--port"),
 * or the first of a section of that name ("--state").
 */
static void suggest_flag(const char *name, struct arg *out)
{
	const char *best = "config";

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (option_distance(name, flags[i].name) < option_distance(name, best))
			best = flags[i].name;
	if (option_distance(name, "set") < option_distance(name, best))
		best = "set";
	for (unsigned i = OPT_MAX_; i-- > 0;)
		if (strcmp(name, options[i].name) == 0)
			best = options[i].full;
	if (first_of_section(name) != NULL)
		best = first_of_section(name);
	out->kind = ARG_BAD;
	snprintf(out->why, sizeof out->why, "unknown option \"--%.80s\"; did you mean \"--%s\"?",
		name, best);
}

static void read_valued(const char *name, const char *value, struct arg *out)
{
	if (value == NULL) {
		set_bad(out, name, " needs a value");
	} else if (strcmp(name, "config") == 0) {
		out->kind = ARG_CONFIG;
		out->value = value;
	} else if (strcmp(name, "set") == 0) {
		read_set(value, out);
	} else {
		read_setting(name, value, out);
	}
}

static bool takes_value(const char *name)
{
	return strchr(name, '.') != NULL || strcmp(name, "config") == 0 || strcmp(name, "set") == 0;
}

static bool is_known(const char *name)
{
	return strchr(name, '.') == NULL || option_find_full(name) != OPT_MAX_;
}

void args_next(struct args *a, struct arg *out)
{
	char name[80];
	const char *text, *equals, *value = NULL;

	*out = (struct arg){.kind = ARG_END};
	if (a->next >= a->argc)
		return;
	text = a->argv[a->next++];
	if (strncmp(text, "--", 2) != 0 || text[2] == '\0') {
		set_bad(out, text, ": options begin with --; nothing else is expected");
		return;
	}
	equals = strchrnul(text, '=');
	copy_name(text + 2, (size_t)(equals - text) - 2, name, sizeof name);
	if (!takes_value(name)) {
		if (!read_flag(name, out))
			suggest_flag(name, out);
		else if (*equals == '=')
			set_bad(out, name, " takes no value");
		return;
	}
	if (*equals == '=')
		value = equals + 1;
	else if (a->next < a->argc && (is_known(name) || a->argv[a->next][0] != '-'))
		value = a->argv[a->next++];
	else if (!is_known(name))
		value = ""; /* the name is what is wrong, not the lack of a value */
	read_valued(name, value, out);
}

void env_name(enum config_option o, char *buf, size_t size)
{
	snprintf(buf, size, ENV_PREFIX "%s_%s", options[o].section, options[o].name);
	for (; *buf != '\0'; buf++)
		if (*buf >= 'a' && *buf <= 'z')
			*buf = (char)(*buf - 'a' + 'A');
}

/*
 * What container managers set for a service that is called torrentd (TORRENTD_PORT,
 * TORRENTD_SERVICE_HOST, TORRENTD_PORT_80_TCP) is not meant for us.
 */
static bool is_foreign(const char *name)
{
	return strcmp(name, ENV_PREFIX "PORT") == 0 ||
	       strncmp(name, ENV_PREFIX "PORT_", strlen(ENV_PREFIX "PORT_")) == 0 ||
	       strncmp(name, ENV_PREFIX "SERVICE_", strlen(ENV_PREFIX "SERVICE_")) == 0;
}

void env_read(const char *variable, struct arg *out, char *name, size_t size)
{
	char known[80], best[80] = "";
	const char *equals = strchrnul(variable, '=');

	*out = (struct arg){.kind = ARG_END};
	copy_name(variable, (size_t)(equals - variable), name, size);
	if (strncmp(name, ENV_PREFIX, strlen(ENV_PREFIX)) != 0 || *equals == '\0' ||
		is_foreign(name))
		return;
	for (unsigned i = 0; i < OPT_MAX_; i++) {
		env_name((enum config_option)i, known, sizeof known);
		if (strcmp(known, name) == 0) {
			out->kind = ARG_SET;
			out->option = (enum config_option)i;
			out->value = equals + 1;
			return;
		}
		if (i == 0 || option_distance(name, known) < option_distance(name, best))
			memcpy(best, known, sizeof best);
	}
	out->kind = ARG_BAD;
	snprintf(out->why, sizeof out->why, "there is no such option; the nearest is %s", best);
}

const char *env_get(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; envp != NULL && *envp != NULL; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return (*envp)[n + 1] != '\0' ? *envp + n + 1 : NULL;
	return NULL;
}
