/* SPDX-License-Identifier: MIT */
/*
 * A swarm that knows only its info-hash: what peers say is kept, the info dictionary comes from
 * them, and the same connections go on from there; and how the dictionary is given to others (BEP
 * 9).
 *
 * Two swarms joined by their ->out, one of them bare; a third end is a stranger's, by hand.
 */
#include "proto/meta/hash.h"
#include "proto/swarm/priv.h"
#include "proto/wire/ext_metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PIECES    20u
#define PIECE_LEN (2 * BLOCK_SIZE)
#define SIZE      (PIECES * (uint64_t)PIECE_LEN - 100)
#define SECOND    INT64_C(1000000)

struct world {
	struct swarm *bare, *seed;
	struct swarm_peer *at_bare, *at_seed; /* the two ends of the connection */
	struct rng rng;
	int64_t now;
	uint8_t *info, hash[20];
	uint32_t info_n;
	unsigned fetched, data_messages;
	struct byte_budget budget;
	struct serve_budget served;
	struct swarm_config config;
};

static void on_wake(void *conn)
{
	(void)conn;
}

static void on_credit(void *owner, unsigned n)
{
	(void)owner, (void)n;
}

static bool on_claim(void *owner)
{
	(void)owner;
	return true;
}

static void on_fetched(void *owner)
{
	struct world *w = owner;

	w->fetched++;
}

static const struct swarm_ops ops = {.wake = on_wake,
	.credit = on_credit,
	.claim = on_claim,
	.fetched = on_fetched};

static struct layout real_layout(void)
{
	return layout_of(SIZE, PIECE_LEN);
}

static void begin(struct world *w, uint32_t info_n)
{
	struct layout l = real_layout();

	*w = (struct world){.now = SECOND, .info_n = info_n};
	w->budget.max = 1 << 20;
	w->served.max = 100000;
	w->config = (struct swarm_config){.max_requests = 20,
		.max_served = 30,
		.budget = &w->served,
		.unverified = &w->budget,
		.upload_slots = 4,
		.port = 6881,
		.version = "test",
		.request_timeout = 60 * SECOND};
	rng_seed(&w->rng, 3);
	w->info = malloc(info_n);
	assert_non_null(w->info);
	for (uint32_t i = 0; i < info_n; i++)
		w->info[i] = (uint8_t)(i * 2654435761u >> 11);
	hash_once(HASH_SHA1, w->info, info_n, w->hash);
	w->bare = swarm_new(NULL, w->hash, &w->config, &ops, w, &w->rng, w->now);
	w->seed = swarm_new(&l, w->hash, &w->config, &ops, w, &w->rng, w->now);
	swarm_set_info(w->seed, (struct slice){w->info, info_n}, false);
	for (uint32_t i = 0; i < PIECES; i++)
		picker_set_have(w->seed->picker, i);
}

static struct swarm_peer *join_as(struct world *w, struct swarm *s, uint8_t host, bool fast)
{
	struct endpoint at = endpoint_from_v4((const uint8_t[]){10, 0, 0, host}, 7000);
	uint8_t id[20] = "-XX0000-............";

	id[19] = host;
	return swarm_join(
		s, w, &at, id, (struct swarm_caps){.fast = fast, .extended = true}, true, w->now);
}

static void end(struct world *w)
{
	if (w->at_bare != NULL)
		swarm_leave(&w->at_bare, w->now);
	if (w->at_seed != NULL)
		swarm_leave(&w->at_seed, w->now);
	swarm_free(&w->bare);
	swarm_free(&w->seed);
	assert_int_equal(w->budget.used, 0);
	assert_int_equal(w->served.used, 0);
	free(w->info);
}

/* All that waits in one end's ->out, to the other end. */
static void deliver(struct world *w, struct swarm_peer *from, struct swarm_peer *to)
{
	size_t n = outbuf_len(&from->out), used;
	uint8_t *bytes = xmemdup(outbuf_data(&from->out), n + !n);
	const uint8_t *p = bytes;
	struct wire_ev ev;

	if (n > 0)
		outbuf_sent(&from->out, n);
	for (;;) {
		assert_int_equal(wire_next(&to->dec, p, n, &used, &ev), E_OK);
		if (ev.type == WIRE_NONE)
			break;
		w->data_messages += ev.type == WIRE_EXTENDED && ev.payload.n > 5000;
		assert_int_equal(swarm_event(to, &ev, w->now), E_OK);
		p += used;
		n -= used;
	}
	xfree(bytes);
}

