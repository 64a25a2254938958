/* SPDX-License-Identifier: MIT */
/* The network: a heap of events, datagrams and deadlines, and a table of nodes by address. */
#include "tests/sim/lib/kad_net.h"

#include <stdlib.h>

#include "proto/base/array.h"

#define SEC       USEC_PER_SEC
#define PORT      6881
#define TABLE     (1u << 16) /* of addresses; more than twice the nodes */
#define FOUND_MAX 64u
#define SEEDS     12u

struct node {
	struct kad_net *net;
	unsigned number;
	enum kad_kind kind;
	bool alive, stays;
	struct endpoint at;
	struct kad_id id; /* of liars and sybils */
	struct kad *kad;  /* of honest ones */
	int64_t due;      /* of the deadline that counts */
	struct endpoint found[FOUND_MAX];
	unsigned found_n;
	bool done;
	struct kad_net_look look;
};

struct event {
	int64_t at;
	uint64_t order;
	struct node *node;
	uint8_t *p; /* owned; NULL: a deadline */
	size_t n;
	struct endpoint from;
};

struct kad_net {
	struct kad_net_config config;
	struct rng rng;
	int64_t now;
	uint64_t order, datagrams;
	struct event *heap;
	uint32_t heap_n, heap_room;
	struct node **nodes;
	uint32_t nodes_n, nodes_room;
	struct node *table[TABLE];
	unsigned standing; /* honest ones and liars to be kept up */
	int64_t churn_at;
};

/* --- events --- */

static bool is_earlier(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct kad_net *w, struct event e)
{
	uint32_t at;

	e.order = ++w->order;
	ARRAY_PUSH(w->heap, w->heap_n, w->heap_room, e);
	for (at = w->heap_n - 1; at > 0 && is_earlier(&e, &w->heap[(at - 1) / 2]);
		at = (at - 1) / 2)
		w->heap[at] = w->heap[(at - 1) / 2];
	w->heap[at] = e;
}

static struct event pop(struct kad_net *w)
{
	struct event first = w->heap[0], last = w->heap[--w->heap_n];
	uint32_t at = 0, below;

	while ((below = 2 * at + 1) < w->heap_n) {
		if (below + 1 < w->heap_n && is_earlier(&w->heap[below + 1], &w->heap[below]))
			below++;
		if (!is_earlier(&w->heap[below], &last))
			break;
		w->heap[at] = w->heap[below];
		at = below;
	}
	if (w->heap_n > 0)
		w->heap[at] = last;
	return first;
}

static void wake_at(struct node *n, int64_t at)
{
	if (at >= n->due)
		return;
	n->due = at;
	push(n->net, (struct event){.at = at, .node = n});
}

static void look_again(struct node *n)
{
	int64_t at = kad_deadline(n->kad, n->net->now);

	if (at != INT64_MAX)
		wake_at(n, MAX(at, n->net->now));
}

/* --- addresses --- */

static uint32_t place_of(const struct endpoint *e)
{
	return (uint32_t)(endpoint_hash(e, 1) % TABLE);
}

static struct node *at_address(const struct kad_net *w, const struct endpoint *e)
{
	for (uint32_t i = place_of(e); w->table[i] != NULL; i = (i + 1) % TABLE)
		if (endpoint_equal(&w->table[i]->at, e))
			return w->table[i];
	return NULL;
}

static void send_from(struct node *n, const struct endpoint *to, const uint8_t *p, size_t size)
{
	struct kad_net *w = n->net;
	struct node *other = at_address(w, to);
	int64_t takes = (int64_t)(10 + rng_below(&w->rng, 110)) * USEC_PER_MSEC;

	w->datagrams++;
	if (other == NULL || !other->alive || rng_below(&w->rng, 1000) < w->config.loss)
		return;
	push(w, (struct event){.at = w->now + takes,
			.node = other,
			.p = xmemdup(p, size),
			.n = size,
			.from = n->at});
}

/* Some address of the Internet that nobody has; each of another network. */
static struct endpoint new_address(struct kad_net *w)
{
	struct endpoint e;

	do {
		uint8_t ip[4];

		ip[0] = (uint8_t)(20 + rng_below(&w->rng, 60));
		ip[1] = (uint8_t)rng_below(&w->rng, 256);
		ip[2] = (uint8_t)rng_below(&w->rng, 256);
		ip[3] = (uint8_t)(1 + rng_below(&w->rng, 254));
		e = endpoint_from_v4(ip, PORT);
	} while (!endpoint_is_global(&e) || at_address(w, &e) != NULL);
	return e;
}

/* --- honest nodes --- */

static void on_send(void *ctx, int via, const struct endpoint *to, const uint8_t *p, size_t n)
{
	(void)via;
	send_from(ctx, to, p, n);
}

static void on_peers(void *ctx, uint64_t tag, const struct endpoint *list, unsigned n)
{
	struct node *node = ctx;

	(void)tag;
	for (unsigned i = 0; i < n; i++)
		if (node->found_n < FOUND_MAX &&
			!kad_net_has_found(node->net, node->number, &list[i]))
			node->found[node->found_n++] = list[i];
}

