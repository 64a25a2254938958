/* SPDX-License-Identifier: MIT */
/* Token buckets, some of them in tables that are found by a keyed hash of the address. */
#include "proto/dht/gate.h"

#include "proto/meta/hash.h"

#define GATE_MAGIC    0x4b474154u
#define ADDRESS_RATE  5  /* a second */
#define ADDRESS_BURST 50 /* and beyond it nothing for BLOCKED */
#define NET_RATE      50
#define NET_BURST     200
#define ALL_RATE      2000
#define ALL_BURST     4000
#define OUT_SECONDS   3 /* of the rate may gather */
#define BLOCKED       (300 * USEC_PER_SEC)
#define RECENT        (120 * USEC_PER_SEC)
#define QUIET         (10 * USEC_PER_SEC)

/* Kept in millionths. */
struct tokens {
	int64_t level, at;
};

struct sender {
	uint32_t tag;
	struct tokens tokens;
	int64_t blocked; /* until */
};

struct recent {
	uint32_t tag;
	int64_t at;
};

struct kad_gate {
	uint32_t magic;
	struct kad_gate_config config;
	uint8_t secret[16];
	struct sender *addresses, *nets; /* owned */
	struct recent *recent;           /* owned: endpoints that were asked something */
	struct tokens all, out, fresh;
};

static void refill(struct tokens *t, int64_t rate, int64_t burst, int64_t now)
{
	int64_t passed = MIN(now - t->at, 60 * USEC_PER_SEC);

	if (passed > 0)
		t->level = MIN(t->level + passed * rate, burst * USEC_PER_SEC);
	t->at = now;
}

static bool spend(struct tokens *t, int64_t n)
{
	if (t->level < n * USEC_PER_SEC)
		return false;
	t->level -= n * USEC_PER_SEC;
	return true;
}

static void fill(struct kad_gate *g, int64_t now)
{
	g->all = (struct tokens){ALL_BURST * USEC_PER_SEC, now};
	g->out = (struct tokens){g->config.out_rate * OUT_SECONDS * USEC_PER_SEC, now};
	g->fresh = (struct tokens){g->config.new_endpoints * USEC_PER_SEC, now};
}

struct kad_gate *kad_gate_new(
	const struct kad_gate_config *c, const uint8_t secret[16], int64_t now)
{
	struct kad_gate *g;

	must(c->slots > 0 && (c->slots & (c->slots - 1)) == 0);
	ALLOC_OBJ(g, GATE_MAGIC);
	g->config = *c;
	memcpy(g->secret, secret, sizeof g->secret);
	g->addresses = xcalloc(c->slots, sizeof *g->addresses);
	g->nets = xcalloc(c->slots, sizeof *g->nets);
	g->recent = xcalloc(c->slots, sizeof *g->recent);
	fill(g, now);
	return g;
}

void kad_gate_free(struct kad_gate **gp)
{
	struct kad_gate *g;

	TAKE_OBJ(g, gp, GATE_MAGIC);
	xfree(g->addresses);
	xfree(g->nets);
	xfree(g->recent);
	FREE_OBJ(g);
}

void kad_gate_configure(struct kad_gate *g, const struct kad_gate_config *c, int64_t now)
{
	CHECK_OBJ(g, GATE_MAGIC);
	g->config.out_rate = c->out_rate;
	g->config.new_endpoints = c->new_endpoints;
	fill(g, now);
}

/*
 * The place of an address, or of the first bytes of one; a quiet one's is taken over.  NULL: it is
 * kept by another, who is not listened to.
 */
static struct sender *sender_of(struct kad_gate *g, struct sender *table, const uint8_t *ip,
	size_t n, int64_t burst, int64_t now)
{
	uint64_t h = hash_keyed(g->secret, ip, n);
	struct sender *s = &table[h & (g->config.slots - 1)];
	uint32_t tag = (uint32_t)(h >> 32);

	if (s->tag != tag && s->blocked > now)
		return NULL;
	if (s->tokens.at == 0 || (s->tag != tag && now - s->tokens.at > QUIET))
		*s = (struct sender){.tag = tag, .tokens = {burst * USEC_PER_SEC, now}};
	return s;
}

