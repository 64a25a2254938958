/* SPDX-License-Identifier: MIT */
/* Addresses on a peer's word: its share, what a second word is worth, and forgetting by source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/peerlist/peerlist.h"

#define SECOND INT64_C(1000000)
#define NOW    (100 * SECOND)

static struct endpoint ep(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, &e), E_OK);
	return e;
}

static struct endpoint ep_n(uint32_t i)
{
	uint8_t v4[4] = {77, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

	return endpoint_from_v4(v4, 6881);
}

static struct peerlist *new_list(uint32_t cap, struct rng *rng)
{
	rng_seed(rng, 7);
	return peerlist_new(cap, rng);
}

/* Names addresses [from, from + n) by `by`; how many were taken. */
static unsigned name_many(struct peerlist *l, const char *by, uint32_t from, uint32_t n)
{
	struct endpoint liar = ep(by);
	unsigned taken = 0;

	for (uint32_t i = from; i < from + n; i++) {
		struct endpoint e = ep_n(i);

		taken += peerlist_introduce(l, &e, &liar, false, NOW) == E_OK;
	}
	peerlist_check(l);
	return taken;
}

static void test_share(void **state)
{
	struct rng rng;
	struct peerlist *l = new_list(2000, &rng);
	struct endpoint e = ep_n(3), other = ep("9.9.9.9:1");

	(void)state;
	assert_int_equal(name_many(l, "1.2.3.4:6881", 0, 500), PEERLIST_INTRODUCED_MAX);
	/* From another port it is the same one; its own again are no news. */
	assert_int_equal(name_many(l, "1.2.3.4:6882", 500, 10), 0);
	assert_int_equal(name_many(l, "1.2.3.4:6882", 0, 10), 0);
	assert_int_equal(name_many(l, "[2001:db8::1]:1", 1000, 500), PEERLIST_INTRODUCED_MAX);
	assert_int_equal(name_many(l, "[2001:db8::ffff]:1", 1500, 10), 0);
	/* What another names, too, counts for neither; nor does what was reached. */
	assert_int_equal(peerlist_introduce(l, &e, &other, false, NOW), E_EXISTS);
	assert_int_equal(name_many(l, "1.2.3.4:6882", 500, 10), 1);
	e = ep_n(4);
	peerlist_dialing(l, &e);
	peerlist_connected(l, &e);
	assert_int_equal(name_many(l, "1.2.3.4:6882", 501, 10), 1);
	e = ep_n(5);
	assert_int_equal(peerlist_add(l, &e, PEER_TRACKER, NOW), E_EXISTS);
	assert_int_equal(name_many(l, "1.2.3.4:6882", 502, 10), 1);
	/* What goes makes room. */
	e = ep_n(6);
	peerlist_ban(l, &e);
	assert_int_equal(name_many(l, "1.2.3.4:6882", 503, 10), 1);
	peerlist_free(&l);
}

/* Addresses where nobody ever is make room for the next ones. */
static void test_spent(void **state)
{
	struct rng rng;
	struct peerlist *l = new_list(2000, &rng);
	struct endpoint e = ep_n(7);

	(void)state;
	name_many(l, "1.2.3.4:6881", 0, 500);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(name_many(l, "1.2.3.4:6881", 500, 1), 0);
		peerlist_dialing(l, &e);
		peerlist_failed(l, &e, NOW);
	}
	assert_int_equal(name_many(l, "1.2.3.4:6881", 500, 10), 1);
	/* Where there is room it may be tried again. */
	assert_int_equal(name_many(l, "4.3.2.1:6881", 600, 1), 1);
	e = ep_n(600);
	for (int i = 0; i < 5; i++) {
		peerlist_dialing(l, &e);
		peerlist_failed(l, &e, NOW);
	}
	assert_int_equal(name_many(l, "4.3.2.1:6881", 600, 1), 0);
	peerlist_free(&l);
}

/* Whom two have named is dialled before whom one has, whatever their priority. */
static void test_order(void **state)
{
	struct rng rng;
	struct peerlist *l = new_list(2000, &rng);
	struct endpoint own = ep("123.213.32.10:1"), by = ep("9.9.9.9:1"), e;

	(void)state;
	peerlist_set_own(l, &own);
	name_many(l, "1.2.3.4:6881", 0, 100);
	for (uint32_t i = 30; i < 40; i++) {
		e = ep_n(i);
		assert_int_equal(peerlist_introduce(l, &e, &by, false, NOW), E_EXISTS);
	}
	e = ep_n(50);
	peerlist_add(l, &e, PEER_DHT, NOW);
	peerlist_check(l);
	for (uint32_t k = 0; k < 100; k++) {
		struct peerlist_info info;
		uint32_t i;

		assert_true(peerlist_next(l, NOW, &e));
		i = e.ip[15];
		assert_true(peerlist_lookup(l, &e, &info) && (info.sources & 1 << PEER_PEX) != 0);
		assert_int_equal(k < 11, (i >= 30 && i < 40) || i == 50);
		peerlist_dialing(l, &e);
	}
	peerlist_free(&l);
}

