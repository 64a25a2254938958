/* SPDX-License-Identifier: MIT */
/*
 * Requests for blocks, and the runs of content that one request to a web seed brings.
 *
 * A request costs a round trip and a server's work, so blocks that lie side by side are asked for
 * as one.  Who asked first is served first.  Pure; one thread a queue.
 */
#ifndef PROTO_WEBSEED_RUN_H
#define PROTO_WEBSEED_RUN_H

#include "proto/base/base.h"

#define HTTPSEED_REQUESTS_MAX 1024u /* that wait with one seed */

struct httpseed_request {
	uint32_t piece, begin, length;
	uint64_t offset; /* in the content */
};

/* Start from {0}; oldest first. */
struct httpseed_queue {
	struct httpseed_request *v; /* owned */
	uint32_t n, room;
};

void httpseed_queue_fini(struct httpseed_queue *);
/* false: it is full. */
bool httpseed_queue_push(struct httpseed_queue *, const struct httpseed_request *);
/* false: it is not there. */
bool httpseed_queue_remove(struct httpseed_queue *, const struct httpseed_request *);

/*
 * Moves the oldest request, and those that continue it behind, to `out` in the order of the
 * content, until there are `max` of them or `bytes` bytes.  How many; 0: nothing waits.
 */
uint32_t httpseed_queue_take(
	struct httpseed_queue *, uint64_t bytes, struct httpseed_request *out, uint32_t max);

#endif
