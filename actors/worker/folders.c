/* SPDX-License-Identifier: MIT */
/*
 * Which directories there are beneath the download roots, for who chooses one.
 *
 * Symbolic links are neither followed nor told, and hidden directories are not for downloads.  Of a
 * directory with very many entries so many are read, and it is said that there are more.
 */
#include "actors/worker/priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/kernel/fs.h"
#include "proto/base/array.h"
#include "proto/base/path.h"

#define ENTRIES_MAX 100000u /* of one directory, whatever they are */

static bool is_writable(int dir, const char *name)
{
	return faccessat(dir, name, W_OK | X_OK, AT_EACCESS) == 0;
}

static bool is_folder(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_name[0] == '.' || (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN))
		return false;
	return e->d_type == DT_DIR ||
	       (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode));
}

static void push(struct m_folders *m, uint32_t *room, const char *name, bool writable)
{
	struct folder_view one = {xstrdup(name), writable};

	ARRAY_PUSH(m->folders, m->folders_n, *room, one);
}

static int by_name(const void *a, const void *b)
{
	const struct folder_view *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Takes fd. */
static enum err read_folder(struct m_folders *m, int fd)
{
	DIR *d = fdopendir(fd);
	const struct dirent *e;
	uint32_t room = 0, seen = 0;

	if (d == NULL) {
		fs_close(fd);
		return E_IO;
	}
	while (!m->more && (e = readdir(d)) != NULL) {
		m->more = m->folders_n == FOLDERS_MAX || ++seen > ENTRIES_MAX;
		if (!m->more && is_folder(fd, e))
			push(m, &room, e->d_name, is_writable(fd, e->d_name));
	}
	closedir(d);
	if (m->folders_n > 0)
		qsort(m->folders, m->folders_n, sizeof *m->folders, by_name);
	return E_OK;
}

/* The root that it lies beneath; NULL: none. */
static const char *root_of(const struct config *c, const char *path)
{
	for (size_t i = 0; i < c->download_roots.n; i++)
		if (path_beneath(c->download_roots.v[i], path))
			return c->download_roots.v[i];
	return NULL;
}

static enum err look(const struct config *c, struct m_folders *m)
{
	const char *root = root_of(c, m->path);
	struct fs_space space;
	enum err e = E_OK;
	int fd;

	if (root == NULL)
		return E_PATH;
	fd = fs_dir_open(root, m->path, &e);
	if (fd < 0)
		return e;
	m->top = strcmp(root, m->path) == 0;
	m->writable = is_writable(fd, ".");
	e = fs_space(fd, &space);
	if (e != E_OK) {
		fs_close(fd);
		return e;
	}
	m->free = space.free;
	m->total = space.total;
	return read_folder(m, fd);
}

static enum err list_roots(const struct config *c, struct m_folders *m)
{
	uint32_t room = 0;

	for (size_t i = 0; i < c->download_roots.n; i++)
		push(m, &room, c->download_roots.v[i],
			is_writable(AT_FDCWD, c->download_roots.v[i]));
	return E_OK;
}

void worker_on_folders(struct actor *a, struct msg **pm)
{
	const struct worker *w = actor_self(a);
	struct m_folders *m = MSG_AS(FOLDERS, *pm);

	actor_reply(a, pm, m->path != NULL ? look(w->config, m) : list_roots(w->config, m));
}
