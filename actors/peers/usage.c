/* SPDX-License-Identifier: MIT */
/*
 * What a shard uses of its shares of the global limits, told to the session, which gives the shares
 * out anew.
 */
#include "actors/peers/priv.h"

#define LOAD_US (USEC_PER_SEC / 2)

struct limiter *usage_limiter(struct shard *s, unsigned kind)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	struct shard_limit *l =
		&s->limit[kind == LIMIT_DOWN || kind == LIMIT_LAN_DOWN ? LIMIT_IN : LIMIT_OUT];

	return kind == LIMIT_DOWN || kind == LIMIT_UP ? &l->all : &l->lan;
}

/* A lone shard has all there is: nobody needs to know what it uses. */
void usage_watch(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	if (s->shards == 1 || loop_timer_is_set(&s->load))
		return;
	s->load_at = loop_now(s->loop);
	loop_timer_set(s->loop, &s->load, s->load_at + LOAD_US);
}

/* Goes on until nothing was used, which it says, too. */
static void on_load(struct loop_timer *timer, int64_t now)
{
	struct shard *s = container_of(timer, struct shard, load);
	struct m_peers_load *m = msg_new(s->actor, MSG_PEERS_LOAD);
	uint64_t ms = (uint64_t)MAX((now - s->load_at) / 1000, 1);
	bool any = false;

	for (unsigned k = 0; k < LIMIT_KINDS; k++) {
		struct limiter *l = usage_limiter(s, k);

		m->of[k].used = l->passed * 1000 / ms;
		m->of[k].busy = l->busy;
		any |= l->passed > 0 || l->busy > 0;
		l->passed = 0;
		l->busy = l->waiting;
	}
	msg_send(s->actor, ADDR_SESSION, m);
	s->load_at = now;
	if (any)
		loop_timer_set(s->loop, &s->load, now + LOAD_US);
}

void usage_init(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	s->load.fn = on_load;
}

void usage_fini(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	loop_timer_del(s->loop, &s->load);
}
