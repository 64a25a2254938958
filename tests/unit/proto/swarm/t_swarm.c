/* SPDX-License-Identifier: MIT */
/* Two swarms wired back to back, and one against scripted messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/swarm/priv.h"

#define PIECES    9u
#define PIECE_LEN 65536u
#define LAST      20001u /* bytes of the last piece: two blocks, the second of odd size */
#define SECOND    INT64_C(1000000)

/* One side: a swarm, its only peer, and what the owner would keep. */
struct side {
	struct swarm *swarm;
	struct swarm_peer *peer;
	struct rng rng;
	int credit;
	unsigned wakes;
	uint32_t got[PIECES]; /* bytes of each piece received */
};

static void on_wake(void *conn)
{
	struct side *s = conn;

	s->wakes++;
}

static void on_credit(void *owner, unsigned n)
{
	struct side *s = owner;

	s->credit += (int)n;
}

static bool on_claim(void *owner)
{
	struct side *s = owner;

	if (s->credit == 0)
		return false;
	s->credit--;
	return true;
}

static const struct swarm_ops ops = {.wake = on_wake, .credit = on_credit, .claim = on_claim};

static void side_init(struct side *s, bool seed, uint64_t rng)
{
	struct layout l = layout_of((uint64_t)(PIECES - 1) * PIECE_LEN + LAST, PIECE_LEN);
	struct swarm_config c = {.max_requests = 100,
		.max_served = 100,
		.upload_slots = 4,
		.port = 6681,
		.version = "test 1",
		.request_timeout = 60 * SECOND};
	uint8_t infohash[20] = {1, 2, 3};
	struct bitfield have;

	memset(s, 0, sizeof *s);
	rng_seed(&s->rng, rng);
	s->credit = 64;
	s->swarm = swarm_new(&l, infohash, &c, &ops, s, &s->rng, 0);
	bitfield_init(&have, PIECES);
	if (seed)
		bitfield_set_all(&have);
	picker_load_have(s->swarm->picker, &have);
	bitfield_free(&have);
}

static void side_join(struct side *s, struct swarm_caps caps, int64_t now)
{
	struct endpoint at = endpoint_from_v4((const uint8_t[]){10, 0, 0, 1}, 7000);
	uint8_t id[20] = "-TR3000-abcdefghijkl";

	s->peer = swarm_join(s->swarm, s, &at, id, caps, false, now);
}

static void side_fini(struct side *s)
{
	if (s->peer != NULL)
		swarm_leave(&s->peer, 1);
	picker_check(s->swarm->picker);
	swarm_free(&s->swarm);
}

/* --- moving bytes --- */

static enum err take_event(struct side *to, const struct wire_ev *ev, int64_t now)
{
	switch (ev->type) {
	case WIRE_PIECE_BEGIN:
		assert_int_equal(
			swarm_piece_begin(to->peer, ev->index, ev->begin, ev->length), SWARM_TAKE);
		return E_OK;
	case WIRE_PIECE_DATA:
		return E_OK;
	case WIRE_PIECE_END:
		if (swarm_block(to->peer, ev->index, ev->begin, ev->length, now)) {
			to->credit++;
			to->got[ev->index] += ev->length;
			if (picker_complete(to->swarm->picker, ev->index))
				swarm_piece_ok(to->swarm, ev->index, now);
		}
		return E_OK;
	default:
		return swarm_event(to->peer, ev, now);
	}
}

static enum err feed(struct side *to, const uint8_t *p, size_t n, int64_t now)
{
	struct wire_ev ev;
	size_t used;

	for (;;) {
		enum err err = wire_next(&to->peer->dec, p, n, &used, &ev);

		if (err != E_OK)
			return err;
		p += used;
		n -= used;
		if (ev.type == WIRE_NONE)
			return E_OK;
		err = take_event(to, &ev, now);
		if (err != E_OK)
			return err;
	}
}

static bool move_bytes(struct side *from, struct side *to, int64_t now)
{
	uint8_t *copy;
	size_t n = outbuf_len(&from->peer->out);
	struct block_req r;
	bool moved = n > 0;

	copy = xmemdup(n ? outbuf_data(&from->peer->out) : (const uint8_t *)"", n);
	if (n > 0)
		outbuf_sent(&from->peer->out, n);
	assert_int_equal(feed(to, copy, n, now), E_OK);
	xfree(copy);
	while (swarm_serve_next(from->peer, &r)) {
		uint8_t block[13 + BLOCK_SIZE] = {0};
		struct wr w = wr_of(block, 13);

		assert_true(r.length <= BLOCK_SIZE);
		wire_put_piece_header(&w, r.piece, r.begin, r.length);
		assert_int_equal(feed(to, block, 13 + r.length, now), E_OK);
		swarm_served(from->peer, r.length);
		moved = true;
	}
	return moved;
}

