/* SPDX-License-Identifier: MIT */
/* What the fetching of metadata is made of, for its own files. */
#ifndef PROTO_SWARM_METADATA_PRIV_H
#define PROTO_SWARM_METADATA_PRIV_H

#include "proto/swarm/metadata.h"

#define METADATA_MAGIC 0x4d455446u
#define FENCES         32u /* addresses that are remembered; so many */
#define NOWHERE        (-1)

enum request_state { REQ_FREE, REQ_ASKED, REQ_LATE };

/* A peer that says it has the metadata. */
struct source {
	uint32_t name;
	struct endpoint at;
	uint32_t size; /* as it claims; 0: it has none */
	int place;     /* of its candidate; NOWHERE: its size waits, or it is fenced */
	bool fenced;   /* what it sent alone was wrong: not asked again */
	bool asked;    /* ever */
	struct metadata_request {
		enum request_state state; /* LATE: not counted on, taken if it comes */
		uint32_t piece;
		int64_t at; /* us */
	} req[METADATA_REQUESTS];
	int64_t patience;     /* us */
	int64_t paused_until; /* us */
	unsigned rejects;     /* in a row */
	unsigned stalls;      /* times its size has given way */
	int64_t waits_since;  /* us: with a size and without a place */
};

struct metadata {
	uint32_t magic;
	uint8_t infohash[HASH_SHA1_SIZE];
	struct byte_budget *budget; /* borrowed */
	struct source *source;      /* owned; in no order */
	uint32_t sources_n, sources_room;
	struct place {
		struct candidate c;
		bool alone;    /* its pieces are taken of one source at a time, */
		uint32_t sole; /* this one; SMARTBAN_NOBODY: of whoever asks first */
	} place[METADATA_SIZES];
	struct smartban *blame; /* owned; NULL until a hash was wrong */
	struct smartban_names guilty;
	struct endpoint fence[FENCES]; /* a ring */
	uint32_t fences;               /* ever */
	bool stirred;
	uint8_t *bytes; /* owned; NULL until it is there */
	uint32_t size;
	uint32_t asked, rejects, timeouts, failures;
	const char *error;
};

#endif
