/* SPDX-License-Identifier: MIT */
/*
 * What the rate limits let a connection read, write and ask for.
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
 * Requests: a reader that waits leaves its bytes in the kernel, which slows the sender.  But what
 * was asked for a long time before it may be read delays everything, so no more is asked for than
 * AHEAD seconds bring, and one block so that the line does not idle between two.  Who finds no room
 * queues up and is called in turn, so that a small limit does not go to whoever was there first.
 *
 * Invariants: limiter->waiting and ->asked are sums over the connections that are subject to it;
 * what somebody is subject to changes only when nobody is counted.
 */
#include "actors/peers/priv.h"

#define PART_MAX  UINT64_C(16384)
#define PART_TIME 32     /* of a second; well under the twelfth that a bucket holds */
#define SLICE     65536u /* taken at once while nobody waits */
#define DEAL_US   4000   /* tokens are dealt out no more often */
#define AHEAD     2
#define LOAD_US   (USEC_PER_SEC / 2)

/* --- who is subject to what --- */

struct subject {
	struct limiter *to[3];
	unsigned n;
};

static void add(struct subject *u, struct limiter *l)
{
	if (l->bucket.rate > 0)
		u->to[u->n++] = l;
}

/* The limits in force for it, at this moment. */
static struct subject subject_of(const struct conn *c, enum limit_way way)
{
	struct shard *s = c->shard;
	struct subject u = {.n = 0};

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

/* --- what is used of the shares --- */

static struct limiter *shared_limiter(struct shard *s, unsigned kind)
{
	struct shard_limit *l =
		&s->limit[kind == LIMIT_DOWN || kind == LIMIT_LAN_DOWN ? LIMIT_IN : LIMIT_OUT];

	return kind == LIMIT_DOWN || kind == LIMIT_UP ? &l->all : &l->lan;
}

/* A lone shard has all there is: nobody needs to know what it uses. */
static void watch_load(struct shard *s)
{
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
		struct limiter *l = shared_limiter(s, k);

		m->of[k].used = l->passed * 1000 / ms;
		m->of[k].busy = l->busy;
		any |= l->passed > 0 || l->busy > 0;
		l->passed = 0;
		l->busy = l->waiting;
	}
	actor_cast(s->actor, ADDR_SESSION, (struct msg **)&m);
	s->load_at = now;
	if (any)
		loop_timer_set(s->loop, &s->load, now + LOAD_US);
}

/* --- tokens --- */

static uint64_t part_of(const struct limiter *l)
{
	return MAX(MIN(l->bucket.rate / PART_TIME, PART_MAX), UINT64_C(1));
}

/* How much each of those who wait may have now; 0: less than the least part. */
static size_t share_now(const struct subject *u, int64_t now)
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

static int64_t share_at(const struct subject *u, int64_t now)
{
	int64_t at = now;

	for (unsigned i = 0; i < u->n; i++)
		at = MAX(at, bucket_next(&u->to[i]->bucket, part_of(u->to[i]), now));
	return at;
}

static bool others_wait(const struct subject *u)
{
	for (unsigned i = 0; i < u->n; i++)
		if (u->to[i]->waiting > 0)
			return true;
	return false;
}

static void pay(struct conn *c, const struct subject *u, size_t n)
{
	for (unsigned i = 0; i < u->n; i++) {
		bucket_spend(&u->to[i]->bucket, n);
		u->to[i]->passed += n;
	}
	watch_load(c->shard);
}

static void take(struct conn *c, enum limit_way way, const struct subject *u, size_t n)
{
	pay(c, u, n);
	c->limit.grant[way] = n;
}

static void give_back(struct conn *c, enum limit_way way)
{
	struct subject u;

	if (c->limit.grant[way] == 0)
		return;
	u = subject_of(c, way);
	for (unsigned i = 0; i < u.n; i++) {
		bucket_give_back(&u.to[i]->bucket, c->limit.grant[way]);
		u.to[i]->passed -= MIN(u.to[i]->passed, c->limit.grant[way]);
	}
	c->limit.grant[way] = 0;
}

