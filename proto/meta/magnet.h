/* SPDX-License-Identifier: MIT */
/*
 * A magnet link (BEP 9, "magnet URI format"; BEP 53 for `so`; BEP 46 for btpk).
 *
 * Read as people have them: `magnet:?` and `magnet:///?` in any case, `&amp;` of a web page for
 * `&`, numbered keys (`tr.1`), percent signs that stand for themselves.  A `+` is a space in `dn`
 * alone. What is only a hint and makes no sense (a tracker that is no URL, a peer without a port)
 * is left out; what says which torrent, and which of its files, has to be right.
 *
 * Pure; a magnet belongs to one thread.
 */
#ifndef PROTO_META_MAGNET_H
#define PROTO_META_MAGNET_H

#include "proto/base/arena.h"
#include "proto/base/endpoint.h"
#include "proto/meta/metainfo.h"

#define MAGNET_BYTES_MAX    ((size_t)64 << 10) /* of the link */
#define MAGNET_TRACKERS_MAX 100u               /* further ones are left out; so of the others */
#define MAGNET_SEEDS_MAX    100u
#define MAGNET_PEERS_MAX    50u
#define MAGNET_SALT_MAX     64u /* bytes, BEP 44 */

/* x.pe: a peer to ask. */
struct magnet_peer {
	const char *host;   /* a name, or an address without brackets */
	uint16_t port;      /* from 1 */
	bool is_literal;    /* at is the address; else the name has to be resolved */
	struct endpoint at; /* with the port */
};

/* so: files first to last, counted from 0 over all of the info dictionary, pad files included. */
struct magnet_range {
	uint32_t first, last;
};

struct magnet {
	struct infohash infohash; /* of v1, or of both; neither where has_key */
	bool has_key;             /* xs=urn:btpk: and no info-hash: a torrent that changes */
	uint8_t key[32];          /* Ed25519 */
	uint8_t salt[MAGNET_SALT_MAX];
	uint32_t salt_n;
	const char *name; /* dn: as it came, UTF-8 and without controls; NULL: none */
	uint64_t size;    /* xl: what it is said to be, bytes; 0: not said */
	const char *trackers[MAGNET_TRACKERS_MAX];
	uint32_t trackers_n;
	const char *seeds[MAGNET_SEEDS_MAX]; /* ws: web seeds */
	uint32_t seeds_n;
	struct magnet_peer peers[MAGNET_PEERS_MAX];
	uint32_t peers_n;
	struct magnet_range *ranges; /* so, as it came */
	uint32_t ranges_n;           /* 0: all files */
	struct arena arena;          /* private: owns strings and ranges */
};

/*
 * Reads a link of n bytes, or an info-hash alone (40 hex digits, 32 of base32).  *out is valid
 * after E_OK alone, and magnet_fini() ends it.  pe, which may be NULL, says what is wrong where.
 *
 * E_SYNTAX (no magnet link, a hash or `so` that is none), E_MISSING (no xt), E_RANGE (two different
 * torrents), E_UNSUPPORTED (a torrent of version 2 alone), E_TOO_BIG, E_NOMEM.
 */
enum err magnet_parse(const char *text, size_t n, struct magnet *out, struct parse_error *pe);
void magnet_fini(struct magnet *);

/*
 * One more tracker or web seed; the string is copied.  False: it is there, it is no URL, or there
 * are as many as may be.
 */
bool magnet_add_tracker(struct magnet *, struct slice url);
bool magnet_add_seed(struct magnet *, struct slice url);

/*
 * The link, owned by the caller (malloc), NUL-terminated and at most MAGNET_BYTES_MAX long: what
 * does not fit is left out, trackers and seeds first.  magnet_parse() reads it as the same magnet.
 */
char *magnet_write(const struct magnet *);

#endif
