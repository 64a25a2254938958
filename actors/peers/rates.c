/* SPDX-License-Identifier: MIT */
/*
 * The limits' rates: the global ones, a torrent's, and what changes with them.
 *
 * When a limit comes or goes, who is subject to it changes: everybody concerned is first released
 * from what it waits for and is counted in, and then looks anew.
 */
#include "actors/peers/priv.h"

/* It waits for nothing and is counted nowhere; its turn goes to the next. */
static void release(struct conn *c)
{
	limit_forget(c);
	pace_forget(c);
}

static void release_all(struct shard *s)
{
	for (struct link *l = s->conns.next; l != &s->conns; l = l->next) {
		struct conn *c = container_of(l, struct conn, in_shard);

		release(c);
		conn_post(c);
	}
}

static void release_torrent(struct peer_torrent *t)
{
	for (struct link *l = t->conns.next; l != &t->conns; l = l->next) {
		struct conn *c = container_of(l, struct conn, in_torrent);

		release(c);
		conn_post(c);
	}
}

/* Who waits is looked at anew: it may have to wait no longer. */
static void set_rate(struct shard *s, struct limiter *l, uint64_t rate)
{
	int64_t now = loop_now(s->loop);

	bucket_set_rate(&l->bucket, rate, now);
	for (unsigned way = 0; way < LIMIT_WAYS; way++)
		if (!link_empty(&s->limit[way].waiting))
			limit_look_at(s, way, now);
	if (rate > 0)
		pace_call_next(l);
}

/* A limit comes or goes: who is subject to it changes. */
static bool turns(const struct limiter *l, uint64_t rate)
{
	return (l->bucket.rate == 0) != (rate == 0);
}

void rates_set_global(struct shard *s, const uint64_t rate[LIMIT_KINDS])
{
	bool release = false;

	CHECK_OBJ(s, SHARD_MAGIC);
	for (unsigned k = 0; k < LIMIT_KINDS; k++)
		release |= turns(usage_limiter(s, k), rate[k]);
	if (release)
		release_all(s);
	for (unsigned k = 0; k < LIMIT_KINDS; k++)
		if (usage_limiter(s, k)->bucket.rate != rate[k])
			set_rate(s, usage_limiter(s, k), rate[k]);
}

void rates_set(struct peer_torrent *t, uint64_t down, uint64_t up)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct limiter *in = &t->limit[LIMIT_IN], *out = &t->limit[LIMIT_OUT];

	if (turns(in, down) || turns(out, up))
		release_torrent(t);
	if (in->bucket.rate != down)
		set_rate(t->shard, in, down);
	if (out->bucket.rate != up)
		set_rate(t->shard, out, up);
}

void rates_reconfigure(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	release_all(s);
	s->lan_limited = s->config->lan_limited;
}

/* Until the session tells. */
static uint64_t share_of(const struct shard *s, uint64_t rate)
{
	return rate == 0 ? 0 : MAX(rate / s->shards, UINT64_C(1));
}

static void limiter_init(struct limiter *l, uint64_t rate, int64_t now)
{
	bucket_init(&l->bucket, rate, now);
	link_init(&l->asking);
}

void rates_start(struct peer_torrent *t, uint64_t down, uint64_t up)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	int64_t now = loop_now(t->shard->loop);

	limiter_init(&t->limit[LIMIT_IN], down, now);
	limiter_init(&t->limit[LIMIT_OUT], up, now);
}

void rates_init(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	const struct config *g = s->config;
	const uint64_t all[] = {g->download_max_rate, g->upload_max_rate};
	const uint64_t lan[] = {g->lan_download_max_rate, g->lan_upload_max_rate};
	int64_t now = loop_now(s->loop);

	for (unsigned way = 0; way < LIMIT_WAYS; way++) {
		struct shard_limit *l = &s->limit[way];

		limiter_init(&l->all, share_of(s, all[way]), now);
		limiter_init(&l->lan, share_of(s, lan[way]), now);
	}
	s->lan_limited = g->lan_limited;
}
