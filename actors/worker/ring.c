/* SPDX-License-Identifier: MIT */
/*
 * Messages that wait for a worker's turn, oldest first, in a ring that grows.
 */
#include "actors/worker/priv.h"

struct msg *wring_pop(struct wring *r)
{
	struct msg *m;

	must(r->n > 0);
	m = r->v[r->at];
	r->at = (r->at + 1) % r->room;
	r->n--;
	return m;
}

static void grow(struct wring *r)
{
	struct wring wider = {.n = r->n, .room = MAX(64, r->room * 2)};

	wider.v = xcalloc(wider.room, sizeof(struct msg *));
	for (uint32_t i = 0; i < wider.n; i++)
		wider.v[i] = wring_pop(r);
	xfree(r->v);
	*r = wider;
}

void wring_push(struct wring *r, struct msg **m)
{
	if (r->n == r->room)
		grow(r);
	r->v[(r->at + r->n++) % r->room] = *m;
	*m = NULL;
}

void wring_fini(struct wring *r, struct actor *a)
{
	while (r->n > 0) {
		struct msg *m = wring_pop(r);

		msg_free(a, &m);
	}
	xfree(r->v);
	*r = (struct wring){0};
}
