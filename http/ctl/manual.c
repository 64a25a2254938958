/* SPDX-License-Identifier: MIT */
/* torrentctl(1), made of the tables so that it cannot differ from the program. */
#include "config/config.h"
#include "config/man.h"
#include "http/ctl/usage.h"

static void print_option(enum ctl_option o, FILE *out)
{
	const struct ctl_option_row *row = ctl_option_row(o);
	char name[CTL_OPTION_NAME], head[96];

	ctl_option_print(o, name);
	if (row->letter != 0)
		snprintf(head, sizeof head, "-%c, %s%s%s", row->letter, name,
			row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
	else
		snprintf(head, sizeof head, "%s%s%s", name, row->value != NULL ? " " : "",
			row->value != NULL ? row->value : "");
	man_print_item(head, row->words, out);
}

static void print_options(enum ctl_verb v, FILE *out)
{
	for (unsigned o = 0; o < CTL_OPTION_MAX_; o++)
		if (v == CTL_VERB_MAX_ ? ctl_is_common((enum ctl_option)o)
				       : ctl_takes(v, (enum ctl_option)o) &&
						 !ctl_is_common((enum ctl_option)o))
			print_option((enum ctl_option)o, out);
}

static void print_commands(FILE *out)
{
	char head[160];

	fputs(".SH COMMANDS\n", out);
	for (unsigned v = 0; v < CTL_VERB_MAX_; v++) {
		const struct ctl_command_row *row = ctl_command_row((enum ctl_verb)v);

		snprintf(head, sizeof head, "%s %s", row->name, row->operands);
		man_print_item(head, row->words, out);
		if (row->options[0] == '\0')
			continue;
		fputs(".RS\n", out);
		print_options((enum ctl_verb)v, out);
		fputs(".RE\n", out);
	}
}

static void print_finding(FILE *out)
{
	fputs(".SH FINDING THE DAEMON\n", out);
	man_print_line("Without --url the daemon is the one on this machine: where "
		       "torrentd.conf(5) of the user says, or, where "
		       "the user has none, that of the service. Its token is api.token of the "
		       "configuration, or that of the "
		       "first start in the state directory, where it may be read. A token of this "
		       "machine's daemon is sent to no "
		       "other address.",
		out);
	fputs(".SH OUTPUT\n", out);
	man_print_line("On a terminal tables fit its width. For a program they are lines with tabs "
		       "between whole values, without a "
		       "heading; --json prints JSON. Errors are on standard error.",
		out);
}

void ctl_manual_print(FILE *out)
{
	man_print_head("TORRENTCTL", 1, "torrentctl", "operates torrentd", out);
	fputs(".SH SYNOPSIS\n.B torrentctl\nCOMMAND [OPTION]... [OPERAND]...\n.SH DESCRIPTION\n",
		out);
	man_print_line("torrentctl asks torrentd(1) over HTTP, on this machine or another. A "
		       "TORRENT is an info-hash, four or more of "
		       "its first digits, or a name.",
		out);
	print_commands(out);
	fputs(".SH OPTIONS\n", out);
	man_print_line("Every command takes these:", out);
	print_options(CTL_VERB_MAX_, out);
	print_finding(out);
	fputs(".SH ENVIRONMENT\n", out);
	man_print_item("TORRENTCTL_URL, TORRENTCTL_TOKEN",
		"where the daemon is, and the token for it", out);
	man_print_item("TORRENTD_API_PORT and the like", "as for torrentd(1)", out);
	fputs(".SH EXIT STATUS\n", out);
	man_print_item("0", "done", out);
	man_print_item("1", "the daemon refused, or something failed here", out);
	man_print_item("2", "the command line is wrong", out);
	man_print_item("3", "no daemon answers", out);
	man_print_item("4", "it wants a token, or one that may more", out);
	man_print_item("5",
		"there is no such torrent, option or token, or several torrents are meant", out);
	fputs(".SH SEE ALSO\n.BR torrentd (1), torrentd.conf (5)\n", out);
}
