/* SPDX-License-Identifier: MIT */
/*
 * How bytes get from host to host.
 *
 * A host sends one chunk at a time, of its streams in turn, at the rate of its line; what arrives
 * goes through the other host's line in the order of arrival.  A stream waits while its receiver's
 * buffer is full, and while the line to the receiver has as much on the way as it takes for a
 * moment: that stands for what congestion control would come to, without losses.  What has been
 * read or lost its reader is acknowledged one way later, which frees the sender's buffer.
 */
#include "tests/sim/lib/priv.h"

#define SEND_BUFFER  ((size_t)4 << 20)
#define RECV_BUFFER  ((size_t)6 << 20)
#define RING_KEEP    ((size_t)16 << 10) /* an empty ring that is larger is given back */
#define CHUNK_MIN    ((uint64_t)1460)
#define CHUNK_MAX    ((uint64_t)64 << 10)
#define QUEUE_US     INT64_C(50000) /* of the line may be on the way, beside the way's own length */
#define RETRY_US     (2 * USEC_PER_SEC)
#define FLIGHT_LEAST ((uint64_t)64 << 10)

int64_t way(const struct host *a, const struct host *b)
{
	return a->line.latency_us + b->line.latency_us;
}

struct pipe *pipe_new(struct sim *s, struct sock *tx, struct host *to)
{
	struct pipe *p = xcalloc(1, sizeof *p);

	p->s = s;
	p->from = tx->host;
	p->to = to;
	p->tx = tx;
	STAILQ_INSERT_TAIL(&s->pipes, p, link);
	return p;
}

/* --- the ring --- */

static void ring_grow(struct pipe *p, size_t n)
{
	size_t used = p->readable + p->flight + p->unsent, cap = MAX((size_t)4096, p->cap);
	uint8_t *ring;

	if (used + n <= p->cap)
		return;
	while (cap < used + n)
		cap *= 2;
	ring = xcalloc(1, cap);
	for (size_t i = 0; i < used;) {
		size_t at = (p->head + i) % p->cap, k = MIN(used - i, p->cap - at);

		memcpy(ring + i, p->ring + at, k);
		i += k;
	}
	xfree(p->ring);
	p->ring = ring;
	p->cap = cap;
	p->head = 0;
}

static void ring_free(struct pipe *p)
{
	xfree(p->ring);
	p->ring = NULL;
	p->cap = p->head = 0;
	p->readable = p->flight = p->unsent = p->unacked = 0;
}

size_t pipe_room(const struct pipe *p)
{
	size_t used = p->unsent + p->unacked, room = used < SEND_BUFFER ? SEND_BUFFER - used : 0;

	if (p->tx != NULL && p->tx->low > 0)
		room = MIN(room, p->unsent < p->tx->low ? p->tx->low - p->unsent : 0);
	return room;
}

/* --- sending --- */

static event_f on_sent, on_arrived, on_through, on_acked, on_retry, on_window;

static bool may_send(const struct pipe *p)
{
	if (p->dead || p->from->dark)
		return false;
	if (p->unsent > 0)
		return p->flight + p->readable < RECV_BUFFER;
	return p->fin && !p->fin_sent;
}

static uint64_t way_limit(const struct pipe *p)
{
	const struct host *h = p->to;
	int64_t us = QUEUE_US + 2 * way(p->from, p->to);

	return h->line.down == 0 ? UINT64_MAX
				 : MAX(FLIGHT_LEAST, h->line.down * (uint64_t)us / (uint64_t)SEC);
}

static int64_t line_us(uint64_t rate, uint64_t n)
{
	return rate == 0 ? 0 : (int64_t)(n * (uint64_t)SEC / rate);
}

static void send_chunk(struct host *h, struct pipe *p)
{
	uint64_t chunk =
		h->line.up > 0 ? MIN(MAX(h->line.up / 64, CHUNK_MIN), CHUNK_MAX) : CHUNK_MAX;
	size_t n = (size_t)MIN(MIN(chunk, p->unsent), RECV_BUFFER - p->flight - p->readable);

	if (p->unsent == 0)
		n = 0;
	p->unsent -= n;
	p->flight += n;
	p->unacked += n;
	p->to->on_way += n;
	h->sent += n;
	h->up_busy = true;
	if (n == 0)
		p->fin_sent = true;
	event_at(p->s, p->s->now + line_us(h->line.up, n), on_sent, p, n);
}

static void kick(struct host *h)
{
	struct pipe *p;

	while (!h->up_busy && (p = TAILQ_FIRST(&h->up_queue)) != NULL) {
		TAILQ_REMOVE(&h->up_queue, p, in_queue);
		p->place = PIPE_IDLE;
		if (!may_send(p))
			continue;
		if (p->to->on_way > 0 && p->to->on_way >= way_limit(p)) {
			p->place = PIPE_WAITING;
			TAILQ_INSERT_TAIL(&p->to->waiting, p, in_queue);
			continue;
		}
		send_chunk(h, p);
	}
}

static void pipe_kick(struct pipe *p)
{
	if (p->place != PIPE_IDLE || !may_send(p))
		return;
	p->place = PIPE_QUEUED;
	TAILQ_INSERT_TAIL(&p->from->up_queue, p, in_queue);
	kick(p->from);
}

/* A writer that found no room is told when there is a good part of it, as the system does. */
static void say_room(struct pipe *p)
{
	size_t enough = SEND_BUFFER / 3;

	if (p->tx == NULL || !p->tx->nospace)
		return;
	if (p->tx->low > 0)
		enough = MIN(enough, (size_t)p->tx->low / 2);
	if (pipe_room(p) < enough)
		return;
	p->tx->nospace = false;
	sock_wake(p->tx);
}