static void test_refused(void **state)
{
	struct rng rng;
	struct peerlist *l = new_list(2000, &rng);
	struct endpoint bad = ep("6.6.6.6:1"), by = ep("9.9.9.9:1"), e;

	(void)state;
	peerlist_ban(l, &bad);
	assert_int_equal(peerlist_introduce(l, &bad, &by, false, NOW), E_DENIED);
	e = ep("239.1.1.1:5");
	assert_int_equal(peerlist_introduce(l, &e, &by, false, NOW), E_RANGE);
	peerlist_check(l);
	assert_int_equal(peerlist_count(l), 0);
	peerlist_free(&l);
}

/* A full list gives up a single peer's word for anything else. */
static void test_gives_way(void **state)
{
	struct rng rng;
	struct peerlist *l = new_list(50, &rng);
	struct endpoint e = ep("8.8.8.8:6881");

	(void)state;
	assert_int_equal(name_many(l, "1.2.3.4:6881", 0, 50), 50);
	assert_int_equal(peerlist_add(l, &e, PEER_PEX, NOW), E_OK);
	peerlist_check(l);
	assert_int_equal(peerlist_count(l), 50);
	peerlist_free(&l);
}

/* A peer's word that one is a seed is believed only where it was the first to name it. */
static void test_seed_hint(void **state)
{
	struct rng rng;
	struct peerlist *l = new_list(50, &rng);
	struct endpoint by = ep("9.9.9.9:1"), a = ep_n(1), b = ep_n(2), e;
	struct peerlist_info info;

	(void)state;
	peerlist_set_seeding(l, true);
	assert_int_equal(peerlist_add(l, &a, PEER_TRACKER, NOW), E_OK);
	assert_int_equal(peerlist_introduce(l, &a, &by, true, NOW), E_EXISTS);
	assert_int_equal(peerlist_introduce(l, &b, &by, true, NOW), E_OK);
	peerlist_check(l);
	assert_true(peerlist_lookup(l, &a, &info) && !info.seed);
	assert_true(peerlist_lookup(l, &b, &info) && info.seed);
	assert_true(peerlist_next(l, NOW, &e) && endpoint_equal(&e, &a));
	peerlist_dialing(l, &a);
	assert_false(peerlist_next(l, NOW, &e)); /* two seeds have nothing to say */
	peerlist_free(&l);
}

static void test_forget_sources(void **state)
{
	unsigned gossip = 1 << PEER_PEX | 1 << PEER_DHT | 1 << PEER_LSD;
	struct rng rng;
	struct peerlist *l = new_list(50, &rng);
	struct endpoint by = ep("9.9.9.9:1"), e;

	(void)state;
	name_many(l, "1.2.3.4:6881", 0, 10);
	for (uint32_t i = 0; i < 3; i++) {
		e = ep_n(i);
		peerlist_add(l, &e, PEER_TRACKER, NOW);
	}
	e = ep_n(20);
	peerlist_add(l, &e, PEER_DHT, NOW);
	e = ep_n(7);
	peerlist_dialing(l, &e);
	peerlist_connected(l, &e);
	peerlist_forget_sources(l, gossip);
	peerlist_check(l);
	assert_int_equal(peerlist_count(l), 4);
	peerlist_closed(l, &e, true, NOW);
	assert_int_equal(peerlist_count(l), 3);
	assert_int_equal(peerlist_introduce(l, &e, &by, false, NOW), E_OK);
	peerlist_check(l);
	peerlist_free(&l);
}

static void test_forget(void **state)
{
	struct rng rng;
	struct peerlist *l = new_list(50, &rng);
	struct endpoint e = ep_n(1), used = ep_n(2);

	(void)state;
	name_many(l, "1.2.3.4:6881", 0, 3);
	peerlist_dialing(l, &used);
	peerlist_forget(l, &e);
	peerlist_forget(l, &e);
	peerlist_forget(l, &used);
	peerlist_check(l);
	assert_int_equal(peerlist_count(l), 2);
	assert_false(peerlist_lookup(l, &e, &(struct peerlist_info){0}));
	peerlist_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_spent),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_gives_way),
		cmocka_unit_test(test_seed_hint),
		cmocka_unit_test(test_forget_sources),
		cmocka_unit_test(test_forget),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
