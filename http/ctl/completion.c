/* SPDX-License-Identifier: MIT */
/* Completion for shells: commands, options, and torrents by their first digits. */
#include "http/ctl/ctl.h"
#include "http/ctl/term.h"
#include "http/ctl/usage.h"

/* The names of a command's options, with spaces between. */
static void print_names(enum ctl_verb v, FILE *out)
{
	char name[CTL_OPTION_NAME];
	bool first = true;

	for (unsigned o = 0; o < CTL_OPTION_MAX_; o++) {
		if (!ctl_takes(v, (enum ctl_option)o))
			continue;
		ctl_option_print((enum ctl_option)o, name);
		fprintf(out, "%s%s", first ? "" : " ", name);
		first = false;
	}
}

static void print_verbs(FILE *out)
{
	for (unsigned v = 0; v < CTL_VERB_MAX_; v++)
		fprintf(out, "%s%s", v > 0 ? " " : "", ctl_command_row((enum ctl_verb)v)->name);
}

static bool names_torrents(enum ctl_verb v)
{
	return strstr(ctl_command_row(v)->operands, "TORRENT") != NULL;
}

/* In single quotes, as a shell and fish have it. */
static void print_quoted(const char *text, FILE *out)
{
	fputc('\'', out);
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	fputc('\'', out);
}

#define MADE_BY "# SPDX-License-Identifier: MIT\n# Made by torrentctl completion.\n"

static void print_bash(FILE *out)
{
	fputs(MADE_BY "_torrentctl() {\n\tlocal word=${COMP_WORDS[COMP_CWORD]} words=\n\tif [ "
		      "\"$COMP_CWORD\" -eq 1 ]; then\n\t\twords='",
		out);
	print_verbs(out);
	fputs("'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", out);
	for (unsigned v = 0; v < CTL_VERB_MAX_; v++) {
		fprintf(out, "\t\t%s) words='", ctl_command_row((enum ctl_verb)v)->name);
		print_names((enum ctl_verb)v, out);
		fputs("'", out);
		if (names_torrents((enum ctl_verb)v))
			fputs("\n\t\t\tcase $word in -*) ;; *) words=$(torrentctl list 2>/dev/null "
			      "| cut -c1-8) ;; esac",
				out);
		fputs(" ;;\n", out);
	}
	fputs("\t\tesac\n\tfi\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n"
	      "complete -o default -F _torrentctl torrentctl\n",
		out);
}

/* zsh takes names and words with a colon between. */
static void print_described(const char *name, const char *words, FILE *out)
{
	fputc('\'', out);
	fputs(name, out);
	fputc(':', out);
	for (; *words != '\0'; words++)
		if (*words == '\'')
			fputs("'\\''", out);
		else
			fputc(*words, out);
	fputc('\'', out);
}

static void print_zsh_options(enum ctl_verb v, FILE *out)
{
	char name[CTL_OPTION_NAME];

	for (unsigned o = 0; o < CTL_OPTION_MAX_; o++) {
		if (!ctl_takes(v, (enum ctl_option)o))
			continue;
		ctl_option_print((enum ctl_option)o, name);
		fputc(' ', out);
		print_described(name, ctl_option_row((enum ctl_option)o)->words, out);
	}
}

/* "words" is what zsh gives: the line so far. */
static void print_zsh(FILE *out)
{
	fputs("#compdef torrentctl\n" MADE_BY
	      "_torrentctl() {\n\tlocal -a found\n\tif (( CURRENT == 2 )); then\n\t\tfound=(",
		out);
	for (unsigned v = 0; v < CTL_VERB_MAX_; v++) {
		fputs("\n\t\t\t", out);
		print_described(ctl_command_row((enum ctl_verb)v)->name,
			ctl_command_row((enum ctl_verb)v)->words, out);
	}
	fputs(")\n\t\t_describe command found\n\t\treturn\n\tfi\n\tcase $words[2] in\n", out);
	for (unsigned v = 0; v < CTL_VERB_MAX_; v++) {
		fprintf(out, "\t%s) found=(", ctl_command_row((enum ctl_verb)v)->name);
		print_zsh_options((enum ctl_verb)v, out);
		fputs(")", out);
		if (names_torrents((enum ctl_verb)v))
			fputs("\n\t\t[[ $PREFIX == -* ]] || found=(${(f)\"$(torrentctl list "
			      "2>/dev/null | awk -F'\\t' "
			      "'{gsub(\":\", \" \", $2); print substr($1, 1, 8) \":\" $2}')\"})",
				out);
		fputs(" ;;\n", out);
	}
	fputs("\tesac\n\t_describe value found\n\t_files\n}\n_torrentctl \"$@\"\n", out);
}

static void print_fish_options(enum ctl_verb v, FILE *out)
{
	const char *verb = ctl_command_row(v)->name;

	for (unsigned o = 0; o < CTL_OPTION_MAX_; o++) {
		const struct ctl_option_row *row = ctl_option_row((enum ctl_option)o);
		char name[CTL_OPTION_NAME];

		if (!ctl_takes(v, (enum ctl_option)o) || ctl_is_common((enum ctl_option)o))
			continue;
		ctl_option_print((enum ctl_option)o, name);
		fprintf(out, "complete -c torrentctl -n '__fish_seen_subcommand_from %s' -l %s",
			verb, name + 2);
		if (row->letter != 0)
			fprintf(out, " -s %c", row->letter);
		fprintf(out, "%s -d ", row->value != NULL ? " -r" : "");
		print_quoted(row->words, out);
		fputc('\n', out);
	}
}

static void print_fish(FILE *out)
{
	fputs(MADE_BY, out);
	for (unsigned v = 0; v < CTL_VERB_MAX_; v++) {
		const struct ctl_command_row *row = ctl_command_row((enum ctl_verb)v);

		fprintf(out, "complete -c torrentctl -n __fish_use_subcommand -f -a %s -d ",
			row->name);
		print_quoted(row->words, out);
		fputc('\n', out);
		print_fish_options((enum ctl_verb)v, out);
		if (names_torrents((enum ctl_verb)v))
			fprintf(out,
				"complete -c torrentctl -n '__fish_seen_subcommand_from %s' -f -a "
				"'(torrentctl list 2>/dev/null | string replace -r "
				"\"^(.{8})[^\\t]*\\t([^\\t]*).*\" \"\\$1\\t\\$2\")'\n",
				row->name);
	}
}

bool ctl_completion_print(const char *shell, FILE *out)
{
	static const struct {
		const char *name;
		void (*print)(FILE *);
	} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		if (strcmp(shells[i].name, shell) != 0)
			continue;
		shells[i].print(out);
		return true;
	}
	return false;
}

enum ctl_status ctl_run_completion(struct ctl *c)
{
	if (ctl_completion_print(c->args->words[0], stdout))
		return CTL_DONE;
	ctl_complain("there is no completion for %s: it is made for bash, zsh and fish",
		c->args->words[0]);
	return CTL_USAGE;
}
