/* SPDX-License-Identifier: MIT */
/*
 * Names beneath a directory: files and directories go, symbolic links are made and go.
 *
 * The way to a name is walked as in fs.c, without following a link.  A link is made where nothing
 * stands, and only one with the same text counts as ours.
 */
#include "actors/kernel/fs_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err remove_at(int dir, const char *path, int flags)
{
	char name[NAME_MAX + 1];
	int parent = fs_open_parent(dir, path, false, name), r, e;

	if (parent < 0)
		return fs_err_of(errno);
	r = unlinkat(parent, name, flags);
	e = errno;
	close(parent);
	return r == 0 ? E_OK : e == EEXIST ? E_BUSY : fs_err_of(e);
}

enum err fs_unlink_at(int dir, const char *path)
{
	return remove_at(dir, path, 0);
}

/* Where the file system cannot refuse by itself, a look must do. */
static int rename_anew(int from, const char *old, int to, const char *new)
{
	struct stat st;
	int r = renameat2(from, old, to, new, RENAME_NOREPLACE);

	if (r == 0 || (errno != EINVAL && errno != ENOSYS))
		return r;
	if (fstatat(to, new, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return errno == ENOENT ? renameat(from, old, to, new) : -1;
}

enum err fs_rename_at(int from, const char *old_path, int to, const char *new_path)
{
	char old[NAME_MAX + 1], new[NAME_MAX + 1];
	int source = fs_open_parent(from, old_path, false, old), target, r, e;

	if (source < 0)
		return fs_err_of(errno);
	/* Nothing is made for what is not there. */
	r = faccessat(source, old, F_OK, AT_SYMLINK_NOFOLLOW);
	target = r == 0 ? fs_open_parent(to, new_path, true, new) : -1;
	if (target >= 0)
		r = rename_anew(source, old, target, new);
	e = errno;
	if (target >= 0)
		close(target);
	close(source);
	if (target >= 0 && r != 0 && e == EXDEV)
		return E_OTHER_VOLUME;
	return target >= 0 && r == 0 ? E_OK : fs_err_of(e);
}

enum err fs_rmdir_at(int dir, const char *path)
{
	return remove_at(dir, path, AT_REMOVEDIR);
}

enum err fs_sync_dir_at(int dir, const char *path)
{
	char name[NAME_MAX + 1];
	int parent = fs_open_parent(dir, path, false, name), r, e;

	if (parent < 0)
		return fs_err_of(errno);
	r = fsync(parent);
	e = errno;
	close(parent);
	return r == 0 ? E_OK : fs_err_of(e);
}

/* --- symbolic links --- */

/* Whether a link with just this text has the name. */
static bool is_link_to(int parent, const char *name, const char *target)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(parent, name, text, sizeof text);

	return n >= 0 && (size_t)n == strlen(target) && memcmp(text, target, (size_t)n) == 0;
}

enum err fs_link_make(int dir, const char *path, const char *target)
{
	char name[NAME_MAX + 1];
	int parent = fs_open_parent(dir, path, true, name);
	enum err err = E_OK;

	if (parent < 0)
		return fs_err_of(errno);
	if (symlinkat(target, parent, name) != 0)
		err = fs_err_of(errno);
	if (err == E_EXISTS && is_link_to(parent, name, target))
		err = E_OK;
	close(parent);
	return err;
}

enum err fs_link_drop(int dir, const char *path, const char *target)
{
	char name[NAME_MAX + 1];
	int parent = fs_open_parent(dir, path, false, name);
	enum err err = E_OK;

	if (parent < 0)
		return fs_err_of(errno);
	if (!is_link_to(parent, name, target))
		err = E_NOENT;
	else if (unlinkat(parent, name, 0) != 0)
		err = fs_err_of(errno);
	close(parent);
	return err;
}
