/* SPDX-License-Identifier: MIT */
/*
 * What the rate limits let a connection read and write.
 *
 * A connection is subject to up to three limits in each direction: its class's, its torrent's, and
 * its shard's part of the global one; all of them must have tokens.  Peers of the local network are
 * a class of their own, lan, and outside of the other two limits unless lan.limited says otherwise.
 * Every byte of the stream counts, handshakes and requests as well as blocks; the headers of TCP
 * and IP, which nobody but the kernel knows, do not.
 *
 * Tokens: bytes are taken from the buckets before they pass, and what has not passed when the
 * connection's run ends is given back.  While nobody waits a connection takes what there is; else
 * it queues up, and a timer deals out what has gathered in equal parts, in the order of the queue.
 * A part is never less than PART_TIME of the rate (or PART_MAX), so that a slow limit makes few
 * small reads instead of many tiny ones; who gets none keeps his place.
 *
 * Invariants: limiter->waiting is the sum over the connections that are subject to it; what
 * somebody is subject to changes only when nobody is counted (rates.c).
 */
#include "actors/peers/priv.h"

#define PART_MAX  UINT64_C(16384)
#define PART_TIME 32     /* of a second; well under the twelfth that a bucket holds */
#define SLICE     65536u /* taken at once while nobody waits */
#define DEAL_US   4000   /* tokens are dealt out no more often */

/* --- who is subject to what --- */

static void add(struct limit_subject *u, struct limiter *l)
{
	if (l->bucket.rate > 0)
		u->to[u->n++] = l;
}

/* The limits in force for it, at this moment. */
struct limit_subject limit_subject(const struct conn *c, enum limit_way way)
{
	CHECK_OBJ(c, CONN_MAGIC);
	struct shard *s = c->shard;
	struct limit_subject u = {.n = 0};

	if (c->limit.lan)
		add(&u, &s->limit[way].lan);
	if (c->limit.lan && !s->lan_limited)
		return u;
	add(&u, &s->limit[way].all);
	if (c->torrent != NULL)
		add(&u, &c->torrent->limit[way]);
	return u;
}

static bool is_lan(const struct endpoint *e)
{
	return endpoint_is_private_lan(e) || endpoint_is_loopback(e);
}

/* --- tokens --- */

static uint64_t part_of(const struct limiter *l)
{
	return MAX(MIN(l->bucket.rate / PART_TIME, PART_MAX), UINT64_C(1));
}

/* How much each of those who wait may have now; 0: less than the least part. */
static size_t share_now(const struct limit_subject *u, int64_t now)
{
	uint64_t share = SIZE_MAX;

	for (unsigned i = 0; i < u->n; i++) {
		struct limiter *l = u->to[i];
		uint64_t there = bucket_allow(&l->bucket, now), part = part_of(l);

		if (there < part)
			return 0;
		share = MIN(share, MAX(there / MAX(l->waiting, 1u), part));
	}
	return (size_t)share;
}

static int64_t share_at(const struct limit_subject *u, int64_t now)
{
	int64_t at = now;

	for (unsigned i = 0; i < u->n; i++)
		at = MAX(at, bucket_next(&u->to[i]->bucket, part_of(u->to[i]), now));
	return at;
}

static bool others_wait(const struct limit_subject *u)
{
	for (unsigned i = 0; i < u->n; i++)
		if (u->to[i]->waiting > 0)
			return true;
	return false;
}

static void pay(struct conn *c, const struct limit_subject *u, size_t n)
{
	for (unsigned i = 0; i < u->n; i++) {
		bucket_spend(&u->to[i]->bucket, n);
		u->to[i]->passed += n;
	}
	usage_watch(c->shard);
}

static void take(struct conn *c, enum limit_way way, const struct limit_subject *u, size_t n)
{
	pay(c, u, n);
	c->limit.grant[way] = n;
}

static void give_back(struct conn *c, enum limit_way way)
{
	struct limit_subject u;

	if (c->limit.grant[way] == 0)
		return;
	u = limit_subject(c, way);
	for (unsigned i = 0; i < u.n; i++) {
		bucket_give_back(&u.to[i]->bucket, c->limit.grant[way]);
		u.to[i]->passed -= MIN(u.to[i]->passed, c->limit.grant[way]);
	}
	c->limit.grant[way] = 0;
}

void limit_look_at(struct shard *s, enum limit_way way, int64_t at)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	struct shard_limit *l = &s->limit[way];

	at = MAX(at, l->given_at + DEAL_US);
	if (!loop_timer_is_set(&l->timer) || l->timer.at > at)
		loop_timer_set(s->loop, &l->timer, at);
}

/*
 * Who waits is counted where tokens lack; when they lack nowhere, because others are before it,
 * everywhere.  A torrent that is slow by its own limit so takes no part of a larger one from
 * others.
 */
static void count_waiting(
	struct conn *c, enum limit_way way, const struct limit_subject *u, int64_t now)
{
	uint8_t lacks = 0, everywhere = (uint8_t)((1u << u->n) - 1);

