/* SPDX-License-Identifier: MIT */
/*
 * Loading: defaults, files, changes, environment and command line, one over the other.
 *
 * A wrong setting is reported and skipped, so that one run shows every error; only when there was
 * none does a config come out.
 */
#include "config/load.h"

#include "config/args.h"
#include "config/check.h"
#include "config/file.h"
#include "config/life.h"
#include "config/proxy.h"
#include "config/value.h"

#include <dirent.h>
#include <stdlib.h>

/* Sets one option, or reports why not; the report already knows the place. */
static void apply(struct load *l, enum config_option o, const char *text, enum config_from from,
	const char *where, int line)
{
	const struct option *opt = &options[o];
	char why[VALUE_WHY];

	if (value_parse(opt, text, l->home, option_field(l->c, o), why, sizeof why) == E_OK)
		config_set_source(l->c, o, from, where, line);
	else
		report_add(l->report, "%s: %s", opt->full, why);
}

/* A path as a quoted value, so that any byte in it is taken as it is. */
static char *quote_path(const char *path)
{
	char *out, *w;

	if (path == NULL)
		return NULL;
	out = w = xcalloc(2, strlen(path) + 2);
	*w++ = '"';
	for (; *path != '\0'; path++) {
		if (*path == '"' || *path == '\\')
			*w++ = '\\';
		*w++ = *path;
	}
	*w = '"';
	return out;
}

/* A default that needs $HOME where there is none stays empty, until require_paths() asks. */
static void apply_defaults(struct load *l, const struct paths *p)
{
	for (unsigned i = 0; i < OPT_MAX_; i++) {
		const char *text = options[i].def;
		char *quoted = NULL;
		if (i == OPT_download_dir)
			text = quoted = quote_path(p->downloads);
		if (i == OPT_state_dir)
			text = quoted = quote_path(p->state);
		if (text != NULL)
			apply(l, (enum config_option)i, text, CONFIG_FROM_DEFAULT, "default", 0);
		xfree(quoted);
	}
}

static void require_paths(struct load *l)
{
	static const enum config_option needed[] = {OPT_download_dir, OPT_state_dir};

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		char **field = option_field(l->c, needed[i]);
		if (*field != NULL)
			continue;
		report_add(l->report, "%s has no default without $HOME: set it",
			options[needed[i]].full);
		*field = xstrdup("/");
	}
}

static void require_roots(struct config *c)
{
	if (c->download_roots.n > 0)
		return;
	c->download_roots.v = xcalloc(1, sizeof *c->download_roots.v);
	c->download_roots.v[0] = xstrdup(c->download_dir);
	c->download_roots.n = 1;
}

/* Finds the option that an entry names; its key may be a full name. */
static enum config_option find_entry(struct load *l, const struct file_entry *e)
{
	char hint[300];
	enum config_option o = option_find_full(e->key);

	if (o == OPT_MAX_ && e->section != NULL)
		o = option_find(e->section, e->key);
	if (o != OPT_MAX_)
		return o;
	option_suggest(e->section, e->key, hint, sizeof hint);
	if (e->section != NULL)
		report_add(
			l->report, "unknown option \"%.80s\" in [%s]%s", e->key, e->section, hint);
	else
		report_add(l->report, "unknown option \"%.80s\" outside any [section]%s", e->key,
			hint);
	return OPT_MAX_;
}

static void apply_entry(struct load *l, const struct file_entry *e, const char *path, int line)
{
	enum config_option o = find_entry(l, e);
	const struct config_source *s;

	if (o == OPT_MAX_)
		return;
	s = config_source(l->c, o);
	if (s->from == l->from && strcmp(s->where, path) == 0)
		report_add(l->report, "%s is already set on line %d", options[o].full, s->line);
	else
		apply(l, o, e->value, l->from, path, line);
}

void load_text(struct load *l, const char *path, char *text, size_t n)
{
	struct file_reader r = file_read(text, n);
	struct file_entry entry;
	char why[200];
	bool known = true;
	enum err e;

	while ((e = file_next(&r, &entry, why, sizeof why)) != E_NOT_FOUND) {
		report_at(l->report, path, r.line);
		if (e != E_OK) {
			report_add(l->report, "%s", why);
		} else if (entry.key != NULL) {
			/* An unknown section was reported once, for all that is in it. */
			if (known)
				apply_entry(l, &entry, path, r.line);
		} else {
			known = section_exists(entry.section);
			if (known)
				continue;
			section_suggest(entry.section, why, sizeof why);
			report_add(l->report, "unknown section [%.80s]%s", entry.section, why);
		}
	}
}

