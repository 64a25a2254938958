/* SPDX-License-Identifier: MIT */
/*
 * Mailboxes over ZeroMQ: one PULL socket an inbox, one PUSH socket an outbox, a pointer a message.
 *
 * A message is 8 bytes and is therefore stored inline in zmq_msg_t: no allocation.  PUSH and PULL,
 * never PAIR or DEALER, because a send on a socket swallows the wake-up of a receive on the same
 * one.  The high water mark of inproc is the sum of both sides, and 0 on either side means no
 * limit: both are set, as a tripwire.  EAGAIN of a send can be stale, because sends look at their
 * commands only now and then; asking for ZMQ_EVENTS makes them look.
 *
 * ThreadSanitizer does not see into libzmq; the hand-off is told to it here.
 */
#include "actors/kernel/mailbox.h"

#include <errno.h>
#include <stdio.h>
#include <zmq.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define HAND_OFF(p) __tsan_release(p)
#define HAND_ON(p)  __tsan_acquire(p)
#else
#define HAND_OFF(p) (void)(p)
#define HAND_ON(p)  (void)(p)
#endif

#define BUS_MAGIC    0x42555321u
#define INBOX_MAGIC  0x494e4258u
#define OUTBOX_MAGIC 0x4f544258u

/* Messages in one pipe, each side.  What bounds each (msg.def) keeps it orders of magnitude below.
 */
#define HIGH_WATER  65536
#define SOCKETS_MAX 16384

struct mailbus {
	uint32_t magic;
	void *ctx;
};

struct inbox {
	uint32_t magic;
	int fd;
	void *sock;
};

struct outbox {
	uint32_t magic;
	void *sock;
};

struct mailbus *mailbus_new(void)
{
	struct mailbus *b;

	ALLOC_OBJ(b, BUS_MAGIC);
	b->ctx = zmq_ctx_new();
	must(b->ctx != NULL);
	must(zmq_ctx_set(b->ctx, ZMQ_IO_THREADS, 0) == 0); /* inproc needs none */
	must(zmq_ctx_set(b->ctx, ZMQ_MAX_SOCKETS, SOCKETS_MAX) == 0);
	return b;
}

void mailbus_free(struct mailbus **pb)
{
	struct mailbus *b;

	TAKE_OBJ(b, pb, BUS_MAGIC);
	while (zmq_ctx_term(b->ctx) != 0)
		must(errno == EINTR);
	FREE_OBJ(b);
}

/* A socket with our limits, bound or connected to inproc://name. */
static void *open_socket(struct mailbus *b, int type, const char *name)
{
	int zero = 0, hwm = HIGH_WATER;
	char at[128];
	void *s;

	CHECK_OBJ(b, BUS_MAGIC);
	s = zmq_socket(b->ctx, type);
	must(s != NULL);
	must(zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero) == 0);
	must(zmq_setsockopt(s, ZMQ_SNDHWM, &hwm, sizeof hwm) == 0);
	must(zmq_setsockopt(s, ZMQ_RCVHWM, &hwm, sizeof hwm) == 0);
	must(snprintf(at, sizeof at, "inproc://%s", name) < (int)sizeof at);
	must((type == ZMQ_PULL ? zmq_bind(s, at) : zmq_connect(s, at)) == 0);
	return s;
}

struct inbox *inbox_open(struct mailbus *b, const char *name)
{
	struct inbox *in;
	size_t size = sizeof in->fd;

	ALLOC_OBJ(in, INBOX_MAGIC);
	in->sock = open_socket(b, ZMQ_PULL, name);
	must(zmq_getsockopt(in->sock, ZMQ_FD, &in->fd, &size) == 0);
	return in;
}

void inbox_close(struct inbox **pin)
{
	struct inbox *in;

	TAKE_OBJ(in, pin, INBOX_MAGIC);
	must(zmq_close(in->sock) == 0);
	FREE_OBJ(in);
}

enum err inbox_recv(struct inbox *in, void **p)
{
	int n;

	CHECK_OBJ(in, INBOX_MAGIC);
	do
		n = zmq_recv(in->sock, p, sizeof *p, ZMQ_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		must(errno == EAGAIN);
		return E_AGAIN;
	}
	must(n == (int)sizeof *p);
	HAND_ON(*p);
	return E_OK;
}

int inbox_fd(const struct inbox *in)
{
	CHECK_OBJ(in, INBOX_MAGIC);
	return in->fd;
}

struct outbox *outbox_open(struct mailbus *b, const char *name)
{
	struct outbox *out;

	ALLOC_OBJ(out, OUTBOX_MAGIC);
	out->sock = open_socket(b, ZMQ_PUSH, name);
	return out;
}

void outbox_close(struct outbox **pout)
{
	struct outbox *out;

	TAKE_OBJ(out, pout, OUTBOX_MAGIC);
	must(zmq_close(out->sock) == 0);
	FREE_OBJ(out);
}

static bool send_now(struct outbox *out, void *p)
{
	int n;

	do
		n = zmq_send(out->sock, &p, sizeof p, ZMQ_DONTWAIT);
	while (n < 0 && errno == EINTR);
	must(n == (int)sizeof p || (n < 0 && errno == EAGAIN));
	return n >= 0;
}

bool outbox_send(struct outbox *out, void *p)
{
	int events;
	size_t size = sizeof events;

	CHECK_OBJ(out, OUTBOX_MAGIC);
	HAND_OFF(p);
	if (send_now(out, p))
		return true;
	must(zmq_getsockopt(out->sock, ZMQ_EVENTS, &events, &size) == 0);
	return send_now(out, p);
}