	for (unsigned i = 0; i < u->n; i++)
		if (bucket_allow(&u->to[i]->bucket, now) < part_of(u->to[i]))
			lacks |= (uint8_t)(1u << i);
	c->limit.lacks[way] = lacks != 0 ? lacks : everywhere;
	for (unsigned i = 0; i < u->n; i++) {
		u->to[i]->waiting += c->limit.lacks[way] >> i & 1;
		u->to[i]->busy = MAX(u->to[i]->busy, u->to[i]->waiting);
	}
}

static void uncount_waiting(struct conn *c, enum limit_way way, const struct limit_subject *u)
{
	for (unsigned i = 0; i < u->n; i++)
		u->to[i]->waiting -= c->limit.lacks[way] >> i & 1;
	c->limit.lacks[way] = 0;
}

static void start_waiting(struct conn *c, enum limit_way way, const struct limit_subject *u)
{
	int64_t now = loop_now(c->shard->loop);

	count_waiting(c, way, u, now);
	usage_watch(c->shard);
	link_append(&c->shard->limit[way].waiting, &c->limit.waiting[way]);
	limit_look_at(c->shard, way, share_at(u, now));
}

static void stop_waiting(struct conn *c, enum limit_way way, const struct limit_subject *u)
{
	uncount_waiting(c, way, u);
	link_remove(&c->limit.waiting[way]);
}

/* Each who waits gets its share or keeps its place. */
static void deal(struct shard *s, enum limit_way way, int64_t now)
{
	struct shard_limit *l = &s->limit[way];
	int64_t at = INT64_MAX;
	struct link *k, *next;

	l->given_at = now;
	for (k = l->waiting.next; k != &l->waiting; k = next) {
		struct conn *c = container_of(k, struct conn, limit.waiting[way]);
		struct limit_subject u = limit_subject(c, way);
		size_t n = share_now(&u, now);

		next = k->next;
		if (n == 0) {
			uncount_waiting(c, way, &u);
			count_waiting(c, way, &u, now);
			at = MIN(at, share_at(&u, now));
			continue;
		}
		stop_waiting(c, way, &u);
		take(c, way, &u, n);
		conn_post(c);
	}
	if (at != INT64_MAX)
		limit_look_at(s, way, at);
}

static void on_deal_in(struct loop_timer *timer, int64_t now)
{
	deal(container_of(timer, struct shard, limit[LIMIT_IN].timer), LIMIT_IN, now);
}

static void on_deal_out(struct loop_timer *timer, int64_t now)
{
	deal(container_of(timer, struct shard, limit[LIMIT_OUT].timer), LIMIT_OUT, now);
}

static size_t allow(struct conn *c, enum limit_way way)
{
	struct limit_subject u = limit_subject(c, way);
	size_t n = 0;

	if (u.n == 0)
		return SIZE_MAX;
	if (c->limit.grant[way] > 0)
		return c->limit.grant[way];
	if (link_linked(&c->limit.waiting[way]))
		return 0;
	if (!others_wait(&u))
		n = MIN(share_now(&u, loop_now(c->shard->loop)), (size_t)SLICE);
	if (n > 0)
		take(c, way, &u, n);
	else
		start_waiting(c, way, &u);
	return n;
}

static void spend(struct conn *c, enum limit_way way, size_t n)
{
	size_t granted = MIN(n, c->limit.grant[way]);
	struct limit_subject u;

	c->limit.grant[way] -= granted;
	if (n == granted)
		return;
	u = limit_subject(c, way);
	pay(c, &u, n - granted);
}

/* The first bytes of a stranger are read whatever the limits are, and paid for later. */
size_t limit_allow_in(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	return c->torrent == NULL ? HELLO_SIZE : allow(c, LIMIT_IN);
}

size_t limit_allow_out(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	return c->torrent == NULL ? SIZE_MAX : allow(c, LIMIT_OUT);
}

void limit_spend_in(struct conn *c, size_t n)
{
	CHECK_OBJ(c, CONN_MAGIC);
	spend(c, LIMIT_IN, n);
}

void limit_spend_out(struct conn *c, size_t n)
{
	CHECK_OBJ(c, CONN_MAGIC);
	spend(c, LIMIT_OUT, n);
}

void limit_settle(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	give_back(c, LIMIT_IN);
	give_back(c, LIMIT_OUT);
}

bool limit_waits(const struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	return link_linked(&c->limit.waiting[LIMIT_IN]);
}

void limit_forget(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	limit_settle(c);
	for (enum limit_way way = LIMIT_IN; way <= LIMIT_OUT; way++) {
		struct limit_subject u = limit_subject(c, way);

		if (link_linked(&c->limit.waiting[way]))
			stop_waiting(c, way, &u);
	}
}

void limit_open(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	c->limit.lan = is_lan(&c->at);
}

void limit_init(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	for (unsigned way = 0; way < LIMIT_WAYS; way++) {
		link_init(&s->limit[way].waiting);
		s->limit[way].given_at = loop_now(s->loop) - DEAL_US;
	}
	s->limit[LIMIT_IN].timer.fn = on_deal_in;
	s->limit[LIMIT_OUT].timer.fn = on_deal_out;
}

void limit_fini(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	loop_timer_del(s->loop, &s->limit[LIMIT_IN].timer);
	loop_timer_del(s->loop, &s->limit[LIMIT_OUT].timer);
}
