/* SPDX-License-Identifier: MIT */
/*
 * The peer wire with `peers`: their requests in, blocks out.
 *
 * The other side is our own, but it is read like anybody's: what does not fit ends the pipe.
 */
#include "actors/kernel/net.h"
#include "actors/webseed/priv.h"

#define READ_BUDGET 16     /* reads before others get their turn */
#define MESSAGE_MAX 65536u /* a have, a bitfield or an extension's message that is passed over */

static void run(struct loop_task *);

static void on_io(struct loop_fd *io, uint32_t ready)
{
	struct pipe *p = container_of(io, struct pipe, io);

	if (ready & (POLL_IN | POLL_ERR | POLL_HUP))
		p->readable = true;
	if (ready & (POLL_OUT | POLL_ERR))
		p->writable = true;
	loop_task_post(p->loop, &p->task);
}

enum err pipe_open(struct pipe *p, struct loop *loop, int fd, const struct pipe_ops *ops)
{
	enum err err;

	*p = (struct pipe){.loop = loop, .ops = ops, .readable = true, .writable = true};
	p->io = (struct loop_fd){.fd = -1, .fn = on_io};
	p->task.fn = run;
	err = loop_fd_add(loop, &p->io, fd, POLL_IN | POLL_OUT | POLL_EDGE);
	if (err != E_OK) {
		net_close(fd);
		return err;
	}
	wire_dec_init(&p->dec, WIRE_MAX_BLOCK, METAINFO_PIECES_MAX / 8, MESSAGE_MAX);
	return E_OK;
}

void pipe_close(struct pipe *p)
{
	int fd = p->io.fd;

	if (fd < 0)
		return;
	loop_fd_del(p->loop, &p->io);
	net_close(fd);
	if (p->task.queued)
		loop_task_del(p->loop, &p->task);
	wire_dec_fini(&p->dec);
	outbuf_fini(&p->out);
}

struct wr pipe_begin(struct pipe *p, size_t room)
{
	return outbuf_begin(&p->out, room);
}

void pipe_say(struct pipe *p, const struct wr *w)
{
	must(!w->full);
	outbuf_commit(&p->out, w);
	loop_task_post(p->loop, &p->task);
}

static enum err take_event(struct pipe *p, const struct wire_ev *ev)
{
	if (ev->type == WIRE_REQUEST)
		return p->ops->request(p, ev->index, ev->begin, ev->length);
	if (ev->type == WIRE_CANCEL)
		p->ops->cancel(p, ev->index, ev->begin, ev->length);
	return E_OK;
}

static enum err take_bytes(struct pipe *p, const uint8_t *at, size_t n)
{
	size_t hello = MIN(n, WIRE_HANDSHAKE - p->greeting), used;
	struct wire_ev ev;
	enum err err = E_OK;

	p->greeting += (uint32_t)hello;
	at += hello;
	n -= hello;
	while (err == E_OK) {
		err = wire_next(&p->dec, at, n, &used, &ev);
		if (err != E_OK || ev.type == WIRE_NONE)
			return err;
		at += used;
		n -= used;
		err = take_event(p, &ev);
	}
	return err;
}

/* false: it has ended. */
static bool read_all(struct pipe *p)
{
	uint8_t bytes[16384];
	struct iovec to = {bytes, sizeof bytes};

	for (int i = 0; i < READ_BUDGET; i++) {
		enum err err = E_OK;
		ssize_t n = net_readv(p->io.fd, &to, 1, &err);

		if (n < 0 && err == E_AGAIN) {
			p->readable = false;
			return true;
		}
		if (n <= 0 || take_bytes(p, bytes, (size_t)n) != E_OK)
			return false;
	}
	loop_task_post(p->loop, &p->task);
	return true;
}

static bool write_all(struct pipe *p)
{
	while (p->writable && outbuf_len(&p->out) > 0) {
		union {
			const uint8_t *from;
			void *to;
		} data = {.from = outbuf_data(&p->out)};
		struct iovec v = {data.to, outbuf_len(&p->out)};
		enum err err = E_OK;
		ssize_t n = net_writev(p->io.fd, &v, 1, false, &err);

		if (n < 0 && err != E_AGAIN)
			return false;
		if (n < 0)
			p->writable = false;
		else
			outbuf_sent(&p->out, (size_t)n);
	}
	return true;
}

static void run(struct loop_task *task)
{
	struct pipe *p = container_of(task, struct pipe, task);

	if (!pipe_is_open(p))
		return;
	if ((p->readable && !read_all(p)) || !write_all(p)) {
		p->ops->ended(p);
		return;
	}
	p->ops->turned(p);
}