static void set_timer(struct shard *s, enum limit_way way, int64_t at)
{
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
static void count_waiting(struct conn *c, enum limit_way way, const struct subject *u, int64_t now)
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

static void uncount_waiting(struct conn *c, enum limit_way way, const struct subject *u)
{
	for (unsigned i = 0; i < u->n; i++)
		u->to[i]->waiting -= c->limit.lacks[way] >> i & 1;
	c->limit.lacks[way] = 0;
}

static void start_waiting(struct conn *c, enum limit_way way, const struct subject *u)
{
	int64_t now = loop_now(c->shard->loop);

	count_waiting(c, way, u, now);
	watch_load(c->shard);
	link_append(&c->shard->limit[way].waiting, &c->limit.waiting[way]);
	set_timer(c->shard, way, share_at(u, now));
}

static void stop_waiting(struct conn *c, enum limit_way way, const struct subject *u)
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
		struct subject u = subject_of(c, way);
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
		set_timer(s, way, at);
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
	struct subject u = subject_of(c, way);
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
	struct subject u;

	c->limit.grant[way] -= granted;
	if (n == granted)
		return;
	u = subject_of(c, way);
	pay(c, &u, n - granted);
}

/* The first bytes of a stranger are read whatever the limits are, and paid for later. */
size_t limit_allow_in(struct conn *c)
{
	return c->torrent == NULL ? HELLO_SIZE : allow(c, LIMIT_IN);
}

size_t limit_allow_out(struct conn *c)
{
	return c->torrent == NULL ? SIZE_MAX : allow(c, LIMIT_OUT);
}

void limit_spend_in(struct conn *c, size_t n)
{
	spend(c, LIMIT_IN, n);
}

void limit_spend_out(struct conn *c, size_t n)
{
	spend(c, LIMIT_OUT, n);
}

void limit_settle(struct conn *c)
{
	give_back(c, LIMIT_IN);
	give_back(c, LIMIT_OUT);
}

bool limit_waits(const struct conn *c)
{
	return link_linked(&c->limit.waiting[LIMIT_IN]);
}

/* --- room to ask --- */

static unsigned room_in(const struct limiter *l)
{
	uint64_t most = 1 + (AHEAD * l->bucket.rate + BLOCK_SIZE - 1) / BLOCK_SIZE;

	return most > l->asked ? (unsigned)MIN(most - l->asked, (uint64_t)UINT32_MAX) : 0;
}

/* The next who waits for room gets its turn. */
static void call_next(struct limiter *l)
{
	struct conn *c;

	if (link_empty(&l->asking) || room_in(l) <= l->called)
		return;
	c = container_of(l->asking.next, struct conn, limit.asking);
	link_remove(&c->limit.asking);
	c->limit.turn = l;
	l->called++;
	conn_post(c);
}

static void end_turn(struct conn *c)
{
	if (c->limit.turn != NULL)
		c->limit.turn->called--;
	c->limit.turn = NULL;
}

unsigned limit_room(struct conn *c)
{
	struct subject u = subject_of(c, LIMIT_IN);
	unsigned room = UINT32_MAX;

	if (link_linked(&c->limit.asking))
		return 0;
	for (unsigned i = 0; i < u.n; i++) {
		struct limiter *l = u.to[i];
		bool others = !link_empty(&l->asking) || l->called > 0;

		if (room_in(l) == 0 || (others && c->limit.turn == NULL)) {
			link_append(&l->asking, &c->limit.asking);
			return 0;
		}
		/* While others wait one block makes a turn. */
		room = others ? 1 : MIN(room, room_in(l));
	}
	return room;
}

void limit_asked(struct conn *c)
{
	unsigned n = c->peer != NULL ? c->peer->asked.n : 0;
	bool call = c->limit.turn != NULL || n < c->limit.asked;
	struct subject u;

	if (n == c->limit.asked && !call)
		return;
	end_turn(c);
	u = subject_of(c, LIMIT_IN);
	for (unsigned i = 0; i < u.n; i++) {
		u.to[i]->asked += n - c->limit.asked;
		if (call)
			call_next(u.to[i]);
	}
	c->limit.asked = n;
}

