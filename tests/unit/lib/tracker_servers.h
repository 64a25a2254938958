/* SPDX-License-Identifier: MIT */
/*
 * Scripted trackers for t_tracker.c: threads with blocking sockets on 127.0.0.1.
 *
 * What an HTTP tracker answers is chosen by the first component of the path, what a UDP tracker
 * does by its mode.  Both note what they were asked.
 */
#ifndef TESTS_UNIT_LIB_TRACKER_SERVERS_H
#define TESTS_UNIT_LIB_TRACKER_SERVERS_H

#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/bytes.h"

#define REQUESTS_MAX 256

/* --- what trackers were asked --- */

struct notes {
	pthread_mutex_t lock;
	unsigned n;
	char text[REQUESTS_MAX][1024];
};

static inline void notes_add(struct notes *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	if (s->n < REQUESTS_MAX)
		snprintf(s->text[s->n++], sizeof s->text[0], "%.1000s", text);
	pthread_mutex_unlock(&s->lock);
}

/* How many contain both parts; the last of them is copied. */
static inline unsigned notes_count(
	struct notes *s, const char *a, const char *b, char *last, size_t size)
{
	unsigned n = 0;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->n; i++) {
		if (strstr(s->text[i], a) == NULL || strstr(s->text[i], b) == NULL)
			continue;
		n++;
		if (last != NULL)
			snprintf(last, size, "%s", s->text[i]);
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* --- a scripted HTTP tracker --- */

struct http_tracker {
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint clients, accepted;
	struct notes notes;
};

struct http_client {
	struct http_tracker *tracker;
	int fd;
};

/* gzip of an answer with 7 seeders, 8 leechers and one peer. */
static const uint8_t gzip_body[] = {
	0x1f,
	0x8b,
	0x08,
	0x00,
	0x00,
	0x00,
	0x00,
	0x00,
	0x02,
	0x03,
	0x4b,
	0xb1,
	0xb0,
	0x4a,
	0xce,
	0xcf,
	0x2d,
	0xc8,
	0x49,
	0x2d,
	0x49,
	0xcd,
	0x34,
	0x4f,
	0x35,
	0x34,
	0xb0,
	0xca,
	0xcc,
	0x83,
	0xf3,
	0x2d,
	0x52,
	0x2d,
	0x80,
	0xdc,
	0x92,
	0xd4,
	0xa2,
	0xb2,
	0xc4,
	0x9c,
	0x4c,
	0x43,
	0x0b,
	0x03,
	0x83,
	0x54,
	0x53,
	0xab,
	0x82,
	0xd4,
	0xd4,
	0xa2,
	0x62,
	0x33,
	0xab,
	0x7a,
	0x06,
	0x06,
	0x46,
	0xa9,
	0x87,
	0xa9,
	0x00,
	0x31,
	0x35,
	0xa1,
	0x86,
	0x3e,
	0x00,
	0x00,
	0x00,
};

#define PEERS_BODY "d8:completei3e10:incompletei4e8:intervali1800e5:peers12:" PEERS_12 "e"
#define PEER_18    "\x20\x01\x0d\xb9\0\0\0\0\0\0\0\0\0\0\0\x09\x1a\xe1"
#define PEERS_12   "\x7f\x00\x00\x01\x1a\xe1\x7f\x00\x00\x02\x1a\xe2"

struct page {
	const char *path, *head;
	const char *body;
	size_t body_n;
};

#define BODY(s) (s), sizeof(s) - 1

static const struct page pages[] = {
	{"/ok/", "200 OK", BODY(PEERS_BODY)},
	{"/often/", "200 OK", BODY("d8:intervali1800e12:min intervali300e5:peers0:e")},
	{"/fail/", "200 OK", BODY("d14:failure reason14:torrent\nbannede")},
	{"/500/", "500 Oops", BODY("<html>")},
	{"/503/", "503 Busy", BODY("d14:failure reason4:busye")},
	{"/garbage/", "200 OK", BODY("\x01\x02not bencode at all")},
	{"/list/", "200 OK", BODY("le")},
	{"/empty/", "200 OK", BODY("")},
	{"/hop/", "302 Found\r\nLocation: /ok/announce?hopped=1", BODY("")},
	{"/loop/", "302 Found\r\nLocation: /loop/announce?again", BODY("")},
	{"/file/", "302 Found\r\nLocation: file:///etc/passwd", BODY("")},
	{"/ftp/", "302 Found\r\nLocation: ftp://127.0.0.1:1/x", BODY("")},
	{"/scrape/announce", "200 OK", BODY("d8:intervali1800e5:peers0:e")},
};

static inline bool send_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
		n -= (size_t)sent;
	}
	return true;
}

