/* SPDX-License-Identifier: MIT */
/* A listener at a path of the file system. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "actors/kernel/net.h"
#include "actors/ports/ports.h"

#define BACKLOG 128

static bool is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Whether the socket there is that of a program that has ended. */
static bool is_stale(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)at, sizeof *at) < 0 && errno == ECONNREFUSED &&
		is_socket(at->sun_path);
	net_close(fd);
	return stale;
}

/* It has its mode from the first moment: nobody connects in between. */
static bool bind_as(int fd, const struct sockaddr_un *at, mode_t mode)
{
	mode_t before = umask(0777 & ~mode);
	bool bound = bind(fd, (const struct sockaddr *)at, sizeof *at) == 0;
	int e = errno;

	umask(before);
	errno = e;
	return bound;
}

static bool bind_over_stale(int fd, const struct sockaddr_un *at, mode_t mode)
{
	if (bind_as(fd, at, mode))
		return true;
	if (errno != EADDRINUSE)
		return false;
	if (is_stale(at) && unlink(at->sun_path) == 0)
		return bind_as(fd, at, mode);
	errno = EADDRINUSE;
	return false;
}

static enum err tell(const char *path, char *why, size_t n)
{
	int e = errno;

	if (e != EADDRINUSE) {
		snprintf(why, n, "api.socket: cannot listen at %s: %s", path, strerror(e));
		return e == ENOENT ? E_NOENT : e == EACCES || e == EROFS ? E_PERM : E_IO;
	}
	if (is_socket(path))
		snprintf(why, n,
			"api.socket: another program listens at %s: stop it, or choose another "
			"path",
			path);
	else
		snprintf(why, n,
			"api.socket: %s is there and is no socket: remove it, or choose another "
			"path",
			path);
	return E_EXISTS;
}

/* false: the path is too long to be that of a socket. */
static bool read_path(const char *path, struct sockaddr_un *at)
{
	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof at->sun_path)
		return false;
	memcpy(at->sun_path, path, strlen(path));
	return true;
}

int ports_listen_path(const char *path, unsigned mode, enum err *err, char *why, size_t n)
{
	struct sockaddr_un at;
	int fd;

	if (!read_path(path, &at)) {
		snprintf(why, n, "api.socket: %s has more than %zu bytes", path,
			sizeof at.sun_path - 1);
		*err = E_RANGE;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind_over_stale(fd, &at, (mode_t)mode) && listen(fd, BACKLOG) == 0)
		return fd;
	*err = tell(path, why, n);
	if (fd >= 0)
		net_close(fd);
	return -1;
}

void ports_drop_path(const char *path)
{
	struct sockaddr_un at;

	if (read_path(path, &at) && is_stale(&at))
		(void)unlink(path);
}

bool ports_path_taken(const char *path)
{
	struct sockaddr_un at;
	struct stat st;

	return lstat(path, &st) == 0 && !(read_path(path, &at) && is_stale(&at));
}
