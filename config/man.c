/* SPDX-License-Identifier: MIT */
/*
 * The manual pages, made from the table of options so that they cannot differ from the program.
 *
 * No date and no machine goes into them: the same sources give the same bytes.
 */
#include "config/man.h"

#include "config/value.h"

const struct man_flag man_flags[] = {
	{"config FILE", "read FILE instead of the usual one; it must exist"},
	{"set SECTION.NAME=VALUE", "the same as --SECTION.NAME=VALUE"},
	{"doctor",
		"say what reaches the daemon and what does not, and what to do about it, and end"},
	{"check-config", "read the configuration, say whether it is good, and end"},
	{"print-config", "print every option, its value and where it came from, and end"},
	{"print-default-config", "print an example file with every option, and end"},
	{"version", "print the version and end"},
	{"help", "print this and end"},
};
const size_t man_flags_n = ARRAY_LEN(man_flags);

/* Prints text so that roff takes no part of it as a command. */
static void print_roff(const char *s, FILE *out)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			fputs("\\e", out);
		else if (*s == '-')
			fputs("\\-", out);
		else if (*s == '"')
			fputs("\\(dq", out);
		else if (*s == '~')
			fputs("\\(ti", out);
		else
			fputc(*s, out);
	}
}

void man_print_line(const char *s, FILE *out)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", out);
	print_roff(s, out);
	fputc('\n', out);
}

void man_print_head(const char *title, int section, const char *name, const char *words, FILE *out)
{
	fputs(".\\\" SPDX-License-Identifier: MIT\n.\\\" Made by `make docs`.\n", out);
	fprintf(out, ".TH %s %d \"\" \"torrentd %s\"\n.SH NAME\n", title, section,
		config_version());
	print_roff(name, out);
	fputs(" \\- ", out);
	man_print_line(words, out);
}

void man_print_item(const char *name, const char *words, FILE *out)
{
	fputs(".TP\n.B ", out);
	man_print_line(name, out);
	man_print_line(words, out);
}

static void print_flags(FILE *out)
{
	char name[64];

	fputs(".SH OPTIONS\n", out);
	for (size_t i = 0; i < man_flags_n; i++) {
		snprintf(name, sizeof name, "--%s", man_flags[i].usage);
		man_print_item(name, man_flags[i].words, out);
	}
	man_print_item("--SECTION.NAME=VALUE",
		"set one option of torrentd.conf(5), over what files and "
		"environment say",
		out);
}

void man_print_command(FILE *out)
{
	man_print_head("TORRENTD", 1, "torrentd", "headless BitTorrent daemon", out);
	fputs(".SH SYNOPSIS\n.B torrentd\n[\\-\\-config FILE] [\\-\\-SECTION.NAME=VALUE]...\n",
		out);
	fputs(".SH DESCRIPTION\n", out);
	man_print_line(
		"torrentd downloads and shares files by BitTorrent and is operated over HTTP, by "
		"default "
		"at http://127.0.0.1:8080. It runs in the foreground and logs to standard error.",
		out);
	print_flags(out);
	fputs(".SH SIGNALS\n", out);
	man_print_item("SIGTERM, SIGINT",
		"stop: finish what is being written, tell trackers, end. A second "
		"one ends at once; what was verified is kept either way.",
		out);
	man_print_item("SIGHUP",
		"read the configuration again. Options that are live change; for the others "
		"the log names what needs a restart. With an error in it nothing changes.",
		out);
	fputs(".SH ENVIRONMENT\n", out);
	man_print_item(
		"TORRENTD_SECTION_NAME", "sets an option, such as TORRENTD_API_PORT=8080", out);
	man_print_item("XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_DOWNLOAD_DIR",
		"move the default places of a user", out);
	man_print_item(
		"STATE_DIRECTORY", "set by systemd: the default places of a service are used", out);
	fputs(".SH FILES\n", out);
	man_print_item("~/.config/torrentd/torrentd.conf", "the configuration of a user", out);
	man_print_item("/etc/torrentd/torrentd.conf", "the configuration of a service", out);
	man_print_item("conf.d/*.conf",
		"next to that file: read after it, in the order of their names", out);
	fputs(".SH EXIT STATUS\n", out);
	man_print_line(
		"0 after a stop that was asked for; 1 when the daemon could not start or go on; "
		"2 when the "
		"configuration is wrong.",
		out);
	fputs(".SH SEE ALSO\n.BR torrentd.conf (5)\n", out);
}

static void print_option(const struct option *o, FILE *out)
{
	fputs(".TP\n.B ", out);
	print_roff(o->name, out);
	fputs(" = ", out);
	man_print_line(value_default(o), out);
	man_print_line(o->doc, out);
	fputs("(", out);
	value_print_limits(o, out);
	fprintf(out, "; %s)\n", o->live ? "live" : "needs a restart");
}

static void print_syntax(FILE *out)
{
	man_print_line(
		"The file has lines of the form key = value beneath headings of the form "
		"[section]. A # at "
		"the start of a line or after a space begins a comment. An unknown key or a "
		"wrong value is "
		"an error that names file, line and the nearest key, and the daemon does not "
		"start.",
		out);
	fputs(".PP\n", out);
	man_print_line(
		"Later sources win over earlier ones: defaults, the file, the files in conf.d "
		"next to it, "
		"what was changed over the API, the environment (TORRENTD_API_PORT=8080), the "
		"command line (--api.port=8080). The daemon never writes its configuration: "
		"what the API changes is kept in its state.",
		out);
	fputs(".SH VALUES\n", out);
	man_print_item("text, path",
		"as it stands, or in double quotes, within which \\\" and \\\\ stand for the "
		"characters themselves. A path begins with / or ~/.",
		out);
	man_print_item("list", "entries parted by commas, each quoted or not", out);
	man_print_item("size", "a number with B, KiB, MiB, GiB or TiB", out);
	man_print_item("rate", "a number with B/s, KiB/s, MiB/s or GiB/s", out);
	man_print_item("duration", "a number with us, ms, s, m, h or d", out);
	man_print_item("true or false", "also yes, no, on, off", out);
}

void man_print_file(FILE *out)
{
	man_print_head("TORRENTD.CONF", 5, "torrentd.conf", "configuration of torrentd", out);
	fputs(".SH DESCRIPTION\n", out);
	print_syntax(out);
	for (size_t s = 0; s < sections_n; s++) {
		fprintf(out, ".SH [%s]\n", sections[s].name);
		man_print_line(sections[s].doc, out);
		for (unsigned i = 0; i < OPT_MAX_; i++)
			if (strcmp(options[i].section, sections[s].name) == 0)
				print_option(&options[i], out);
	}
	fputs(".SH SEE ALSO\n.BR torrentd (1)\n", out);
}
