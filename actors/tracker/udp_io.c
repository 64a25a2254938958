/* SPDX-License-Identifier: MIT */
/*
 * Exchanges with UDP trackers (BEP 15) over one socket for each address family.
 *
 * The protocol is proto/tracker_udp; here are sockets, addresses and time.  A request has a leg for
 * each family the tracker has an address of.  The first good answer gives the other leg GRACE to
 * come in as well.  Connection ids are remembered by address, as BEP 15 allows for a minute.
 *
 * Datagrams are matched by address first, then by transaction id: there are at most twice
 * tracker.connections legs, so a walk over them is cheaper than a table would be to keep.
 */
#include "actors/tracker/udp_io.h"

#include <stdio.h>

#include "actors/fetch/address_filter.h"
#include "actors/kernel/net.h"
#include "actors/kernel/random.h"
#include "config/proxy.h"

#define UDPIO_MAGIC 0x5544494fu
#define ASK_MAGIC   0x5544504bu
#define CONNS_MAX   128u
#define RECV_BATCH  64u
#define RECV_SIZE   65536u
#define TRIES_MAX   8u

static const int64_t GRACE = 2 * USEC_PER_SEC;

enum { FAMILY_V4, FAMILY_V6, FAMILIES };

struct conn {
	struct endpoint at;
	uint64_t id;
	int64_t until; /* 0: free */
};

struct port {
	struct udpio *io;
	struct loop_fd fd; /* .fd -1: not open */
	unsigned index;    /* of the device it was bound to */
};

struct udpio {
	uint32_t magic;
	struct loop *loop;
	struct resolver *resolver;
	const struct blocklist *blocked; /* owned reference */
	struct port ports[FAMILIES];
	TAILQ_HEAD(, udpio_ask) asks; /* those that have addresses */
	struct conn conns[CONNS_MAX];
	uint8_t buf[RECV_SIZE];
};

struct leg {
	bool live;
	struct endpoint to;
	struct udp_exchange x;
};

struct udpio_ask {
	uint32_t magic;
	bool listed; /* in asks */
	TAILQ_ENTRY(udpio_ask) link;
	struct udpio *io;
	const struct config *config; /* owned reference */
	udp_done_f *fn;
	void *ctx;
	char *url;           /* owned */
	const char *urldata; /* in url */
	uint16_t port;
	enum udp_action action;
	struct announce_params params;
	struct resolver_wait wait;
	struct loop_timer timer; /* the next thing due, or the report of a failure */
	struct leg legs[FAMILIES];
	bool answered;   /* reply holds a good answer */
	int64_t give_up; /* answered: when the other leg is not waited for any more */
	enum err err;    /* not answered: why */
	struct announce_reply reply;
};

/* --- connection ids --- */

static struct conn *find_conn(struct udpio *io, const struct endpoint *at)
{
	for (unsigned i = 0; i < CONNS_MAX; i++)
		if (io->conns[i].until != 0 && endpoint_equal(&io->conns[i].at, at))
			return &io->conns[i];
	return NULL;
}

static struct conn *oldest_conn(struct udpio *io)
{
	struct conn *c = &io->conns[0];

	for (unsigned i = 1; i < CONNS_MAX; i++)
		if (io->conns[i].until < c->until)
			c = &io->conns[i];
	return c;
}

static void keep_conn(struct udpio *io, const struct leg *l, bool good)
{
	struct conn *c = find_conn(io, &l->to);
	int64_t until = 0;
	uint64_t id = udp_exchange_conn(&l->x, &until);

	if (!good || until == 0) {
		if (c != NULL)
			c->until = 0; /* the tracker may have forgotten it */
		return;
	}
	if (c == NULL)
		c = oldest_conn(io);
	*c = (struct conn){.at = l->to, .id = id, .until = until};
}

/* --- ends --- */

static void report(struct udpio_ask *a)
{
	const char *text = a->reply.failure;

	loop_timer_del(a->io->loop, &a->timer);
	if (a->answered)
		a->fn(a->ctx, E_OK, "", &a->reply);
	else
		a->fn(a->ctx, a->err, text[0] != '\0' ? text : err_words(a->err), &a->reply);
}

static bool any_live(const struct udpio_ask *a)
{
	return a->legs[FAMILY_V4].live || a->legs[FAMILY_V6].live;
}

static int64_t ask_deadline(const struct udpio_ask *a)
{
	int64_t at = a->answered ? a->give_up : INT64_MAX;

	for (int f = 0; f < FAMILIES; f++)
		if (a->legs[f].live)
			at = MIN(at, udp_exchange_deadline(&a->legs[f].x));
	return at;
}

/* Reports when all is over, else sleeps until something is due. */
static void settle(struct udpio_ask *a, int64_t now)
{
	if (!any_live(a) || (a->answered && a->give_up <= now))
		report(a);
	else
		loop_timer_set(a->io->loop, &a->timer, ask_deadline(a));
}

static void fail_leg(struct udpio_ask *a, struct leg *l, enum err err)
{
	l->live = false;
	if (a->err != E_TRACKER) /* the tracker's own words say most */
		a->err = err;
}

