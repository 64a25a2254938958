/* SPDX-License-Identifier: MIT */
/*
 * What the program says of its configuration: the values in force, the example file, the help.
 *
 * All comes from the table, so a new option is documented by being there.
 */
#include "config/man.h"
#include "config/value.h"

/* Where comments are broken. */
#define COMMENT_WIDTH 92

/* Prints text as comment lines of at most COMMENT_WIDTH columns. */
static void print_comment(const char *text, FILE *out)
{
	while (*text != '\0') {
		size_t n = strlen(text);
		if (n > COMMENT_WIDTH) {
			for (n = COMMENT_WIDTH; n > 0 && text[n] != ' '; n--)
				;
			n = n > 0 ? n : COMMENT_WIDTH;
		}
		fprintf(out, "# %.*s\n", (int)n, text);
		text += n;
		text += *text == ' ';
	}
}

static void print_source(const struct config_source *s, FILE *out)
{
	fprintf(out, "  # %s", s->where);
	if (s->line > 0)
		fprintf(out, ":%d", s->line);
	fputc('\n', out);
}

static void print_setting(const struct config *c, enum config_option o, FILE *out)
{
	const struct option *opt = &options[o];

	/* The output is pasted into questions and bug reports: no secret may be in it. */
	if (opt->type == TYPE_SECRET && **(char *const *)option_field_const(c, o) != '\0') {
		fprintf(out, "#%s = (hidden)", opt->name);
	} else {
		fprintf(out, "%s = ", opt->name);
		value_print(opt, option_field_const(c, o), out);
	}
	print_source(config_source(c, o), out);
}

static void print_config(const struct config *c, FILE *out)
{
	for (size_t s = 0; s < sections_n; s++) {
		fprintf(out, "%s[%s]\n", s > 0 ? "\n" : "", sections[s].name);
		for (unsigned i = 0; i < OPT_MAX_; i++)
			if (strcmp(options[i].section, sections[s].name) == 0)
				print_setting(c, (enum config_option)i, out);
	}
}

static void print_example_option(const struct option *o, FILE *out)
{
	fputc('\n', out);
	print_comment(o->doc, out);
	fputs("# (", out);
	value_print_limits(o, out);
	fprintf(out, "%s)\n#%s =%s%s\n", o->live ? "; live" : "", o->name,
		value_default(o)[0] != '\0' ? " " : "", value_default(o));
}

static void print_example(FILE *out)
{
	print_comment("The configuration of torrentd. Every option is here with its default, "
		      "commented out. "
		      "Options marked \"live\" follow a reload (SIGHUP), the others a restart.",
		out);
	print_comment("Sizes are written in B, KiB, MiB, GiB or TiB, rates in B/s, KiB/s, MiB/s or "
		      "GiB/s, "
		      "durations in us, ms, s, m, h or d. Lists are parted by commas. Text with a "
		      "comma, a # or "
		      "spaces at its ends goes in double quotes.",
		out);
	for (size_t s = 0; s < sections_n; s++) {
		fprintf(out, "\n\n# %s\n[%s]\n", sections[s].doc, sections[s].name);
		for (unsigned i = 0; i < OPT_MAX_; i++)
			if (strcmp(options[i].section, sections[s].name) == 0)
				print_example_option(&options[i], out);
	}
}

static void print_help(FILE *out)
{
	fputs("usage: torrentd [--config FILE] [--SECTION.NAME=VALUE]...\n\n", out);
	for (size_t i = 0; i < man_flags_n; i++)
		fprintf(out, "  --%-22s %s\n", man_flags[i].usage, man_flags[i].words);
	fputs("\nOptions and their defaults; torrentd.conf(5) and --print-default-config explain "
	      "them:\n",
		out);
	for (unsigned i = 0; i < OPT_MAX_; i++)
		fprintf(out, "  --%s=%s%s%s\n", options[i].full,
			strchr(options[i].def, ' ') != NULL ? "\"" : "", options[i].def,
			strchr(options[i].def, ' ') != NULL ? "\"" : "");
}

static void print_check(const struct config *c, FILE *out)
{
	const struct config_list *files = config_files(c);

	fputs("the configuration is good; files read:", out);
	for (size_t i = 0; i < files->n; i++)
		fprintf(out, " %s", files->v[i]);
	fputs(files->n == 0 ? " none\n" : "\n", out);
}

int config_perform(enum config_action action, const struct config *c, FILE *out)
{
	switch (action) {
	case CONFIG_RUN:
	case CONFIG_DOCTOR:
		break;
	case CONFIG_CHECK:
		print_check(c, out);
		break;
	case CONFIG_PRINT:
		print_config(c, out);
		break;
	case CONFIG_PRINT_DEFAULT:
		print_example(out);
		break;
	case CONFIG_VERSION:
		fprintf(out, "torrentd %s\n", config_version());
		break;
	case CONFIG_HELP:
		print_help(out);
		break;
	case CONFIG_MAN1:
		man_print_command(out);
		break;
	case CONFIG_MAN5:
		man_print_file(out);
		break;
	}
	return fflush(out) == 0 && ferror(out) == 0 ? 0 : 1;
}
