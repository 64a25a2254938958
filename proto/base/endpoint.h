/* SPDX-License-Identifier: MIT */
/*
 * Where a peer can be reached: an IP address and a port, of either family in one shape.
 *
 * IPv4 is kept as the v4-mapped ::ffff:a.b.c.d, so that comparing, hashing and sorting never ask
 * for the family.  Values, not objects: copied freely, any thread.
 */
#ifndef PROTO_BASE_ENDPOINT_H
#define PROTO_BASE_ENDPOINT_H

#include "proto/base/bytes.h"

struct endpoint {
	uint8_t ip[16]; /* network order; IPv4 as v4-mapped */
	uint16_t port;  /* host order */
};

/* Room for any text of endpoint_format(), with its NUL. */
#define ENDPOINT_TEXT 48

bool endpoint_is_v4(const struct endpoint *e);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
bool endpoint_same_ip(const struct endpoint *a, const struct endpoint *b);
/* Order of address, then port: <0, 0, >0 as memcmp. */
int endpoint_compare(const struct endpoint *a, const struct endpoint *b);
/* The seed is secret and random, so that a stranger cannot choose addresses that collide. */
uint64_t endpoint_hash(const struct endpoint *e, uint64_t seed);

/* ip is in network order, port in host order. */
struct endpoint endpoint_from_v4(const uint8_t ip[4], uint16_t port);
struct endpoint endpoint_from_v6(const uint8_t ip[16], uint16_t port);
/* The four bytes of an endpoint that is_v4. */
const uint8_t *endpoint_v4_bytes(const struct endpoint *e);

/*
 * "1.2.3.4:6881" or "[::1]:6881" (RFC 5952).  Always terminates; returns the length of the text, 0
 * when n is too small for it (ENDPOINT_TEXT always suffices).
 */
size_t endpoint_format(const struct endpoint *e, char *buf, size_t n);
/* The address alone, without brackets or port. */
size_t endpoint_format_ip(const struct endpoint *e, char *buf, size_t n);

/* "ip:port" as endpoint_format() writes it; no host names.  E_SYNTAX, E_RANGE (port over 65535). */
enum err endpoint_parse(const char *text, struct endpoint *out);
/* An IPv4 or IPv6 literal of n bytes without brackets or zone; out->port is 0.  E_SYNTAX. */
enum err endpoint_parse_ip(const char *text, size_t n, struct endpoint *out);

bool endpoint_is_unspecified(const struct endpoint *e);
bool endpoint_is_loopback(const struct endpoint *e);
/* RFC 1918, link-local, unique local: a neighbour, not the Internet. */
bool endpoint_is_private_lan(const struct endpoint *e);
bool endpoint_is_multicast(const struct endpoint *e);
/* Reachable over the Internet: none of the above and not reserved, documentation or shared space.
 */
bool endpoint_is_global(const struct endpoint *e);

/* A port that services of a machine are at; 80 and 443 are everybody's. */
bool endpoint_is_privileged(const struct endpoint *e);

/* Compact forms: 6 bytes (BEP 23) and 18 bytes (BEP 7).  false at the end of the data. */
bool endpoint_read_compact4(struct rd *r, struct endpoint *out);
bool endpoint_read_compact6(struct rd *r, struct endpoint *out);
/* e is_v4 for the first; latches w->full when there is no room. */
void endpoint_write_compact4(struct wr *w, const struct endpoint *e);
void endpoint_write_compact6(struct wr *w, const struct endpoint *e);

/* BEP 40: the canonical priority of the connection between a and b, the same from both ends. */
uint32_t endpoint_priority(const struct endpoint *a, const struct endpoint *b);

#endif
