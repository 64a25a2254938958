/* SPDX-License-Identifier: MIT */
/* The queue of one web seed.  It holds some hundred requests at most, so it is simply searched. */
#include "proto/webseed/run.h"

#include "proto/base/array.h"

void httpseed_queue_fini(struct httpseed_queue *q)
{
	xfree(q->v);
	*q = (struct httpseed_queue){0};
}

bool httpseed_queue_push(struct httpseed_queue *q, const struct httpseed_request *r)
{
	if (q->n >= HTTPSEED_REQUESTS_MAX)
		return false;
	ARRAY_PUSH(q->v, q->n, q->room, *r);
	return true;
}

static void drop(struct httpseed_queue *q, uint32_t i)
{
	q->n--;
	memmove(&q->v[i], &q->v[i + 1], (q->n - i) * sizeof q->v[0]);
}

bool httpseed_queue_remove(struct httpseed_queue *q, const struct httpseed_request *r)
{
	for (uint32_t i = 0; i < q->n; i++)
		if (q->v[i].offset == r->offset && q->v[i].length == r->length) {
			drop(q, i);
			return true;
		}
	return false;
}

/* Takes the request that begins there out of the queue. */
static bool take_at(struct httpseed_queue *q, uint64_t offset, struct httpseed_request *out)
{
	for (uint32_t i = 0; i < q->n; i++)
		if (q->v[i].offset == offset) {
			*out = q->v[i];
			drop(q, i);
			return true;
		}
	return false;
}

uint32_t httpseed_queue_take(
	struct httpseed_queue *q, uint64_t bytes, struct httpseed_request *out, uint32_t max)
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
