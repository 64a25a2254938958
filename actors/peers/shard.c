/* SPDX-License-Identifier: MIT */
/* What everybody in a shard may call: the shard of an actor, and credit that comes back. */
#include "actors/peers/priv.h"

struct shard *shard_of(struct actor *a)
{
	struct shard *s;

	CAST_OBJ(s, actor_self(a), SHARD_MAGIC);
	return s;
}

void shard_credit_back(struct shard *s, unsigned n)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	s->credit += n;
	/* Each connection that waits gets its turn; what is left over wakes the next. */
	for (unsigned i = 0; i < n && !link_empty(&s->hungry); i++) {
		struct conn *c = container_of(s->hungry.next, struct conn, hungry);

		link_remove(&c->hungry);
		conn_post(c);
	}
}
