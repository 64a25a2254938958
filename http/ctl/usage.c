/* SPDX-License-Identifier: MIT */
/* Help for people at a terminal. */
#include "http/ctl/usage.h"

#include "http/ctl/ctl.h"
#include "http/ctl/term.h"

static const char examples[] = "  torrentctl add debian.torrent 'magnet:?xt=...' --wait\n"
			       "  torrentctl list --sort down\n"
			       "  torrentctl stop 19f15c33 'a film'\n"
			       "  torrentctl watch\n";

static void print_option(enum ctl_option o, FILE *out)
{
	const struct ctl_option_row *row = ctl_option_row(o);
	char name[CTL_OPTION_NAME], whole[64];

	ctl_option_print(o, name);
	snprintf(whole, sizeof whole, "%s%s%s", name, row->value != NULL ? " " : "",
		row->value != NULL ? row->value : "");
	if (row->letter != 0)
		fprintf(out, "  -%c, %-18s %s\n", row->letter, whole, row->words);
	else
		fprintf(out, "      %-18s %s\n", whole, row->words);
}

static void print_options(enum ctl_verb v, bool common, FILE *out)
{
	for (unsigned o = 0; o < CTL_OPTION_MAX_; o++)
		if (ctl_is_common((enum ctl_option)o) == common &&
			(common || ctl_takes(v, (enum ctl_option)o)))
			print_option((enum ctl_option)o, out);
}

static void print_all(FILE *out)
{
	fprintf(out, "torrentctl operates torrentd.\n\n%s\n", examples);
	for (unsigned v = 0; v < CTL_VERB_MAX_; v++)
		fprintf(out, "  %-12s%s\n", ctl_command_row((enum ctl_verb)v)->name,
			ctl_command_row((enum ctl_verb)v)->words);
	fputs("\nWith every command:\n", out);
	print_options(CTL_VERB_MAX_, true, out);
	fputs("\nA TORRENT is an info-hash, four or more of its first digits, or a name.\n"
	      "torrentctl help COMMAND says more; torrentctl(1) says all.\n",
		out);
}

void ctl_usage_print(enum ctl_verb v, FILE *out)
{
	const struct ctl_command_row *row;

	if (v == CTL_VERB_MAX_) {
		print_all(out);
		return;
	}
	row = ctl_command_row(v);
	fprintf(out, "torrentctl %s%s%s\n\n  %s\n", row->name, row->operands[0] != '\0' ? " " : "",
		row->operands, row->words);
	if (row->options[0] != '\0')
		fputc('\n', out);
	print_options(v, false, out);
	fputs("\nWith every command:\n", out);
	print_options(v, true, out);
}

enum ctl_status ctl_run_help(struct ctl *c)
{
	enum ctl_verb v = c->args->words_n > 0 ? ctl_verb_find(c->args->words[0]) : CTL_VERB_MAX_;

	if (c->args->words_n > 0 && v == CTL_VERB_MAX_) {
		ctl_complain("there is no command %s: torrentctl help says which there are",
			c->args->words[0]);
		return CTL_USAGE;
	}
	ctl_usage_print(v, stdout);
	return CTL_DONE;
}
