/* SPDX-License-Identifier: MIT */
/* Others' announces, their filters (BEP 33) and samples; tokens, rates and votes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/encode.h"
#include "proto/dht/filter.h"
#include "proto/dht/gate.h"
#include "proto/dht/store.h"
#include "proto/dht/token.h"
#include "proto/dht/voter.h"

#define SEC USEC_PER_SEC

static struct endpoint v4(unsigned a, unsigned b, unsigned c, unsigned d, uint16_t port)
{
	const uint8_t ip[4] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};

	return endpoint_from_v4(ip, port);
}

/* BEP 33, "test vectors". */
static void t_bloom(void **state)
{
	static const char wanted[] =
		"F6C3F5EAA07FFD91BDE89F777F26FB2BFF37BDB8FB2BBAA2FD3DDDE7BACFFF75EE7CCBAE"
		"FE5EEDB1FBFAFF67F6ABFF5E43DDBCA3FD9B9FFDF4FFD3E9DFF12D1BDF59DB53DBE9FA5B"
		"7FF3B8FDFCDE1AFB8BEDD7BE2F3EE71EBBBFE93BCDEEFE148246C2BC5DBFF7E7EFDCF24F"
		"D8DC7ADFFD8FFFDFDDFFF7A4BBEEDF5CB95CE81FC7FCFF1FF4FFFFDFE5F7FDCBB7FD79B3"
		"FA1FC77BFE07FFF905B7B7FFC7FEFEFFE0B8370BB0CD3F5B7F2BD93FEB4386CFDD6F7FD5"
		"BFAF2E9EBFFFFEECD67ADBF7C67F17EFD5D75EBA6FFEBA7FFF47A91EB1BFBB53E8ABFB57"
		"62ABE8FF237279BFEFBFEEF5FFC5FEBFDFE5ADFFADFEE1FB737FFFFBFD9F6AEFFEEE76B6"
		"FD8F72EF";
	struct kad_bloom b = {{0}}, all = {{0}};
	uint8_t bytes[KRPC_BLOOM], ip6[16] = {0x20, 0x01, 0x0d, 0xb8};

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		struct endpoint e = v4(192, 0, 2, i, 1);

		kad_bloom_add(&b, &e);
	}
	for (unsigned i = 0; i <= 0x3e7; i++) {
		struct endpoint e;

		ip6[14] = (uint8_t)(i >> 8);
		ip6[15] = (uint8_t)i;
		e = endpoint_from_v6(ip6, 1);
		kad_bloom_add(&b, &e);
	}
	assert_true(hex_decode(wanted, sizeof wanted - 1, bytes, sizeof bytes));
	assert_memory_equal(b.bits, bytes, sizeof bytes);
	assert_true(fabs(kad_bloom_count(&b) - 1224.9308) < 0.0001);
	assert_true(fabs(kad_bloom_count(&all)) < 0.0001);
	memset(all.bits, 0xff, sizeof all.bits);
	assert_true(kad_bloom_count(&all) > 6000);
	kad_bloom_merge(&b, all.bits);
	assert_memory_equal(b.bits, all.bits, sizeof b.bits);
}

static struct kad_id id_of(unsigned n)
{
	struct kad_id id = {{0}};

	memcpy(id.b, &n, sizeof n);
	return id;
}

static void t_store(void **state)
{
	struct kad_store *s = kad_store_new(3);
	struct kad_id id = id_of(1), none = id_of(2), sample[4];
	struct endpoint out[10], seed = v4(9, 9, 9, 9, 77);
	struct kad_bloom seeds, peers;
	struct rng rng;
	unsigned all;

	(void)state;
	rng_seed(&rng, 1);
	assert_true(kad_store_add(s, &id, &seed, true, 0));
	assert_true(kad_store_add(s, &id, &seed, true, 0)); /* the same again */
	for (unsigned i = 0; i < 20; i++) {
		struct endpoint e = v4(5, 6, i, 1, 6881);

		assert_true(kad_store_add(s, &id, &e, false, i * SEC));
	}
	assert_int_equal(kad_store_peers(s), 21);
	assert_int_equal(kad_store_pick(s, &id, false, false, out, 10, &rng, 0), 10);
	for (unsigned i = 1; i < 10; i++)
		for (unsigned k = 0; k < i; k++)
			assert_false(endpoint_equal(&out[i], &out[k]));
	assert_int_equal(kad_store_pick(s, &id, true, false, out, 10, &rng, 0), 0);
	assert_int_equal(kad_store_pick(s, &none, false, false, out, 10, &rng, 0), 0);
	assert_true(kad_store_scrape(s, &id, &seeds, &peers, 0));
	assert_true(fabs(kad_bloom_count(&seeds) - 1) < 0.1);
	assert_true(fabs(kad_bloom_count(&peers) - 20) < 1);
	assert_false(kad_store_scrape(s, &none, &seeds, &peers, 0));
	assert_int_equal(kad_store_sample(s, sample, 4, &all, &rng, 0), 1);
	assert_int_equal(all, 1);
	/* Each peer has its own time, and the torrent that of the last. */
	assert_int_equal(kad_store_pick(s, &id, false, false, out, 10, &rng,
				 KAD_STORE_LIFETIME + 15 * SEC + 1),
		4);
	assert_int_equal(kad_store_peers(s), 4);
	kad_store_expire(s, KAD_STORE_LIFETIME + 20 * SEC);
	assert_int_equal(kad_store_torrents(s), 0);
	kad_store_free(&s);
}

