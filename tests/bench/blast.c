/* SPDX-License-Identifier: MIT */
/*
 * A seeder that costs next to nothing: blast FILE PIECE_LENGTH INFOHASH STATS ADDRESS:PORT...
 *
 * One thread serves every connection to any of its addresses from one mapped file: whoever is
 * interested is unchoked and gets what it asks for, up to 32 blocks with one writev.  It runs until
 * it is ended by a signal.
 */
#include "tests/bench/generator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define QUEUE 16384u /* requests of one connection; a power of two */
/* So many that nobody waits for us: Transmission asks once a second and for no more than this. */
#define REQQ    "16000"
#define BATCH   32
#define INPUT   65536u
#define EVENTS  64
#define BACKLOG 512

struct request {
	uint32_t piece, begin, length;
};

struct peer {
	int fd; /* a listener has no queue */
	bool greeted, blocked;
	uint32_t head, n, sent; /* of the request at the head, with its header */
	struct request *queue;
	uint32_t have; /* bytes of input */
	uint8_t *input;
};

struct blast {
	int epoll;
	uint32_t numbers;
	struct gen_torrent torrent;
	struct gen_stats *stats;
};

static void drop(struct blast *b, struct peer *p, bool fault)
{
	b->stats->errors += fault;
	b->stats->finished++;
	close(p->fd);
	free(p->queue);
	free(p->input);
	free(p);
}

static void watch(struct blast *b, struct peer *p, bool out)
{
	struct epoll_event e = {.events = EPOLLIN | (out ? EPOLLOUT : 0u), .data.ptr = p};

	if (p->blocked == out)
		return;
	p->blocked = out;
	epoll_ctl(b->epoll, EPOLL_CTL_MOD, p->fd, &e);
}

