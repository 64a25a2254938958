/* SPDX-License-Identifier: MIT */
/*
 * What a web seed's answer to a request for a range of a file means (BEP 19; RFC 9110, sections
 * 10.2.3, 14, 15).
 *
 * One file that is not there says nothing about the others; a server that is busy says when to come
 * back; one that does not know ranges sends the whole file.  Pure; any thread.
 */
#ifndef PROTO_WEBSEED_ANSWER_H
#define PROTO_WEBSEED_ANSWER_H

#include "proto/base/base.h"

/* Bytes of one file that were asked for. */
struct httpseed_range {
	uint64_t first, length; /* length at least 1 */
	uint64_t file_length;
};

/* The head of the answer.  Texts are borrowed, and strangers'; NULL: not there. */
struct httpseed_head {
	unsigned status;
	const char *content_range, *retry_after;
	int64_t content_length; /* bytes; -1: not said */
	bool encoded;           /* it has a content coding: its bytes are not the file's */
};

enum httpseed_verdict {
	HTTPSEED_TAKE,    /* the body is the file from `skip` bytes before what was asked for */
	HTTPSEED_NO_FILE, /* the server lacks this file, or has another of the name */
	HTTPSEED_WAIT,    /* nothing is to be asked of the seed for a while */
};

struct httpseed_judgement {
	enum httpseed_verdict verdict;
	uint64_t skip; /* TAKE: bytes of the body that come first and are thrown away */
	int64_t wait;  /* WAIT: us at least; 0: as its failures say */
	char why[96];  /* else: words for a person */
};

/* A server without ranges is taken at its word when so many bytes at most are thrown away. */
#define HTTPSEED_SKIP_MAX (UINT64_C(1) << 20)
#define HTTPSEED_WAIT_MAX (INT64_C(3600) * 1000000) /* us */

/* wall: seconds since 1970, for dates. */
void httpseed_judge(const struct httpseed_range *, const struct httpseed_head *, int64_t wall,
	struct httpseed_judgement *out);

/*
 * When a seed that has failed is to be asked again.  Start from {0}; times are monotonic us.
 */
struct httpseed_health {
	unsigned failures; /* since it last gave a byte */
	int64_t until;     /* not before */
};

/* It gave what it was asked for. */
void httpseed_worked(struct httpseed_health *);
/* It did not: 30 s, doubled each time up to an hour, and not less than `wait`. */
void httpseed_failed(struct httpseed_health *, int64_t wait, int64_t now);

#endif
