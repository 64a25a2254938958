/* SPDX-License-Identifier: MIT */
/*
 * What the two load generators have in common: the torrent they know, the counters they publish.
 *
 * The generators speak as little of the protocol as gets blocks moved (BEP 3), so that a timed run
 * measures the daemon at the other end.  They hash nothing, keep no state of pieces, and count in a
 * small mapped file that the bench reads while they run, without asking them or the daemon.
 */
#ifndef TESTS_BENCH_GENERATOR_H
#define TESTS_BENCH_GENERATOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEN_BLOCK     16384u
#define GEN_HANDSHAKE 68u
#define GEN_HEADER    13u /* length, id, piece, begin */

enum gen_message {
	GEN_CHOKE = 0,
	GEN_UNCHOKE = 1,
	GEN_INTERESTED = 2,
	GEN_BITFIELD = 5,
	GEN_REQUEST = 6,
	GEN_PIECE = 7,
	GEN_EXTENDED = 20,
};

/* Times are CLOCK_MONOTONIC in ns.  The order is known to bench_lab.py. */
struct gen_stats {
	uint64_t bytes; /* payload moved */
	uint64_t first; /* when the first request came (or the first unchoke) */
	uint64_t last;  /* when payload moved last */
	uint64_t connected, finished;
	uint64_t checked, wrong; /* blocks compared with the file, and found different */
	uint64_t errors;         /* connections that broke the protocol */
};

struct gen_torrent {
	const uint8_t *data; /* mapped; lives as long as the program */
	uint64_t size;
	uint32_t piece_length, pieces;
	uint8_t infohash[20];
};

uint64_t gen_now(void);
void gen_die(const char *what); /* with errno's text */
/* Maps the payload, at once when all of it will be needed; the hash is 40 hex digits. */
void gen_torrent_open(struct gen_torrent *t, const char *path, const char *piece_length,
	const char *hash, bool all);
/* The counters, mapped from a file that is made. */
struct gen_stats *gen_stats_open(const char *path);
/* "10.0.0.1:6881"; dies when it is none. */
struct sockaddr_in gen_address(const char *text);
int gen_socket(void); /* TCP, nonblocking, no delay */
void gen_handshake(uint8_t out[GEN_HANDSHAKE], const struct gen_torrent *t, uint32_t number);
uint64_t gen_number(const char *text);

static inline void gen_put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline uint32_t gen_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Bytes of the torrent from a place in it, at most n. */
static inline uint32_t gen_span(
	const struct gen_torrent *t, uint32_t piece, uint32_t begin, uint32_t n)
{
	uint64_t at = (uint64_t)piece * t->piece_length + begin;
	uint64_t left = at < t->size ? t->size - at : 0;

	return left < n ? (uint32_t)left : n;
}

#endif
