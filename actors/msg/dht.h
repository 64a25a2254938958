/* SPDX-License-Identifier: MIT */
/*
 * The payloads of the DHT's messages.
 *
 * "owned" means that the destructor of the message frees it (msg.c).
 */
#ifndef ACTORS_MSG_DHT_H
#define ACTORS_MSG_DHT_H

#include "actors/kernel/actor.h"
#include "actors/msg/record.h"
#include "actors/msg/view.h"
#include "proto/base/endpoint.h"

/* A torrent whose peers are to be found by the DHT, or no more; only those it may know of. */
struct m_dht_torrent {
	struct msg h;
	struct tref t;
	uint8_t infohash[20];
	bool wanted;   /* false: forget it */
	bool announce; /* tell others that we have it */
	bool seed;     /* all of it */
	bool urgent;   /* before all others */
};

/* What a peer says of its node (BEP 5, PORT). */
struct m_dht_node {
	struct msg h;
	struct endpoint at;
};

struct m_dht_view {
	struct msg h;
	/* reply */
	struct dht_view view;
};

enum dht_job_op { DHT_JOB_GET, DHT_JOB_PUT, DHT_JOB_SCRAPE, DHT_JOB_SAMPLE };

/* Items (BEP 44), scrapes (BEP 33) and samples (BEP 51).  The reply has E_NOT_FOUND, E_UNREACHABLE
 * (nobody answered), E_EXISTS (there is a newer item), E_UNSUPPORTED (switched off). */
struct m_dht_job {
	struct msg h;
	enum dht_job_op op;
	uint8_t target[20]; /* without a key; in the reply of a put, what it is stored under */
	bool has_key;       /* DHT_JOB_GET: of a mutable item */
	uint8_t key[32];
	uint8_t salt[64];
	size_t salt_n;
	bool has_seed; /* DHT_JOB_PUT: makes it mutable, and signs it */
	uint8_t seed[32];
	int64_t seq;
	bool has_cas;
	int64_t cas;
	uint8_t *value; /* owned: bencoded; DHT_JOB_PUT, and what was got */
	size_t value_n;
	/* reply */
	bool mutable;
	uint8_t signature[64];
	uint32_t answered, stored; /* nodes */
	double seeds, peers;       /* DHT_JOB_SCRAPE */
	uint8_t (*samples)[20];    /* owned: DHT_JOB_SAMPLE */
	uint32_t samples_n;
	uint64_t samples_all; /* of all who answered */
};

/* What is kept of the DHT, by family: of IPv4, of IPv6. */
struct m_state_dht {
	struct msg h;
	struct dht_saved {
		bool has_id;
		uint8_t id[20]; /* ours */
		uint8_t *nodes; /* owned: compact, as in KRPC */
		size_t nodes_n; /* bytes */
	} family[2];
};

#endif
