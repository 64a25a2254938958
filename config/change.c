/* SPDX-License-Identifier: MIT */
/*
 * Changing options over the API: what is changed is kept as a text in the syntax of a file, a line
 * a setting, which a load reads between the files and the environment.
 *
 * Who may change options must not get further than that: what guards the API itself and what says
 * where files are stays with those who have the machine.
 */
#include "config/life.h"
#include "config/value.h"
#include "proto/base/path.h"

#include <stdlib.h>

/* Why an option is nobody's to change over the API; NULL: it is not that. */
static const char *locked_by_kind(const struct option *o)
{
	static const char *const sections_kept[] = {"api", "state", "status"};

	for (size_t i = 0; i < ARRAY_LEN(sections_kept); i++)
		if (strcmp(o->section, sections_kept[i]) == 0)
			return "is set in the configuration file alone: it is about who gets in, "
			       "or "
			       "where the daemon keeps its state";
	if (o->type == TYPE_PATH || o->type == TYPE_PATHS)
		return "is set in the configuration file alone: it names places of this machine";
	if (o->type == TYPE_SECRET)
		return "is set in the configuration file alone: it is a secret";
	return NULL;
}

const char *config_locked(const struct config *c, enum config_option o)
{
	const char *why = locked_by_kind(&options[o]);

	if (why != NULL)
		return why;
	switch (config_source(c, o)->from) {
	case CONFIG_FROM_ENV:
		return "is set by the environment, which goes before what is changed here";
	case CONFIG_FROM_ARGS:
		return "is set by the command line, which goes before what is changed here";
	default:
		return NULL;
	}
}

/* --- files --- */

/* Whether the file is one that this machine's operator keeps with the configuration, or has named
 * already. */
static bool may_be_named(const struct config *c, const char *path)
{
	const struct config_list *files = config_files(c), *named = &c->blocklist_sources;

	for (size_t i = 0; i < named->n; i++)
		if (strcmp(named->v[i], path) == 0)
			return true;
	for (size_t i = 0; i < files->n; i++) {
		const char *slash = strrchr(files->v[i], '/');
		char *dir = xstrdup(files->v[i]);
		bool beneath;

		dir[slash != NULL ? slash - files->v[i] : 0] = '\0';
		beneath = dir[0] == '/' && path_beneath(dir, path) && strcmp(dir, path) != 0;
		xfree(dir);
		if (beneath)
			return true;
	}
	return false;
}

/* Who may change settings is not thereby one who may ask which files there are on this machine. */
static enum err check_files(
	const struct config *c, const struct config_list *sources, char *why, size_t size)
{
	for (size_t i = 0; i < sources->n; i++) {
		if (sources->v[i][0] != '/' || may_be_named(c, sources->v[i]))
			continue;
		snprintf(why, size,
			"blocklist.sources: \"%.200s\" does not lie beneath the directory of the "
			"configuration file: put it there, or name it in that file",
			sources->v[i]);
		return E_PERM;
	}
	return E_OK;
}

/* --- the text --- */

/* Whether a line of the text sets the option. */
static bool sets(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncmp(line, name, n) == 0 && line[n] == ' ';
}

/* All lines of the text but the one that sets the option. */
static void copy_others(const char *text, const char *name, FILE *out)
{
	while (text != NULL && *text != '\0') {
		size_t n = strcspn(text, "\n");

		if (!sets(text, name))
			fprintf(out, "%.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void replace_line(char **changed, const struct option *o, const void *field)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	must(out != NULL);
	copy_others(*changed, o->full, out);
	if (field != NULL) {
		fprintf(out, "%s = ", o->full);
		value_print(o, field, out);
		fputc('\n', out);
	}
	must(fclose(out) == 0);
	xfree(*changed);
	*changed = text;
}

enum err config_change(char **changed, const struct config *c, const char *name, const char *value,
	char *why, size_t size)
{
	enum config_option o = option_find_full(name);
	const char *locked;
	struct config *scratch;
	enum err e = E_OK;

	if (o == OPT_MAX_) {
		int n = snprintf(why, size, "there is no option \"%.80s\"", name);

		option_suggest(NULL, name, why + n, size - (size_t)n);
		return E_NOT_FOUND;
	}
	locked = config_locked(c, o);
	if (locked != NULL && value != NULL) {
		snprintf(why, size, "%s %s", options[o].full, locked);
		return E_PERM;
	}
	scratch = config_new();
	if (value != NULL) {
		int n = snprintf(why, size, "%s: ", options[o].full);

		e = value_parse(&options[o], value, NULL, option_field(scratch, o), why + n,
			size - (size_t)n);
	}
	if (e == E_OK && value != NULL && o == OPT_blocklist_sources)
		e = check_files(c, &scratch->blocklist_sources, why, size);
	if (e == E_OK) {
		why[0] = '\0';
		replace_line(changed, &options[o],
			value != NULL ? option_field_const(scratch, o) : NULL);
	}
	config_drop(&scratch);
	return e;
}