static void talk(struct world *w)
{
	for (int i = 0; i < 5000 && outbuf_len(&w->at_bare->out) + outbuf_len(&w->at_seed->out) > 0;
		i++) {
		deliver(w, w->at_bare, w->at_seed);
		deliver(w, w->at_seed, w->at_bare);
		swarm_serve_info(w->at_seed);
	}
}

static void connect_both(struct world *w)
{
	w->at_bare = join_as(w, w->bare, 1, true);
	w->at_seed = join_as(w, w->seed, 2, true);
	talk(w);
}

static void complete(struct world *w)
{
	struct layout l = real_layout();

	swarm_complete(w->bare, &l, (struct slice){w->info, w->info_n}, false);
	swarm_introduce(w->bare, w->now);
}

static void test_magnet_to_download(void **state)
{
	static const uint32_t sizes[] = {1, 700, 16384, 16385, 5 * 16384, 1100000};
	static struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct metadata_progress progress;
		struct slice got;

		begin(&w, sizes[i]);
		w.budget.max = 2 << 20;
		assert_false(swarm_done(w.bare));
		assert_true(swarm_left(w.bare) > 0);
		connect_both(&w);
		assert_int_equal(w.fetched, 1);
		got = swarm_metadata(w.bare);
		assert_int_equal(got.n, sizes[i]);
		assert_memory_equal(got.p, w.info, sizes[i]);
		swarm_metadata_progress(w.bare, &progress);
		assert_int_equal(progress.have, metadata_pieces(sizes[i]));
		assert_false(w.at_bare->am_interested);
		assert_int_equal(swarm_request(w.at_bare, 10, w.now), 0);
		swarm_tick(w.bare, w.now += SECOND);
		complete(&w);
		assert_false(w.at_bare->unfit);
		assert_true(w.at_bare->seed && w.at_bare->am_interested);
		assert_int_equal(w.at_bare->interesting, PIECES);
		talk(&w);
		/* It can pass the dictionary on now, and says so. */
		assert_int_equal(w.at_seed->metadata_size, sizes[i]);
		assert_true(w.at_seed->peer_interested);
		assert_false(w.at_bare->peer_choking);
		assert_true(swarm_request(w.at_bare, 10, w.now) > 0);
		swarm_tick(w.bare, w.now += SECOND);
		picker_check(w.bare->picker);
		end(&w);
	}
}

/* A peer that lied of its pieces is told by ->unfit when they are counted. */
static void test_hearsay(void **state)
{
	static const uint8_t good[3] = {0x80, 0, 0x10}, spare[3] = {0x80, 0, 0x08},
			     shorter[2] = {0xff, 0xff};
	static const struct {
		const char *what;
		struct wire_ev ev[3];
		unsigned n;
		bool unfit;
		uint32_t count;
	} t[] = {
		{"nothing", {{.type = WIRE_UNCHOKE}}, 1, false, 0},
		{"all", {{.type = WIRE_HAVE_ALL}}, 1, false, PIECES},
		{"none, then one",
			{{.type = WIRE_HAVE_NONE}, {.type = WIRE_HAVE, .index = PIECES - 1}}, 2,
			false, 1},
		{"one too many", {{.type = WIRE_HAVE, .index = PIECES}}, 1, true, 0},
		{"one far out", {{.type = WIRE_HAVE, .index = METAINFO_PIECES_MAX - 1}}, 1, true,
			0},
		{"a bitfield, and one more",
			{{.type = WIRE_BITFIELD, .payload = {good, 3}},
				{.type = WIRE_HAVE, .index = 3}},
			2, false, 3},
		{"spare bits", {{.type = WIRE_BITFIELD, .payload = {spare, 3}}}, 1, true, 0},
		{"too short", {{.type = WIRE_BITFIELD, .payload = {shorter, 2}}}, 1, true, 0},
		{"a bit out of range, by a HAVE",
			{{.type = WIRE_BITFIELD, .payload = {good, 3}},
				{.type = WIRE_HAVE, .index = 23}},
			2, true, 0},
		{"allowed fast", {{.type = WIRE_ALLOWED_FAST, .index = 3}}, 1, false, 0},
		{"allowed fast, out of range", {{.type = WIRE_ALLOWED_FAST, .index = 30}}, 1, true,
			0},
	};
	static struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct layout l = real_layout();

		begin(&w, 100);
		w.at_bare = join_as(&w, w.bare, 1, true);
		for (unsigned k = 0; k < t[i].n; k++)
			assert_int_equal(swarm_event(w.at_bare, &t[i].ev[k], w.now), E_OK);
		swarm_complete(w.bare, &l, (struct slice){w.info, w.info_n}, false);
		if (w.at_bare->unfit != t[i].unfit)
			fail_msg("%s", t[i].what);
		if (!t[i].unfit) {
			swarm_introduce(w.bare, w.now);
			assert_int_equal(w.at_bare->has.count, t[i].count);
			assert_int_equal(w.at_bare->interesting, t[i].count);
		}
		end(&w);
	}
}