static void on_done(void *ctx, const struct kad_result *r)
{
	struct node *node = ctx;

	node->done = true;
	node->look.err = r->err;
	node->look.answered = r->answered;
	if (r->found_n > 0)
		on_peers(ctx, 0, r->found, r->found_n);
}

static const struct kad_ops ops = {.send = on_send, .peers = on_peers, .done = on_done};

static void meet_some(struct node *n)
{
	struct kad_net *w = n->net;

	for (unsigned i = 0; i < SEEDS && w->nodes_n > 0; i++) {
		struct node *o = w->nodes[rng_below(&w->rng, w->nodes_n)];

		if (o->alive && o != n)
			kad_meet(n->kad, NULL, &o->at, KAD_SAVED, w->now);
	}
}

static void start_honest(struct node *n)
{
	struct kad_net *w = n->net;
	const struct kad_config c = {.out_rate = 100000,
		.new_nodes = w->config.new_nodes,
		.gate_slots = 64,
		.port = PORT};
	uint64_t secret[2] = {rng_u64(&w->rng), rng_u64(&w->rng)};
	struct kad_id id = kad_id_for(&n->at, (uint8_t)rng_below(&w->rng, 256), &w->rng);

	n->kad = kad_new(&c, &ops, n, (const uint8_t *)secret, w->now);
	kad_open(n->kad, KAD_V4, &id, w->now);
	meet_some(n);
	look_again(n);
}

/* --- dishonest nodes --- */

static void ask_somebody(struct node *n)
{
	struct kad_net *w = n->net;
	struct node *o = w->nodes[rng_below(&w->rng, w->nodes_n)];
	struct krpc m = {.kind = KRPC_QUERY, .method = KRPC_FIND_NODE};
	uint8_t out[KRPC_IN_MAX];

	m.id = m.target = n->id.b;
	m.tid = (struct slice){(const uint8_t *)"aa", 2};
	if (o != n)
		send_from(n, &o->at, out, krpc_encode(&m, out, sizeof out));
}

static void start_liar(struct node *n)
{
	struct kad_net *w = n->net;

	if (n->kind == KAD_SYBIL)
		n->id = kad_id_beside(&w->config.target, 30 + rng_below(&w->rng, 60), &w->rng);
	else
		n->id = kad_id_for(&n->at, (uint8_t)rng_below(&w->rng, 256), &w->rng);
	wake_at(n, w->now + (int64_t)rng_below(&w->rng, 60000) * USEC_PER_MSEC);
}

/* A sybil names sybils, a liar nodes beside the target that are not there. */
static struct krpc_node lie(struct node *n, const uint8_t *target)
{
	struct kad_net *w = n->net;
	struct kad_id id = kad_id_of(target);
	struct krpc_node made;
	struct node *o;

	if (n->kind == KAD_SYBIL) {
		do
			o = w->nodes[rng_below(&w->rng, w->nodes_n)];
		while (o->kind != KAD_SYBIL);
		return (struct krpc_node){o->id, o->at};
	}
	made.at = new_address(w);
	made.id = kad_id_beside(&id, 10 + rng_below(&w->rng, 30), &w->rng);
	return made;
}

static void answer_with_lies(struct node *n, const struct endpoint *to, const struct krpc *query)
{
	struct krpc m = {.kind = KRPC_REPLY, .tid = query->tid, .id = n->id.b};
	uint8_t nodes[8 * KRPC_NODE4], out[KRPC_IN_MAX];
	struct wr w = wr_of(nodes, sizeof nodes);

	if (query->target != NULL && query->method != KRPC_ANNOUNCE_PEER) {
		for (unsigned i = 0; i < 8; i++) {
			struct krpc_node made = lie(n, query->target);

			krpc_node_put(&w, &made);
		}
		m.nodes = (struct slice){nodes, sizeof nodes};
		m.token = (struct slice){(const uint8_t *)"token", 5};
	}
	send_from(n, to, out, krpc_encode(&m, out, sizeof out));
}

/* --- nodes --- */

static struct node *add_node(struct kad_net *w, enum kad_kind kind)
{
	struct node *n = xcalloc(1, sizeof *n);
	uint32_t place;

	n->net = w;
	n->kind = kind;
	n->alive = true;
	n->due = INT64_MAX;
	n->at = new_address(w);
	n->number = w->nodes_n;
	for (place = place_of(&n->at); w->table[place] != NULL;)
		place = (place + 1) % TABLE;
	w->table[place] = n;
	ARRAY_PUSH(w->nodes, w->nodes_n, w->nodes_room, n);
	if (kind == KAD_HONEST)
		start_honest(n);
	else
		start_liar(n);
	return n;
}

static void end_node(struct node *n)
{
	n->alive = false;
	if (n->kad != NULL)
		kad_free(&n->kad);
}

static enum kad_kind some_kind(struct kad_net *w)
{
	return rng_below(&w->rng, 100) < w->config.liars ? KAD_LIAR : KAD_HONEST;
}