/* Adds a second answer to the first; both speak of the same swarm. */
static void merge_reply(struct announce_reply *to, const struct announce_reply *from)
{
	for (uint32_t i = 0; i < from->peers_n; i++)
		if (announce_reply_add_peer(to, &from->peers[i]) != E_OK)
			break;
	to->complete = MAX(to->complete, from->complete);
	to->incomplete = MAX(to->incomplete, from->incomplete);
	to->downloaded = MAX(to->downloaded, from->downloaded);
}

static void take_answer(struct udpio_ask *a, struct leg *l, struct announce_reply *r, int64_t now)
{
	l->live = false;
	keep_conn(a->io, l, true);
	if (a->answered) {
		merge_reply(&a->reply, r);
		announce_reply_free(r);
		return;
	}
	announce_reply_free(&a->reply);
	a->reply = *r;
	a->answered = true;
	a->give_up = now + GRACE;
}

static void take_failure(struct udpio_ask *a, struct leg *l, struct announce_reply *r, enum err err)
{
	keep_conn(a->io, l, false);
	fail_leg(a, l, err);
	if (!a->answered && a->reply.failure[0] == '\0') {
		announce_reply_free(&a->reply);
		a->reply = *r;
	} else {
		announce_reply_free(r);
	}
}

/* --- datagrams --- */

static void send_due(struct udpio_ask *a, int64_t now)
{
	uint8_t buf[UDP_DATAGRAM_MAX];
	enum err err;
	size_t n;

	for (int f = 0; f < FAMILIES; f++) {
		struct leg *l = &a->legs[f];

		if (!l->live)
			continue;
		n = udp_exchange_output(&l->x, buf, now);
		if (n == 0) {
			err = udp_exchange_status(&l->x);
			if (err != E_AGAIN)
				fail_leg(a, l, err);
			continue;
		}
		err = net_udp_send(a->io->ports[f].fd.fd, &l->to, buf, n);
		if (err != E_OK && err != E_AGAIN) /* a full socket is a lost datagram */
			fail_leg(a, l, err);
	}
}

static void run_timer(struct loop_timer *t, int64_t now)
{
	struct udpio_ask *a = container_of(t, struct udpio_ask, timer);

	CHECK_OBJ(a, ASK_MAGIC);
	send_due(a, now);
	settle(a, now);
}

/* true: the datagram was for this leg. */
static bool offer(struct udpio_ask *a, struct leg *l, struct slice d, int64_t now)
{
	uint32_t txid = l->x.txid;
	struct announce_reply r;
	enum err err = udp_exchange_input(&l->x, d.p, d.n, now, &r);

	if (err == E_AGAIN) {
		if (l->x.txid == txid && udp_exchange_deadline(&l->x) > now)
			return false;
		send_due(a, now);
	} else if (err == E_OK) {
		take_answer(a, l, &r, now);
	} else {
		take_failure(a, l, &r, err);
	}
	settle(a, now);
	return true;
}

static void dispatch(struct udpio *io, int f, const struct endpoint *from, struct slice d)
{
	int64_t now = loop_now(io->loop);
	struct udpio_ask *a;

	TAILQ_FOREACH(a, &io->asks, link)
	{
		struct leg *l = &a->legs[f];

		/* offer() may end in the owner freeing a: no step is taken after it. */
		if (l->live && endpoint_equal(&l->to, from) && offer(a, l, d, now))
			return;
	}
}

static void read_port(struct loop_fd *fd, uint32_t ready)
{
	struct port *p = container_of(fd, struct port, fd);
	struct udpio *io = p->io;
	int f = p == &io->ports[FAMILY_V4] ? FAMILY_V4 : FAMILY_V6;
	struct endpoint from;
	enum err err;
	ssize_t n;

	(void)ready;
	CHECK_OBJ(io, UDPIO_MAGIC);
	for (unsigned i = 0; i < RECV_BATCH; i++) {
		n = net_udp_recv(fd->fd, &from, io->buf, sizeof io->buf, &err);
		if (n < 0 && err == E_AGAIN)
			return;
		if (n > 0)
			dispatch(io, f, &from, (struct slice){.p = io->buf, .n = (size_t)n});
	}
}

static void close_port(struct udpio *io, struct port *p)
{
	int fd = p->fd.fd;

	loop_fd_del(io->loop, &p->fd);
	if (fd >= 0)
		net_close(fd);
}

/* Anew when the device is another one than it was. */
static enum err open_port(struct udpio *io, const char *device, int f)
{
	static const uint8_t zero[16];
	struct endpoint any =
		f == FAMILY_V4 ? endpoint_from_v4(zero, 0) : endpoint_from_v6(zero, 0);
	struct port *p = &io->ports[f];
	unsigned index = net_device_index(device);
	enum err err = E_OK;
	int fd;