static void t_store_noseed(void **state)
{
	struct kad_store *s = kad_store_new(3);
	struct kad_id id = id_of(1);
	struct endpoint seed = v4(9, 9, 9, 9, 77), leech = v4(9, 9, 8, 9, 77), out[4];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	assert_true(kad_store_add(s, &id, &seed, true, 0));
	assert_true(kad_store_add(s, &id, &leech, false, 0));
	assert_int_equal(kad_store_pick(s, &id, false, true, out, 4, &rng, 0), 1);
	assert_true(endpoint_equal(&out[0], &leech));
	kad_store_free(&s);
}

static void t_store_bounds(void **state)
{
	struct kad_store *s = kad_store_new(3);
	struct kad_id id;
	unsigned taken = 0;

	(void)state;
	/* Many ports of one address. */
	id = id_of(0);
	for (unsigned i = 0; i < 100; i++) {
		struct endpoint e = v4(1, 1, 1, 1, (uint16_t)(1000 + i));

		assert_true(kad_store_add(s, &id, &e, false, i));
	}
	assert_int_equal(kad_store_peers(s), KAD_STORE_PER_IP);
	/* Many torrents of one network. */
	for (unsigned i = 1; i < 100; i++) {
		struct endpoint e = v4(2, 2, 2, i, 1000);

		id = id_of(i);
		taken += kad_store_add(s, &id, &e, false, 200);
	}
	assert_int_equal(taken, KAD_STORE_PER_NET);
	/* Many peers of one torrent. */
	id = id_of(1000);
	for (unsigned i = 0; i < 2 * KAD_STORE_PEERS; i++) {
		struct endpoint e = v4(3, i / 256, i % 256, 1, 1000);

		(void)kad_store_add(s, &id, &e, false, 300);
	}
	assert_int_equal(kad_store_peers(s), KAD_STORE_PER_IP + taken + KAD_STORE_PEERS);
	assert_false(kad_store_has_room(s, &id));
	/* Many torrents: the oldest go. */
	for (unsigned i = 0; i < KAD_STORE_TORRENTS + 100; i++) {
		struct endpoint e = v4(4, i / 256, i % 256, 1, 1000);

		id = id_of(2000 + i);
		(void)kad_store_add(s, &id, &e, false, 1000 + i);
	}
	assert_true(kad_store_torrents(s) <= KAD_STORE_TORRENTS);
	id = id_of(0);
	assert_true(kad_store_has_room(s, &id));
	kad_store_free(&s);
}

static void t_tokens(void **state)
{
	const uint8_t secret[16] = "0123456789abcdef", other[16] = "x";
	struct endpoint at = v4(1, 2, 3, 4, 5), port = v4(1, 2, 3, 4, 6), ip = v4(1, 2, 3, 5, 5);
	struct kad_id id = id_of(1), id2 = id_of(2);
	uint8_t token[KAD_TOKEN_SIZE];
	struct slice t = {token, sizeof token}, cut = {token, 7};

	(void)state;
	kad_token_make(secret, &at, &id, 100 * SEC, token);
	assert_true(kad_token_good(secret, &at, &id, 100 * SEC, t));
	assert_true(kad_token_good(secret, &port, &id, 100 * SEC, t));
	assert_true(kad_token_good(secret, &at, &id, 400 * SEC, t));
	assert_false(kad_token_good(secret, &at, &id, 700 * SEC, t));
	assert_false(kad_token_good(secret, &ip, &id, 100 * SEC, t));
	assert_false(kad_token_good(secret, &at, &id2, 100 * SEC, t));
	assert_false(kad_token_good(other, &at, &id, 100 * SEC, t));
	assert_false(kad_token_good(secret, &at, &id, 100 * SEC, cut));
}

static unsigned let_in(struct kad_gate *g, const struct endpoint *e, unsigned n, int64_t now)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++)
		passed += kad_gate_in(g, e, now);
	return passed;
}

static void t_gate_in(void **state)
{
	const struct kad_gate_config c = {.out_rate = 1000, .new_endpoints = 5, .slots = 4096};
	const uint8_t secret[16] = "abc";
	struct kad_gate *g = kad_gate_new(&c, secret, 0);
	struct endpoint a = v4(1, 1, 1, 1, 5);
	unsigned of_net = 0;

	(void)state;
	assert_int_equal(let_in(g, &a, 100, SEC), 50);
	assert_int_equal(let_in(g, &a, 100, 200 * SEC), 0); /* for minutes */
	assert_int_equal(let_in(g, &a, 10, 400 * SEC), 10);
	/* Five a second go on and on. */
	for (int64_t t = 500; t < 700; t++)
		assert_int_equal(let_in(g, &a, 5, t * SEC), 5);
	for (unsigned i = 0; i < 256; i++) {
		struct endpoint e = v4(7, 7, 7, i, 5);

		of_net += let_in(g, &e, 10, 1000 * SEC);
	}
	assert_true(of_net >= 150 && of_net <= 200);
	kad_gate_free(&g);
}