/* One goes and another comes, as often as the share of an hour says. */
static void churn(struct kad_net *w)
{
	double each = 3600e6 / (w->config.churn * w->config.nodes);
	struct node *n = w->nodes[rng_below(&w->rng, w->nodes_n)];

	w->churn_at = w->now + (int64_t)(each * (0.5 + rng_below(&w->rng, 1000) / 1000.0));
	while (!n->alive || n->stays || n->kind == KAD_SYBIL)
		n = w->nodes[rng_below(&w->rng, w->nodes_n)];
	end_node(n);
	(void)add_node(w, some_kind(w));
}

struct kad_net *kad_net_new(const struct kad_net_config *c)
{
	struct kad_net *w = xcalloc(1, sizeof *w);

	w->config = *c;
	w->now = SEC;
	w->churn_at = INT64_MAX;
	rng_seed(&w->rng, c->seed);
	must(2 * (c->nodes * (1 + c->churn) + c->sybils) < TABLE);
	/* They come one after the other, so that each finds somebody. */
	for (unsigned i = 0; i < c->nodes; i++) {
		(void)add_node(w, some_kind(w));
		if (i % 50 == 49)
			kad_net_run(w, SEC);
	}
	if (c->churn > 0)
		w->churn_at = w->now;
	for (unsigned i = 0; i < c->sybils; i++)
		(void)add_node(w, KAD_SYBIL);
	return w;
}

void kad_net_free(struct kad_net **wp)
{
	struct kad_net *w = *wp;

	*wp = NULL;
	for (uint32_t i = 0; i < w->nodes_n; i++) {
		if (w->nodes[i]->alive)
			end_node(w->nodes[i]);
		xfree(w->nodes[i]);
	}
	for (uint32_t i = 0; i < w->heap_n; i++)
		xfree(w->heap[i].p);
	xfree(w->heap);
	xfree(w->nodes);
	xfree(w);
}

/* --- time --- */

static void receive(struct node *n, const struct event *e)
{
	struct krpc m;

	if (n->kind == KAD_HONEST) {
		kad_input(n->kad, 0, &e->from, e->p, e->n, n->net->now);
		look_again(n);
	} else if (krpc_decode(e->p, e->n, &m) == E_OK && m.kind == KRPC_QUERY) {
		answer_with_lies(n, &e->from, &m);
	}
}

static void on_deadline(struct node *n, int64_t at)
{
	if (at != n->due)
		return; /* an earlier one has come between */
	n->due = INT64_MAX;
	if (n->kind == KAD_HONEST) {
		kad_tick(n->kad, n->net->now);
		look_again(n);
		return;
	}
	for (unsigned i = 0; i < 3; i++)
		ask_somebody(n);
	wake_at(n, n->net->now + 60 * SEC);
}

void kad_net_run(struct kad_net *w, int64_t us)
{
	int64_t until = w->now + us;

	while (w->heap_n > 0 && MIN(w->heap[0].at, w->churn_at) <= until) {
		struct event e;

		if (w->churn_at < w->heap[0].at) {
			w->now = w->churn_at;
			churn(w);
			continue;
		}
		e = pop(w);
		w->now = MAX(w->now, e.at);
		if (e.node->alive && e.p != NULL)
			receive(e.node, &e);
		else if (e.node->alive)
			on_deadline(e.node, e.at);
		xfree(e.p);
	}
	w->now = until;
}

/* --- outside --- */

int64_t kad_net_now(const struct kad_net *w)
{
	return w->now;
}

unsigned kad_net_join(struct kad_net *w)
{
	struct node *n = add_node(w, KAD_HONEST);

	n->stays = true;
	return n->number;
}

struct kad *kad_net_node(struct kad_net *w, unsigned number)
{
	return w->nodes[number]->kad;
}

struct endpoint kad_net_at(const struct kad_net *w, unsigned number)
{
	return w->nodes[number]->at;
}

bool kad_net_has_found(const struct kad_net *w, unsigned number, const struct endpoint *peer)
{
	const struct node *n = w->nodes[number];

	for (unsigned i = 0; i < n->found_n; i++)
		if (endpoint_equal(&n->found[i], peer))
			return true;
	return false;
}

void kad_net_forget(struct kad_net *w, unsigned number)
{
	w->nodes[number]->found_n = 0;
}

bool kad_net_look(
	struct kad_net *w, unsigned number, const struct kad_id *target, struct kad_net_look *out)
{
	const struct kad_job job = {.goal = KAD_PEERS, .target = *target};
	struct node *n = w->nodes[number];
	int64_t began = w->now;
	struct kad_view before, after;

	n->done = false;
	kad_view(n->kad, &before, w->now);
	(void)kad_start(n->kad, &job, w->now);
	wake_at(n, w->now);
	while (!n->done && w->now - began < 120 * SEC)
		kad_net_run(w, 100 * USEC_PER_MSEC);
	kad_view(n->kad, &after, w->now);
	*out = n->look;
	out->took = w->now - began;
	out->questions = (unsigned)(after.queries_out - before.queries_out);
	return n->done;
}

uint64_t kad_net_datagrams(const struct kad_net *w)
{
	return w->datagrams;
}

unsigned kad_net_random(struct kad_net *w, unsigned n)
{
	return rng_below(&w->rng, n);
}
