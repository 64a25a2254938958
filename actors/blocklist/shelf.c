/* SPDX-License-Identifier: MIT */
/*
 * A file for each source, named by the hash of the source.
 *
 * It is written beside its place and moved there, so that a power cut leaves the old or the new
 * one.
 */
#include "actors/blocklist/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/encode.h"
#include "proto/meta/hash.h"

#define NAME_BYTES 10 /* of the hash */
#define NAME_TEXT  (2 * NAME_BYTES)

static enum err err_of(int e)
{
	static const struct {
		int e;
		enum err err;
	} rows[] = {{ENOENT, E_NOENT}, {ENOTDIR, E_NOENT}, {EACCES, E_PERM}, {EPERM, E_PERM},
		{ENOSPC, E_NOSPACE}, {EDQUOT, E_NOSPACE}, {EROFS, E_READONLY}, {EMFILE, E_NFILES},
		{ENFILE, E_NFILES}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].e == e)
			return rows[i].err;
	return E_IO;
}

/* --- reading --- */

/* To its end, which may be elsewhere than it was said to be. */
static enum err read_all(int fd, size_t max, uint8_t **p, size_t *n)
{
	size_t room = 0;

	for (*n = 0;;) {
		ssize_t got;

		if (*n == room) {
			room += room / 2 + 65536;
			*p = xrealloc(*p, room);
		}
		got = read(fd, *p + *n, room - *n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? E_OK : err_of(errno);
		*n += (size_t)got;
		if (*n > max)
			return E_TOO_BIG;
	}
}

enum err shelf_read(const char *path, size_t max, uint8_t **p, size_t *n, int64_t *changed)
{
	/* O_NONBLOCK: a FIFO must not hang the open. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	enum err err;

	*p = NULL;
	*n = 0;
	if (fd < 0)
		return err_of(errno);
	if (fstat(fd, &st) != 0)
		err = err_of(errno);
	else if (!S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? E_IS_DIR : E_IS_SPECIAL;
	else
		err = read_all(fd, max, p, n);
	close(fd);
	if (err != E_OK) {
		xfree(*p);
		*p = NULL;
		return err;
	}
	*changed = st.st_mtim.tv_sec;
	return E_OK;
}

/* --- the shelf --- */

static void name_of(const char *source, char out[NAME_TEXT + 1])
{
	uint8_t hash[HASH_SHA1_SIZE];

	hash_once(HASH_SHA1, source, strlen(source), hash);
	hex_encode(hash, NAME_BYTES, out);
}

/* false: it is too long to be one. */
static bool path_of(const char *dir, const char *source, const char *end, char out[PATH_MAX])
{
	char name[NAME_TEXT + 1];

	name_of(source, name);
	return snprintf(out, PATH_MAX, "%s/%s%s", dir, name, end) < PATH_MAX;
}

enum err shelf_get(
	const char *dir, const char *source, size_t max, uint8_t **p, size_t *n, int64_t *changed)
{
	char path[PATH_MAX];

	if (!path_of(dir, source, "", path))
		return E_NOENT;
	return shelf_read(path, max, p, n, changed);
}

static enum err write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_of(errno);
		p += done;
		n -= (size_t)done;
	}
	return fsync(fd) == 0 ? E_OK : err_of(errno);
}

static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd); /* or it is fetched again after a power cut */
	close(fd);
}

enum err shelf_put(const char *dir, const char *source, const uint8_t *p, size_t n)
{
	char path[PATH_MAX], beside[PATH_MAX];
	enum err err;
	int fd;

	if (!path_of(dir, source, "", path) || !path_of(dir, source, ".new", beside))
		return E_PATH;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_of(errno);
	(void)unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_of(errno);
	err = write_all(fd, p, n);
	close(fd);
	if (err == E_OK && rename(beside, path) != 0)
		err = err_of(errno);
	if (err != E_OK)
		(void)unlink(beside);
	else
		sync_dir(dir);
	return err;
}

static bool is_of(const char *name, const struct config_list *sources)
{
	char want[NAME_TEXT + 1];

	for (size_t i = 0; i < sources->n; i++) {
		name_of(sources->v[i], want);
		if (strcmp(name, want) == 0)
			return true;
	}
	return false;
}

void shelf_tidy(const char *dir, const struct config_list *sources)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && !is_of(e->d_name, sources))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}
