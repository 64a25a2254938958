/* SPDX-License-Identifier: MIT */
/*
 * What strangers ask, answered.
 *
 * An address may be forged: who has not answered anything himself gets no more than three times
 * what he sent, headers of the network counted, so that nobody can use us to flood a third.  Lists
 * are cut to fit.  What is to be stored needs a token, and is stored for the address it came from.
 */
#include "proto/dht/priv.h"

#define HEADERS          28u /* of IP and UDP: they count on both sides */
#define NODES_MAX        KAD_K
#define VALUES           50u
#define PUTS_RATE        50u /* signatures a second */
#define LARGE_RATE       10u /* a second */
#define SAMPLES_INTERVAL 21600

struct reply {
	struct krpc m;
	size_t room; /* bytes that the answer may have */
	uint8_t ip[18], nodes4[NODES_MAX * KRPC_NODE4], nodes6[NODES_MAX * KRPC_NODE6];
	uint8_t token[KAD_TOKEN_SIZE];
	uint8_t values[VALUES * 21 + 2];
	uint8_t samples[KAD_SAMPLES_MAX * KAD_ID_SIZE];
	struct kad_bloom seeds, peers;
};

/* Who has shown that datagrams reach him there. */
static bool is_known(const struct kad *k, const struct endpoint *from)
{
	const struct kad_contact *c = kad_table_find(k->family[kad_family_of(from)].table, from);

	return c != NULL && c->answered > 0;
}

static void begin_reply(struct kad *k, struct reply *r, const struct endpoint *from,
	const struct krpc *query, size_t query_n)
{
	struct wr ip = wr_of(r->ip, sizeof r->ip);
	size_t most = 3 * (query_n + HEADERS) - HEADERS;

	r->m = (struct krpc){.kind = KRPC_REPLY, .tid = query->tid};
	r->m.id = kad_table_own(k->family[kad_family_of(from)].table)->b;
	r->m.version = kad_version;
	krpc_ip_put(&ip, from);
	r->m.ip = (struct slice){r->ip, (size_t)(ip.p - r->ip)};
	r->room = is_known(k, from) ? KRPC_OUT_MAX : MIN(most, (size_t)KRPC_OUT_MAX);
}

/* How many bytes the answer has so far. */
static size_t size_of(const struct krpc *m)
{
	uint8_t out[KRPC_IN_MAX];

	return krpc_encode(m, out, sizeof out);
}

static void send_reply(
	struct kad *k, int via, const struct endpoint *to, const struct krpc *m, int64_t now)
{
	uint8_t out[KRPC_IN_MAX];
	size_t n = krpc_encode(m, out, sizeof out);

	must(n > 0);
	if (!kad_gate_answer(k->gate, n, now)) {
		k->counts.held_out++;
		return;
	}
	k->counts.answers_out++;
	k->ops->send(k->ctx, via, to, out, n);
}

static void send_error(struct kad *k, int via, const struct endpoint *to, const struct krpc *query,
	enum krpc_error code, const char *words, int64_t now)
{
	struct krpc m = {.kind = KRPC_ERROR, .tid = query->tid, .code = code};

	m.words = (struct slice){(const uint8_t *)words, strlen(words)};
	send_reply(k, via, to, &m, now);
}

/* --- nodes --- */

static struct slice put_nodes(const struct kad *k, unsigned family, const struct kad_id *target,
	uint8_t *out, size_t size, size_t room)
{
	const struct kad_contact *near[NODES_MAX];
	size_t each = family == KAD_V4 ? KRPC_NODE4 : KRPC_NODE6;
	unsigned most = (unsigned)MIN(room / each, (size_t)NODES_MAX), n;
	struct wr w = wr_of(out, size);

	n = kad_table_fair(k->family[family].table, target, near, most);
	for (unsigned i = 0; i < n; i++) {
		struct krpc_node node = {near[i]->id, near[i]->at};

		krpc_node_put(&w, &node);
	}
	return (struct slice){out, (size_t)(w.p - out)};
}

/* What the asker wants, or else the family it came by (BEP 32). */
static unsigned wanted(const struct kad *k, const struct endpoint *from, const struct krpc *query)
{
	unsigned want = query->want;

	if (want == 0)
		want = endpoint_is_v4(from) ? KRPC_WANT_N4 : KRPC_WANT_N6;
	if (!k->family[KAD_V4].open)
		want &= ~(unsigned)KRPC_WANT_N4;
	if (!k->family[KAD_V6].open)
		want &= ~(unsigned)KRPC_WANT_N6;
	return want;
}

