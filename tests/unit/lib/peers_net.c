/* SPDX-License-Identifier: MIT */
/* The network and the maps of the peers actor's world: these stand in for the kernel's own. */
#include "tests/unit/lib/peers_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/kernel/fs.h"
#include "actors/kernel/net.h"
#include "proto/meta/metainfo.h"
#include "proto/wire/ext_metadata.h"
#include "proto/wire/wire.h"

/* The calls of net.h have no argument that could name the world they are made in. */
static struct world *world;

/* --- sockets --- */

static void set_nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

static struct remote *remote_new(struct world *w, const struct endpoint *at)
{
	unsigned i = w->remotes_n++;
	struct remote *r = &w->remote[i];
	int pair[2];

	assert_true(w->remotes_n < WORLD_REMOTES);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	set_nonblocking(pair[0]);
	set_nonblocking(pair[1]);
	if (w->send_buffer > 0)
		setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &w->send_buffer, sizeof(int));
	*r = (struct remote){.fd = pair[0], .at = *at};
	w->lines[i] = pair[1];
	return r;
}

int net_listen(const struct endpoint *at, const char *device, int backlog, enum err *err)
{
	(void)device;
	(void)at;
	(void)backlog;
	*err = E_UNSUPPORTED;
	return -1;
}

int net_accept(int fd, struct endpoint *peer, enum err *err)
{
	char one;

	*err = E_AGAIN;
	if (read(fd, &one, 1) != 1)
		return -1;
	while (world->remote[world->accept_at].dialled)
		world->accept_at++;
	*peer = world->remote[world->accept_at].at;
	return world->lines[world->accept_at++];
}

int net_connect(const struct endpoint *to, const char *device, enum err *err)
{
	(void)device;
	struct remote *r;

	if (world->refuse_dials) {
		*err = E_REFUSED;
		return -1;
	}
	r = remote_new(world, to);
	r->dialled = true;
	return world->lines[r - world->remote];
}

enum err net_connect_result(int fd)
{
	(void)fd;
	return E_OK;
}

static ssize_t counted(ssize_t n, enum err *err)
{
	if (n < 0)
		*err = errno == EAGAIN ? E_AGAIN : errno == EPIPE ? E_CLOSED : E_IO;
	return n;
}

ssize_t net_readv(int fd, const struct iovec *iov, int iovcnt, enum err *err)
{
	return counted(readv(fd, iov, iovcnt), err);
}

static bool is_mapped(const void *p)
{
	const uint8_t *at = p;

	return world->content != NULL && at >= world->content && at < world->content + WORLD_SIZE;
}

ssize_t net_writev(int fd, const struct iovec *iov, int iovcnt, bool more, enum err *err)
{
	struct msghdr h = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)iovcnt};

	(void)more;
	for (int i = 0; i < iovcnt && world->faults; i++) {
		if (!is_mapped(iov[i].iov_base))
			continue;
		*err = E_FAULT;
		return -1;
	}
	return counted(sendmsg(fd, &h, MSG_NOSIGNAL), err);
}

/* The actor's end of a connection: the other end dialled from there, or was dialled. */
enum err net_local(int fd, struct endpoint *out)
{
	unsigned i = world->remotes_n;

	while (i > 0 && world->lines[i - 1] != fd)
		i--;
	if (i == 0)
		return E_NOT_FOUND;
	*out = world_endpoint("192.0.2.1:1");
	out->port = (uint16_t)(40000 + i - 1);
	return E_OK;
}

void net_set_not_sent_low(int fd, unsigned bytes)
{
	(void)fd;
	(void)bytes;
}

void net_make_room(int fd, unsigned bytes)
{
	(void)fd;
	(void)bytes;
}

void net_close(int fd)
{
	close(fd);
}

int net_udp_open(const struct endpoint *at, const char *device, enum err *err)
{
	(void)device;
	(void)at;
	*err = E_UNSUPPORTED;
	return -1;
}

enum err net_udp_send(int fd, const struct endpoint *to, const void *p, size_t n)
{
	struct datagram *d = &world->sent[world->sent_n++];

	(void)fd;
	assert_true(world->sent_n < ARRAY_LEN(world->sent) && n <= sizeof d->bytes);
	d->at = *to;
	d->n = n;
	memcpy(d->bytes, p, n);
	return E_OK;
}

