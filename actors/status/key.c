/* SPDX-License-Identifier: MIT */
/* The server's key in a file. */
#include "actors/status/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM 4210

/* A line of KEY_TEXT - 1 characters.  E_NOT_FOUND: there is no file; E_IO: errno; E_SYNTAX. */
static enum err read_key(const char *path, char key[KEY_TEXT])
{
	char line[KEY_TEXT + 1];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? E_NOT_FOUND : E_IO;
	n = read(fd, line, sizeof line);
	close(fd);
	if (n != KEY_TEXT || line[KEY_TEXT - 1] != '\n')
		return n < 0 ? E_IO : E_SYNTAX;
	memcpy(key, line, KEY_TEXT - 1);
	key[KEY_TEXT - 1] = '\0';
	explicit_bzero(line, sizeof line);
	return E_OK;
}

static bool write_key(const char *path, const char *key, mode_t mode)
{
	char line[KEY_TEXT + 1];
	int n = snprintf(line, sizeof line, "%s\n", key);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	bool ok;

	if (fd < 0)
		return false;
	ok = fchmod(fd, mode) == 0 && write(fd, line, (size_t)n) == n && fsync(fd) == 0;
	explicit_bzero(line, sizeof line);
	return close(fd) == 0 && ok;
}

static enum err fail(const char *path, const char *reason, enum err err, char *why, size_t why_n)
{
	snprintf(why, why_n, "the key of the status, %s, cannot be used: %s", path, reason);
	return err;
}

/* Whole or not at all, whatever it replaces. */
static enum err replace_key(const char *path, const char *key, mode_t mode, char *why, size_t why_n)
{
	char new[PATH_ROOM + 8];

	snprintf(new, sizeof new, "%s.new", path);
	if (write_key(new, key, mode) && rename(new, path) == 0)
		return E_OK;
	return fail(path, strerror(errno), E_IO, why, why_n);
}

enum err key_keep(const char *dir, char secret[KEY_TEXT], bool *made, char *why, size_t why_n)
{
	char path[PATH_ROOM];
	enum err err;

	snprintf(path, sizeof path, "%s/status.key", dir);
	err = read_key(path, secret);
	*made = err == E_NOT_FOUND;
	if (*made)
		return replace_key(path, secret, 0600, why, why_n);
	if (err == E_SYNTAX)
		return fail(path, "it holds none; move it away, and a new one is made", err, why,
			why_n);
	return err == E_OK ? E_OK : fail(path, strerror(errno), err, why, why_n);
}

enum err key_tell(const char *dir, const char *public, char *why, size_t why_n)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof path, "%s/status.pub", dir);
	return replace_key(path, public, 0644, why, why_n);
}
