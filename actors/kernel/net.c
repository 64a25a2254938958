/* SPDX-License-Identifier: MIT */
/*
 * Non-blocking sockets.
 *
 * Addresses inside the program are IPv6 with IPv4 mapped into it; on the way out a mapped one
 * becomes an AF_INET socket, because an IPv6 socket is always v6-only here.  Errors of the system
 * become the few that callers tell apart.
 */
#include "actors/kernel/net.h"

#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

static enum err err_of(int e)
{
	static const struct {
		int sys;
		enum err err;
	} map[] = {
		{EAGAIN, E_AGAIN},
		{EINPROGRESS, E_AGAIN},
		{EINTR, E_AGAIN},
		{ECONNREFUSED, E_REFUSED},
		{EHOSTUNREACH, E_UNREACHABLE},
		{ENETUNREACH, E_UNREACHABLE},
		{EHOSTDOWN, E_UNREACHABLE},
		{ENETDOWN, E_UNREACHABLE},
		{EADDRNOTAVAIL, E_UNREACHABLE},
		{EAFNOSUPPORT, E_UNREACHABLE},
		{ENODEV, E_UNREACHABLE}, /* that of the socket's device is gone */
		{EINVAL, E_UNREACHABLE}, /* a peer list names what cannot be connected to */
		{ECONNRESET, E_CLOSED},
		{ECONNABORTED, E_CLOSED},
		{EPIPE, E_CLOSED},
		{ENOTCONN, E_CLOSED},
		{ETIMEDOUT, E_TIMEOUT},
		{EMFILE, E_NFILES},
		{ENFILE, E_NFILES},
		{ENOBUFS, E_NOMEM},
		{ENOMEM, E_NOMEM},
		{EADDRINUSE, E_EXISTS},
		{EACCES, E_PERM},
		{EPERM, E_PERM},
		{EMSGSIZE, E_TOO_BIG},
		{EFAULT, E_FAULT},
	};

	for (unsigned i = 0; i < ARRAY_LEN(map); i++)
		if (map[i].sys == e)
			return map[i].err;
	return E_IO;
}

/* --- addresses --- */

static socklen_t to_system(const struct endpoint *e, union address *out)
{
	memset(out, 0, sizeof *out);
	if (endpoint_is_v4(e)) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(e->port);
		memcpy(&out->v4.sin_addr, e->ip + 12, 4);
		return sizeof out->v4;
	}
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(e->port);
	memcpy(&out->v6.sin6_addr, e->ip, 16);
	return sizeof out->v6;
}

static void from_system(const union address *a, struct endpoint *out)
{
	memset(out, 0, sizeof *out);
	if (a->any.sa_family == AF_INET) {
		out->ip[10] = out->ip[11] = 0xff;
		memcpy(out->ip + 12, &a->v4.sin_addr, 4);
		out->port = ntohs(a->v4.sin_port);
	} else if (a->any.sa_family == AF_INET6) {
		memcpy(out->ip, &a->v6.sin6_addr, 16);
		out->port = ntohs(a->v6.sin6_port);
	}
}

/* --- opening --- */

static bool set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

unsigned net_device_index(const char *name)
{
	return name[0] != '\0' ? if_nametoindex(name) : 0;
}

enum err net_device_bind(int fd, const char *device)
{
	if (device[0] == '\0' || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
					 (socklen_t)strlen(device) + 1) == 0)
		return E_OK;
	return err_of(errno);
}

static int open_socket(const union address *at, int type, const char *device, enum err *err)
{
	int fd = socket(at->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		*err = err_of(errno);
		return -1;
	}
	*err = net_device_bind(fd, device);
	if (*err != E_OK) {
		close(fd);
		return -1;
	}
	if (at->any.sa_family == AF_INET6)
		(void)set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (type == SOCK_STREAM)
		(void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

static int fail(int fd, enum err *err)
{
	*err = err_of(errno);
	close(fd);
	return -1;
}

int net_listen(const struct endpoint *at, const char *device, int backlog, enum err *err)
{
	union address a;
	socklen_t len = to_system(at, &a);
	int fd = open_socket(&a, SOCK_STREAM, device, err);

	if (fd < 0)
		return -1;
	(void)set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, &a.any, len) != 0 || listen(fd, backlog) != 0)
		return fail(fd, err);
	return fd;
}

int net_accept(int fd, struct endpoint *peer, enum err *err)
{
	union address a = {0};
	socklen_t len = sizeof a;
	int got;

	/* A connection that died in the queue is no trouble of the listener's. */
	do
		got = accept4(fd, &a.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (got < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO));
	if (got < 0) {
		*err = err_of(errno);
		return -1;
	}
	(void)set_option(got, IPPROTO_TCP, TCP_NODELAY, 1);
	from_system(&a, peer);
	return got;
}