/* What cannot be, or is more than there is room for, ends the connection at once. */
static void test_hearsay_is_bounded(void **state)
{
	static uint8_t bits[METAINFO_PIECES_MAX / 8 + 1];
	struct wire_ev field = {.type = WIRE_BITFIELD, .payload = {bits, sizeof bits}};
	struct wire_ev have = {.type = WIRE_HAVE, .index = METAINFO_PIECES_MAX};
	struct wire_ev request = {.type = WIRE_REQUEST, .length = BLOCK_SIZE};
	static struct world w;
	enum err err = E_OK;

	(void)state;
	begin(&w, 100);
	w.at_bare = join_as(&w, w.bare, 1, true);
	assert_int_equal(swarm_event(w.at_bare, &field, w.now), E_PROTOCOL);
	assert_int_equal(swarm_event(w.at_bare, &have, w.now), E_PROTOCOL);
	for (have.index = 0; have.index < 300000; have.index++)
		assert_int_equal(swarm_event(w.at_bare, &have, w.now), E_OK);
	assert_true(w.budget.used <= 65536 * 4);
	swarm_leave(&w.at_bare, w.now);
	assert_int_equal(w.budget.used, 0);
	w.budget.max = 1000;
	w.at_bare = join_as(&w, w.bare, 1, true);
	field.payload.n = 1001;
	assert_int_equal(swarm_event(w.at_bare, &field, w.now), E_OVERLOAD);
	field.payload.n = 900;
	assert_int_equal(swarm_event(w.at_bare, &field, w.now), E_OK);
	field.payload.n = 899;
	assert_int_equal(swarm_event(w.at_bare, &field, w.now), E_PROTOCOL);
	have.index = 7200;
	for (unsigned i = 0; i < 1000 && err == E_OK; i++)
		err = swarm_event(w.at_bare, &have, w.now);
	assert_int_equal(err, E_OVERLOAD);
	err = E_OK;
	for (unsigned i = 0; i < 1000 && err == E_OK; i++)
		err = swarm_event(w.at_bare, &request, w.now);
	assert_int_equal(err, E_PROTOCOL);
	end(&w);
}

static void ask_info(struct world *w, struct swarm_peer *p, uint32_t piece)
{
	char text[64];
	struct wire_ev ev = {.type = WIRE_EXTENDED, .id = 2};

	snprintf(text, sizeof text, "d8:msg_typei0e5:piecei%uee", piece);
	ev.payload = (struct slice){(const uint8_t *)text, strlen(text)};
	assert_int_equal(swarm_event(p, &ev, w->now), E_OK);
}

static void say_hello(struct world *w, struct swarm_peer *p, const char *text)
{
	struct wire_ev ev = {
		.type = WIRE_EXTENDED, .payload = {(const uint8_t *)text, strlen(text)}};

	assert_int_equal(swarm_event(p, &ev, w->now), E_OK);
	if (outbuf_len(&p->out) > 0)
		outbuf_sent(&p->out, outbuf_len(&p->out));
}

/* Takes what waits: how many pieces and rejects it was. */
static void take_answers(struct swarm_peer *p, unsigned *data, unsigned *rejects)
{
	struct wire_dec dec;
	struct wire_ev ev;
	size_t used, at = 0;

	wire_dec_init(&dec, 1, 1, 1 << 20);
	while (at < outbuf_len(&p->out)) {
		struct metadata_message m;

		assert_int_equal(wire_next(&dec, outbuf_data(&p->out) + at,
					 outbuf_len(&p->out) - at, &used, &ev),
			E_OK);
		at += used;
		assert_int_equal(ev.type, WIRE_EXTENDED);
		assert_int_equal(ev.id, 9);
		assert_int_equal(ext_metadata_parse(ev.payload, &m), E_OK);
		*data += m.type == METADATA_DATA;
		*rejects += m.type == METADATA_REJECT;
	}
	wire_dec_fini(&dec);
	outbuf_sent(&p->out, at);
}