	if (p->fd.fd >= 0 && p->index == index)
		return E_OK;
	close_port(io, p);
	fd = net_udp_open(&any, device, &err);
	if (fd < 0)
		return err;
	p->index = index;
	err = loop_fd_add(io->loop, &p->fd, fd, POLL_IN);
	if (err != E_OK)
		net_close(fd);
	return err;
}

/* --- a request --- */

static void start_leg(struct udpio_ask *a, int f, const struct endpoint *to, int64_t now)
{
	struct udp_exchange_opts o = {.params = &a->params,
		.action = a->action,
		.v6 = f == FAMILY_V6,
		.urldata = a->urldata,
		.seed = random_u64(),
		.last_try = TRIES_MAX};
	struct conn *c = find_conn(a->io, to);

	if (c != NULL) {
		o.conn_id = c->id;
		o.conn_until = c->until;
	}
	a->legs[f].to = *to;
	a->legs[f].live = true;
	udp_exchange_start(&a->legs[f].x, &o, now);
}

/* One leg for the first usable address of each family. */
static void start_legs(struct udpio_ask *a, int64_t now)
{
	struct address_filter filter = address_filter_of(a->config, 0);
	enum err err = a->wait.err;

	filter.blocked = a->io->blocked;

	for (unsigned i = 0; i < a->wait.n; i++) {
		struct endpoint to = a->wait.at[i];
		int f = endpoint_is_v4(&to) ? FAMILY_V4 : FAMILY_V6;

		to.port = a->port;
		if (a->legs[f].live)
			continue;
		err = address_filter_check(&filter, &to, false);
		if (err == E_OK)
			err = open_port(a->io, a->config->network_interface, f);
		if (err == E_OK)
			start_leg(a, f, &to, now);
		else if (a->err == E_OK)
			a->err = err;
	}
	if (a->err == E_OK && err != E_OK)
		a->err = err;
}

static void take_addresses(struct resolver_wait *w)
{
	struct udpio_ask *a = container_of(w, struct udpio_ask, wait);
	int64_t now = loop_now(a->io->loop);

	CHECK_OBJ(a, ASK_MAGIC);
	start_legs(a, now);
	TAILQ_INSERT_TAIL(&a->io->asks, a, link);
	a->listed = true;
	send_due(a, now);
	settle(a, now);
}

struct udpio_ask *udpio_ask_new(
	struct udpio *io, const struct udpio_ask_opts *o, udp_done_f *fn, void *ctx)
{
	struct udpio_ask *a;
	char host[256];

	CHECK_OBJ(io, UDPIO_MAGIC);
	ALLOC_OBJ(a, ASK_MAGIC);
	a->io = io;
	a->config = config_ref(o->config);
	a->fn = fn;
	a->ctx = ctx;
	a->url = xstrdup(o->url);
	a->action = o->action;
	a->params = *o->params;
	a->wait.fn = take_addresses;
	a->timer.fn = run_timer;
	announce_reply_init(&a->reply);
	a->err = announce_udp_url(a->url, host, sizeof host, &a->port, &a->urldata);
	if (config_proxied(o->config, PROXY_FOR_TRACKERS)) {
		a->err = E_UNSUPPORTED;
		snprintf(a->reply.failure, sizeof a->reply.failure,
			"UDP trackers are not asked: the proxy (proxy.url) does not carry UDP");
	}
	if (a->err == E_OK)
		resolver_ask(io->resolver, &a->wait, host);
	else
		loop_timer_set(io->loop, &a->timer, loop_now(io->loop));
	return a;
}

void udpio_ask_free(struct udpio_ask **pa)
{
	struct udpio_ask *a;

	TAKE_OBJ(a, pa, ASK_MAGIC);
	resolver_cancel(&a->wait);
	loop_timer_del(a->io->loop, &a->timer);
	if (a->listed)
		TAILQ_REMOVE(&a->io->asks, a, link);
	announce_reply_free(&a->reply);
	config_unref(&a->config);
	xfree(a->url);
	FREE_OBJ(a);
}

/* --- the sockets --- */

struct udpio *udpio_new(struct loop *loop, struct resolver *resolver)
{
	struct udpio *io;

	ALLOC_OBJ(io, UDPIO_MAGIC);
	io->loop = loop;
	io->resolver = resolver;
	TAILQ_INIT(&io->asks);
	for (int f = 0; f < FAMILIES; f++) {
		io->ports[f].io = io;
		io->ports[f].fd.fd = -1;
		io->ports[f].fd.fn = read_port;
	}
	return io;
}

void udpio_block(struct udpio *io, const struct blocklist *list)
{
	const struct blocklist *old;

	CHECK_OBJ(io, UDPIO_MAGIC);
	old = io->blocked;
	io->blocked = blocklist_ref(list);
	blocklist_unref(&old);
}

void udpio_free(struct udpio **pio)
{
	struct udpio *io;

	TAKE_OBJ(io, pio, UDPIO_MAGIC);
	must(TAILQ_EMPTY(&io->asks));
	for (int f = 0; f < FAMILIES; f++)
		close_port(io, &io->ports[f]);
	blocklist_unref(&io->blocked);
	FREE_OBJ(io);
}
