/* SPDX-License-Identifier: MIT */
/* What everybody in the DHT actor may call: its own state, and the node's next deadline. */
#include "actors/dht/priv.h"

struct dht *dht_of(const struct actor *a)
{
	struct dht *d;

	CAST_OBJ(d, actor_self(a), DHT_MAGIC);
	return d;
}

void dht_rearm(struct dht *d)
{
	int64_t now, at;

	CHECK_OBJ(d, DHT_MAGIC);
	now = loop_now(d->loop);
	at = kad_deadline(d->kad, now);
	if (at == INT64_MAX)
		loop_timer_del(d->loop, &d->timer);
	else
		loop_timer_set(d->loop, &d->timer, MAX(at, now));
}
