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

#define WEBSEED_REQUESTS_MAX 1024u /* that wait with one seed */

struct webseed_request {
	uint32_t piece, begin, length;
	uint64_t offset; /* in the content */
};

/* Start from {0}; oldest first. */
struct webseed_queue {
	struct webseed_request *v; /* owned */
	uint32_t n, room;
};

void webseed_queue_fini(struct webseed_queue *);
/* false: it is full. */
bool webseed_queue_push(struct webseed_queue *, const struct webseed_request *);
/* false: it is not there. */
bool webseed_queue_remove(struct webseed_queue *, const struct webseed_request *);

/*
 * Moves the oldest request, and those that continue it behind, to `out` in the order of the
 * content, until there are `max` of them or `bytes` bytes.  How many; 0: nothing waits.
 */
uint32_t webseed_queue_take(
	struct webseed_queue *, uint64_t bytes, struct webseed_request *out, uint32_t max);

#endif