static void ask(struct side *s, int64_t now)
{
	unsigned n = swarm_request(s->peer, (unsigned)s->credit, now);

	s->credit -= (int)n;
}

static void run(struct side *a, struct side *b, int64_t *now, int seconds)
{
	for (int i = 0; i < seconds; i++) {
		bool moved = true;

		for (int k = 0; k < 1000 && moved; k++) {
			ask(a, *now);
			ask(b, *now);
			moved = move_bytes(a, b, *now);
			moved = move_bytes(b, a, *now) || moved;
		}
		*now += SECOND;
		swarm_tick(a->swarm, *now);
		swarm_tick(b->swarm, *now);
	}
}

/* --- cases --- */

static void download_with(struct swarm_caps caps)
{
	struct side seed, leech;
	int64_t now = SECOND;

	side_init(&seed, true, 1);
	side_init(&leech, false, 2);
	side_join(&seed, caps, now);
	side_join(&leech, caps, now);
	run(&seed, &leech, &now, 5);
	assert_true(swarm_done(leech.swarm));
	for (uint32_t i = 0; i < PIECES; i++)
		assert_int_equal(leech.got[i], layout_piece_size(&leech.swarm->layout, i));
	assert_int_equal(leech.credit, 64);
	assert_int_equal(leech.swarm->asked, 0);
	assert_int_equal(leech.swarm->wasted, 0);
	assert_int_equal(seed.swarm->uploaded, leech.swarm->layout.size);
	assert_int_equal(leech.swarm->downloaded, leech.swarm->layout.size);
	assert_false(leech.peer->am_interested);
	side_fini(&seed);
	side_fini(&leech);
}

static void t_download_plain(void **state)
{
	(void)state;
	download_with((struct swarm_caps){0});
}

static void t_download_fast(void **state)
{
	(void)state;
	download_with((struct swarm_caps){.fast = true, .extended = true});
}