static void t_gate_out(void **state)
{
	const struct kad_gate_config c = {.out_rate = 1000, .new_endpoints = 5, .slots = 4096};
	const uint8_t secret[16] = "abc";
	struct kad_gate *g = kad_gate_new(&c, secret, SEC);
	unsigned asked = 0, answered = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct endpoint e = v4(1, 1, i, 1, 5);

		if (!kad_gate_ask(g, &e, SEC))
			continue;
		kad_gate_asked(g, &e, 20, SEC);
		asked++;
	}
	assert_int_equal(asked, 5);
	/* One that is known needs no place. */
	for (unsigned i = 0; i < 20; i++) {
		struct endpoint e = v4(1, 1, 0, 1, 5);

		assert_true(kad_gate_ask(g, &e, SEC));
		kad_gate_asked(g, &e, 20, SEC);
	}
	/* Answers leave a quarter to questions. */
	while (kad_gate_answer(g, 100, SEC))
		answered++;
	assert_true(answered >= 15 && answered <= 20);
	{
		struct endpoint e = v4(1, 1, 0, 1, 5);

		assert_true(kad_gate_ask(g, &e, SEC));
		kad_gate_asked(g, &e, 800, SEC);
		assert_false(kad_gate_ask(g, &e, SEC));
		assert_true(kad_gate_ask(g, &e, 2 * SEC));
	}
	kad_gate_free(&g);
}

static void t_filter(void **state)
{
	static const struct {
		const char *at;
		bool allowed, local;
	} rows[] = {
		{"8.8.8.8:6881", true, true}, {"8.8.8.8:0", false, false},
		{"8.8.8.8:1", false, false}, {"10.0.0.1:6881", false, true},
		{"127.0.0.1:6881", false, true}, {"100.64.1.1:6881", false, true},
		{"192.0.2.1:6881", false, true}, {"224.0.0.1:6881", false, false},
		{"0.1.2.3:6881", false, true}, {"[2a00:1450::1]:6881", true, true},
		{"[2001:db8::1]:6881", false, true}, {"[fe80::1]:6881", false, true},
		{"[ff02::1]:6881", false, false}, {"[4000::1]:6881", false, true},
		{"3.5.140.2:6881", true, true}, /* a cloud's: no dark address */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct endpoint e;

		assert_int_equal(endpoint_parse(rows[i].at, &e), E_OK);
		if (kad_filter_allows(&e, false) != rows[i].allowed ||
			(kad_filter_allows(&e, true) != rows[i].local &&
				strcmp(rows[i].at, "0.1.2.3:6881") != 0))
			fail_msg("%s", rows[i].at);
	}
}

static void t_votes(void **state)
{
	struct kad_voter v = {0};
	struct endpoint us = v4(5, 5, 5, 5, 1000), lie = v4(6, 6, 6, 6, 1000), by;
	const uint8_t ip6[16] = {0x2a};
	struct endpoint six = endpoint_from_v6(ip6, 1);

	(void)state;
	/* One machine has one vote, and none for another family. */
	by = v4(1, 1, 1, 1, 1);
	for (unsigned i = 0; i < 100; i++)
		assert_false(kad_voter_vote(&v, &by, &lie, 1, SEC));
	assert_false(kad_voter_vote(&v, &six, &lie, 1, SEC));
	assert_false(v.known);
	for (unsigned i = 0; i < 3; i++) {
		by = v4(1, 1, 2, i, 1);
		assert_false(kad_voter_vote(&v, &by, &us, 1, SEC));
	}
	by = v4(1, 1, 3, 3, 1);
	assert_true(kad_voter_vote(&v, &by, &us, 1, SEC)); /* four of five */
	assert_true(v.known && endpoint_same_ip(&v.chosen, &us));
	/* A third of liars changes nothing; two thirds do. */
	for (unsigned i = 0; i < 100; i++) {
		by = v4(2, i, 1, 1, 1);
		assert_false(kad_voter_vote(&v, &by, i % 3 == 0 ? &lie : &us, 1, 2 * SEC + i));
	}
	assert_true(endpoint_same_ip(&v.chosen, &us));
	{
		unsigned changes = 0;

		for (unsigned i = 0; i < 120; i++) {
			by = v4(3, i, 1, 1, 1);
			changes += kad_voter_vote(&v, &by, &lie, 1, 400 * SEC + i);
		}
		assert_int_equal(changes, 1);
	}
	assert_true(endpoint_same_ip(&v.chosen, &lie));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(t_bloom), cmocka_unit_test(t_store),
		cmocka_unit_test(t_store_noseed), cmocka_unit_test(t_store_bounds),
		cmocka_unit_test(t_tokens), cmocka_unit_test(t_gate_in),
		cmocka_unit_test(t_gate_out), cmocka_unit_test(t_filter),
		cmocka_unit_test(t_votes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