/* The chunk has left; the next one may. */
static void on_sent(struct sim *s, void *arg, uint64_t n)
{
	struct pipe *p = arg;
	struct host *h = p->from;

	event_at(s, s->now + way(p->from, p->to), on_arrived, p, n);
	h->up_busy = false;
	say_room(p);
	if (p->place == PIPE_IDLE && may_send(p)) {
		p->place = PIPE_QUEUED;
		TAILQ_INSERT_TAIL(&h->up_queue, p, in_queue);
	}
	kick(h);
}

/* --- arriving --- */

static void free_way(struct host *h, uint64_t n)
{
	struct pipe *p;

	must(h->on_way >= n);
	h->on_way -= n;
	while ((p = TAILQ_FIRST(&h->waiting)) != NULL &&
		(h->on_way == 0 || h->on_way < way_limit(p))) {
		TAILQ_REMOVE(&h->waiting, p, in_queue);
		p->place = PIPE_IDLE;
		pipe_kick(p);
	}
}

static void lose(struct pipe *p)
{
	if (p->retrying)
		return;
	p->retrying = true;
	event_at(p->s, p->s->now + RETRY_US, on_retry, p, 0);
}

/* Sent again; when somebody is there who knows nothing of it, it is told so. */
static void on_retry(struct sim *s, void *arg, uint64_t n)
{
	struct pipe *p = arg;

	(void)n;
	if (p->dead || p->tx == NULL)
		return;
	if (p->to->dark)
		event_at(s, s->now + RETRY_US, on_retry, p, 0);
	else
		pipe_reset(p);
}

static void on_arrived(struct sim *s, void *arg, uint64_t n)
{
	struct pipe *p = arg;
	struct host *h = p->to;
	int64_t start = MAX(s->now, h->down_free);

	h->down_free = start + line_us(h->line.down, n);
	event_at(s, h->down_free, on_through, p, n);
}

static void on_through(struct sim *s, void *arg, uint64_t n)
{
	struct pipe *p = arg;

	free_way(p->to, n);
	if (p->dead)
		return;
	if (p->to->dark) {
		lose(p);
		return;
	}
	if (p->rx == NULL) { /* nobody reads any more */
		if (n > 0)
			pipe_reset(p);
		return;
	}
	if (n == 0)
		p->fin_arrived = true;
	p->flight -= n;
	p->readable += n;
	sock_wake(p->rx);
	if (n > 0)
		event_at(s, s->now + way(p->from, p->to), on_acked, p, n);
}

static void on_acked(struct sim *s, void *arg, uint64_t n)
{
	struct pipe *p = arg;

	(void)s;
	if (p->dead)
		return;
	p->unacked -= n;
	say_room(p);
	pipe_kick(p);
}

static void on_window(struct sim *s, void *arg, uint64_t n)
{
	(void)s;
	(void)n;
	pipe_kick(arg);
}

/* --- what sockets do --- */

size_t pipe_write(struct pipe *p, const void *data, size_t n)
{
	const uint8_t *src = data;

	if (p->dead)
		return n; /* into the void, until the news has come */
	n = MIN(n, pipe_room(p));
	if (n == 0)
		return 0;
	ring_grow(p, n);
	for (size_t i = 0; i < n;) {
		size_t at = (p->head + p->readable + p->flight + p->unsent) % p->cap;
		size_t k = MIN(n - i, p->cap - at);

		memcpy(p->ring + at, src + i, k);
		p->unsent += k;
		i += k;
	}
	pipe_kick(p);
	return n;
}

size_t pipe_read(struct pipe *p, void *data, size_t n)
{
	uint8_t *dst = data;
	bool closed = p->flight + p->readable >= RECV_BUFFER;

	n = MIN(n, p->readable);
	for (size_t i = 0; i < n;) {
		size_t k = MIN(n - i, p->cap - p->head);

		memcpy(dst + i, p->ring + p->head, k);
		p->head = (p->head + k) % p->cap;
		i += k;
	}
	p->readable -= n;
	if (p->cap > RING_KEEP && p->readable + p->flight + p->unsent == 0) {
		xfree(p->ring);
		p->ring = NULL;
		p->cap = p->head = 0;
	}
	if (closed && n > 0)
		event_at(p->s, p->s->now + way(p->from, p->to), on_window, p, 0);
	return n;
}

void pipe_end_write(struct pipe *p)
{
	p->tx = NULL;
	p->fin = true;
	pipe_kick(p);
}

void pipe_end_read(struct pipe *p)
{
	bool unread = p->readable > 0;

	p->rx = NULL;
	if (unread)
		pipe_reset(p);
}

static void kill_pipe(struct pipe *p)
{
	if (p->place == PIPE_QUEUED)
		TAILQ_REMOVE(&p->from->up_queue, p, in_queue);
	if (p->place == PIPE_WAITING)
		TAILQ_REMOVE(&p->to->waiting, p, in_queue);
	p->place = PIPE_IDLE;
	p->dead = true;
}

/* What was received before stays readable. */
static void on_reset(struct sim *s, void *arg, uint64_t n)
{
	struct sock *k = arg;

	(void)s;
	(void)n;
	if (k->state == SOCK_CLOSED)
		return;
	k->err = E_CLOSED;
	sock_wake(k);
}

void pipe_reset(struct pipe *p)
{
	struct pipe *both[] = {p, p->back};

	for (unsigned i = 0; i < 2; i++) {
		if (both[i] == NULL || both[i]->dead)
			continue;
		kill_pipe(both[i]);
		if (both[i]->tx != NULL)
			event_at(p->s, p->s->now + way(p->from, p->to), on_reset, both[i]->tx, 0);
		if (both[i]->rx == NULL)
			ring_free(both[i]);
	}
}