/* `spare` bytes of the room stay free for something else. */
static void add_nodes(struct kad *k, struct reply *r, const struct endpoint *from,
	const struct krpc *query, size_t spare)
{
	struct kad_id target = kad_id_of(query->target);
	unsigned want = wanted(k, from, query);
	size_t used = size_of(&r->m) + spare + 12, room;

	if (want & KRPC_WANT_N4) {
		room = r->room > used ? r->room - used : 0;
		r->m.nodes = put_nodes(k, KAD_V4, &target, r->nodes4, sizeof r->nodes4, room);
		used += r->m.nodes.n + 14;
	}
	if (want & KRPC_WANT_N6) {
		room = r->room > used ? r->room - used : 0;
		r->m.nodes6 = put_nodes(k, KAD_V6, &target, r->nodes6, sizeof r->nodes6, room);
	}
}

static void add_token(struct kad *k, struct reply *r, const struct endpoint *from,
	const struct krpc *query, int64_t now)
{
	struct kad_id target = kad_id_of(query->target);

	kad_token_make(k->secret, from, &target, now, r->token);
	r->m.token = (struct slice){r->token, sizeof r->token};
}

/* --- peers --- */

static void add_values(struct kad *k, struct reply *r, const struct endpoint *from,
	const struct krpc *query, int64_t now)
{
	bool v6 = !endpoint_is_v4(from);
	struct kad_id target = kad_id_of(query->target);
	size_t each = v6 ? 21 : 8, used = size_of(&r->m) + 10;
	size_t room = r->room > used ? (r->room - used) / 2 : 0; /* the other half is for nodes */
	struct endpoint found[VALUES];
	struct wr w = wr_of(r->values, sizeof r->values);
	unsigned n = kad_store_pick(k->store, &target, v6, query->noseed, found,
		(unsigned)MIN(room / each, (size_t)VALUES), &k->rng, now);

	if (n == 0)
		return;
	wr_u8(&w, 'l');
	for (unsigned i = 0; i < n; i++)
		krpc_value_put(&w, &found[i]);
	wr_u8(&w, 'e');
	r->m.values = (struct slice){r->values, (size_t)(w.p - r->values)};
}

/*
 * What is larger than three questions goes to few strangers a second: too few to flood anybody,
 * and enough to be found by those who look for an item.
 */
static bool may_be_large(struct kad *k, const struct reply *r, int64_t now)
{
	if (r->room == KRPC_OUT_MAX)
		return true;
	if (now - k->large_at >= USEC_PER_SEC) {
		k->large_at = now;
		k->large = 0;
	}
	return k->large++ < LARGE_RATE;
}

/* BEP 33. */
static void add_filters(struct kad *k, struct reply *r, const struct krpc *query, int64_t now)
{
	struct kad_id target = kad_id_of(query->target);

	if (!query->scrape || !may_be_large(k, r, now) ||
		!kad_store_scrape(k->store, &target, &r->seeds, &r->peers, now))
		return;
	r->m.seeds = r->seeds.bits;
	r->m.peers = r->peers.bits;
}

static void answer_get_peers(struct kad *k, struct reply *r, const struct endpoint *from,
	const struct krpc *query, int64_t now)
{
	struct kad_id target = kad_id_of(query->target);

	if (kad_store_has_room(k->store, &target))
		add_token(k, r, from, query, now);
	add_filters(k, r, query, now);
	add_values(k, r, from, query, now);
	add_nodes(k, r, from, query, 0);
}

/* 0 or what is wrong with it. */
static int take_announce(
	struct kad *k, const struct endpoint *from, const struct krpc *query, int64_t now)
{
	struct kad_id target = kad_id_of(query->target);
	struct endpoint peer = *from;

	if (!kad_token_good(k->secret, from, &target, now, query->token))
		return KRPC_E_PROTOCOL;
	if (!query->implied_port) {
		if (!query->has_port)
			return KRPC_E_PROTOCOL;
		peer.port = query->port;
	}
	if (!kad_allows(k, &peer))
		return KRPC_E_PROTOCOL;
	/* Without room it is as if it had been stored: others have it, and nothing is to be done.
	 */
	(void)kad_store_add(k->store, &target, &peer, query->seed, now);
	return 0;
}

/* --- items --- */

static void answer_get(struct kad *k, struct reply *r, const struct endpoint *from,
	const struct krpc *query, int64_t now)
{
	struct kad_id target = kad_id_of(query->target);
	const struct kad_item *item = kad_items_find(k->items, &target, now);

	add_token(k, r, from, query, now);
	if (item != NULL && query->has_seq && item->mutable && item->seq <= query->seq) {
		r->m.has_seq = true; /* the asker has it */
		r->m.seq = item->seq;
	} else if (item != NULL && may_be_large(k, r, now)) {
		kad_item_write(item, false, &r->m);
	}
	add_nodes(k, r, from, query, 0);
}