int net_connect(const struct endpoint *to, const char *device, enum err *err)
{
	union address a;
	socklen_t len = to_system(to, &a);
	int fd = open_socket(&a, SOCK_STREAM, device, err);

	if (fd < 0)
		return -1;
	if (connect(fd, &a.any, len) != 0 && errno != EINPROGRESS && errno != EINTR)
		return fail(fd, err);
	return fd;
}

enum err net_pair(int fd[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) == 0)
		return E_OK;
	return err_of(errno);
}

enum err net_connect_result(int fd)
{
	int e = 0;
	socklen_t len = sizeof e;
	union address a;
	socklen_t alen = sizeof a;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) != 0)
		return err_of(errno);
	if (e != 0)
		return err_of(e);
	if (getpeername(fd, &a.any, &alen) != 0) /* still on its way */
		return errno == ENOTCONN ? E_AGAIN : err_of(errno);
	return E_OK;
}

enum err net_local(int fd, struct endpoint *out)
{
	union address a = {0};
	socklen_t len = sizeof a;

	if (getsockname(fd, &a.any, &len) != 0)
		return err_of(errno);
	from_system(&a, out);
	return E_OK;
}

void net_set_not_sent_low(int fd, unsigned bytes)
{
	(void)set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)MIN(bytes, (unsigned)INT_MAX));
}

void net_make_room(int fd, unsigned bytes)
{
	/* tcp(7): the low-water mark raises the buffer where it would not fit, and nothing lowers
	 * it. */
	(void)set_option(fd, SOL_SOCKET, SO_RCVLOWAT, (int)MIN(bytes, (unsigned)INT_MAX));
	(void)set_option(fd, SOL_SOCKET, SO_RCVLOWAT, 1);
}

void net_close(int fd)
{
	must(fd >= 0);
	must(close(fd) == 0 || errno != EBADF);
}

/* --- transfer --- */

static ssize_t done(ssize_t n, enum err *err)
{
	if (n < 0)
		*err = err_of(errno);
	return n;
}

ssize_t net_readv(int fd, const struct iovec *iov, int iovcnt, enum err *err)
{
	ssize_t n;

	do
		n = readv(fd, iov, iovcnt);
	while (n < 0 && errno == EINTR);
	return done(n, err);
}

ssize_t net_writev(int fd, const struct iovec *iov, int iovcnt, bool more, enum err *err)
{
	struct msghdr mh = {.msg_iovlen = (size_t)iovcnt};
	ssize_t n;

	/* sendmsg only reads what iov points to, yet takes it without const. */
	memcpy(&mh.msg_iov, &iov, sizeof iov);
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
	while (n < 0 && errno == EINTR);
	return done(n, err);
}

/* --- datagrams --- */

int net_udp_open(const struct endpoint *at, const char *device, enum err *err)
{
	union address a;
	socklen_t len = to_system(at, &a);
	int fd = open_socket(&a, SOCK_DGRAM, device, err);

	if (fd < 0)
		return -1;
	if (bind(fd, &a.any, len) != 0)
		return fail(fd, err);
	return fd;
}

static int open_shared(const struct endpoint *at, const char *device, enum err *err)
{
	union address a;
	socklen_t len = to_system(at, &a);
	int fd = open_socket(&a, SOCK_DGRAM, device, err);

	if (fd < 0)
		return -1;
	if (!set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) || bind(fd, &a.any, len) != 0)
		return fail(fd, err);
	return fd;
}

/* socket(7), SO_ATTACH_REUSEPORT_CBPF: the program gives the number of the socket in the group. */
static bool split_by(int fd, uint8_t first)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), /* an empty one ends here, with 0 */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = ARRAY_LEN(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
}

int net_udp_split(
	const struct endpoint *at, const char *device, uint8_t first, int *other, enum err *err)
{
	int fd = open_shared(at, device, err);

	if (fd < 0)
		return -1;
	*other = open_shared(at, device, err);
	if (*other >= 0 && split_by(fd, first))
		return fd;
	if (*other >= 0)
		(void)fail(*other, err);
	*other = -1;
	return fail(fd, err);
}

enum err net_udp_send(int fd, const struct endpoint *to, const void *p, size_t n)
{
	union address a;
	socklen_t len = to_system(to, &a);
	ssize_t sent;

	do
		sent = sendto(fd, p, n, MSG_NOSIGNAL, &a.any, len);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? err_of(errno) : E_OK;
}

ssize_t net_udp_recv(int fd, struct endpoint *from, void *p, size_t n, enum err *err)
{
	union address a = {0};
	socklen_t len = sizeof a;
	ssize_t got;

	do
		got = recvfrom(fd, p, n, 0, &a.any, &len);
	while (got < 0 && errno == EINTR);
	if (got >= 0)
		from_system(&a, from);
	return done(got, err);
}