void limit_tick(struct ptorrent *t)
{
	for (struct link *l = t->conns.next; l != &t->conns; l = l->next)
		limit_asked(container_of(l, struct conn, in_torrent));
}

/* --- changes --- */

/* It waits for nothing and is counted nowhere; its turn goes to the next. */
static void release(struct conn *c)
{
	struct subject in = subject_of(c, LIMIT_IN), out = subject_of(c, LIMIT_OUT);
	bool call = c->limit.turn != NULL || c->limit.asked > 0;

	limit_settle(c);
	end_turn(c);
	if (link_linked(&c->limit.waiting[LIMIT_IN]))
		stop_waiting(c, LIMIT_IN, &in);
	if (link_linked(&c->limit.waiting[LIMIT_OUT]))
		stop_waiting(c, LIMIT_OUT, &out);
	link_remove(&c->limit.asking);
	for (unsigned i = 0; i < in.n; i++) {
		in.to[i]->asked -= c->limit.asked;
		if (call)
			call_next(in.to[i]);
	}
	c->limit.asked = 0;
}

void limit_forget(struct conn *c)
{
	release(c);
}

static void release_all(struct shard *s)
{
	for (struct link *l = s->conns.next; l != &s->conns; l = l->next) {
		struct conn *c = container_of(l, struct conn, in_shard);

		release(c);
		conn_post(c);
	}
}

static void release_torrent(struct ptorrent *t)
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
			set_timer(s, way, now);
	if (rate > 0)
		call_next(l);
}

/* A limit comes or goes: who is subject to it changes. */
static bool turns(const struct limiter *l, uint64_t rate)
{
	return (l->bucket.rate == 0) != (rate == 0);
}

void limit_set_global(struct shard *s, const uint64_t rate[LIMIT_KINDS])
{
	bool release = false;

	for (unsigned k = 0; k < LIMIT_KINDS; k++)
		release |= turns(shared_limiter(s, k), rate[k]);
	if (release)
		release_all(s);
	for (unsigned k = 0; k < LIMIT_KINDS; k++)
		if (shared_limiter(s, k)->bucket.rate != rate[k])
			set_rate(s, shared_limiter(s, k), rate[k]);
}

void limit_set(struct ptorrent *t, uint64_t down, uint64_t up)
{
	struct limiter *in = &t->limit[LIMIT_IN], *out = &t->limit[LIMIT_OUT];

	if (turns(in, down) || turns(out, up))
		release_torrent(t);
	if (in->bucket.rate != down)
		set_rate(t->shard, in, down);
	if (out->bucket.rate != up)
		set_rate(t->shard, out, up);
}

void limit_reconfigure(struct shard *s)
{
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

void limit_start(struct ptorrent *t, uint64_t down, uint64_t up)
{
	int64_t now = loop_now(t->shard->loop);

	limiter_init(&t->limit[LIMIT_IN], down, now);
	limiter_init(&t->limit[LIMIT_OUT], up, now);
}

void limit_open(struct conn *c)
{
	c->limit.lan = is_lan(&c->at);
}

void limit_init(struct shard *s)
{
	const struct config *g = s->config;
	const uint64_t all[] = {g->download_max_rate, g->upload_max_rate};
	const uint64_t lan[] = {g->lan_download_max_rate, g->lan_upload_max_rate};
	int64_t now = loop_now(s->loop);

	for (unsigned way = 0; way < LIMIT_WAYS; way++) {
		struct shard_limit *l = &s->limit[way];

		limiter_init(&l->all, share_of(s, all[way]), now);
		limiter_init(&l->lan, share_of(s, lan[way]), now);
		link_init(&l->waiting);
		l->given_at = now - DEAL_US;
	}
	s->limit[LIMIT_IN].timer.fn = on_deal_in;
	s->limit[LIMIT_OUT].timer.fn = on_deal_out;
	s->load.fn = on_load;
	s->lan_limited = g->lan_limited;
}

void limit_fini(struct shard *s)
{
	loop_timer_del(s->loop, &s->limit[LIMIT_IN].timer);
	loop_timer_del(s->loop, &s->limit[LIMIT_OUT].timer);
	loop_timer_del(s->loop, &s->load);
}
