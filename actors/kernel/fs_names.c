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
