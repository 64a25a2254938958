/* SPDX-License-Identifier: MIT */
/* A queue of block requests: circular, found from the front, gone when empty. */
#include "proto/swarm/state.h"

static void grow(struct req_queue *q)
{
	uint32_t cap = q->cap ? 2 * q->cap : 16;
	struct block_req *v = xcalloc(cap, sizeof *v);

	for (uint32_t i = 0; i < q->n; i++)
		v[i] = *req_at(q, i);
	xfree(q->v);
	q->v = v;
	q->head = 0;
	q->cap = cap;
}

void req_push(struct req_queue *q, struct block_req r)
{
	if (q->n == q->cap)
		grow(q);
	q->n++;
	*req_at(q, q->n - 1) = r;
}

bool req_pop(struct req_queue *q, struct block_req *r)
{
	if (q->n == 0)
		return false;
	*r = *req_at(q, 0);
	q->head = (q->head + 1) & (q->cap - 1);
	q->n--;
	return true;
}

bool req_remove(struct req_queue *q, const struct block_req *r)
{
	for (uint32_t i = 0; i < q->n; i++) {
		struct block_req *at = req_at(q, i);

		if (at->piece != r->piece || at->begin != r->begin || at->length != r->length)
			continue;
		/* Answers come in order, so the front is short: move what stands before it. */
		for (uint32_t k = i; k > 0; k--)
			*req_at(q, k) = *req_at(q, k - 1);
		q->head = (q->head + 1) & (q->cap - 1);
		q->n--;
		return true;
	}
	return false;
}

void req_clear(struct req_queue *q)
{
	xfree(q->v);
	*q = (struct req_queue){0};
}
