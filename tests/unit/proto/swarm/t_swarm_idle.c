/* SPDX-License-Identifier: MIT */
/* Who is asked again when blocks that somebody was asked for become free. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/swarm/priv.h"

#define SECOND INT64_C(1000000)
#define PEERS  60u
#define PIECES 4u
#define BLOCKS 4u
#define WINDOW 16u /* what a peer may be asked for: all blocks there are */
#define BUSY   3u  /* peers that get requests, for a block is asked of three at most */

/* A leech and its peers; the torrent is so small that most find nothing to ask for. */
struct line {
	struct swarm *swarm;
	struct rng rng;
	struct conn {
		struct line *line;
		struct swarm_peer *peer;
		unsigned woken;
	} conn[PEERS];
	unsigned woken;
};

static void wake(void *conn)
{
	struct conn *c = conn;

	c->woken++;
	c->line->woken++;
}

static void credit(void *owner, unsigned n)
{
	(void)owner, (void)n;
}

static bool claim(void *owner)
{
	(void)owner;
	return true;
}

static const struct swarm_ops ops = {.wake = wake, .credit = credit, .claim = claim};
static const struct swarm_config config = {.max_requests = 40,
	.max_served = 100,
	.upload_slots = 3,
	.version = "test 1",
	.request_timeout = 60 * SECOND};

static void say(struct line *t, unsigned i, enum wire_ev_type type, const struct block_req *r)
{
	struct wire_ev ev = {.type = type};

	if (r != NULL) {
		ev.index = r->piece;
		ev.begin = r->begin;
		ev.length = r->length;
	}
	assert_int_equal(swarm_event(t->conn[i].peer, &ev, SECOND), E_OK);
}

static void join(struct line *t, unsigned i, bool fast, enum wire_ev_type has)
{
	struct endpoint at = endpoint_from_v4((const uint8_t[]){10, 0, 0, (uint8_t)(i + 1)}, 7000);
	uint8_t id[20] = "-TR3000-abcdefghijkl", all = 0xf0, first = 0x80;
	struct wire_ev ev = {.type = WIRE_BITFIELD};

	ev.payload = (struct slice){has == WIRE_HAVE_ALL ? &all : &first, 1};
	t->conn[i].line = t;
	t->conn[i].peer = swarm_join(
		t->swarm, &t->conn[i], &at, id, (struct swarm_caps){.fast = fast}, false, SECOND);
	assert_int_equal(swarm_event(t->conn[i].peer, &ev, SECOND), E_OK);
	/* Fast enough to be asked at once for all that others are late with. */
	t->conn[i].peer->window = WINDOW;
	t->conn[i].peer->pace = WINDOW * BLOCK_SIZE;
	t->conn[i].peer->delay = SECOND;
	say(t, i, WIRE_UNCHOKE, NULL);
}

static void forget_wakes(struct line *t)
{
	for (unsigned i = 0; i < PEERS; i++)
		t->conn[i].woken = 0;
	t->woken = 0;
}

/* The first BUSY have all they can take; the others, in their order, found nothing. */
static void line_init(struct line *t, bool fast)
{
	static const uint8_t infohash[20] = {5, 5, 5};
	struct layout l = layout_of((uint64_t)PIECES * BLOCKS * BLOCK_SIZE, BLOCKS * BLOCK_SIZE);

	memset(t, 0, sizeof *t);
	rng_seed(&t->rng, 1);
	t->swarm = swarm_new(&l, infohash, &config, &ops, t, &t->rng, SECOND);
	for (unsigned i = 0; i < PEERS; i++) {
		/* Every other one in the line has the first piece alone. */
		join(t, i, fast, i >= BUSY && i % 2 == 0 ? WIRE_BITFIELD : WIRE_HAVE_ALL);
		assert_int_equal(swarm_request(t->conn[i].peer, 100,
					 SECOND + (int64_t)MIN(i, BUSY) * 10 * SECOND),
			i < BUSY ? WINDOW : 0);
	}
	forget_wakes(t);
}

static void line_free(struct line *t)
{
	for (unsigned i = 0; i < PEERS; i++)
		if (t->conn[i].peer != NULL)
			swarm_leave(&t->conn[i].peer, SECOND);
	swarm_free(&t->swarm);
}

static struct block_req asked_of(const struct line *t, unsigned i, uint32_t piece)
{
	const struct swarm_peer *p = t->conn[i].peer;

	for (uint32_t k = 0; k < p->asked.n; k++)
		if (req_at(&p->asked, k)->piece == piece)
			return *req_at(&p->asked, k);
	fail();
	return (struct block_req){0};
}

/* One block is free: the first in the line that has it is asked, and nobody else stirs. */
static void test_reject(void **state)
{
	struct line t;
	struct block_req r;

	(void)state;
	line_init(&t, true);
	r = asked_of(&t, 0, 2);
	say(&t, 0, WIRE_REJECT, &r);
	assert_int_equal(t.woken, 1);
	assert_int_equal(t.conn[BUSY].woken, 1);
	assert_int_equal(swarm_request(t.conn[BUSY].peer, 100, 40 * SECOND), 1);
	assert_int_equal(asked_of(&t, BUSY, 2).begin, r.begin);
	/* It has found all there was, and stands at the end of the line again. */
	forget_wakes(&t);
	r = asked_of(&t, 1, 3);
	say(&t, 1, WIRE_REJECT, &r);
	assert_int_equal(t.woken, 1);
	assert_int_equal(t.conn[BUSY + 2].woken, 1);
	/* BUSY + 1 lacks the last pieces, but not the first. */
	r = asked_of(&t, 1, 0);
	say(&t, 1, WIRE_REJECT, &r);
	assert_int_equal(t.conn[BUSY + 1].woken, 1);
	line_free(&t);
}

/* As many are asked as there are blocks for. */
static void test_choke_and_leave(void **state)
{
	struct line t;

	(void)state;
	line_init(&t, false);
	say(&t, 0, WIRE_CHOKE, NULL);
	assert_int_equal(t.woken, 1);
	assert_int_equal(t.conn[BUSY].woken, 1);
	swarm_leave(&t.conn[1].peer, SECOND);
	assert_int_equal(t.woken, 2);
	assert_int_equal(t.conn[BUSY + 1].woken, 1);
	line_free(&t);
}

/* Who is in the line may leave, or be choked: the next one's turn. */
static void test_gaps(void **state)
{
	struct line t;

	(void)state;
	line_init(&t, false);
	swarm_leave(&t.conn[BUSY].peer, SECOND);
	say(&t, BUSY + 1, WIRE_CHOKE, NULL);
	forget_wakes(&t);
	swarm_leave(&t.conn[0].peer, SECOND);
	assert_int_equal(t.woken, 1);
	assert_int_equal(t.conn[BUSY + 2].woken, 1);
	line_free(&t);
}

/* A piece that is not good is for everybody who has it. */
static void test_bad_piece(void **state)
{
	struct line t;
	struct swarm_peer *bad[PEERS];

	(void)state;
	line_init(&t, false);
	for (uint32_t b = 0; b < BLOCKS; b++)
		assert_true(swarm_block(t.conn[b % 2].peer, 2, b * BLOCK_SIZE, BLOCK_SIZE, SECOND));
	forget_wakes(&t);
	assert_int_equal(swarm_piece_bad(t.swarm, 2, bad, PEERS), 0);
	for (unsigned i = BUSY; i < PEERS; i++)
		assert_int_equal(t.conn[i].woken, i % 2);
	line_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reject),
		cmocka_unit_test(test_choke_and_leave),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_bad_piece),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
