/* SPDX-License-Identifier: MIT */
/*
 * The least that moving a torrent's bytes can cost on this machine, as plain programs:
 *
 *   floor recv ADDRESS:PORT FILE SIZE PIECE_LENGTH
 *     takes one stream: recv, SHA-1, pwrite of whole pieces
 *   floor recvlowat ...
 *     the same, woken for 256 KiB at a time (SO_RCVLOWAT)
 *   floor send ADDRESS:PORT FILE SIZE CONNECTIONS
 *     the same stream from the mapped page cache
 *   floor sendfile ...
 *     the same with sendfile
 *   floor drain ADDRESS:PORT SIZE CONNECTIONS
 *     takes streams and throws them away
 *
 * No protocol, one thread, blocking calls.  Each prints its wall time, from the first byte on, and
 * its CPU time as JSON.
 */
#include "tests/bench/generator.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK       262144u
#define CONNECTIONS 64u

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

struct meter {
	uint64_t began;
	struct rusage before;
};

static void meter_start(struct meter *m)
{
	getrusage(RUSAGE_SELF, &m->before);
	m->began = gen_now();
}

static void meter_report(const struct meter *m, uint64_t bytes)
{
	uint64_t ended = gen_now();
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	printf("{\"bytes\": %llu, \"wall\": %.6f, \"user\": %.6f, \"sys\": %.6f}\n",
		(unsigned long long)bytes, (double)(ended - m->began) / 1e9,
		seconds(r.ru_utime) - seconds(m->before.ru_utime),
		seconds(r.ru_stime) - seconds(m->before.ru_stime));
}

static void take_connections(const char *where, int *fds, uint32_t n)
{
	struct sockaddr_in a = gen_address(where);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, CONNECTIONS) != 0)
		gen_die(where);
	for (uint32_t i = 0; i < n; i++)
		if ((fds[i] = accept(fd, NULL, NULL)) < 0)
			gen_die("accept");
	close(fd);
}

/* The other program may be a moment late. */
static void make_connections(const char *where, int *fds, uint32_t n)
{
	struct sockaddr_in a = gen_address(where);

	for (uint32_t i = 0; i < n; i++) {
		unsigned tries = 0;

		for (;;) {
			fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
			if (connect(fds[i], (struct sockaddr *)&a, sizeof a) == 0)
				break;
			close(fds[i]);
			if (++tries > 500)
				gen_die(where);
			usleep(10000);
		}
	}
}

/* Sleeps until so many bytes lie in the kernel. */
static void wait_for_run(int fd, size_t bytes)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n = (int)bytes;

	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &n, sizeof n);
	if (poll(&p, 1, -1) < 0)
		gen_die("poll");
}

/* Fills one piece and hashes it as it comes; how long it is. */
static size_t take_piece(int fd, uint8_t *piece, size_t want, EVP_MD_CTX *sha1, bool lowat)
{
	size_t have = 0;

	while (have < want) {
		size_t room = want - have < CHUNK ? want - have : CHUNK;
		ssize_t n;

		if (lowat)
			wait_for_run(fd, room);
		n = recv(fd, piece + have, room, 0);

		if (n <= 0)
			gen_die("recv");
		EVP_DigestUpdate(sha1, piece + have, (size_t)n);
		have += (size_t)n;
	}
	return have;
}

static void run_recv(
	const char *where, const char *path, uint64_t size, size_t piece_length, bool lowat)
{
	int fd, out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	EVP_MD_CTX *sha1 = EVP_MD_CTX_new();
	const EVP_MD *md = EVP_MD_fetch(NULL, "SHA1", NULL);
	uint8_t *piece = malloc(piece_length), digest[EVP_MAX_MD_SIZE];
	uint64_t at = 0;
	struct meter meter;

	if (out < 0 || md == NULL)
		gen_die(path);
	take_connections(where, &fd, 1);
	recv(fd, piece, 1, MSG_PEEK);
	meter_start(&meter);
	while (at < size) {
		size_t want = size - at < piece_length ? (size_t)(size - at) : piece_length;

		EVP_DigestInit_ex2(sha1, md, NULL);
		want = take_piece(fd, piece, want, sha1, lowat);
		EVP_DigestFinal_ex(sha1, digest, NULL);
		if (pwrite(out, piece, want, (off_t)at) != (ssize_t)want)
			gen_die("pwrite");
		at += want;
	}
	meter_report(&meter, size);
	free(piece);
	EVP_MD_CTX_free(sha1);
}

static void send_chunk(int fd, const uint8_t *data, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

		if (sent < 0)
			gen_die("send");
		data += sent;
		n -= (size_t)sent;
	}
}

static void sendfile_chunk(int fd, int file, uint64_t from, size_t n)
{
	off_t at = (off_t)from;

	while (n > 0) {
		ssize_t sent = sendfile(fd, file, &at, n);

		if (sent <= 0)
			gen_die("sendfile");
		n -= (size_t)sent;
	}
}

/* Chunk i of the file goes to connection i modulo n. */
static void run_send(const char *where, const char *path, uint64_t size, uint32_t n, bool by_file)
{
	int fds[CONNECTIONS], file = open(path, O_RDONLY | O_CLOEXEC);
	const uint8_t *data = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
	struct meter meter;

	if (file < 0 || data == MAP_FAILED)
		gen_die(path);
	make_connections(where, fds, n);
	meter_start(&meter);
	for (uint64_t at = 0, i = 0; at < size; at += CHUNK, i++) {
		size_t want = size - at < CHUNK ? (size_t)(size - at) : CHUNK;

		if (by_file)
			sendfile_chunk(fds[i % n], file, at, want);
		else
			send_chunk(fds[i % n], data + at, want);
	}
	meter_report(&meter, size);
}

static void run_drain(const char *where, uint64_t size, uint32_t n)
{
	struct pollfd polls[CONNECTIONS];
	int fds[CONNECTIONS];
	uint64_t have = 0;
	struct meter meter;

	take_connections(where, fds, n);
	for (uint32_t i = 0; i < n; i++)
		polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	meter_start(&meter);
	while (have < size) {
		if (poll(polls, n, -1) < 0)
			gen_die("poll");
		for (uint32_t i = 0; i < n; i++) {
			ssize_t got = polls[i].revents == 0
					      ? 0
					      : recv(fds[i], NULL, CHUNK, MSG_TRUNC | MSG_DONTWAIT);

			have += got > 0 ? (uint64_t)got : 0;
		}
	}
	meter_report(&meter, size);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	bool sends = strcmp(what, "send") == 0 || strcmp(what, "sendfile") == 0;
	bool takes = strcmp(what, "recv") == 0 || strcmp(what, "recvlowat") == 0;
	uint64_t last = argc > 4 ? gen_number(argv[argc - 1]) : 0;

	if (last == 0 || (!takes && last > CONNECTIONS))
		return 2;
	if (argc == 6 && takes)
		run_recv(argv[2], argv[3], gen_number(argv[4]), (size_t)last,
			strcmp(what, "recvlowat") == 0);
	else if (argc == 6 && sends)
		run_send(argv[2], argv[3], gen_number(argv[4]), (uint32_t)last,
			strcmp(what, "sendfile") == 0);
	else if (argc == 5 && strcmp(what, "drain") == 0)
		run_drain(argv[2], gen_number(argv[3]), (uint32_t)last);
	else
		return 2;
	return 0;
}