static inline bool send_page(int fd, const char *head, const void *body, size_t n)
{
	char text[512];
	int len =
		snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", head, n);

	return send_all(fd, text, (size_t)len) && (n == 0 || send_all(fd, body, n));
}

static inline void send_endless(struct http_tracker *t, int fd)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	static const char junk[4096] = "d8:complete";

	if (!send_all(fd, head, sizeof head - 1))
		return;
	while (!t->stop && send_all(fd, junk, sizeof junk))
		;
}

static inline void be_silent(struct http_tracker *t, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	while (!t->stop && !(poll(&p, 1, 20) == 1 && recv(fd, &c, 1, MSG_PEEK) <= 0))
		;
}

static inline void send_scrape(int fd, const char *line)
{
	char body[256];
	uint8_t hash[20];
	const char *q = strstr(line, "info_hash=");
	size_t n;

	if (q == NULL)
		return;
	q += strlen("info_hash=");
	for (int i = 0; i < 20; i++) {
		unsigned v = (uint8_t)*q++;

		if (v == '%' && sscanf(q, "%2x", &v) == 1)
			q += 2;
		hash[i] = (uint8_t)v;
	}
	n = (size_t)snprintf(body, sizeof body, "d5:filesd20:");
	memcpy(body + n, hash, 20);
	n += 20;
	n += (size_t)snprintf(
		body + n, sizeof body - n, "d8:completei11e10:downloadedi13e10:incompletei12eeee");
	send_page(fd, "200 OK", body, n);
}

