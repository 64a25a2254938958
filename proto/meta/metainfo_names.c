/* SPDX-License-Identifier: MIT */
/*
 * Other names for the files of a torrent than its metainfo has.
 *
 * They are kept as a text, a line for each file that has one: its number, a tab, its path.  The
 * metainfo with them is another object of the same raw bytes, so that whoever asks it for a path
 * gets the one that counts, and what goes to others is as it was.
 */
#include "proto/meta/metainfo_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/path.h"

#define NUMBER_MAX 12u /* digits and a tab */

/* Fit for a file system, whatever a person has typed. */
static bool is_fit(const char *path)
{
	char clean[PATH_NAME_BUF];

	if (strlen(path) > METAINFO_PATH_MAX || !path_relative_ok(path))
		return false;
	for (size_t n; *path != '\0'; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (path_sanitise((struct slice){(const uint8_t *)path, n}, clean, sizeof clean) !=
				E_OK ||
			strlen(clean) != n || memcmp(clean, path, n) != 0)
			return false;
	}
	return true;
}

/* --- reading them --- */

/* Takes a line; false: it makes no sense. */
static bool take_line(struct metainfo *m, struct metainfo_file *files, const char **at)
{
	char path[METAINFO_PATH_MAX + 1];
	const char *end = *at;
	size_t n;
	uint64_t i = 0;

	while (*end >= '0' && *end <= '9' && i < m->files_n)
		i = i * 10 + (uint64_t)(*end++ - '0');
	n = strcspn(end, "\n");
	if (end == *at || *end != '\t' || end[n] != '\n' || i >= m->files_n || n - 1 >= sizeof path)
		return false;
	memcpy(path, end + 1, n - 1);
	path[n - 1] = '\0';
	*at = end + n + 1;
	if (!is_fit(path))
		return false;
	files[i].path = arena_strndup(&m->arena, path, n - 1);
	return files[i].path != NULL;
}

/* A file that is on disk, whose path begins with the torrent's name. */
static const char *named_path(const struct metainfo *m)
{
	for (uint32_t i = 0; i < m->files_n; i++)
		if (!m->files[i].pad || m->files[i].symlink != NULL)
			return m->files[i].path;
	return m->name;
}

enum err metainfo_renamed(const struct metainfo *m, const char *names, struct metainfo **out)
{
	struct metainfo_file *files;
	const char *path;
	enum err e;

	CHECK_OBJ(m, METAINFO_MAGIC);
	e = metainfo_parse(m->raw.p, m->raw.n, out, NULL);
	if (e != E_OK || names[0] == '\0')
		return e;
	files = arena_alloc(&(*out)->arena, (*out)->files_n * sizeof *files);
	if (files != NULL) {
		memcpy(files, (*out)->files, (*out)->files_n * sizeof *files);
		(*out)->files = files;
		while (*names != '\0' && take_line(*out, files, &names))
			;
		path = named_path(*out);
		(*out)->name = arena_strndup(&(*out)->arena, path, strcspn(path, "/"));
	}
	if (files != NULL && *names == '\0' && (*out)->name != NULL)
		return E_OK;
	metainfo_unref(out);
	return files != NULL ? E_SYNTAX : E_NOMEM;
}

/* --- making them --- */

/* As strcmp(), with what lies in a directory right behind it. */
static int compare_paths(const void *pa, const void *pb)
{
	const char *a = *(const char *const *)pa, *b = *(const char *const *)pb;
	int x, y;

	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	x = *a == '/' ? 1 : (unsigned char)*a;
	y = *b == '/' ? 1 : (unsigned char)*b;
	return x - y;
}

static bool is_within(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	return strncmp(dir, path, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* No two are the same, none is a directory of another, and all have the first part in common. */
static bool are_apart(const char **paths, uint32_t n)
{
	size_t top = n > 0 ? strcspn(paths[0], "/") : 0;

	qsort(paths, n, sizeof *paths, compare_paths);
	for (uint32_t i = 1; i < n; i++)
		if (is_within(paths[i - 1], paths[i]) || strncmp(paths[0], paths[i], top) != 0 ||
			paths[i][top] != '/')
			return false;
	return true;
}

/* The path of a file after the change, owned by the caller; NULL: it stays. */
static char *changed_path(const struct metainfo *m, uint32_t i, const struct metainfo_rename *r)
{
	const char *rest, *path = m->files[i].path;
	size_t n;
	char *out;

	if (r->from == NULL ? i != r->file : !is_within(r->from, path))
		return NULL;
	rest = r->from != NULL ? path + strlen(r->from) : "";
	n = strlen(r->to) + strlen(rest) + 1;
	out = xcalloc(1, n);
	snprintf(out, n, "%s%s", r->to, rest);
	return out;
}

struct renaming {
	const struct metainfo *now;
	struct metainfo *first; /* as its bytes have it */
	char **changed;         /* owned, by file; NULL: it stays */
	const char **paths;     /* those on disk */
	uint32_t paths_n, changed_n;
	char *text; /* the lines */
	size_t n;
};

static void add_file(struct renaming *x, uint32_t i)
{
	const struct metainfo_file *f = &x->now->files[i];
	const char *path = x->changed[i] != NULL ? x->changed[i] : f->path;

	if (f->pad && f->symlink == NULL)
		return;
	x->paths[x->paths_n++] = path;
	if (strcmp(path, x->first->files[i].path) == 0)
		return;
	x->text = xrealloc(x->text, x->n + NUMBER_MAX + strlen(path) + 2);
	x->n += (size_t)snprintf(
		x->text + x->n, NUMBER_MAX + strlen(path) + 2, "%u\t%s\n", (unsigned)i, path);
}

static enum err rename_all(struct renaming *x, const struct metainfo_rename *r)
{
	bool fit = true;

	for (uint32_t i = 0; i < x->now->files_n; i++) {
		x->changed[i] = changed_path(x->now, i, r);
		x->changed_n += x->changed[i] != NULL;
		fit &= x->changed[i] == NULL || is_fit(x->changed[i]);
		add_file(x, i);
	}
	if (x->changed_n == 0)
		return E_NOT_FOUND;
	if (!fit || (!x->now->multi && strchr(x->paths[0], '/') != NULL) ||
		(x->now->multi && strchr(x->paths[0], '/') == NULL))
		return E_PATH;
	return are_apart(x->paths, x->paths_n) ? E_OK : E_EXISTS;
}

enum err metainfo_rename(const struct metainfo *m, const struct metainfo_rename *r, char **names)
{
	struct renaming x = {.now = m};
	enum err e;

	CHECK_OBJ(m, METAINFO_MAGIC);
	e = metainfo_parse(m->raw.p, m->raw.n, &x.first, NULL);
	*names = NULL;
	if (e != E_OK)
		return e;
	x.changed = xcalloc(m->files_n, sizeof *x.changed);
	x.paths = xcalloc(m->files_n, sizeof *x.paths);
	x.text = xstrdup("");
	e = rename_all(&x, r);
	for (uint32_t i = 0; i < m->files_n; i++)
		xfree(x.changed[i]);
	xfree(x.changed);
	xfree(x.paths);
	metainfo_unref(&x.first);
	if (e == E_OK)
		*names = x.text;
	else
		xfree(x.text);
	return e;
}