ssize_t net_udp_recv(int fd, struct endpoint *from, void *p, size_t n, enum err *err)
{
	struct datagram *d;
	char one;

	*err = E_AGAIN;
	if (read(fd, &one, 1) != 1)
		return -1;
	d = &world->arrived[world->arrived_at++];
	*from = d->at;
	memcpy(p, d->bytes, MIN(n, d->n));
	return (ssize_t)MIN(n, d->n);
}

/* --- maps --- */

bool fs_map_resident(const uint8_t *at, size_t n)
{
	assert_true(is_mapped(at) && is_mapped(at + n - 1));
	return world->resident;
}

enum err fs_map_copy(uint8_t *to, size_t n, const struct iovec *from, int iovcnt)
{
	size_t at = 0;

	for (int i = 0; i < iovcnt; i++) {
		if (world->faults && is_mapped(from[i].iov_base))
			return E_FAULT;
		memcpy(to + at, from[i].iov_base, from[i].iov_len);
		at += from[i].iov_len;
	}
	assert_int_equal(at, n);
	return E_OK;
}

void fs_unmap(const uint8_t *map, uint64_t n)
{
	(void)n;
	assert_true(map == world->content);
}

/* --- remotes --- */

struct endpoint world_endpoint(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, &e), E_OK);
	return e;
}

struct remote *world_dial(struct world *w, const char *from)
{
	struct endpoint at = world_endpoint(from);
	struct remote *r = remote_new(w, &at);

	assert_int_equal(write(w->listener[1], "c", 1), 1);
	world_turn(w);
	return r;
}

void remote_send(struct world *w, struct remote *r, const void *bytes, size_t n)
{
	ssize_t sent = send(r->fd, bytes, n, MSG_NOSIGNAL);

	if (sent >= 0)
		assert_int_equal(sent, n);
	world_turn(w);
}

static void say_hello(struct world *w, struct remote *r, const uint8_t id[20], bool extended)
{
	uint8_t out[WIRE_HANDSHAKE], reserved[8] = {0};

	wire_reserved_set(reserved, WIRE_FAST);
	if (extended)
		wire_reserved_set(reserved, WIRE_EXTENSION);
	wire_handshake_encode(out, reserved, w->meta->infohash.v1, id);
	remote_send(w, r, out, sizeof out);
}

void remote_hello_id(struct world *w, struct remote *r, const uint8_t id[20])
{
	say_hello(w, r, id, false);
}

static void named(uint8_t id[20], const char *name)
{
	size_t n = strlen(name);

	assert_true(n <= 12);
	memcpy(id, "-XX0001-            ", 20);
	memcpy(id + 8, name, n);
}

void remote_hello(struct world *w, struct remote *r, const char *name)
{
	uint8_t id[20];

	named(id, name);
	say_hello(w, r, id, false);
}

void remote_hello_extended(struct world *w, struct remote *r, const char *name)
{
	uint8_t id[20];

	named(id, name);
	say_hello(w, r, id, true);
}

struct remote *world_join(struct world *w, const char *from, const char *name)
{
	struct remote *r = world_dial(w, from);

	remote_hello(w, r, name);
	return r;
}

struct remote *world_dialled(struct world *w, const char *address)
{
	struct endpoint at = world_endpoint(address);

	world_turn(w);
	for (unsigned i = w->remotes_n; i-- > 0;)
		if (w->remote[i].dialled && endpoint_equal(&w->remote[i].at, &at))
			return &w->remote[i];
	return NULL;
}

void remote_say(struct world *w, struct remote *r, unsigned id)
{
	const uint8_t out[5] = {0, 0, 0, 1, (uint8_t)id};

	remote_send(w, r, out, sizeof out);
}

void remote_request(struct world *w, struct remote *r, uint32_t piece, uint32_t begin)
{
	uint8_t out[32];
	struct wr wr = wr_of(out, sizeof out);

	wire_put_request(&wr, piece, begin, BLOCK_SIZE);
	remote_send(w, r, out, (size_t)(wr.p - out));
}

void remote_haves(struct world *w, struct remote *r, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		uint8_t out[16];
		struct wr wr = wr_of(out, sizeof out);

		wire_put_have(&wr, i);
		remote_send(w, r, out, (size_t)(wr.p - out));
	}
}