/* What the message table says must be refused, and that all else is borne. */
static void t_abuse(void **state)
{
	static const struct {
		const char *name;
		bool fast;
		uint8_t bytes[24];
		size_t n;
		enum err want;
	} rows[] = {
		{"have out of range", true, {0, 0, 0, 5, 4, 0, 0, 0, 9}, 9, E_PROTOCOL},
		{"have of the last piece", true, {0, 0, 0, 5, 4, 0, 0, 0, 8}, 9, E_OK},
		{"bitfield too short", true, {0, 0, 0, 2, 5, 0xff}, 6, E_PROTOCOL},
		{"bitfield with a spare bit", true, {0, 0, 0, 3, 5, 0xff, 0xc0}, 7, E_PROTOCOL},
		{"bitfield", true, {0, 0, 0, 3, 5, 0xff, 0x80}, 7, E_OK},
		{"bitfield twice", true, {0, 0, 0, 3, 5, 0xff, 0x80, 0, 0, 0, 3, 5, 0xff, 0x80}, 14,
			E_OK},
		{"bitfield after have", true,
			{0, 0, 0, 5, 4, 0, 0, 0, 1, 0, 0, 0, 3, 5, 0xff, 0x80}, 16, E_OK},
		{"late bitfield too short", true, {0, 0, 0, 5, 4, 0, 0, 0, 1, 0, 0, 0, 2, 5, 0xff},
			15, E_PROTOCOL},
		{"have all without fast", false, {0, 0, 0, 1, 14}, 5, E_PROTOCOL},
		{"have all and have none", true, {0, 0, 0, 1, 14, 0, 0, 0, 1, 15}, 10, E_OK},
		{"reject without fast", false, {0, 0, 0, 13, 16}, 17, E_PROTOCOL},
		{"suggest out of range", true, {0, 0, 0, 5, 13, 0, 0, 1, 0}, 9, E_PROTOCOL},
		{"allowed fast out of range", true, {0, 0, 0, 5, 17, 0, 1, 0, 0}, 9, E_PROTOCOL},
		{"request past the piece", true,
			{0, 0, 0, 13, 6, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x40, 0}, 17, E_PROTOCOL},
		{"request of nothing", true, {0, 0, 0, 13, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
			17, E_PROTOCOL},
		{"request while choked", false,
			{0, 0, 0, 13, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0}, 17, E_OK},
		{"unknown message", true, {0, 0, 0, 2, 99, 1}, 6, E_OK},
		{"keep-alive", true, {0, 0, 0, 0}, 4, E_OK},
		{"extended without BEP 10", false, {0, 0, 0, 4, 20, 0, 'd', 'e'}, 8, E_PROTOCOL},
		{"extended handshake that is garbage", true, {0, 0, 0, 4, 20, 0, 'x', 'e'}, 8,
			E_PROTOCOL},
		{"extended message nobody announced", true, {0, 0, 0, 4, 20, 7, 'x', 'e'}, 8, E_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct side s;

		side_init(&s, true, 3);
		side_join(
			&s, (struct swarm_caps){.fast = rows[i].fast, .extended = rows[i].fast}, 1);
		if (feed(&s, rows[i].bytes, rows[i].n, 1) != rows[i].want)
			fail_msg("%s", rows[i].name);
		side_fini(&s);
	}
}

static struct wire_ev ev_of(enum wire_ev_type type, uint32_t index)
{
	return (struct wire_ev){.type = type, .index = index};
}

static void unchoked_leech(struct side *s, bool fast, int64_t now)
{
	struct wire_ev bits = {
		.type = WIRE_BITFIELD, .payload = {(const uint8_t[]){0xff, 0x80}, 2}};
	struct wire_ev unchoke = ev_of(WIRE_UNCHOKE, 0);

	side_init(s, false, 4);
	side_join(s, (struct swarm_caps){.fast = fast}, now);
	assert_int_equal(swarm_event(s->peer, &bits, now), E_OK);
	assert_true(s->peer->am_interested);
	assert_int_equal(swarm_event(s->peer, &unchoke, now), E_OK);
	ask(s, now);
	assert_true(s->peer->asked.n > 0);
}

/* A choke without the fast extension voids everything; what was under way may still come, once
 * each. */
static void t_choke_voids(void **state)
{
	struct wire_ev choke = ev_of(WIRE_CHOKE, 0);
	struct side s;

	(void)state;
	unchoked_leech(&s, false, 1);
	struct block_req first = *req_at(&s.peer->asked, 0);
	uint32_t n = s.peer->asked.n;

	assert_int_equal(swarm_event(s.peer, &choke, 2), E_OK);
	assert_int_equal(s.peer->asked.n, 0);
	assert_int_equal(s.credit, 64);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(swarm_piece_begin(s.peer, first.piece, first.begin, first.length),
			SWARM_SKIP);
	assert_int_equal(
		swarm_piece_begin(s.peer, first.piece, first.begin, first.length), SWARM_CLOSE);
	assert_true(s.swarm->wasted > 0);
	side_fini(&s);
}

/* With it every request is answered: a reject gives the unit back and the block to others. */
static void t_reject(void **state)
{
	struct wire_ev choke = ev_of(WIRE_CHOKE, 0);
	struct side s;

	(void)state;
	unchoked_leech(&s, true, 1);
	assert_int_equal(swarm_event(s.peer, &choke, 2), E_OK);
	assert_true(s.peer->asked.n > 0);
	while (s.peer->asked.n > 0) {
		struct block_req r = *req_at(&s.peer->asked, 0);
		struct wire_ev reject = {.type = WIRE_REJECT,
			.index = r.piece,
			.begin = r.begin,
			.length = r.length};

		assert_int_equal(swarm_event(s.peer, &reject, 3), E_OK);
	}
	assert_int_equal(s.credit, 64);
	side_fini(&s);
}

static void t_unasked_piece_closes(void **state)
{
	struct side s;

	(void)state;
	side_init(&s, false, 5);
	side_join(&s, (struct swarm_caps){0}, 1);
	assert_int_equal(swarm_piece_begin(s.peer, 0, 0, BLOCK_SIZE), SWARM_CLOSE);
	side_fini(&s);
}

/* A silent peer is snubbed, its requests go to others. */
static void t_snub(void **state)
{
	struct side s;
	int64_t now = SECOND;

	(void)state;
	unchoked_leech(&s, true, now);
	for (int i = 0; i < 30; i++) {
		now += SECOND;
		swarm_tick(s.swarm, now);
	}
	assert_true(s.peer->snubbed);
	assert_int_equal(s.peer->window, 1);
	assert_int_equal(s.credit, 64);
	side_fini(&s);
}

/* The only sender of a bad piece is named; the piece is fetched again. */
static void t_bad_piece(void **state)
{
	struct swarm_peer *bad[4];
	struct side s;
	uint32_t piece;

	(void)state;
	unchoked_leech(&s, true, 1);
	s.peer->window = 100;
	ask(&s, 1);
	piece = req_at(&s.peer->asked, 0)->piece;
	while (!picker_complete(s.swarm->picker, piece)) {
		struct block_req r = *req_at(&s.peer->asked, 0);

		assert_true(swarm_block(s.peer, r.piece, r.begin, r.length, 2));
		s.credit++;
	}
	assert_int_equal(swarm_piece_bad(s.swarm, piece, bad, ARRAY_LEN(bad)), 1);
	assert_ptr_equal(bad[0], s.peer);
	assert_int_equal(s.swarm->wasted, layout_piece_size(&s.swarm->layout, piece));
	assert_false(bitfield_get(swarm_have(s.swarm), piece));
	side_fini(&s);
}

static void t_no_download(void **state)
{
	struct side s;

	(void)state;
	unchoked_leech(&s, true, 1);
	s.swarm->no_download = true;
	swarm_reconsider(s.swarm);
	assert_false(s.peer->am_interested);
	assert_int_equal(swarm_request(s.peer, 10, 1), 0);
	s.swarm->no_download = false;
	swarm_reconsider(s.swarm);
	assert_true(s.peer->am_interested);
	s.peer->window = 100;
	assert_true(swarm_request(s.peer, 10, 1) > 0);
	side_fini(&s);
}

/* It takes three at a time, and no more are sent before it said so. */
static void t_reqq(void **state)
{
	static const uint8_t says[] = "d1:md11:upload_onlyi3ee4:reqqi3ee";
	struct wire_ev hello = {.type = WIRE_EXTENDED, .payload = {says, sizeof says - 1}};
	struct side s;

	(void)state;
	unchoked_leech(&s, true, 1);
	assert_int_equal(s.peer->asked.n, 4);
	swarm_leave(&s.peer, 2);
	side_join(&s, (struct swarm_caps){.fast = true, .extended = true}, 2);
	assert_int_equal(swarm_event(s.peer, &hello, 2), E_OK);
	assert_int_equal(s.peer->reqq, 3);
	assert_int_equal(swarm_event(s.peer, &(struct wire_ev){.type = WIRE_HAVE_ALL}, 2), E_OK);
	assert_int_equal(swarm_event(s.peer, &(struct wire_ev){.type = WIRE_UNCHOKE}, 2), E_OK);
	ask(&s, 2);
	assert_int_equal(s.peer->asked.n, 3);
	assert_false(swarm_wants_requests(s.peer));
	side_fini(&s);
}

static void say_yourip(struct swarm *s, uint8_t from, const uint8_t ip[4], int64_t now)
{
	struct endpoint at = endpoint_from_v4((const uint8_t[]){80, 1, from, 1}, 7000);
	uint8_t id[20] = {from}, says[] = "d1:mde6:yourip4:0000e";
	struct wire_ev hello = {.type = WIRE_EXTENDED, .payload = {says, sizeof says - 1}};
	struct swarm_peer *p =
		swarm_join(s, NULL, &at, id, (struct swarm_caps){.extended = true}, true, now);

	memcpy(says + 16, ip, 4);
	assert_int_equal(swarm_event(p, &hello, now), E_OK);
	swarm_leave(&p, now);
}

/* BEP 40: once two have said which address is ours, it decides who is dialled first. */
static void t_own_address(void **state)
{
	static const uint8_t ours[4] = {90, 2, 3, 4}, lie[4] = {91, 9, 9, 9},
			     lan[4] = {10, 0, 0, 7};
	struct endpoint own = endpoint_from_v4(ours, 6681), next, best = {0};
	uint32_t highest = 0;
	struct side s;

	(void)state;
	side_init(&s, false, 12);
	for (uint8_t i = 0; i < 100; i++) {
		struct endpoint e =
			endpoint_from_v4((const uint8_t[]){i + 60, i * 7 & 0xff, i, 9}, 4000);

		assert_int_equal(peerlist_add(s.swarm->candidates, &e, PEER_TRACKER, 0), E_OK);
		if (endpoint_priority(&own, &e) >= highest)
			best = e;
		highest = MAX(highest, endpoint_priority(&own, &e));
	}
	say_yourip(s.swarm, 1, ours, SECOND);
	say_yourip(s.swarm, 1, ours, SECOND); /* the same one again is no other */
	assert_int_equal(peerlist_add(s.swarm->candidates, &own, PEER_TRACKER, 0), E_OK);
	say_yourip(s.swarm, 2, lan, SECOND);
	say_yourip(s.swarm, 3, lan, SECOND);
	say_yourip(s.swarm, 4, ours, SECOND);
	assert_int_equal(peerlist_add(s.swarm->candidates, &own, PEER_TRACKER, 0), E_RANGE);
	assert_true(peerlist_next(s.swarm->candidates, SECOND, &next));
	assert_true(endpoint_equal(&next, &best));
	/* Others do not make it change every moment. */
	say_yourip(s.swarm, 5, lie, 2 * SECOND);
	say_yourip(s.swarm, 6, lie, 2 * SECOND);
	assert_int_equal(peerlist_add(s.swarm->candidates, &own, PEER_TRACKER, 0), E_RANGE);
	side_fini(&s);
}

/* Many peers that bring nothing are asked for two blocks each once there is much under way. */
static void t_asked(void **state)
{
	struct side s;

	(void)state;
	unchoked_leech(&s, true, 1);
	assert_int_equal(s.peer->asked.n, 4);
	s.swarm->asked += 64; /* of others */
	s.peer->window = 16;
	assert_false(swarm_wants_requests(s.peer));
	s.swarm->pace = 16 * BLOCK_SIZE;
	assert_true(swarm_wants_requests(s.peer));
	s.swarm->pace = 0;
	s.swarm->downloaded = 16 * BLOCK_SIZE; /* the second is not over */
	assert_true(swarm_wants_requests(s.peer));
	s.swarm->asked -= 64;
	side_fini(&s);
}

/* Blocks answered a while after they were asked for, for so many seconds. */
static void run_delayed(struct side *s, int64_t delay, unsigned seconds)
{
	struct {
		struct block_req r;
		int64_t at;
	} under_way[512];
	unsigned from = 0, to = 0;

	for (int64_t now = SECOND; now < (int64_t)seconds * SECOND; now += SECOND / 20) {
		uint32_t was = s->peer->asked.n;

		for (; from < to && under_way[from % 512].at <= now; from++, was--) {
			struct block_req r = under_way[from % 512].r;

			assert_true(swarm_block(s->peer, r.piece, r.begin, r.length, now));
			s->credit++;
		}
		if (now % SECOND == 0)
			swarm_tick(s->swarm, now);
		s->credit -= (int)swarm_request(s->peer, 500, now);
		for (uint32_t i = was; i < s->peer->asked.n; i++, to++) {
			under_way[to % 512].r = *req_at(&s->peer->asked, i);
			under_way[to % 512].at = now + delay;
		}
	}
}

/* A long way needs a long pipeline: the window follows the delay, not the rate of a short one. */
static void t_delay(void **state)
{
	struct layout l = layout_of((uint64_t)4096 * PIECE_LEN, PIECE_LEN);
	struct swarm_config c = {.max_requests = 200,
		.max_served = 100,
		.upload_slots = 4,
		.version = "test 1",
		.request_timeout = 60 * SECOND};
	struct side s = {0};

	(void)state;
	rng_seed(&s.rng, 8);
	s.swarm = swarm_new(&l, (const uint8_t[20]){1}, &c, &ops, &s, &s.rng, SECOND);
	side_join(&s, (struct swarm_caps){.fast = true}, SECOND);
	s.peer->reqq = 1000;
	assert_int_equal(swarm_event(s.peer, &(struct wire_ev){.type = WIRE_HAVE_ALL}, 1), E_OK);
	assert_int_equal(swarm_event(s.peer, &(struct wire_ev){.type = WIRE_UNCHOKE}, 1), E_OK);
	run_delayed(&s, 3 * SECOND, 60);
	assert_in_range(s.peer->window, 100, 200);
	side_fini(&s);
}

static void t_queue(void **state)
{
	struct req_queue q = {0};
	struct block_req r;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		req_push(&q, (struct block_req){i, 0, 1});
	for (uint32_t i = 1; i < 100; i += 2)
		assert_true(req_remove(&q, &(struct block_req){i, 0, 1}));
	assert_false(req_remove(&q, &(struct block_req){1, 0, 1}));
	for (uint32_t i = 0; i < 100; i += 2) {
		assert_true(req_pop(&q, &r));
		assert_int_equal(r.piece, i);
	}
	assert_false(req_pop(&q, &r));
	req_clear(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_download_plain),
		cmocka_unit_test(t_download_fast),
		cmocka_unit_test(t_abuse),
		cmocka_unit_test(t_choke_voids),
		cmocka_unit_test(t_reject),
		cmocka_unit_test(t_unasked_piece_closes),
		cmocka_unit_test(t_snub),
		cmocka_unit_test(t_bad_piece),
		cmocka_unit_test(t_no_download),
		cmocka_unit_test(t_reqq),
		cmocka_unit_test(t_asked),
		cmocka_unit_test(t_delay),
		cmocka_unit_test(t_own_address),
		cmocka_unit_test(t_queue),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
