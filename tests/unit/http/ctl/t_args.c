/* SPDX-License-Identifier: MIT */
/* The command line of torrentctl: what it means, and what is wrong with it. */
#include "http/ctl/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define WORDS_MAX 8

struct line {
	const char *words[WORDS_MAX + 1];
	enum ctl_verb verb;
	const char *operands[WORDS_MAX];
	enum ctl_option option; /* that is given, with the value */
	const char *value;
};

/* What is read is borrowed from here. */
struct argv {
	char text[WORDS_MAX + 1][32];
	char *list[WORDS_MAX + 2];
	int n;
};

static bool read_line(
	struct argv *v, const char *const *words, struct ctl_args *a, char *why, size_t n)
{
	*v = (struct argv){.text = {"torrentctl"}, .n = 1};
	while (v->n <= WORDS_MAX && words[v->n - 1] != NULL) {
		const char *word = words[v->n - 1];

		assert_true(strlen(word) < sizeof v->text[0]);
		memcpy(v->text[v->n++], word, strlen(word) + 1);
	}
	for (int i = 0; i < v->n; i++)
		v->list[i] = v->text[i];
	return ctl_args_read(a, v->n, v->list, why, n);
}

static void test_good(void **unused)
{
	static const struct line lines[] = {
		{{"list"}, CTL_VERB_list, {NULL}, CTL_help, NULL},
		{{"stop", "a", "b"}, CTL_VERB_stop, {"a", "b"}, CTL_help, NULL},
		{{"--url", "http://x", "list"}, CTL_VERB_list, {NULL}, CTL_url, "http://x"},
		{{"list", "--url=http://x"}, CTL_VERB_list, {NULL}, CTL_url, "http://x"},
		{{"list", "--url="}, CTL_VERB_list, {NULL}, CTL_url, ""},
		{{"list", "-uhttp://x"}, CTL_VERB_list, {NULL}, CTL_url, "http://x"},
		{{"list", "-u", "-j"}, CTL_VERB_list, {NULL}, CTL_url, "-j"},
		{{"list", "-ju", "x"}, CTL_VERB_list, {NULL}, CTL_url, "x"},
		{{"add", "x", "-wf0,3"}, CTL_VERB_add, {"x"}, CTL_files, "0,3"},
		{{"add", "--first-last", "-"}, CTL_VERB_add, {"-"}, CTL_first_last, NULL},
		{{"stop", "--", "--url"}, CTL_VERB_stop, {"--url"}, CTL_help, NULL},
		{{"stop", "--help"}, CTL_VERB_stop, {NULL}, CTL_help, NULL},
		{{NULL}, CTL_VERB_MAX_, {NULL}, CTL_help, NULL},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const struct line *l = &lines[i];
		struct ctl_args a;
		struct argv v;
		char why[300] = "";

		assert_true(read_line(&v, l->words, &a, why, sizeof why));
		assert_string_equal(why, "");
		assert_int_equal(a.verb, l->verb);
		for (uint32_t k = 0; k < a.words_n; k++)
			assert_string_equal(a.words[k], l->operands[k]);
		assert_null(l->operands[a.words_n]);
		if (l->option != CTL_help) {
			assert_true(a.given[l->option]);
			if (l->value == NULL)
				assert_null(a.value[l->option]);
			else
				assert_string_equal(a.value[l->option], l->value);
		}
		ctl_args_fini(&a);
	}
}

static void test_bad(void **unused)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *why; /* part of it */
	} lines[] = {
		{{"nope"}, "no command nope"},
		{{"list", "--nope"}, "no option --nope"},
		{{"list", "-x"}, "no option -x"},
		{{"list", "--ur", "x"}, "no option --ur"},
		{{"list", "--url"}, "--url needs a value: URL"},
		{{"list", "--json=1"}, "--json=1 takes no value"},
		{{"list", "--wait"}, "list takes no --wait"},
		{{"list", "--first_last"}, "no option --first_last"},
		{{"stop"}, "torrentctl stop TORRENT..."},
		{{"files", "a", "b"}, "torrentctl files TORRENT"},
		{{"watch", "x"}, "torrentctl watch"},
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct ctl_args a;
		struct argv v;
		char why[300] = "";

		assert_false(read_line(&v, lines[i].words, &a, why, sizeof why));
		assert_non_null(strstr(why, lines[i].why));
		ctl_args_fini(&a);
	}
}

/* Every name in the table of commands is one in the table of options. */
static void test_tables(void **unused)
{
	(void)unused;
	for (unsigned v = 0; v < CTL_VERB_MAX_; v++) {
		const struct ctl_command_row *c = ctl_command_row((enum ctl_verb)v);
		unsigned taken = 0, named = 0;

		assert_true(c->least <= c->most);
		for (unsigned o = 0; o < CTL_OPTION_MAX_; o++)
			taken += ctl_takes((enum ctl_verb)v, (enum ctl_option)o) &&
				 !ctl_is_common((enum ctl_option)o);
		for (const char *p = c->options; *p != '\0';
			p += strcspn(p, " "), p += strspn(p, " "))
			named++;
		assert_int_equal(taken, named);
	}
	for (unsigned o = 0; o < CTL_OPTION_MAX_; o++) /* letters are there once */
		if (ctl_option_row((enum ctl_option)o)->letter != 0)
			assert_int_equal(
				ctl_option_by_letter(ctl_option_row((enum ctl_option)o)->letter),
				o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