static inline bool answer(struct http_tracker *t, int fd, const char *line)
{
	const char *path = line + strlen("GET ");

	if (strncmp(path, "/endless/", 9) == 0) {
		send_endless(t, fd);
		return false;
	}
	if (strncmp(path, "/silent/", 8) == 0) {
		be_silent(t, fd);
		return false;
	}
	if (strncmp(path, "/drop/", 6) == 0)
		return false;
	if (strncmp(path, "/gzip/", 6) == 0)
		return send_page(
			fd, "200 OK\r\nContent-Encoding: gzip", gzip_body, sizeof gzip_body);
	if (strncmp(path, "/scrape/scrape", 14) == 0) {
		send_scrape(fd, line);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		if (strncmp(path, pages[i].path, strlen(pages[i].path)) == 0)
			return send_page(fd, pages[i].head, pages[i].body, pages[i].body_n);
	return send_page(fd, "404 Not Found", "", 0);
}

/* One line for the request, then its headers; up to the blank line. */
static inline bool read_request(struct http_tracker *t, int fd, char *buf, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t n = 0;

	while (n < size - 1 && !t->stop) {
		if (poll(&p, 1, 20) != 1)
			continue;
		if (recv(fd, buf + n, 1, 0) != 1)
			return false;
		buf[++n] = '\0';
		if (n >= 4 && strcmp(buf + n - 4, "\r\n\r\n") == 0)
			return true;
	}
	return false;
}

static inline void *serve_client(void *arg)
{
	struct http_client *c = arg;
	struct http_tracker *t = c->tracker;
	char buf[4096];

	while (read_request(t, c->fd, buf, sizeof buf)) {
		notes_add(&t->notes, buf);
		if (!answer(t, c->fd, buf))
			break;
	}
	close(c->fd);
	free(c);
	atomic_fetch_sub(&t->clients, 1);
	return NULL;
}

static inline void *serve(void *arg)
{
	struct http_tracker *t = arg;
	struct pollfd p = {.fd = t->fd, .events = POLLIN};

	while (!t->stop) {
		struct http_client *c;
		pthread_t thread;

		if (poll(&p, 1, 20) != 1)
			continue;
		c = calloc(1, sizeof *c);
		c->tracker = t;
		c->fd = accept(t->fd, NULL, NULL);
		atomic_fetch_add(&t->clients, 1);
		atomic_fetch_add(&t->accepted, 1);
		pthread_create(&thread, NULL, serve_client, c);
		pthread_detach(thread);
	}
	return NULL;
}

/* Bound to loopback, at *port or, when it is 0, one of the system's choice; -1: there is no such
 * family here. */
static inline int open_socket(int family, int type, uint16_t *port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(*port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t n = family == AF_INET ? sizeof v4 : sizeof v6;
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, sa, n) != 0 || (type == SOCK_STREAM && listen(fd, 64) != 0) ||
		getsockname(fd, sa, &n) != 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	return fd;
}

static inline bool has_v6(void)
{
	uint16_t port = 0;
	int fd = open_socket(AF_INET6, SOCK_DGRAM, &port);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static inline struct http_tracker *http_start_at(int family, uint16_t port)
{
	struct http_tracker *t = calloc(1, sizeof *t);

	t->port = port;
	pthread_mutex_init(&t->notes.lock, NULL);
	t->fd = open_socket(family, SOCK_STREAM, &t->port);
	pthread_create(&t->thread, NULL, serve, t);
	return t;
}

static inline struct http_tracker *http_start(int family)
{
	return http_start_at(family, 0);
}

static inline void http_stop(struct http_tracker *t)
{
	t->stop = true;
	pthread_join(t->thread, NULL);
	while (atomic_load(&t->clients) > 0)
		usleep(1000);
	close(t->fd);
	pthread_mutex_destroy(&t->notes.lock);
	free(t);
}

/* --- a scripted UDP tracker --- */

enum udp_mode { UDP_GOOD, UDP_FAILS, UDP_JUNK_FIRST, UDP_LOSES_ONE, UDP_SILENT };

struct udp_tracker {
	int fd;
	uint16_t port;
	bool v6;
	atomic_int mode; /* enum udp_mode */
	pthread_t thread;
	atomic_bool stop;
	struct notes notes;
};

static inline size_t udp_reply(struct udp_tracker *t, const uint8_t *in, size_t n, uint8_t *out)
{
	struct rd r = rd_of(in, n);
	struct wr w = wr_of(out, 512);
	uint64_t conn = rd_u64(&r);
	uint32_t action = rd_u32(&r);
	uint32_t txid = rd_u32(&r), event, numwant;
	uint64_t bytes[3];
	unsigned port;
	char note[256];

	if (action == 0) {
		snprintf(note, sizeof note, "connect n=%zu magic=%" PRIx64, n, conn);
		notes_add(&t->notes, note);
		wr_u32(&w, 0);
		wr_u32(&w, txid);
		wr_u64(&w, 0x1122334455667788u);
		return 16;
	}
	rd_take(&r, 20 + 20);
	for (unsigned i = 0; i < 3; i++)
		bytes[i] = rd_u64(&r); /* downloaded, left, uploaded */
	event = rd_u32(&r);
	rd_take(&r, 8);
	numwant = rd_u32(&r);
	port = rd_u16(&r);
	snprintf(note, sizeof note,
		"announce conn=%" PRIx64 " downloaded=%" PRIu64 " left=%" PRIu64
		" uploaded=%" PRIu64 " event=%" PRIu32 " numwant=%" PRIu32 " port=%u rest=%.*s",
		conn, bytes[0], bytes[1], bytes[2], event, numwant, port, (int)rd_left(&r),
		(const char *)r.p);
	notes_add(&t->notes, note);
	if (t->mode == UDP_FAILS) {
		wr_u32(&w, 3);
		wr_u32(&w, txid);
		wr_bytes(&w, "go away", 7);
		return 15;
	}
	wr_u32(&w, 1);
	wr_u32(&w, txid);
	wr_u32(&w, 1800);
	wr_u32(&w, 5);
	wr_u32(&w, 6);
	if (!t->v6) {
		wr_bytes(&w, PEERS_12, 12);
		return 32;
	}
	wr_bytes(&w, PEER_18, 18);
	return 38;
}

static inline void *serve_udp(void *arg)
{
	struct udp_tracker *t = arg;
	struct pollfd p = {.fd = t->fd, .events = POLLIN};
	uint8_t in[2048], out[512];
	struct sockaddr_storage from;
	bool lost = false;

	while (!t->stop) {
		socklen_t len = sizeof from;
		ssize_t n;

		if (poll(&p, 1, 20) != 1)
			continue;
		n = recvfrom(t->fd, in, sizeof in, 0, (struct sockaddr *)&from, &len);
		if (n < 16 || t->mode == UDP_SILENT)
			continue;
		if (t->mode == UDP_LOSES_ONE && !lost) {
			lost = true;
			notes_add(&t->notes, "lost");
			continue;
		}
		if (t->mode == UDP_JUNK_FIRST) {
			static const uint8_t junk[] = {0, 0, 0, 0, 9, 9, 9, 9, 1, 2, 3};

			sendto(t->fd, junk, sizeof junk, 0, (struct sockaddr *)&from, len);
			sendto(t->fd, junk, 1, 0, (struct sockaddr *)&from, len);
		}
		n = (ssize_t)udp_reply(t, in, (size_t)n, out);
		sendto(t->fd, out, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

static inline struct udp_tracker *udp_start(int family, enum udp_mode mode)
{
	struct udp_tracker *t = calloc(1, sizeof *t);

	pthread_mutex_init(&t->notes.lock, NULL);
	t->mode = (int)mode;
	t->v6 = family == AF_INET6;
	t->fd = open_socket(family, SOCK_DGRAM, &t->port);
	pthread_create(&t->thread, NULL, serve_udp, t);
	return t;
}

static inline void udp_stop(struct udp_tracker *t)
{
	t->stop = true;
	pthread_join(t->thread, NULL);
	close(t->fd);
	pthread_mutex_destroy(&t->notes.lock);
	free(t);
}

#endif
