/* SPDX-License-Identifier: MIT */
/*
 * The datagrams by which a gateway is asked for a port: PCP (RFC 6887, MAP and ANNOUNCE) and
 * NAT-PMP (RFC 6886).
 *
 * Encoders write what we ask, decoders read what a gateway answers; whether an answer is one to
 * what was asked is the mapper's to say.  Pure; any thread.
 */
#ifndef PROTO_PORTMAP_PCP_H
#define PROTO_PORTMAP_PCP_H

#include "proto/base/endpoint.h"

#define PCP_PORT     5351u /* of the gateway, for both protocols */
#define PCP_ANNOUNCE 5350u /* where gateways that restart tell everybody (224.0.0.1) */
#define PCP_NONCE    12u   /* bytes */
#define PCP_MAX      1100u /* the longest datagram there is, in bytes */

enum pcp_proto { PCP_TCP, PCP_UDP, PCP_PROTOS };

#define PCP_MAP_SIZE        60u /* bytes of a request */
#define NATPMP_MAP_SIZE     12u
#define NATPMP_ADDRESS_SIZE 2u

/* What is asked of either.  A lease of 0 takes the mapping away. */
struct pcp_ask {
	struct endpoint local; /* our address as the gateway knows us, and the port we listen at */
	enum pcp_proto proto;
	uint16_t external; /* suggested; 0: any */
	uint32_t lease;    /* seconds */
	uint8_t nonce[PCP_NONCE];
};

enum pcp_kind {
	PCP_NONE,    /* nothing that is understood */
	PCP_MAP,     /* PCP: nonce, proto, internal, external, address */
	PCP_RESTART, /* PCP's ANNOUNCE: epoch alone */
	NATPMP_MAP,  /* proto, internal, external */
	NATPMP_ADDRESS,
	PCP_VERSION, /* either: PCP is not spoken here (result 1 in the answer to a MAP) */
};

struct pcp_answer {
	enum pcp_kind kind;
	unsigned result; /* 0: granted */
	uint32_t lease;  /* seconds; of a refusal by PCP: how long it will stand */
	uint32_t epoch;  /* seconds since the gateway's tables are what they are */
	enum pcp_proto proto;
	uint16_t internal, external;
	struct endpoint address; /* the external one; unspecified: not told */
	uint8_t nonce[PCP_NONCE];
};

/* Latch w->full where there is less room than the sizes above say. */
void pcp_map_encode(struct wr *w, const struct pcp_ask *);
void natpmp_map_encode(struct wr *w, const struct pcp_ask *);
void natpmp_address_encode(struct wr *w);

/* Of a datagram of n bytes; what is not understood is PCP_NONE. */
void pcp_decode(const uint8_t *p, size_t n, struct pcp_answer *out);

/*
 * When a gateway's tables were lost.  Zero-initialise; the first epoch is always good.
 */
struct pcp_epoch {
	bool known;
	uint32_t server; /* s */
	int64_t at;      /* us */
};

/*
 * Takes the epoch of an answer.  false: it does not fit the time that has passed here, so the
 * gateway has forgotten what it granted (RFC 6887 8.5; RFC 6886 3.6, which bounds it on one side
 * alone).
 */
bool pcp_epoch_fits(struct pcp_epoch *, uint32_t server, bool natpmp, int64_t now);

/* What a result means, and what to do about it, for a person.  Never NULL. */
const char *pcp_words(unsigned result);
const char *natpmp_words(unsigned result);

#endif
