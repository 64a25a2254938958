/* SPDX-License-Identifier: MIT */
/*
 * Keys for encrypted handshakes, made ahead of need and given out with measure.
 *
 * A handshake costs two powers modulo a large prime, some 100 us, and anybody who connects can ask
 * for one.  So each takes a pair that was made when there was time, and takes leave: there are
 * KEYS_MAX at first, and one more every EVERY.  Whoever finds none waits in a line, and by the
 * handshake's own timeout no longer than that; who dialled by our wish goes before who came, and
 * has the last OURS to himself, so that a flood of strangers does not keep us from our peers.
 *
 * Until the first handshake nothing is made, and with all there the timer rests.
 */
#include "actors/peers/priv.h"

#define EVERY (20 * USEC_PER_MSEC)
#define OURS  8u

static void make(struct dh_key *out)
{
	uint8_t random[DH_PRIVATE];

	random_bytes(random, sizeof random);
	dh_make(out, random);
}

static bool may_have(const struct keys *k, const struct conn *c)
{
	return k->allowed > (c->incoming ? OURS : 0);
}

static struct conn *first_of(struct link *line)
{
	return link_empty(line) ? NULL : container_of(line->next, struct conn, wants_key);
}

static void call_next(struct keys *k)
{
	struct conn *c = first_of(&k->dials);

	if (c == NULL)
		c = first_of(&k->answers);
	if (c == NULL || !may_have(k, c))
		return;
	link_remove(&c->wants_key);
	c->handed = true;
	conn_post(c);
}

static void on_timer(struct loop_timer *timer, int64_t now)
{
	struct shard *s = container_of(timer, struct shard, keys.timer);
	struct keys *k = &s->keys;

	CHECK_OBJ(s, SHARD_MAGIC);
	if (k->allowed < KEYS_MAX)
		k->allowed++;
	if (k->n < KEYS_MAX)
		make(&k->ready[k->n++]);
	call_next(k);
	if (k->allowed < KEYS_MAX || k->n < KEYS_MAX)
		loop_timer_set(s->loop, timer, now + EVERY);
}

bool keys_take(struct conn *c, struct dh_key *out)
{
	CHECK_OBJ(c, CONN_MAGIC);
	struct shard *s = c->shard;
	struct keys *k = &s->keys;

	if (!loop_timer_is_set(&k->timer))
		loop_timer_set(s->loop, &k->timer, loop_now(s->loop) + EVERY);
	if (!may_have(k, c)) {
		if (!link_linked(&c->wants_key))
			link_append(c->incoming ? &k->answers : &k->dials, &c->wants_key);
		return false;
	}
	k->allowed--;
	if (k->n == 0) {
		make(out);
		return true;
	}
	*out = k->ready[--k->n];
	explicit_bzero(&k->ready[k->n], sizeof k->ready[k->n]);
	return true;
}

void keys_init(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	s->keys.allowed = KEYS_MAX;
	s->keys.timer.fn = on_timer;
	link_init(&s->keys.dials);
	link_init(&s->keys.answers);
}

void keys_fini(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	loop_timer_del(s->loop, &s->keys.timer);
	explicit_bzero(s->keys.ready, sizeof s->keys.ready);
}
