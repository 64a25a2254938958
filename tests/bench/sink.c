/* SPDX-License-Identifier: MIT */
/*
 * Leechers that cost next to nothing: sink FILE PIECE_LENGTH INFOHASH STATS TARGET:PORT SOURCE
 * COUNT BYTES DEPTH CHECK
 *
 * COUNT connections, each from an address of its own counting up from SOURCE:0, ask TARGET for
 * BYTES of payload, DEPTH blocks ahead, piece after piece in an order of their own.  The kernel
 * throws the payload away unread (MSG_TRUNC), but for every CHECK-th block, which is compared with
 * FILE. With BYTES 0 the connections ask for nothing and stay until a signal ends the program; else
 * it ends when all are served.
 */
#include "tests/bench/generator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64
#define REFILL 32u /* requests sent at once */

struct leecher {
	int fd;
	uint32_t number;
	bool connected, greeted, unchoked, compare;
	uint8_t head[GEN_HANDSHAKE]; /* the beginning of a message */
	uint32_t head_n;
	uint32_t skip;   /* bytes of the message to come that are not looked at */
	uint64_t offset; /* of the block that comes, in the torrent */
	uint32_t length;
	uint64_t asked, got; /* bytes */
	uint32_t out;        /* blocks asked for and not here */
	uint32_t piece, begin;
};

struct sink {
	int epoll;
	struct gen_torrent torrent;
	struct gen_stats *stats;
	uint64_t bytes;
	uint32_t count, depth, check, blocks;
	uint32_t stride; /* to the next piece; the same for all, prime */
};

static void finish(struct sink *s, struct leecher *l, bool fault)
{
	s->stats->errors += fault;
	s->stats->finished++;
	close(l->fd);
	l->fd = -1;
}

static void step_block(struct sink *s, struct leecher *l)
{
	l->begin += GEN_BLOCK;
	if (gen_span(&s->torrent, l->piece, l->begin, 1) == 0 ||
		l->begin >= s->torrent.piece_length) {
		l->begin = 0;
		l->piece = (l->piece + s->stride) % s->torrent.pieces;
	}
}

/* Tops up the requests that are out, many at a time. */
static bool ask(struct sink *s, struct leecher *l)
{
	uint8_t out[REFILL][17];

	while (l->unchoked && l->asked < s->bytes && l->out + REFILL <= s->depth) {
		uint32_t n = 0;

		for (; n < REFILL && l->asked < s->bytes; n++) {
			uint32_t left = s->torrent.piece_length - l->begin;
			uint32_t length = gen_span(&s->torrent, l->piece, l->begin,
				left < GEN_BLOCK ? left : GEN_BLOCK);

			gen_put32(out[n], 13);
			out[n][4] = GEN_REQUEST;
			gen_put32(out[n] + 5, l->piece);
			gen_put32(out[n] + 9, l->begin);
			gen_put32(out[n] + 13, length);
			l->asked += length;
			l->out++;
			step_block(s, l);
		}
		/* The depth is bounded, so that what is out always fits the socket's buffer. */
		if (send(l->fd, out, 17u * n, MSG_NOSIGNAL) != (ssize_t)(17 * n))
			return false;
	}
	return true;
}

static bool begin_piece(struct sink *s, struct leecher *l, uint32_t n)
{
	uint32_t piece = gen_get32(l->head + 5), begin = gen_get32(l->head + 9);

	if (n < 10 || n - 9 > GEN_BLOCK || begin >= s->torrent.piece_length ||
		gen_span(&s->torrent, piece, begin, n - 9) != n - 9)
		return false;
	l->offset = (uint64_t)piece * s->torrent.piece_length + begin;
	l->length = l->skip = n - 9;
	l->compare = s->check > 0 && s->blocks++ % s->check == 0;
	l->head_n = 0;
	return true;
}

static bool take_short(struct sink *s, struct leecher *l, uint8_t id)
{
	static const uint8_t interested[] = {0, 0, 0, 1, GEN_INTERESTED};

	switch (id) {
	case GEN_CHOKE:
		l->unchoked = false;
		l->asked = l->got;
		l->out = 0;
		return true;
	case GEN_UNCHOKE:
		l->unchoked = true;
		if (s->stats->first == 0)
			s->stats->first = gen_now();
		return ask(s, l);
	case GEN_BITFIELD:
		return s->bytes == 0 || send(l->fd, interested, sizeof interested, MSG_NOSIGNAL) ==
						sizeof interested;
	default:
		return true;
	}
}

static void shift_head(struct leecher *l, uint32_t n)
{
	l->head_n -= n;
	memmove(l->head, l->head + n, l->head_n);
}

