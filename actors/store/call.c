/* SPDX-License-Identifier: MIT */
/*
 * Calls of a phase: what a reply brings is taken by whoever asked, then the torrent moves on.
 *
 * Collectors never take a step themselves: the one reply function here does, by a function that the
 * actor hands in, so that they stand below the phases.
 */
#include "actors/store/priv.h"

static void on_reply(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct storrent *t;

	(void)a;
	CAST_OBJ(t, ctx, STORRENT_MAGIC);
	must(t->calls > 0);
	t->calls--;
	t->s->replied(t, err, m != NULL ? *m : NULL);
}

void store_call(struct storrent *t, uint16_t to, struct msg *m)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	t->calls++;
	actor_call(t->s->actor, to, &m, on_reply, t);
}