static bool may_check(struct kad *k, int64_t now)
{
	if (now - k->puts_at >= USEC_PER_SEC) {
		k->puts_at = now;
		k->puts = 0;
	}
	return k->puts++ < PUTS_RATE;
}

static int take_put(
	struct kad *k, const struct endpoint *from, const struct krpc *query, int64_t now)
{
	struct kad_item item;
	struct kad_id target;
	int wrong = kad_item_read(query, query->salt, &item);

	if (wrong != 0)
		return wrong;
	target = kad_item_target(&item);
	if (!kad_token_good(k->secret, from, &target, now, query->token))
		return KRPC_E_PROTOCOL;
	if (!may_check(k, now))
		return KRPC_E_SERVER;
	return kad_items_put(k->items, &item, query->has_cas ? &query->cas : NULL, now);
}

/* --- samples --- */

static void answer_sample(struct kad *k, struct reply *r, const struct endpoint *from,
	const struct krpc *query, int64_t now)
{
	struct kad_id found[KAD_SAMPLES_MAX];
	struct wr w = wr_of(r->samples, sizeof r->samples);
	size_t used;
	unsigned all, most;

	r->m.has_samples = true;
	r->m.interval = SAMPLES_INTERVAL;
	r->m.samples = (struct slice){r->samples, 0};
	add_nodes(k, r, from, query, KAD_ID_SIZE);
	used = size_of(&r->m) + 8;
	most = r->room > used ? (unsigned)((r->room - used) / KAD_ID_SIZE) : 0;
	most = kad_store_sample(k->store, found, MIN(most, KAD_SAMPLES_MAX), &all, &k->rng, now);
	for (unsigned i = 0; i < most; i++)
		wr_bytes(&w, found[i].b, KAD_ID_SIZE);
	r->m.samples.n = (size_t)(w.p - r->samples);
	r->m.num = all;
}

/* --- all of them --- */

static const char *words_of(int code)
{
	switch (code) {
	case KRPC_E_SERVER:
		return "too busy";
	case KRPC_E_TOO_BIG:
		return "value too big";
	case KRPC_E_SIGNATURE:
		return "invalid signature";
	case KRPC_E_SALT:
		return "salt too big";
	case KRPC_E_CAS:
		return "cas mismatch";
	case KRPC_E_SEQ:
		return "sequence number less than current";
	default:
		return "invalid arguments or token";
	}
}

static bool needs_target(enum krpc_method m)
{
	return m != KRPC_PING && m != KRPC_PUT;
}

/* 0, an error to be said, or -1: it is not to be answered. */
static int carry_out(struct kad *k, struct reply *r, const struct endpoint *from,
	const struct krpc *query, int64_t now)
{
	switch (query->method) {
	case KRPC_PING:
		return 0;
	case KRPC_GET_PEERS:
		answer_get_peers(k, r, from, query, now);
		return 0;
	case KRPC_ANNOUNCE_PEER:
		return take_announce(k, from, query, now);
	case KRPC_GET:
		answer_get(k, r, from, query, now);
		return 0;
	case KRPC_PUT:
		return take_put(k, from, query, now);
	case KRPC_SAMPLE_INFOHASHES:
		answer_sample(k, r, from, query, now);
		return 0;
	case KRPC_FIND_NODE:
	case KRPC_UNKNOWN: /* with a target: what is new may be of that kind */
		add_nodes(k, r, from, query, 0);
		return 0;
	}
	return -1;
}

void kad_answer(struct kad *k, int via, const struct endpoint *from, const struct krpc *query,
	size_t query_n, int64_t now)
{
	struct reply r;
	int wrong;

	CHECK_OBJ(k, KAD_MAGIC);
	if (needs_target(query->method) && query->target == NULL) {
		if (query->method == KRPC_UNKNOWN)
			send_error(k, via, from, query, KRPC_E_UNKNOWN, "method unknown", now);
		else
			send_error(k, via, from, query, KRPC_E_PROTOCOL, "no target", now);
		return;
	}
	begin_reply(k, &r, from, query, query_n);
	wrong = carry_out(k, &r, from, query, now);
	if (wrong > 0)
		send_error(k, via, from, query, (enum krpc_error)wrong, words_of(wrong), now);
	else if (wrong == 0)
		send_reply(k, via, from, &r.m, now);
}
