/* SPDX-License-Identifier: MIT */
/* What the two load generators have in common, see generator.h. */
#include "tests/bench/generator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

uint64_t gen_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void gen_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t gen_number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0') {
		errno = EINVAL;
		gen_die(text);
	}
	return n;
}

static void read_hash(uint8_t out[20], const char *hex)
{
	for (size_t i = 0; i < 20; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

void gen_torrent_open(struct gen_torrent *t, const char *path, const char *piece_length,
	const char *hash, bool all)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st) != 0 || strlen(hash) != 40)
		gen_die(path);
	data = mmap(
		NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | (all ? MAP_POPULATE : 0), fd, 0);
	if (data == MAP_FAILED)
		gen_die(path);
	close(fd);
	t->data = data;
	t->size = (uint64_t)st.st_size;
	t->piece_length = (uint32_t)gen_number(piece_length);
	t->pieces = (uint32_t)((t->size + t->piece_length - 1) / t->piece_length);
	read_hash(t->infohash, hash);
}

struct gen_stats *gen_stats_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	void *p;

	if (fd < 0 || ftruncate(fd, sizeof(struct gen_stats)) != 0)
		gen_die(path);
	p = mmap(NULL, sizeof(struct gen_stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		gen_die(path);
	close(fd);
	return p;
}

struct sockaddr_in gen_address(const char *text)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	const char *colon = strchr(text, ':');
	char host[32];

	if (colon == NULL || (size_t)(colon - text) >= sizeof host) {
		errno = EINVAL;
		gen_die(text);
	}
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	a.sin_port = htons((uint16_t)gen_number(colon + 1));
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		gen_die(text);
	return a;
}

int gen_socket(void)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		gen_die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

void gen_handshake(uint8_t out[GEN_HANDSHAKE], const struct gen_torrent *t, uint32_t number)
{
	memset(out, 0, GEN_HANDSHAKE);
	memcpy(out,
		"\x13"
		"BitTorrent protocol",
		20);
	out[25] = 0x10; /* BEP 10: the other side may be told how many requests are welcome */
	memcpy(out + 28, t->infohash, 20);
	memcpy(out + 48, "-GN0001-", 8);
	snprintf((char *)out + 56, 12, "%011u", number);
	out[67] = 'x';
}
