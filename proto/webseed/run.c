/* SPDX-License-Identifier: MIT */
/* The queue of one web seed.  It holds some hundred requests at most, so it is simply searched. */
#include "proto/webseed/run.h"

#include "proto/base/array.h"

void webseed_queue_fini(struct webseed_queue *q)
{
	xfree(q->v);
	*q = (struct webseed_queue){0};
}

bool webseed_queue_push(struct webseed_queue *q, const struct webseed_request *r)
{
	if (q->n >= WEBSEED_REQUESTS_MAX)
		return false;
	ARRAY_PUSH(q->v, q->n, q->room, *r);
	return true;
}

static void drop(struct webseed_queue *q, uint32_t i)
{
	q->n--;
	memmove(&q->v[i], &q->v[i + 1], (q->n - i) * sizeof q->v[0]);
}

bool webseed_queue_remove(struct webseed_queue *q, const struct webseed_request *r)
{
	for (uint32_t i = 0; i < q->n; i++)
		if (q->v[i].offset == r->offset && q->v[i].length == r->length) {
			drop(q, i);
			return true;
		}
	return false;
}

/* Takes the request that begins there out of the queue. */
static bool take_at(struct webseed_queue *q, uint64_t offset, struct webseed_request *out)
{
	for (uint32_t i = 0; i < q->n; i++)
		if (q->v[i].offset == offset) {
			*out = q->v[i];
			drop(q, i);
			return true;
		}
	return false;
}

uint32_t webseed_queue_take(
	struct webseed_queue *q, uint64_t bytes, struct webseed_request *out, uint32_t max)
{
	uint64_t next, taken = 0;
	uint32_t n = 0;

	if (q->n == 0)
		return 0;
	next = q->v[0].offset;
	while (n < max && taken < bytes && take_at(q, next, &out[n])) {
		next += out[n].length;
		taken += out[n].length;
		n++;
	}
	return n;
}
