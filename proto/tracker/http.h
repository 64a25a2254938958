/* SPDX-License-Identifier: MIT */
/*
 * What is said to a tracker and what it answers; and how both look over HTTP.
 *
 * BEP 3 "trackers", 7 (IPv6), 23 (compact peers), 24 (external ip), 48 (scrape).  The parameters
 * and the reply are shared with tracker_udp.  A reply is a stranger's: every list and text in it is
 * bounded, every text is printable UTF-8 on one line.  Pure; any thread.
 */
#ifndef PROTO_TRACKER_HTTP_H
#define PROTO_TRACKER_HTTP_H

#include "proto/base/base.h"
#include "proto/base/endpoint.h"

enum announce_event {
	ANNOUNCE_NONE,
	ANNOUNCE_STARTED,
	ANNOUNCE_STOPPED,
	ANNOUNCE_COMPLETED,
	ANNOUNCE_PAUSED, /* nothing more is wanted, though there is more (BEP 21) */
};

/* "", "started", "stopped", "completed" (BEP 3), "paused" (BEP 21). */
const char *announce_event_name(enum announce_event e);

#define ANNOUNCE_NUMWANT_DEFAULT UINT32_MAX /* leave it to the tracker */

struct announce_params {
	uint8_t infohash[20];
	uint8_t peer_id[20];
	uint16_t port;
	uint64_t uploaded, downloaded, left; /* bytes */
	enum announce_event event;
	uint32_t key;
	uint32_t numwant;
	const char *trackerid; /* borrowed, may be NULL: as the tracker gave it */
	const char *ipv4;      /* borrowed, may be NULL: literals, BEP 7 */
	const char *ipv6;
};

#define ANNOUNCE_PEERS_MAX 2000u
#define TRACKER_URL_MAX    4096u /* room that any announce URL fits in */

struct announce_reply {
	char failure[256]; /* not empty: the tracker refused, and says why */
	char warning[256];
	uint32_t interval;      /* seconds as received; 0: absent */
	uint32_t min_interval;  /* seconds as received; 0: absent */
	char trackerid[128];    /* "" : absent, or too long to keep */
	int64_t complete;       /* seeders; -1: unknown, as for the next two */
	int64_t incomplete;     /* leechers */
	int64_t downloaded;     /* times completed */
	struct endpoint *peers; /* owned; duplicates are possible */
	uint32_t peers_n;       /* at most ANNOUNCE_PEERS_MAX */
	uint32_t peers_cap;
	struct endpoint external_ip; /* BEP 24; port 0; unspecified: absent */
};

/* Everything unknown, nothing owned. */
void announce_reply_init(struct announce_reply *r);
/* Frees the peers and leaves the reply as announce_reply_init() does. */
void announce_reply_free(struct announce_reply *r);
/* Drops what cannot be dialled (port 0, multicast, unspecified) and what is over the limit.
 * E_NOMEM. */
enum err announce_reply_add_peer(struct announce_reply *r, const struct endpoint *e);

/*
 * base with the query of an announce; base may have a query, a fragment is cut off.  E_SYNTAX: base
 * holds spaces or control characters; E_DENIED: base already carries info_hash, peer_id or event,
 * which would let a torrent write requests of its own; E_TOO_BIG: out is too small.  BEP 3
 * "trackers".
 */
enum err announce_http_url(
	const char *base, const struct announce_params *params, char *out, size_t n);
/* E_UNSUPPORTED unless the last path component begins with "announce".  BEP 48. */
enum err announce_http_scrape_url(
	const char *base, const uint8_t infohash[20], char *out, size_t n);

/*
 * Parses the body of an announce's answer.  r is initialised here; the caller frees it whatever is
 * returned. E_OK, also for a refusal (see failure); otherwise failure says what is wrong: E_SYNTAX
 * for what is not bencode, E_TYPE for bencode that is no reply, E_NOMEM.
 */
enum err announce_http_parse(struct slice body, struct announce_reply *r);
/* The same for a scrape: fills complete, incomplete, downloaded.  E_NOT_FOUND: infohash is not in
 * it. */
enum err announce_http_scrape_parse(
	struct slice body, const uint8_t infohash[20], struct announce_reply *r);

#endif
