/* SPDX-License-Identifier: MIT */
/*
 * KRPC, the datagrams of the DHT (BEP 5, 32, 33, 42, 43, 44, 51): one struct for what one says.
 *
 * Reading is tolerant, for old nodes say things in many ways, and bounded: what has the wrong type
 * or length is as if it were absent.  Writing is canonical, because some nodes look for the bytes
 * that a sorted dictionary with the usual lengths has.  A decoded message borrows from the
 * datagram.  Pure; any thread.
 */
#ifndef PROTO_DHT_KRPC_H
#define PROTO_DHT_KRPC_H

#include "proto/dht/id.h"

#define KRPC_IN_MAX     1500u /* longer datagrams are not looked at */
#define KRPC_OUT_MAX    1024u /* what we send at most (BEP 32) */
#define KRPC_TID_MAX    16u
#define KRPC_TOKEN_MAX  40u  /* what we take; a longer one makes the node useless to us */
#define KRPC_BLOOM      256u /* BEP 33 */
#define KRPC_NODE4      26u  /* bytes of one in `nodes` */
#define KRPC_NODE6      38u  /* in `nodes6` */
#define KRPC_VALUES_MAX 200u /* peers that are taken of a reply */

enum krpc_kind { KRPC_QUERY, KRPC_REPLY, KRPC_ERROR };

enum krpc_method {
	KRPC_PING,
	KRPC_FIND_NODE,
	KRPC_GET_PEERS,
	KRPC_ANNOUNCE_PEER,
	KRPC_GET,               /* BEP 44 */
	KRPC_PUT,               /* likewise */
	KRPC_SAMPLE_INFOHASHES, /* BEP 51 */
	KRPC_UNKNOWN,
	KRPC_METHODS = KRPC_UNKNOWN
};

enum krpc_error {
	KRPC_E_GENERIC = 201,
	KRPC_E_SERVER = 202,
	KRPC_E_PROTOCOL = 203,
	KRPC_E_UNKNOWN = 204,
	KRPC_E_TOO_BIG = 205,
	KRPC_E_SIGNATURE = 206,
	KRPC_E_SALT = 207,
	KRPC_E_CAS = 301,
	KRPC_E_SEQ = 302,
};

enum { KRPC_WANT_N4 = 1, KRPC_WANT_N6 = 2 };

/* Slices without bytes (p NULL) and pointers that are NULL are absent. */
struct krpc {
	enum krpc_kind kind;
	enum krpc_method method; /* of a query */
	struct slice tid;
	struct slice version; /* "v" beside the kind, not the item of BEP 44 */
	struct slice ip;      /* BEP 42: 6 or 18 bytes */
	bool read_only;       /* BEP 43 */
	const uint8_t *id;    /* 20 bytes, of the sender */
	/* queries */
	const uint8_t *target; /* 20 bytes: target or info_hash */
	unsigned want;         /* KRPC_WANT_*, or-ed */
	bool has_port, implied_port;
	uint16_t port;
	bool scrape, seed, noseed; /* BEP 33 */
	bool has_cas;              /* BEP 44 */
	int64_t cas;
	struct slice salt;
	/* queries and replies */
	struct slice token;
	bool has_seq;
	int64_t seq;
	const uint8_t *key;       /* 32 bytes */
	const uint8_t *signature; /* 64 bytes */
	struct slice value;       /* as encoded */
	/* replies */
	struct slice nodes, nodes6;
	struct slice values;          /* the list as encoded: krpc_values() */
	const uint8_t *seeds, *peers; /* KRPC_BLOOM bytes */
	bool has_samples;
	struct slice samples;
	int64_t interval, num;
	/* errors */
	int64_t code;
	struct slice words;
};

/*
 * Reads a datagram.  E_PROTOCOL: it is no message of the DHT.  A message of whose parts some are
 * missing is one: who needs them looks.
 */
enum err krpc_decode(const uint8_t *p, size_t n, struct krpc *out);

/* Writes at most n bytes and returns how many; 0: no room. */
size_t krpc_encode(const struct krpc *, uint8_t *out, size_t n);

/* Nodes of a compact list, in order; what is left over at the end is ignored. */
struct krpc_node {
	struct kad_id id;
	struct endpoint at;
};
bool krpc_node_next(struct slice *list, bool v6, struct krpc_node *out);
void krpc_node_put(struct wr *, const struct krpc_node *);

/* Endpoints of a list of 6 and 18 byte strings; others are stepped over.  Returns how many. */
unsigned krpc_values(struct slice list, struct endpoint *out, unsigned max);
/* One string of such a list. */
void krpc_value_put(struct wr *, const struct endpoint *);

/* The address of an `ip`. */
bool krpc_ip(struct slice ip, struct endpoint *out);
void krpc_ip_put(struct wr *, const struct endpoint *);

/* "get_peers"; of KRPC_UNKNOWN "". */
const char *krpc_method_name(enum krpc_method);

#endif