/* Small messages go out whole: at that time nothing else has been sent. */
static bool say(struct peer *p, const void *bytes, size_t n)
{
	return send(p->fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool greet(struct blast *b, struct peer *p)
{
	size_t bits = (b->torrent.pieces + 7u) / 8u;
	uint8_t *out = calloc(1, GEN_HANDSHAKE + 64 + 5 + bits), *at = out;
	bool ok;

	gen_handshake(at, &b->torrent, b->numbers++);
	at += GEN_HANDSHAKE;
	if (p->input[25] & 0x10) {
		static const char text[] = "d1:mde4:reqqi" REQQ "ee";

		gen_put32(at, (uint32_t)sizeof text + 1);
		at[4] = GEN_EXTENDED;
		memcpy(at + 6, text, (sizeof text - 1));
		at += 6 + (sizeof text - 1);
	}
	gen_put32(at, (uint32_t)bits + 1);
	at[4] = GEN_BITFIELD;
	memset(at + 5, 0xff, bits);
	if (b->torrent.pieces % 8 != 0)
		at[4 + bits] = (uint8_t)(0xff00u >> (b->torrent.pieces % 8));
	at += 5 + bits;
	ok = say(p, out, (size_t)(at - out));
	free(out);
	p->greeted = true;
	return ok;
}

static bool take_request(struct blast *b, struct peer *p, const uint8_t *m)
{
	struct request r = {gen_get32(m), gen_get32(m + 4), gen_get32(m + 8)};

	if (p->n == QUEUE || r.length == 0 || r.length > 8 * GEN_BLOCK ||
		gen_span(&b->torrent, r.piece, r.begin, r.length) != r.length)
		return false;
	if (b->stats->first == 0)
		b->stats->first = gen_now();
	p->queue[(p->head + p->n++) & (QUEUE - 1)] = r;
	return true;
}

static bool take_message(struct blast *b, struct peer *p, const uint8_t *m, uint32_t n)
{
	static const uint8_t unchoke[] = {0, 0, 0, 1, GEN_UNCHOKE};

	if (n >= 1 && m[0] == GEN_INTERESTED && p->n == 0)
		return say(p, unchoke, sizeof unchoke);
	if (n == 13 && m[0] == GEN_REQUEST)
		return take_request(b, p, m + 1);
	return true;
}

/* Takes what is whole of the input; false when the connection is to be dropped. */
static bool parse(struct blast *b, struct peer *p)
{
	uint32_t at = 0;

	if (!p->greeted) {
		if (p->have < GEN_HANDSHAKE)
			return true;
		if (memcmp(p->input + 28, b->torrent.infohash, 20) != 0 || !greet(b, p))
			return false;
		at = GEN_HANDSHAKE;
	}
	while (p->have - at >= 4) {
		uint32_t n = gen_get32(p->input + at);

		if (n > INPUT - 4)
			return false;
		if (p->have - at < 4 + n)
			break;
		if (!take_message(b, p, p->input + at + 4, n))
			return false;
		at += 4 + n;
	}
	p->have -= at;
	memmove(p->input, p->input + at, p->have);
	return true;
}

/* Lays out the queue's first requests, from where the first one stands. */
static int lay_out(
	struct blast *b, struct peer *p, uint8_t (*headers)[GEN_HEADER], struct iovec *iov)
{
	int n = 0;

	for (uint32_t i = 0; i < p->n && i < BATCH; i++) {
		const struct request *r = &p->queue[(p->head + i) & (QUEUE - 1)];
		uint64_t at = (uint64_t)r->piece * b->torrent.piece_length + r->begin;
		uint32_t skip = i == 0 ? p->sent : 0;

		gen_put32(headers[i], 9 + r->length);
		headers[i][4] = GEN_PIECE;
		gen_put32(headers[i] + 5, r->piece);
		gen_put32(headers[i] + 9, r->begin);
		if (skip < GEN_HEADER)
			iov[n++] = (struct iovec){headers[i] + skip, GEN_HEADER - skip};
		skip = skip < GEN_HEADER ? 0 : skip - GEN_HEADER;
		iov[n++] = (struct iovec){
			(void *)(uintptr_t)(b->torrent.data + at + skip), r->length - skip};
	}
	return n;
}

static void take_off(struct blast *b, struct peer *p, size_t sent)
{
	sent += p->sent;
	while (p->n > 0) {
		uint32_t length = p->queue[p->head & (QUEUE - 1)].length;

		if (sent < GEN_HEADER + length)
			break;
		sent -= GEN_HEADER + length;
		b->stats->bytes += length;
		p->head++;
		p->n--;
	}
	p->sent = (uint32_t)sent;
	b->stats->last = gen_now();
}

/* Sends until the socket is full or nothing is asked for. */
static bool serve(struct blast *b, struct peer *p)
{
	while (p->n > 0) {
		uint8_t headers[BATCH][GEN_HEADER];
		struct iovec iov[2 * BATCH];
		struct msghdr m = {.msg_iov = iov};
		ssize_t sent;

		m.msg_iovlen = (size_t)lay_out(b, p, headers, iov);
		sent = sendmsg(p->fd, &m, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent < 0)
			break;
		take_off(b, p, (size_t)sent);
	}
	watch(b, p, p->n > 0);
	return true;
}

static void turn(struct blast *b, struct peer *p, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		ssize_t n = recv(p->fd, p->input + p->have, INPUT - p->have, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			drop(b, p, false);
			return;
		}
		p->have += n > 0 ? (uint32_t)n : 0;
		if (!parse(b, p)) {
			drop(b, p, true);
			return;
		}
	}
	if (!serve(b, p))
		drop(b, p, false);
}

static struct peer *add(struct blast *b, int fd, bool listener)
{
	struct peer *p = calloc(1, sizeof *p);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};

	p->fd = fd;
	if (!listener) {
		p->queue = calloc(QUEUE, sizeof *p->queue);
		p->input = malloc(INPUT);
		b->stats->connected++;
	}
	if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		gen_die("epoll_ctl");
	return p;
}

static void listen_at(struct blast *b, const char *text)
{
	struct sockaddr_in a = gen_address(text);
	int fd = gen_socket();

	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, BACKLOG) != 0)
		gen_die(text);
	add(b, fd, true);
}

int main(int argc, char **argv)
{
	struct blast b = {.epoll = epoll_create1(EPOLL_CLOEXEC)};

	if (argc < 6)
		return 2;
	gen_torrent_open(&b.torrent, argv[1], argv[2], argv[3], true);
	b.stats = gen_stats_open(argv[4]);
	for (int i = 5; i < argc; i++)
		listen_at(&b, argv[i]);
	for (;;) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(b.epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			struct peer *p = events[i].data.ptr;
			int fd;

			if (p->queue != NULL)
				turn(&b, p, events[i].events);
			else if ((fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
				 0)
				add(&b, fd, false);
		}
	}
}
