/* SPDX-License-Identifier: MIT */
/*
 * What a person wishes of a torrent: copies, moves and comparisons.
 */
#include "actors/msg/wishes.h"

#include "proto/base/utf8.h"

void wishes_init(struct wishes *w)
{
	*w = (struct wishes){0};
}

void wishes_copy(struct wishes *to, const struct wishes *from)
{
	*to = *from;
	if (from->file_priority != NULL)
		to->file_priority = xmemdup(from->file_priority, from->file_priority_n);
	to->labels = label_ref(from->labels);
}

void wishes_move(struct wishes *to, struct wishes *from)
{
	*to = *from;
	wishes_init(from);
}

void wishes_fini(struct wishes *w)
{
	xfree(w->file_priority);
	label_unref(&w->labels);
	wishes_init(w);
}

bool wishes_same_files(const struct wishes *a, const struct wishes *b)
{
	if (a->file_priority == NULL || b->file_priority == NULL)
		return a->file_priority == b->file_priority;
	return a->file_priority_n == b->file_priority_n &&
	       memcmp(a->file_priority, b->file_priority, a->file_priority_n) == 0;
}

static bool same_labels(const struct wishes *a, const struct wishes *b)
{
	const char *x = label_text(a->labels), *y = label_text(b->labels);

	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

bool wishes_equal(const struct wishes *a, const struct wishes *b)
{
	return a->down_limit == b->down_limit && a->up_limit == b->up_limit &&
	       a->sequential == b->sequential && a->first_last == b->first_last &&
	       a->encryption == b->encryption && a->discreet == b->discreet &&
	       wishes_same_files(a, b) && same_labels(a, b);
}

/* --- labels --- */

static bool is_label(const char *label, size_t n)
{
	if (n == 0 || memchr(label, ',', n) != NULL)
		return false;
	for (size_t i = 0; i < n;) {
		uint32_t cp = 0;
		unsigned len = utf8_decode((const uint8_t *)label + i, n - i, &cp);

		if (len == 0 || utf8_is_control(cp))
			return false;
		i += len;
	}
	return true;
}

enum err wishes_add_label(char **text, const char *label, size_t n)
{
	size_t have = *text != NULL ? strlen(*text) : 0, count = 0;

	if (!is_label(label, n))
		return E_SYNTAX;
	for (const char *at = *text; at != NULL && *at != '\0'; count++) {
		size_t line = strcspn(at, "\n");

		if (line == n && memcmp(at, label, n) == 0)
			return E_OK;
		at += line + (at[line] == '\n');
	}
	if (n > LABEL_MAX || count >= LABELS_MAX)
		return E_TOO_BIG;
	*text = xrealloc(*text, have + n + 2);
	if (have > 0)
		(*text)[have++] = '\n';
	memcpy(*text + have, label, n);
	(*text)[have + n] = '\0';
	return E_OK;
}

/* Whether it is a line of the text. */
static bool has_line(const char *text, const char *line, size_t n)
{
	for (const char *at = text; at != NULL && *at != '\0';) {
		size_t len = strcspn(at, "\n");

		if (len == n && memcmp(at, line, n) == 0)
			return true;
		at += len + (at[len] == '\n');
	}
	return false;
}

/* Appends the lines of `from` that are not in `but`. */
static void add_lines(char **text, const char *from, const char *but)
{
	for (const char *at = from; at != NULL && *at != '\0';) {
		size_t len = strcspn(at, "\n");

		if (!has_line(but, at, len))
			(void)wishes_add_label(text, at, len);
		at += len + (at[len] == '\n');
	}
}

char *wishes_change_labels(const char *now, const char *by, enum label_change change)
{
	char *text = NULL;

	if (change != LABELS_SET)
		add_lines(&text, now, change == LABELS_TAKE ? by : NULL);
	if (change != LABELS_TAKE)
		add_lines(&text, by, NULL);
	return text;
}
