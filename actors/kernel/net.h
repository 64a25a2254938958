/* SPDX-License-Identifier: MIT */
/*
 * Non-blocking sockets; a seam: tests/sim has a network of its own behind the same calls.
 *
 * Every descriptor is non-blocking and close-on-exec.  Calls that give a descriptor or a count
 * return -1 and set *err on failure; E_AGAIN means wait for readiness.  Any thread, one owner a
 * descriptor.
 */
#ifndef KERNEL_NET_H
#define KERNEL_NET_H

#include <sys/uio.h>

#include "proto/base/endpoint.h"

/*
 * A socket may be bound to a network device ("tun0"): it neither sends nor hears by another one,
 * and while there is no device of that name it cannot be had: E_UNREACHABLE.  When the device goes,
 * and another comes with its name, the socket stays with the one that has gone.  device: "": any.
 */
#define NET_DEVICE_MAX 15u /* bytes of a name */
/* What tells a device from another that had its name before; 0: there is none, or name is "". */
unsigned net_device_index(const char *name);
/* For sockets that are opened elsewhere, before they are connected or bound. */
enum err net_device_bind(int fd, const char *device);

/* IPv6 listeners are v6-only, so that one port is bound once per family.  No SO_REUSEPORT. */
int net_listen(const struct endpoint *at, const char *device, int backlog, enum err *err);
int net_accept(int fd, struct endpoint *peer, enum err *err);
/* Starts to connect; POLL_OUT says that net_connect_result() knows how it ended. */
int net_connect(const struct endpoint *to, const char *device, enum err *err);
enum err net_connect_result(int fd);
/* Two ends of one stream within the machine, in fd. */
enum err net_pair(int fd[2]);
/* Bytes read; 0: the other side has ended its stream. */
ssize_t net_readv(int fd, const struct iovec *iov, int iovcnt, enum err *err);
/* E_FAULT: the bytes are of a mapped file (fs_map) and cannot be read. */
ssize_t net_writev(int fd, const struct iovec *iov, int iovcnt, bool more, enum err *err);
enum err net_local(int fd, struct endpoint *out);
/* Bytes the kernel holds unsent; sizes the send queue. */
void net_set_not_sent_low(int fd, unsigned bytes);
/* Has the kernel keep room for so many received bytes from now on, as far as the system allows. It
 * may give more by itself as before, which SO_RCVBUF would end. */
void net_make_room(int fd, unsigned bytes);
void net_close(int fd);

int net_udp_open(const struct endpoint *at, const char *device, enum err *err);
/*
 * Two sockets at one address: *other gets the datagrams that begin with the byte `first`, the
 * socket that is returned all others.  What either sends comes from that address.
 */
int net_udp_split(
	const struct endpoint *at, const char *device, uint8_t first, int *other, enum err *err);
enum err net_udp_send(int fd, const struct endpoint *to, const void *p, size_t n);
ssize_t net_udp_recv(int fd, struct endpoint *from, void *p, size_t n, enum err *err);

#endif
