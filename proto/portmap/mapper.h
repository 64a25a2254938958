/* SPDX-License-Identifier: MIT */
/*
 * Keeping a port of ours open at one gateway, for TCP and UDP, by PCP or NAT-PMP.
 *
 * PCP is tried first, NAT-PMP where the gateway says it has no PCP or is silent (RFC 6887,
 * appendix A).  One request is under way at a time.  TCP is asked for first, then UDP with the
 * number TCP was given, because peers take both to be one; where they differ each is tried once
 * more.  A mapping is renewed after half its time, ten minutes at most, and at once when the
 * gateway's epoch says that it has forgotten (RFC 6887 8.5).
 *
 * Datagrams in and out, times in microseconds of one clock; the owner sees to it that what comes in
 * is from the gateway.  One owner.
 */
#ifndef PROTO_PORTMAP_MAPPER_H
#define PROTO_PORTMAP_MAPPER_H

#include "proto/base/rng.h"
#include "proto/base/time.h"
#include "proto/portmap/pcp.h"

enum mapper_method { MAPPER_PCP, MAPPER_NATPMP };

#define MAPPER_SILENT 0x10000u                 /* a result of our own: no answer */
#define MAPPER_PAUSE  (10 * 60 * USEC_PER_SEC) /* after silence, until all begins anew */
#define MAPPER_TRIES  9u

struct mapper_conf {
	struct endpoint local; /* our address towards the gateway, and the port we listen at */
	uint32_t lease;        /* seconds to ask for */
	uint8_t nonce[PCP_PROTOS][PCP_NONCE]; /* random, and secret */
};

/* One of the two mappings. */
struct mapper_lease {
	bool held;
	uint16_t external; /* held, or what is suggested next; 0: any */
	int64_t until;     /* us; held: when it ends */
	int64_t due;       /* us; when it is asked for next */
	bool release;      /* is to be taken away first */
	unsigned result;   /* of the last answer, 0: granted; MAPPER_SILENT */
};

enum mapper_op { MAPPER_IDLE, MAPPER_ASK_ADDRESS, MAPPER_ASK, MAPPER_RELEASE };

#define MAPPER_MAGIC 0x4d415050u

/* To be read by the owner, changed only in here. */
struct mapper {
	uint32_t magic;
	struct mapper_conf conf;
	struct rng *rng; /* borrowed */
	enum mapper_method method;
	bool proven; /* the gateway has answered by that method */
	struct mapper_lease of[PCP_PROTOS];
	struct endpoint address; /* external; unspecified: not known */
	int64_t address_due;     /* NAT-PMP: when it is asked for next */
	struct pcp_epoch epoch;
	int64_t forgot_at; /* us: when a lost epoch was last acted upon */
	enum mapper_op op; /* under way, for */
	enum pcp_proto op_of;
	unsigned tries;
	int64_t send_at;    /* us: when it is sent (again) */
	unsigned differed;  /* times that the two numbers did */
	unsigned forgotten; /* times that the gateway had lost its tables */
	bool stopping;
};

void mapper_init(struct mapper *, const struct mapper_conf *, struct rng *borrowed, int64_t now);

/* Writes what is to be sent now; its length, or 0: nothing.  Call until it is 0. */
size_t mapper_send(struct mapper *, int64_t now, uint8_t out[PCP_MAP_SIZE]);
/* When mapper_send() has something to do. */
int64_t mapper_deadline(const struct mapper *);
/* A datagram came from the gateway, as an answer or, multicast, without being asked.  What answers
 * nothing that was asked changes nothing. */
void mapper_take(struct mapper *, const uint8_t *p, size_t n, int64_t now);

/* Both mappings are to be taken away; mapper_send() does so until mapper_released(). */
void mapper_stop(struct mapper *);
bool mapper_released(const struct mapper *);

/* Writes the request that takes a mapping away, for when nobody waits for the answer; its length,
 * or 0: it is not held. */
size_t mapper_farewell(const struct mapper *, enum pcp_proto, uint8_t out[PCP_MAP_SIZE]);

/* Why a mapping is not there, or stands on a refused renewal; for a person. */
const char *mapper_words(const struct mapper *, enum pcp_proto);

#endif