static bool address_allows(struct kad_gate *g, const struct endpoint *from, int64_t now)
{
	struct sender *s =
		sender_of(g, g->addresses, from->ip, sizeof from->ip, ADDRESS_BURST, now);

	if (s == NULL)
		return true;
	if (s->blocked > now)
		return false;
	refill(&s->tokens, ADDRESS_RATE, ADDRESS_BURST, now);
	if (spend(&s->tokens, 1))
		return true;
	s->blocked = now + BLOCKED;
	return false;
}

static bool net_allows(struct kad_gate *g, const struct endpoint *from, int64_t now)
{
	size_t n = endpoint_is_v4(from) ? 15 : 6;
	struct sender *s = sender_of(g, g->nets, from->ip, n, NET_BURST, now);

	must(s != NULL); /* no network is blocked */
	refill(&s->tokens, NET_RATE, NET_BURST, now);
	return spend(&s->tokens, 1);
}

bool kad_gate_in(struct kad_gate *g, const struct endpoint *from, int64_t now)
{
	CHECK_OBJ(g, GATE_MAGIC);
	if (g->config.out_rate == 0)
		return true;
	/* Whoever forges an address must not keep us from the answers of who has it. */
	if (!address_allows(g, from, now) && !kad_gate_recent(g, from, now))
		return false;
	if (!net_allows(g, from, now))
		return false;
	refill(&g->all, ALL_RATE, ALL_BURST, now);
	return spend(&g->all, 1);
}

static void refill_out(struct kad_gate *g, int64_t now)
{
	refill(&g->out, g->config.out_rate, (int64_t)g->config.out_rate * OUT_SECONDS, now);
}

bool kad_gate_answer(struct kad_gate *g, size_t bytes, int64_t now)
{
	CHECK_OBJ(g, GATE_MAGIC);
	int64_t reserve = (int64_t)g->config.out_rate * OUT_SECONDS * USEC_PER_SEC / 4;

	if (g->config.out_rate == 0)
		return true;
	refill_out(g, now);
	return g->out.level >= reserve && spend(&g->out, (int64_t)bytes);
}

static struct recent *recent_of(struct kad_gate *g, const struct endpoint *e, uint32_t *tag)
{
	uint8_t buf[sizeof e->ip + 2];
	uint64_t h;

	memcpy(buf, e->ip, sizeof e->ip);
	memcpy(buf + sizeof e->ip, &e->port, 2);
	h = hash_keyed(g->secret, buf, sizeof buf);
	*tag = (uint32_t)(h >> 32);
	return &g->recent[h & (g->config.slots - 1)];
}

bool kad_gate_recent(struct kad_gate *g, const struct endpoint *e, int64_t now)
{
	uint32_t tag;
	const struct recent *r;

	CHECK_OBJ(g, GATE_MAGIC);
	r = recent_of(g, e, &tag);

	return r->tag == tag && r->at != 0 && now - r->at < RECENT;
}

bool kad_gate_ask(struct kad_gate *g, const struct endpoint *to, int64_t now)
{
	CHECK_OBJ(g, GATE_MAGIC);
	if (g->config.out_rate > 0) {
		refill_out(g, now);
		if (g->out.level <= 0)
			return false;
	}
	if (g->config.new_endpoints == 0 || kad_gate_recent(g, to, now))
		return true;
	refill(&g->fresh, g->config.new_endpoints, g->config.new_endpoints, now);
	return g->fresh.level >= USEC_PER_SEC;
}

void kad_gate_asked(struct kad_gate *g, const struct endpoint *to, size_t bytes, int64_t now)
{
	struct recent *r;
	uint32_t tag;

	CHECK_OBJ(g, GATE_MAGIC);
	if (!kad_gate_recent(g, to, now))
		(void)spend(&g->fresh, 1);
	r = recent_of(g, to, &tag);
	*r = (struct recent){tag, now};
	g->out.level -= (int64_t)bytes * USEC_PER_SEC;
}
