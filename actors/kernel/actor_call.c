/* SPDX-License-Identifier: MIT */
/*
 * The calls an actor waits for.
 *
 * A pending call is found by its id when the reply comes and by its context when that dies; its
 * deadline is a timer of the actor's loop.  Ids are never reused, so a reply that finds no entry is
 * late: it is freed and counted.  Every entry ends exactly once, in end_call(), unless it is
 * cancelled.
 */
#include "actors/kernel/actor_priv.h"

#define CALL_MAGIC  0x43414c4cu
#define PER_SLAB    64u
#define PENDING_MAX (1u << 22) /* far above what any credit allows: a tripwire */
#define END_ROUNDS  1000       /* of callbacks that call again while stopping */
#define PING_US     (5 * USEC_PER_SEC)
#define QUIESCE_US  (15 * USEC_PER_SEC)

struct call {
	uint32_t magic;
	struct loop_timer timer; /* the deadline */
	struct actor *actor;
	uint64_t id;
	void *ctx;
	actor_reply_f *fn;
	struct call *id_next;
	struct call *ctx_next;
	struct call **ctx_at; /* what points to us */
};

static size_t bucket_of_id(const struct calls *cs, uint64_t id)
{
	return (size_t)id & (cs->buckets - 1);
}

static size_t bucket_of_ctx(const struct calls *cs, const void *ctx)
{
	return (size_t)(((uintptr_t)ctx >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
	       (cs->buckets - 1);
}

static void link_call(struct calls *cs, struct call *c)
{
	struct call **id = &cs->by_id[bucket_of_id(cs, c->id)];
	struct call **ctx = &cs->by_ctx[bucket_of_ctx(cs, c->ctx)];

	c->id_next = *id;
	*id = c;
	c->ctx_next = *ctx;
	c->ctx_at = ctx;
	if (*ctx != NULL)
		(*ctx)->ctx_at = &c->ctx_next;
	*ctx = c;
}

static void unlink_call(struct calls *cs, struct call *c)
{
	struct call **p = &cs->by_id[bucket_of_id(cs, c->id)];

	while (*p != c)
		p = &(*p)->id_next;
	*p = c->id_next;
	*c->ctx_at = c->ctx_next;
	if (c->ctx_next != NULL)
		c->ctx_next->ctx_at = c->ctx_at;
}

static void grow(struct calls *cs)
{
	struct calls old = *cs;

	cs->buckets = old.buckets ? old.buckets * 2 : 64;
	cs->by_id = xcalloc(cs->buckets, sizeof *cs->by_id);
	cs->by_ctx = xcalloc(cs->buckets, sizeof *cs->by_ctx);
	for (size_t i = 0; i < old.buckets; i++) {
		struct call *next;

		for (struct call *c = old.by_id[i]; c != NULL; c = next) {
			next = c->id_next;
			link_call(cs, c);
		}
	}
	xfree(old.by_id);
	xfree(old.by_ctx);
}

static struct call *find(const struct calls *cs, uint64_t id)
{
	struct call *c = cs->buckets ? cs->by_id[bucket_of_id(cs, id)] : NULL;

	while (c != NULL && c->id != id)
		c = c->id_next;
	return c;
}

static void drop(struct actor *a, struct call *c)
{
	CHECK_OBJ(c, CALL_MAGIC);
	unlink_call(&a->calls, c);
	loop_timer_del(a->loop, &c->timer);
	__atomic_store_n(&a->calls.n, a->calls.n - 1, __ATOMIC_RELAXED);
	c->magic = 0;
	pool_put(a->calls.pool, c);
}

/* The entry is gone before the callback runs, which may make or cancel calls itself. */
static void end_call(struct actor *a, struct call *c, enum err err, struct msg **m)
{
	actor_reply_f *fn = c->fn;
	void *ctx = c->ctx;

	drop(a, c);
	fn(a, ctx, err, m);
}

static void expire(struct loop_timer *t, int64_t now)
{
	struct call *c = container_of(t, struct call, timer);
	struct actor *a = c->actor;

	(void)now;
	CHECK_OBJ(c, CALL_MAGIC);
	stat_add(a, STAT_CALLS_TIMED_OUT, 1);
	end_call(a, c, E_TIMEOUT, NULL);
}

static uint64_t remember(struct actor *a, int64_t timeout_us, actor_reply_f *fn, void *ctx)
{
	struct calls *cs = &a->calls;
	struct call *c;

	if (cs->pool == NULL)
		cs->pool = pool_new(
			"calls", sizeof(struct call), _Alignof(struct call), PER_SLAB, PENDING_MAX);
	if (cs->n >= cs->buckets)
		grow(cs);
	c = pool_get(cs->pool);
	must(c != NULL);
	*c = (struct call){
		.magic = CALL_MAGIC, .actor = a, .id = ++cs->last_id, .ctx = ctx, .fn = fn};
	c->timer.fn = expire;
	link_call(cs, c);
	__atomic_store_n(&cs->n, cs->n + 1, __ATOMIC_RELAXED);
	loop_timer_set(a->loop, &c->timer, loop_now(a->loop) + timeout_us);
	return c->id;
}

static int64_t default_timeout(const struct actor *a, uint16_t type)
{
	int64_t ms = a->types[type].deadline_ms;

	if (ms > 0)
		return ms * USEC_PER_MSEC;
	must(type == KMSG_PING || type == KMSG_QUIESCE); /* the others are casts */
	return type == KMSG_PING ? PING_US : QUIESCE_US;
}

uint64_t actor_call(struct actor *a, uint16_t to, struct msg **m, actor_reply_f *fn, void *ctx)
{
	CHECK_OBJ(*m, MSG_MAGIC);
	return actor_call_within(a, to, m, default_timeout(a, (*m)->type), fn, ctx);
}

uint64_t actor_call_within(struct actor *a, uint16_t to, struct msg **m, int64_t timeout_us,
	actor_reply_f *fn, void *ctx)
{
	uint64_t id;

	actor_check_thread(a);
	CHECK_OBJ(*m, MSG_MAGIC);
	must(fn != NULL && timeout_us >= 0);
	must(default_timeout(a, (*m)->type) > 0);
	must((*m)->call == 0 || (*m)->reply); /* a call in hand is answered, not sent on */
	must(a->phase < ACTOR_ENDED);
	stat_add(a, STAT_CALLS, 1);
	id = remember(a, timeout_us, fn, ctx);
	(*m)->call = id;
	(*m)->reply = false;
	(*m)->err = E_OK;
	if (a->phase == ACTOR_DRAINING)
		msg_free(a, m); /* calls_end_all() ends it */
	else
		actor_post(a, to, m);
	return id;
}

void actor_cancel_calls(struct actor *a, const void *ctx)
{
	struct calls *cs;
	struct call *c, *next;

	CHECK_OBJ(a, ACTOR_MAGIC);
	cs = &a->calls;
	actor_check_thread(a);
	if (cs->n == 0)
		return;
	for (c = cs->by_ctx[bucket_of_ctx(cs, ctx)]; c != NULL; c = next) {
		next = c->ctx_next;
		if (c->ctx == ctx)
			drop(a, c);
	}
}

void calls_deliver(struct actor *a, struct msg **m)
{
	struct call *c;

	CHECK_OBJ(a, ACTOR_MAGIC);
	c = find(&a->calls, (*m)->call);
	if (c != NULL)
		end_call(a, c, (*m)->err, m);
	else
		stat_add(a, STAT_REPLIES_LATE, 1);
	msg_free(a, m);
}

/* The next call of a bucket that is not younger than `last`. */
static struct call *pick(const struct calls *cs, size_t bucket, uint64_t last)
{
	struct call *c = cs->by_id[bucket];

	while (c != NULL && c->id > last)
		c = c->id_next;
	return c;
}

void calls_end_all(struct actor *a)
{
	struct calls *cs;

	CHECK_OBJ(a, ACTOR_MAGIC);
	cs = &a->calls;
	for (int round = 0; cs->n > 0; round++) {
		uint64_t last = cs->last_id; /* what callbacks add is for the next round */
		struct call *c;

		must(round < END_ROUNDS); /* somebody calls again and again while stopping */
		for (size_t i = 0; i < cs->buckets; i++)
			while ((c = pick(cs, i, last)) != NULL)
				end_call(a, c, E_STOPPING, NULL);
	}
}

void calls_free(struct actor *a)
{
	struct calls *cs;

	CHECK_OBJ(a, ACTOR_MAGIC);
	cs = &a->calls;
	must(cs->n == 0);
	xfree(cs->by_id);
	xfree(cs->by_ctx);
	cs->by_id = cs->by_ctx = NULL;
	cs->buckets = 0;
	if (cs->pool != NULL)
		pool_free(&cs->pool);
}