void remote_read(struct world *w, struct remote *r, size_t max)
{
	while (max > 0 && !r->ended) {
		ssize_t n;

		if (r->in_n == r->in_cap) {
			r->in_cap = MAX(2 * r->in_cap, (size_t)65536);
			r->in = xrealloc(r->in, r->in_cap);
		}
		n = read(r->fd, r->in + r->in_n, MIN(max, r->in_cap - r->in_n));
		r->ended |= n == 0 || (n < 0 && errno != EAGAIN);
		if (n <= 0)
			break;
		r->in_n += (size_t)n;
		max -= (size_t)n;
		world_turn(w);
	}
}

bool remote_closed(struct world *w, struct remote *r)
{
	world_turn(w);
	remote_read(w, r, SIZE_MAX);
	return r->ended;
}

void remote_close(struct world *w, struct remote *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->ended = true;
	world_turn(w);
}

static uint32_t number(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A message of the extension protocol: 5 is what the remotes of the tests call ut_metadata. */
static int put_extended(const uint8_t *p, uint32_t n, char *out, size_t room)
{
	struct metadata_message m;

	assert_true(n > 1);
	if (p[1] != 5)
		return snprintf(out, room, "extended(%u) ", p[1]);
	assert_int_equal(ext_metadata_parse((struct slice){p + 2, n - 2}, &m), E_OK);
	return snprintf(out, room, "metadata(%d,%u) ", m.type, m.piece);
}

/* One message as words. */
static int put_message(struct world *w, const uint8_t *p, uint32_t n, char *out, size_t room)
{
	static const char *const names[] = {"choke", "unchoke", "interested", "not_interested",
		"have", "bitfield", "request", "piece", "cancel", "port", "", "", "", "suggest",
		"have_all", "have_none", "reject", "fast"};

	if (n == 0)
		return snprintf(out, room, "keepalive ");
	if (p[0] == 7) {
		uint32_t piece = number(p + 1), begin = number(p + 5);

		assert_memory_equal(p + 9, w->content + (size_t)piece * WORLD_PIECE + begin, n - 9);
		return snprintf(out, room, "piece(%u,%u) ", piece, begin);
	}
	if (p[0] == 20)
		return put_extended(p, n, out, room);
	assert_true(p[0] < ARRAY_LEN(names)); /* or the stream is lost */
	if (p[0] == 4 || p[0] == 17)
		return p[0] == 17 ? 0 : snprintf(out, room, "have(%u) ", number(p + 1));
	if (p[0] == 6 || p[0] == 16)
		return snprintf(out, room, "%s(%u,%u) ", names[p[0]], number(p + 1), number(p + 5));
	return snprintf(out, room, "%s ", names[p[0]]);
}

const char *remote_words(struct world *w, struct remote *r)
{
	static char out[65536];
	size_t at = 0, n = 0;

	world_turn(w);
	remote_read(w, r, SIZE_MAX);
	out[0] = '\0';
	if (!r->hello_seen && r->in_n >= WIRE_HANDSHAKE) {
		at = WIRE_HANDSHAKE;
		r->hello_seen = true;
	}
	while (r->hello_seen && r->in_n - at >= 4) {
		uint32_t length = number(r->in + at);

		assert_true(length < 1u << 21);
		if (r->in_n - at < 4 + (size_t)length)
			break;
		n += (size_t)put_message(w, r->in + at + 4, length, out + n, sizeof out - n);
		at += 4 + length;
	}
	memmove(r->in, r->in + at, r->in_n - at);
	r->in_n -= at;
	if (n > 0)
		out[n - 1] = '\0';
	return out;
}

/* --- start and end --- */

/* A pair of ends, of which the actor has the first. */
static void make_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	set_nonblocking(pair[0]);
}

void peers_net_start(struct world *w)
{
	world = w;
	make_pair(w->listener);
	make_pair(w->udp);
}

void peers_net_stop(struct world *w)
{
	for (unsigned i = 0; i < w->remotes_n; i++)
		xfree(w->remote[i].in);
	close(w->listener[1]);
	close(w->udp[0]);
	close(w->udp[1]);
}

unsigned net_device_index(const char *name)
{
	(void)name;
	return 0;
}

enum err net_device_bind(int fd, const char *device)
{
	(void)fd;
	return device[0] == '\0' ? E_OK : E_UNREACHABLE;
}
