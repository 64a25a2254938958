/* SPDX-License-Identifier: MIT */
/*
 * What the rate limits let a connection read, write and ask for.
 *
 * A connection is subject to the bucket of its torrent and to its shard's part of the global limit.
 * Who finds no tokens waits in a list of the shard and is run again when there are some; a reader
 * that waits leaves its bytes in the kernel, which slows the sender.  What is asked for is bounded,
 * too, so that little comes before it may be read.
 */
#include "actors/peers_priv.h"

#define LIMIT_SLICE 16384u /* passes at a time, for fairness */

static void on_throttle(struct loop_timer *timer, int64_t now)
{
	struct shard *s = container_of(timer, struct shard, throttle);
	struct link waiting;

	(void)now;
	/* Those who find no tokens queue up again behind the others, which keeps it fair. */
	link_init(&waiting);
	while (!link_empty(&s->throttled)) {
		struct link *l = s->throttled.next;

		link_remove(l);
		link_append(&waiting, l);
	}
	while (!link_empty(&waiting)) {
		struct conn *c = container_of(waiting.next, struct conn, throttled);

		link_remove(&c->throttled);
		conn_post(c);
	}
}

void limit_init(struct shard *s)
{
	int64_t now = loop_now(s->loop);

	link_init(&s->throttled);
	s->throttle.fn = on_throttle;
	bucket_init(&s->down, s->config->download_max_rate / s->shards, now);
	bucket_init(&s->up, s->config->upload_max_rate / s->shards, now);
}

void limit_fini(struct shard *s)
{
	loop_timer_del(s->loop, &s->throttle);
}

void limit_set_global(struct shard *s, uint64_t down, uint64_t up)
{
	int64_t now = loop_now(s->loop);

	bucket_set_rate(&s->down, down, now);
	bucket_set_rate(&s->up, up, now);
}

void limit_start(struct ptorrent *t, uint64_t down, uint64_t up)
{
	int64_t now = loop_now(t->shard->loop);

	bucket_init(&t->down, down, now);
	bucket_init(&t->up, up, now);
}

void limit_set(struct ptorrent *t, uint64_t down, uint64_t up)
{
	int64_t now = loop_now(t->shard->loop);

	bucket_set_rate(&t->down, down, now);
	bucket_set_rate(&t->up, up, now);
}

bool limit_waits(const struct conn *c)
{
	return link_linked(&c->throttled);
}

void limit_forget(struct conn *c)
{
	link_remove(&c->throttled);
}

static void wait_until(struct conn *c, int64_t at)
{
	struct shard *s = c->shard;

	if (!link_linked(&c->throttled))
		link_append(&s->throttled, &c->throttled);
	if (!loop_timer_is_set(&s->throttle) || s->throttle.at > at)
		loop_timer_set(s->loop, &s->throttle, at);
}

static size_t allow(struct conn *c, struct bucket *own, struct bucket *all)
{
	int64_t now = loop_now(c->shard->loop);
	uint64_t a = bucket_allow(own, now), b = bucket_allow(all, now);

	if (a == BUCKET_UNLIMITED && b == BUCKET_UNLIMITED)
		return SIZE_MAX;
	if (a == 0 || b == 0) {
		wait_until(c, MAX(bucket_next(own, LIMIT_SLICE, now),
				      bucket_next(all, LIMIT_SLICE, now)));
		return 0;
	}
	return (size_t)MIN(MIN(a, b), (uint64_t)LIMIT_SLICE);
}

size_t limit_allow_in(struct conn *c)
{
	return c->torrent == NULL ? HELLO_SIZE : allow(c, &c->torrent->down, &c->shard->down);
}

size_t limit_allow_out(struct conn *c)
{
	return c->torrent == NULL ? SIZE_MAX : allow(c, &c->torrent->up, &c->shard->up);
}

void limit_spend_in(struct conn *c, size_t n)
{
	if (c->torrent == NULL)
		return;
	bucket_spend(&c->torrent->down, n);
	bucket_spend(&c->shard->down, n);
}

void limit_spend_out(struct conn *c, size_t n)
{
	if (c->torrent == NULL)
		return;
	bucket_spend(&c->torrent->up, n);
	bucket_spend(&c->shard->up, n);
}

unsigned limit_room(const struct conn *c)
{
	const struct ptorrent *t = c->torrent;
	uint64_t rate = t->down.rate, all = t->shard->down.rate, blocks;

	if (rate == 0 || (all != 0 && all < rate))
		rate = all;
	if (rate == 0)
		return UINT32_MAX;
	/* One second's worth stands at most. */
	blocks = MAX(rate / BLOCK_SIZE, (uint64_t)1);
	return blocks > t->swarm->asked ? (unsigned)(blocks - t->swarm->asked) : 0;
}
