/* SPDX-License-Identifier: MIT */
/*
 * Listeners that the service manager has opened for us, by its documented protocol
 * (sd_listen_fds(3)): they are the descriptors from 3 on, and the environment says how many.
 */
#include "actors/main/activation.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST 3

static unsigned long number_in(const char *name)
{
	const char *text = getenv(name);

	return text != NULL && *text >= '0' && *text <= '9' ? strtoul(text, NULL, 10) : 0;
}

static int option_of(int fd, int name)
{
	int value = -1;
	socklen_t n = sizeof value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &n) == 0 ? value : -1;
}

static bool is_listener(int fd)
{
	int domain = option_of(fd, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6 || domain == AF_UNIX) &&
	       option_of(fd, SO_TYPE) == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 1;
}

static bool make_ours(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

enum err activation_take(int *fds, unsigned room, unsigned *n, char *why, size_t why_n)
{
	unsigned long given = number_in("LISTEN_FDS");

	*n = 0;
	if (number_in("LISTEN_PID") != (unsigned long)getpid())
		given = 0; /* they are somebody else's */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (given > room) {
		snprintf(why, why_n, "the service manager passes %lu sockets: at most %u", given,
			room);
		return E_RANGE;
	}
	for (unsigned i = 0; i < given; i++) {
		int fd = FIRST + (int)i;

		if (!is_listener(fd) || !make_ours(fd)) {
			snprintf(why, why_n,
				"socket %u that the service manager passes does not listen for "
				"streams: name TCP ports and paths with ListenStream= alone",
				i + 1);
			return E_SYNTAX;
		}
		fds[(*n)++] = fd;
	}
	return E_OK;
}