/* Takes one message off the head when enough of it is there: 1, 0 wait, -1 fault. */
static int parse(struct sink *s, struct leecher *l)
{
	uint32_t n, body;
	uint8_t id;

	if (!l->greeted) {
		if (l->head_n < GEN_HANDSHAKE)
			return 0;
		l->greeted = true;
		l->head_n = 0;
		s->stats->connected++;
		return memcmp(l->head + 28, s->torrent.infohash, 20) == 0 ? 1 : -1;
	}
	if (l->head_n < 4 || ((n = gen_get32(l->head)) > 0 && l->head_n < 5))
		return 0;
	if (n == 0) {
		shift_head(l, 4);
		return 1;
	}
	id = l->head[4];
	if (id == GEN_PIECE) {
		if (l->head_n < GEN_HEADER)
			return 0;
		return begin_piece(s, l, n) ? 1 : -1;
	}
	body = n - 1 < l->head_n - 5 ? n - 1 : l->head_n - 5;
	shift_head(l, 5 + body);
	l->skip = n - 1 - body;
	l->length = 0;
	return take_short(s, l, id) ? 1 : -1;
}

static bool end_block(struct sink *s, struct leecher *l)
{
	s->stats->bytes += l->length;
	s->stats->last = gen_now();
	l->got += l->length;
	l->out -= l->out > 0;
	l->length = 0;
	l->compare = false;
	return ask(s, l);
}

/* Reads on in a message's body; what recv() said. */
static ssize_t take_body(struct sink *s, struct leecher *l)
{
	uint8_t block[GEN_BLOCK];
	ssize_t n =
		l->compare ? recv(l->fd, block, l->skip, 0) : recv(l->fd, NULL, l->skip, MSG_TRUNC);

	if (n > 0 && l->compare) {
		const uint8_t *want = s->torrent.data + l->offset + (l->length - l->skip);

		s->stats->checked += (uint32_t)n == l->skip;
		s->stats->wrong += memcmp(block, want, (size_t)n) != 0;
	}
	l->skip -= n > 0 ? (uint32_t)n : 0;
	return n;
}

static ssize_t take_head(struct leecher *l)
{
	uint32_t want = l->greeted ? GEN_HEADER : GEN_HANDSHAKE;
	ssize_t n = recv(l->fd, l->head + l->head_n, want - l->head_n, 0);

	l->head_n += n > 0 ? (uint32_t)n : 0;
	return n;
}

static void turn(struct sink *s, struct leecher *l)
{
	for (;;) {
		ssize_t n = l->skip > 0 ? take_body(s, l) : take_head(l);
		int more = 1;

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			finish(s, l, true);
			return;
		}
		if (l->skip == 0 && l->length > 0 && !end_block(s, l))
			more = -1;
		while (more > 0 && l->skip == 0)
			more = parse(s, l);
		if (more < 0 || (s->bytes > 0 && l->got >= s->bytes)) {
			finish(s, l, more < 0);
			return;
		}
	}
}

static void greet(struct sink *s, struct leecher *l)
{
	uint8_t hello[GEN_HANDSHAKE];
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = l};

	gen_handshake(hello, &s->torrent, 100000 + l->number);
	hello[25] = 0;
	l->connected = true;
	epoll_ctl(s->epoll, EPOLL_CTL_MOD, l->fd, &e);
	if (send(l->fd, hello, sizeof hello, MSG_NOSIGNAL) != sizeof hello)
		finish(s, l, true);
}

static void start(
	struct sink *s, struct leecher *l, const struct sockaddr_in *to, struct sockaddr_in from)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = l};

	from.sin_addr.s_addr = htonl(ntohl(from.sin_addr.s_addr) + l->number);
	from.sin_port = 0;
	l->fd = gen_socket();
	l->piece = (uint32_t)((uint64_t)l->number * s->torrent.pieces / s->count);
	if (bind(l->fd, (struct sockaddr *)&from, sizeof from) != 0)
		gen_die("bind");
	if (connect(l->fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno != EINPROGRESS)
		gen_die("connect");
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, l->fd, &e) != 0)
		gen_die("epoll_ctl");
}

static void run(struct sink *s)
{
	struct epoll_event events[EVENTS];
	int n;

	while (s->stats->finished < s->count && (n = epoll_wait(s->epoll, events, EVENTS, -1)) >= 0)
		for (int i = 0; i < n; i++) {
			struct leecher *l = events[i].data.ptr;

			if (!l->connected)
				greet(s, l);
			else
				turn(s, l);
		}
}

int main(int argc, char **argv)
{
	struct sink s = {.epoll = epoll_create1(EPOLL_CLOEXEC), .stride = 7919};
	struct rlimit files = {65536, 65536};
	struct sockaddr_in to, from;
	struct leecher *all;

	if (argc != 11)
		return 2;
	gen_torrent_open(&s.torrent, argv[1], argv[2], argv[3], false);
	if (s.torrent.pieces % s.stride == 0)
		s.stride = 1;
	s.stats = gen_stats_open(argv[4]);
	to = gen_address(argv[5]);
	from = gen_address(argv[6]);
	s.count = (uint32_t)gen_number(argv[7]);
	s.bytes = gen_number(argv[8]);
	s.depth = (uint32_t)gen_number(argv[9]);
	s.check = (uint32_t)gen_number(argv[10]);
	setrlimit(RLIMIT_NOFILE, &files);
	all = calloc(s.count, sizeof *all);
	for (uint32_t i = 0; i < s.count; i++) {
		all[i].number = i;
		start(&s, &all[i], &to, from);
	}
	run(&s);
	free(all);
	return s.stats->errors + s.stats->wrong > 0;
}