static void load_file(struct load *l, const char *path, bool required)
{
	char *text = NULL;
	size_t n;
	enum err e = file_slurp(path, &text, &n);

	if (e == E_NOENT && !required)
		return;
	report_at(l->report, path, 0);
	if (e != E_OK) {
		report_add(l->report, "the configuration file cannot be read: %s", err_words(e));
		return;
	}
	config_add_file(l->c, path);
	load_text(l, path, text, n);
	xfree(text);
}

static int is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".conf") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Loads conf.d/ *.conf next to the main file. */
static void load_folder(struct load *l, const char *file)
{
	char dir[4096], path[4400];
	const char *slash = strrchr(file, '/');
	struct dirent **list = NULL;
	int n;

	snprintf(dir, sizeof dir, "%.*sconf.d", slash != NULL ? (int)(slash - file) + 1 : 0, file);
	n = scandir(dir, &list, is_conf, by_bytes);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name);
		load_file(l, path, true);
		free(list[i]);
	}
	free(list);
}

static void load_files(struct load *l, const char *given, const char *usual)
{
	const char *file = given != NULL ? given : usual;

	if (file == NULL)
		return;
	load_file(l, file, given != NULL);
	load_folder(l, file);
}

static void load_changed(struct load *l, const char *changed)
{
	char *text;

	if (changed == NULL)
		return;
	text = xstrdup(changed);
	l->from = CONFIG_FROM_API;
	load_text(l, "API", text, strlen(text));
	xfree(text);
}

static void load_env(struct load *l, char *const *envp)
{
	char name[80];
	struct arg a;

	for (; envp != NULL && *envp != NULL; envp++) {
		env_read(*envp, &a, name, sizeof name);
		report_at(l->report, name, 0);
		if (a.kind == ARG_SET)
			apply(l, a.option, a.value, CONFIG_FROM_ENV, name, 0);
		else if (a.kind == ARG_BAD)
			report_add(l->report, "%s", a.why);
	}
}

static void load_args(struct load *l, const struct config_input *in)
{
	struct args args = args_of(in->argc, in->argv);
	struct arg a;

	report_at(l->report, "command line", 0);
	for (args_next(&args, &a); a.kind != ARG_END; args_next(&args, &a)) {
		if (a.kind == ARG_SET)
			apply(l, a.option, a.value, CONFIG_FROM_ARGS, "command line", 0);
		else if (a.kind == ARG_BAD)
			report_add(l->report, "%s", a.why);
	}
}

/* What the arguments ask for; the first of several wins, and help over all. */
static enum config_action find_action(const struct config_input *in, const char **file)
{
	struct args args = args_of(in->argc, in->argv);
	enum config_action action = CONFIG_RUN;
	struct arg a;

	*file = NULL;
	for (args_next(&args, &a); a.kind != ARG_END; args_next(&args, &a)) {
		if (a.kind == ARG_CONFIG)
			*file = a.value;
		if (a.kind == ARG_ACTION && (action == CONFIG_RUN || a.action == CONFIG_HELP))
			action = a.action;
	}
	return action;
}

void load_begin(struct load *l, const struct config_input *in, struct report *report)
{
	struct paths p = paths_find(in);

	*l = (struct load){
		.c = config_new(), .report = report, .home = p.home, .from = CONFIG_FROM_FILE};
	report_at(report, "default", 0);
	apply_defaults(l, &p);
	paths_done(&p);
}

enum err load_end(struct load *l, const struct config **out)
{
	report_at(l->report, NULL, 0);
	require_paths(l);
	require_roots(l->c);
	if (l->report->n == 0)
		config_check(l->c, l->report);
	report_end(l->report);
	if (l->report->n == 0) {
		config_settle_proxy(l->c);
		*out = l->c;
		l->c = NULL;
		return E_OK;
	}
	config_drop(&l->c);
	return E_SYNTAX;
}

static bool needs_config(enum config_action a)
{
	return a == CONFIG_RUN || a == CONFIG_DOCTOR || a == CONFIG_CHECK || a == CONFIG_PRINT;
}

enum err config_load(const struct config_input *in, const struct config **out,
	enum config_action *action, char *errors, size_t size)
{
	struct report report = report_of(errors, size);
	const char *file;
	struct load l;

	*out = NULL;
	*action = find_action(in, &file);
	if (!needs_config(*action))
		return E_OK;
	load_begin(&l, in, &report);
	if (!in->no_files) {
		struct paths p = paths_find(in);
		load_files(&l, file, p.config);
		paths_done(&p);
	}
	load_changed(&l, in->changed);
	load_env(&l, in->envp);
	load_args(&l, in);
	return load_end(&l, out);
}
