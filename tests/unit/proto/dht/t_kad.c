/* SPDX-License-Identifier: MIT */
/* A node among eight that answer as they are told: what becomes of a put, and when who is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/dht/kad.h"

#define SEC    USEC_PER_SEC
#define NODES  8u
#define QUEUED 64u

struct net {
	struct kad *kad;
	int64_t now;
	struct krpc_node node[NODES];
	unsigned refusing;  /* of the nodes say that they have a newer item */
	bool has_peer;      /* they know one of the torrent */
	unsigned questions; /* get_peers */
	unsigned found;
	struct {
		unsigned to; /* which node */
		uint8_t bytes[KRPC_IN_MAX];
		size_t n;
	} queue[QUEUED];
	unsigned queued;
	bool done;
	enum err err;
	unsigned stored;
};

/* --- what the node does --- */

static void on_send(void *ctx, int via, const struct endpoint *to, const uint8_t *p, size_t n)
{
	struct net *w = ctx;

	(void)via;
	for (unsigned i = 0; i < NODES; i++) {
		if (!endpoint_equal(&w->node[i].at, to))
			continue;
		assert_true(w->queued < QUEUED);
		memcpy(w->queue[w->queued].bytes, p, n);
		w->queue[w->queued].n = n;
		w->queue[w->queued++].to = i;
	}
}

static void on_peers(void *ctx, uint64_t tag, const struct endpoint *list, unsigned n)
{
	struct net *w = ctx;

	(void)list;
	assert_int_equal(tag, 77);
	w->found += n;
}

static void on_done(void *ctx, const struct kad_result *r)
{
	struct net *w = ctx;

	w->done = true;
	w->err = r->err;
	w->stored = r->stored;
}

static void on_moved(void *ctx, unsigned family, const struct endpoint *at, const struct kad_id *id)
{
	(void)ctx, (void)family, (void)at, (void)id;
}

static const struct kad_ops ops = {.send = on_send,
	.peers = on_peers,
	.done = on_done,
	.moved = on_moved};

/* --- what the others answer --- */

static void answer(struct net *w, unsigned number, const struct krpc *q)
{
	uint8_t nodes[NODES * KRPC_NODE4], values[16], out[KRPC_OUT_MAX];
	struct wr list = wr_of(nodes, sizeof nodes), peers = wr_of(values, sizeof values);
	struct krpc m = {.kind = KRPC_REPLY,
		.tid = q->tid,
		.id = w->node[number].id.b,
		.token = {(const uint8_t *)"token", 5}};
	const struct endpoint peer = endpoint_from_v4((const uint8_t[]){127, 0, 9, 9}, 6881);
	size_t n;

	w->questions += q->method == KRPC_GET_PEERS;
	for (unsigned i = 0; i < NODES; i++)
		krpc_node_put(&list, &w->node[i]);
	m.nodes = (struct slice){nodes, sizeof nodes};
	wr_u8(&peers, 'l');
	krpc_value_put(&peers, &peer);
	wr_u8(&peers, 'e');
	if (q->method == KRPC_GET_PEERS && w->has_peer)
		m.values = (struct slice){values, (size_t)(peers.p - values)};
	if (q->method == KRPC_PUT && number < w->refusing)
		m = (struct krpc){.kind = KRPC_ERROR, .tid = q->tid, .code = KRPC_E_SEQ};
	n = krpc_encode(&m, out, sizeof out);
	assert_true(n > 0);
	kad_input(w->kad, 0, &w->node[number].at, out, n, w->now);
}

static void run(struct net *w, int64_t us)
{
	int64_t end = w->now + us;

	while (w->now < end) {
		unsigned n = w->queued;

		kad_tick(w->kad, w->now);
		for (unsigned i = 0; i < n; i++) {
			struct krpc q;

			assert_int_equal(krpc_decode(w->queue[i].bytes, w->queue[i].n, &q), E_OK);
			answer(w, w->queue[i].to, &q);
		}
		w->queued -= n;
		memmove(w->queue, w->queue + n, w->queued * sizeof *w->queue);
		w->now += SEC / 20;
	}
}

static void setup(struct net *w)
{
	static const uint8_t secret[16] = {1, 2, 3};
	struct kad_config c = {.local = true, .gate_slots = 64, .port = 6881};
	struct rng rng;

	*w = (struct net){.now = 1000 * SEC};
	rng_seed(&rng, 5);
	w->kad = kad_new(&c, &ops, w, secret, w->now);
	kad_open(w->kad, KAD_V4, NULL, w->now);
	for (unsigned i = 0; i < NODES; i++) {
		const uint8_t ip[4] = {127, 0, 1, (uint8_t)(i + 1)};

		w->node[i] = (struct krpc_node){kad_id_random(&rng), endpoint_from_v4(ip, 6881)};
		kad_meet(w->kad, &w->node[i].id, &w->node[i].at, KAD_SAVED, w->now);
	}
	run(w, 30 * SEC);
}

/* --- the cases --- */

static void put(struct net *w, unsigned refusing)
{
	struct kad_item item = {.value_n = 5};
	struct kad_job job = {.goal = KAD_PUT, .item = &item};

	memcpy(item.value, "3:abc", 5);
	job.target = kad_item_target(&item);
	w->refusing = refusing;
	w->done = false;
	(void)kad_start(w->kad, &job, w->now);
	run(w, 30 * SEC);
	assert_true(w->done);
}

/* A few who say that they have something newer do not undo what others have stored. */
static void test_most_decide_about_a_put(void **state)
{
	struct net w;

	(void)state;
	setup(&w);
	put(&w, 0);
	assert_int_equal(w.err, E_OK);
	assert_int_equal(w.stored, NODES);
	put(&w, 3);
	assert_int_equal(w.err, E_OK);
	assert_int_equal(w.stored, NODES - 3);
	put(&w, 5);
	assert_int_equal(w.err, E_EXISTS);
	put(&w, NODES);
	assert_int_equal(w.err, E_EXISTS);
	kad_free(&w.kad);
}

/* Whoever has nobody left to dial is looked for before its time, and not as often as it likes. */
static void test_a_torrent_in_want_is_looked_for_sooner(void **state)
{
	struct kad_wish wish = {.urgent = true, .tag = 77};
	struct kad_id id = {{9, 8, 7}}, other = {{1}};
	struct net w;
	unsigned once;

	(void)state;
	setup(&w);
	w.has_peer = true;
	kad_torrent(w.kad, &id, wish, w.now);
	run(&w, 10 * SEC);
	once = w.questions;
	assert_true(once > 0 && w.found > 0);
	run(&w, 300 * SEC);
	assert_int_equal(w.questions, once);
	kad_want(w.kad, &other, w.now); /* one that it does not know */
	kad_want(w.kad, &id, w.now);
	run(&w, 5 * SEC);
	assert_true(w.questions > once);
	once = w.questions;
	for (unsigned i = 0; i < 20; i++) {
		kad_want(w.kad, &id, w.now);
		run(&w, SEC);
	}
	assert_int_equal(w.questions, once);
	run(&w, 20 * SEC);
	assert_true(w.questions > once);
	kad_free(&w.kad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_decide_about_a_put),
		cmocka_unit_test(test_a_torrent_in_want_is_looked_for_sooner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
