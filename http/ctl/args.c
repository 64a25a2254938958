/* SPDX-License-Identifier: MIT */
/* Reading the command line. */
#include "http/ctl/args.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/base/array.h"

struct reader {
	struct ctl_args *args;
	int argc, next;
	char *const *argv;
	char *why;
	size_t why_n;
};

static bool PRINTF_LIKE(2, 3) refuse(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, r->why_n, fmt, ap);
	va_end(ap);
	return false;
}

/* `shown` is as it was written; attached: what stands in the same word, or NULL. */
static bool take_option(
	struct reader *r, enum ctl_option o, const char *shown, const char *attached)
{
	if (o == CTL_OPTION_MAX_)
		return refuse(
			r, "there is no option %s: torrentctl help says which there are", shown);
	r->args->given[o] = true;
	if (ctl_option_row(o)->value == NULL) {
		if (attached != NULL)
			return refuse(r, "the option %s takes no value", shown);
		return true;
	}
	if (attached == NULL && r->next == r->argc)
		return refuse(
			r, "the option %s needs a value: %s", shown, ctl_option_row(o)->value);
	r->args->value[o] = attached != NULL ? attached : r->argv[r->next++];
	return true;
}

static bool take_long(struct reader *r, const char *word)
{
	size_t n = strcspn(word + 2, "=");
	const char *attached = word[2 + n] == '=' ? word + 2 + n + 1 : NULL;

	return take_option(r, ctl_option_find(word + 2, n), word, attached);
}

/* -jw is -j -w; what stands behind a letter that takes a value is its value. */
static bool take_letters(struct reader *r, const char *word)
{
	for (const char *p = word + 1; *p != '\0'; p++) {
		enum ctl_option o = ctl_option_by_letter(*p);
		bool valued = o != CTL_OPTION_MAX_ && ctl_option_row(o)->value != NULL;

		if (!take_option(r, o, word, valued && p[1] != '\0' ? p + 1 : NULL))
			return false;
		if (valued)
			break;
	}
	return true;
}

static bool take_word(struct reader *r, const char *word)
{
	struct ctl_args *a = r->args;

	if (a->verb == CTL_VERB_MAX_) {
		a->verb = ctl_verb_find(word);
		if (a->verb == CTL_VERB_MAX_)
			return refuse(r,
				"there is no command %s: torrentctl help says which there are",
				word);
		return true;
	}
	ARRAY_PUSH(a->words, a->words_n, a->words_room, word);
	return true;
}

/* What was read, against what the command takes. */
static bool check(struct reader *r)
{
	const struct ctl_args *a = r->args;
	char name[CTL_OPTION_NAME];

	if (a->verb == CTL_VERB_MAX_ || a->given[CTL_help])
		return true;
	for (unsigned o = 0; o < CTL_OPTION_MAX_; o++) {
		if (!a->given[o] || ctl_takes(a->verb, (enum ctl_option)o))
			continue;
		ctl_option_print((enum ctl_option)o, name);
		return refuse(r, "%s takes no %s: torrentctl help %s says what it takes",
			ctl_command_row(a->verb)->name, name, ctl_command_row(a->verb)->name);
	}
	if (a->words_n < ctl_command_row(a->verb)->least ||
		a->words_n > ctl_command_row(a->verb)->most)
		return refuse(r, "it is used so: torrentctl %s %s", ctl_command_row(a->verb)->name,
			ctl_command_row(a->verb)->operands);
	return true;
}

bool ctl_args_read(struct ctl_args *a, int argc, char *const *argv, char *why, size_t why_n)
{
	struct reader r = {
		.args = a, .argc = argc, .next = 1, .argv = argv, .why = why, .why_n = why_n};
	bool ok = true, plain = false;

	*a = (struct ctl_args){.verb = CTL_VERB_MAX_};
	while (ok && r.next < argc) {
		const char *word = argv[r.next++];

		if (plain || word[0] != '-' || word[1] == '\0')
			ok = take_word(&r, word);
		else if (word[1] != '-')
			ok = take_letters(&r, word);
		else if (word[2] != '\0')
			ok = take_long(&r, word);
		else
			plain = true;
	}
	return ok && check(&r);
}

void ctl_args_fini(struct ctl_args *a)
{
	xfree(a->words);
	*a = (struct ctl_args){.verb = CTL_VERB_MAX_};
}
