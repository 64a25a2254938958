/* SPDX-License-Identifier: MIT */
/* Cuts a configuration file into sections and settings, line by line and in place. */
#include "config/file.h"

#include <errno.h>
#include <stdio.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *s)
{
	size_t n;

	while (is_space(*s))
		s++;
	n = strlen(s);
	while (n > 0 && is_space(s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

static void cut_comment(char *s)
{
	bool quoted = false;

	for (char *p = s; *p != '\0'; p++) {
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == '#' && !quoted && (p == s || is_space(p[-1])))
			*p = '\0';
		if (*p == '\0')
			break;
	}
}

struct file_reader file_read(char *text, size_t n)
{
	must(text[n] == '\0');
	return (struct file_reader){.p = text, .end = text + n};
}

/* Takes one line, NUL-terminated; *clean is false when it has a NUL byte of its own. */
static char *take_line(struct file_reader *r, bool *clean)
{
	char *line = r->p;
	char *newline = memchr(line, '\n', (size_t)(r->end - line));
	char *stop = newline != NULL ? newline : r->end;

	*stop = '\0';
	*clean = strlen(line) == (size_t)(stop - line);
	r->p = newline != NULL ? newline + 1 : r->end;
	r->line++;
	return line;
}

static enum err open_section(
	struct file_reader *r, char *s, struct file_entry *out, char *why, size_t size)
{
	size_t n = strlen(s);

	if (s[n - 1] != ']') {
		snprintf(why, size, "a section is written [name], and the \"]\" is missing");
		return E_SYNTAX;
	}
	s[n - 1] = '\0';
	r->section = trim(s + 1);
	*out = (struct file_entry){.section = r->section};
	return E_OK;
}

static enum err split_setting(
	struct file_reader *r, char *s, struct file_entry *out, char *why, size_t size)
{
	char *equals = strchr(s, '=');

	if (equals == NULL) {
		snprintf(why, size, "\"%.60s\" is neither \"key = value\" nor \"[section]\"", s);
		return E_SYNTAX;
	}
	*equals = '\0';
	*out = (struct file_entry){
		.section = r->section, .key = trim(s), .value = trim(equals + 1)};
	if (out->key[0] == '\0') {
		snprintf(why, size, "there is no key before the \"=\"");
		return E_SYNTAX;
	}
	return E_OK;
}

enum err file_next(struct file_reader *r, struct file_entry *out, char *why, size_t size)
{
	while (r->p < r->end) {
		bool clean;
		char *s = take_line(r, &clean);
		if (!clean) {
			snprintf(why, size, "the line has a NUL byte: is this a text file?");
			return E_SYNTAX;
		}
		cut_comment(s);
		s = trim(s);
		if (*s == '[')
			return open_section(r, s, out, why, size);
		if (*s != '\0')
			return split_setting(r, s, out, why, size);
	}
	return E_NOT_FOUND;
}

static enum err err_of_errno(int no)
{
	switch (no) {
	case ENOENT:
	case ENOTDIR:
		return E_NOENT;
	case EACCES:
	case EPERM:
		return E_PERM;
	default:
		return E_IO;
	}
}

enum err file_slurp(const char *path, char **text, size_t *n)
{
	FILE *f = fopen(path, "re");
	enum err e = E_OK;
	char *buf;

	if (f == NULL)
		return err_of_errno(errno);
	buf = xcalloc(1, FILE_LIMIT + 2);
	*n = fread(buf, 1, FILE_LIMIT + 1, f);
	if (ferror(f) != 0)
		e = E_IO;
	else if (*n > FILE_LIMIT)
		e = E_TOO_BIG;
	fclose(f);
	if (e == E_OK)
		*text = buf;
	else
		xfree(buf);
	return e;
}