static void test_serving(void **state)
{
	static struct world w;
	unsigned data = 0, rejects = 0;

	(void)state;
	begin(&w, 200 * METADATA_PIECE);
	w.at_seed = join_as(&w, w.seed, 2, true);
	/* Who names no number for the message gets none. */
	say_hello(&w, w.at_seed, "de");
	ask_info(&w, w.at_seed, 0);
	assert_int_equal(outbuf_len(&w.at_seed->out), 0);
	say_hello(&w, w.at_seed, "d1:md11:ut_metadatai9eee");
	/* All of it at once: it comes, a little at a time. */
	for (uint32_t i = 0; i < 200; i++)
		ask_info(&w, w.at_seed, i);
	assert_true(w.served.used > 100);
	for (int i = 0; i < 300 && outbuf_len(&w.at_seed->out) > 0; i++) {
		assert_true(outbuf_len(&w.at_seed->out) <= 4 * METADATA_PIECE);
		take_answers(w.at_seed, &data, &rejects);
		swarm_serve_info(w.at_seed);
	}
	assert_int_equal(data, 200);
	assert_int_equal(rejects, 0);
	assert_int_equal(w.served.used, 0);
	/* A piece there is not. */
	ask_info(&w, w.at_seed, 200);
	take_answers(w.at_seed, &data, &rejects);
	assert_int_equal(rejects, 1);
	/* Not for ever. */
	for (uint32_t i = 0; i < 2000; i++) {
		ask_info(&w, w.at_seed, i % 200);
		take_answers(w.at_seed, &data, &rejects);
	}
	assert_int_equal(data, 4 * 200 + 64);
	/* Others have used the budget up. */
	swarm_leave(&w.at_seed, w.now);
	w.at_seed = join_as(&w, w.seed, 2, true);
	say_hello(&w, w.at_seed, "d1:md11:ut_metadatai9eee");
	w.served.used = w.served.max;
	rejects = 0;
	ask_info(&w, w.at_seed, 0);
	take_answers(w.at_seed, &data, &rejects);
	assert_int_equal(rejects, 1);
	w.served.used = 0;
	ask_info(&w, w.at_seed, 0);
	ask_info(&w, w.at_seed, 1);
	ask_info(&w, w.at_seed, 2);
	ask_info(&w, w.at_seed, 3);
	end(&w);
}

static bool said(struct swarm_peer *p, const char *text)
{
	return memmem(outbuf_data(&p->out), outbuf_len(&p->out), text, strlen(text)) != NULL;
}

/* Of a private torrent nothing is offered or given, and what was offered before is withdrawn. */
static void test_private(void **state)
{
	struct layout l = real_layout();
	static struct world w;

	(void)state;
	begin(&w, 500);
	w.seed->is_private = true;
	w.at_seed = join_as(&w, w.seed, 2, true);
	assert_false(said(w.at_seed, "ut_metadata"));
	assert_false(said(w.at_seed, "metadata_size"));
	say_hello(&w, w.at_seed, "d1:md11:ut_metadatai9eee");
	ask_info(&w, w.at_seed, 0);
	assert_int_equal(outbuf_len(&w.at_seed->out), 0);

	w.at_bare = join_as(&w, w.bare, 1, true);
	assert_true(said(w.at_bare, "11:ut_metadatai2e"));
	assert_false(said(w.at_bare, "metadata_size"));
	say_hello(&w, w.at_bare, "d1:md11:ut_metadatai9eee");
	/* What is not verified is not given. */
	ask_info(&w, w.at_bare, 0);
	assert_true(said(w.at_bare, "d8:msg_typei2e5:piecei0ee"));
	outbuf_sent(&w.at_bare->out, outbuf_len(&w.at_bare->out));
	swarm_complete(w.bare, &l, (struct slice){w.info, w.info_n}, true);
	swarm_introduce(w.bare, w.now);
	assert_true(said(w.at_bare, "11:ut_metadatai0e"));
	assert_false(said(w.at_bare, "metadata_size"));
	end(&w);
}

/* What we turn out to have already is told to all who are there. */
static void test_introduced_with_pieces(void **state)
{
	struct layout l = real_layout();
	static struct world w;

	(void)state;
	begin(&w, 500);
	connect_both(&w);
	swarm_complete(w.bare, &l, (struct slice){w.info, w.info_n}, false);
	for (uint32_t i = 0; i < PIECES; i++)
		picker_set_have(w.bare->picker, i);
	swarm_introduce(w.bare, w.now);
	assert_true(said(w.at_bare, "11:upload_onlyi1e"));
	talk(&w);
	assert_true(w.at_seed->seed && w.at_seed->upload_only);
	assert_false(w.at_bare->am_interested);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_magnet_to_download),
		cmocka_unit_test(test_hearsay),
		cmocka_unit_test(test_hearsay_is_bounded),
		cmocka_unit_test(test_serving),
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_introduced_with_pieces),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
