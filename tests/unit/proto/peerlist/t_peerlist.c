/* SPDX-License-Identifier: MIT */
/* The queue of addresses: order, waiting, bounds and bans, and a random history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/peerlist/banset.h"
#include "proto/peerlist/peerlist.h"

#define SECOND INT64_C(1000000)
#define NOW    (100 * SECOND)

static struct endpoint ep(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, &e), E_OK);
	return e;
}

/* The i-th of many different addresses, every third an IPv6 one. */
static struct endpoint ep_n(uint32_t i)
{
	uint8_t v4[4] = {(uint8_t)(1 + i % 9), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
	uint8_t v6[16] = {0x20, 1, 0x0d, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
		(uint8_t)i, 9};

	return i % 3 == 0 ? endpoint_from_v6(v6, 6881) : endpoint_from_v4(v4, 6881);
}

static struct peerlist *new_list(uint32_t cap, struct rng *rng, uint64_t seed)
{
	rng_seed(rng, seed);
	return peerlist_new(cap, rng);
}

static bool next_is(struct peerlist *l, int64_t now, const struct endpoint *want)
{
	struct endpoint e;

	return peerlist_next(l, now, &e) && endpoint_equal(&e, want);
}

static const struct add {
	const char *text;
	enum err want;
} adds[] = {
	{"1.2.3.4:6881", E_OK},
	{"1.2.3.4:6881", E_EXISTS},
	{"1.2.3.4:6882", E_OK},
	{"[2001:db8::1]:1", E_OK},
	{"[2001:db8::1]:1", E_EXISTS},
	{"127.0.0.1:5000", E_OK},
	{"1.2.3.4:0", E_RANGE},
	{"0.0.0.0:80", E_RANGE},
	{"[::]:80", E_RANGE},
	{"239.1.2.3:80", E_RANGE},
	{"[ff02::1]:80", E_RANGE},
	{"9.9.9.9:6881", E_RANGE},
	{"9.9.9.9:6882", E_OK},
	{"6.6.6.6:1", E_DENIED},
	{"6.6.6.6:65535", E_DENIED},
};

static void test_add(void **state)
{
	struct endpoint own = ep("9.9.9.9:6881"), bad = ep("6.6.6.6:77");
	struct rng rng;
	struct peerlist *l = new_list(100, &rng, 1);

	(void)state;
	assert_int_equal(peerlist_deadline(l, NOW), INT64_MAX);
	assert_false(peerlist_next(l, NOW, &(struct endpoint){.port = 0}));
	peerlist_set_own(l, &own);
	peerlist_ban(l, &bad);
	for (size_t i = 0; i < ARRAY_LEN(adds); i++) {
		struct endpoint e = ep(adds[i].text);

		if (peerlist_add(l, &e, PEER_TRACKER, NOW) != adds[i].want)
			fail_msg("%s", adds[i].text);
		peerlist_check(l);
	}
	assert_int_equal(peerlist_count(l), 5);
	assert_int_equal(peerlist_deadline(l, NOW), NOW);
	peerlist_free(&l);
	assert_null(l);
}

static void test_sources_and_age(void **state)
{
	struct endpoint e = ep("1.2.3.4:5");
	struct peerlist_info info;
	struct rng rng;
	struct peerlist *l = new_list(10, &rng, 2);

	(void)state;
	assert_false(peerlist_lookup(l, &e, &info));
	peerlist_add(l, &e, PEER_PEX, NOW);
	peerlist_add(l, &e, PEER_DHT, NOW + SECOND);
	peerlist_mark_seed(l, &e, true);
	assert_true(peerlist_lookup(l, &e, &info));
	assert_int_equal(info.sources, 1 << PEER_PEX | 1 << PEER_DHT);
	assert_int_equal(info.added_us, NOW);
	assert_true(info.seed && !info.connected && info.failures == 0);
	peerlist_connected(l, &e);
	assert_true(peerlist_lookup(l, &e, &info) && info.connected);
	peerlist_free(&l);
}

/* Fewer failures first, then the canonical priority. */
static void test_order(void **state)
{
	struct endpoint own = ep("123.213.32.10:1"), e, last;
	struct rng rng;
	struct peerlist *l = new_list(1000, &rng, 3);

	(void)state;
	for (uint32_t i = 0; i < 300; i++) {
		e = ep_n(i * 3 + 1);
		peerlist_add(l, &e, PEER_TRACKER, NOW);
		if (i == 150)
			peerlist_set_own(l, &own);
	}
	for (uint32_t i = 0; i < 100; i++) {
		e = ep_n(i * 3 + 1);
		peerlist_dialing(l, &e);
		peerlist_failed(l, &e, NOW);
	}
	peerlist_check(l);
	for (uint32_t i = 0; i < 300; i++) {
		struct peerlist_info info, before;

		assert_true(peerlist_next(l, NOW + 100 * SECOND, &e));
		assert_true(peerlist_lookup(l, &e, &info));
		assert_int_equal(info.failures, i >= 200);
		if (i != 0 && i != 200) {
			assert_true(peerlist_lookup(l, &last, &before));
			assert_true(endpoint_priority(&own, &last) >= endpoint_priority(&own, &e));
		}
		peerlist_dialing(l, &e);
		last = e;
	}
	assert_false(peerlist_next(l, NOW + 100 * SECOND, &e));
	peerlist_free(&l);
}

static void test_backoff(void **state)
{
	struct endpoint e = ep("1.2.3.4:5");
	struct rng rng;
	struct peerlist *l = new_list(10, &rng, 4);
	int64_t now = NOW + 500000, at, base = 30 * SECOND;

	(void)state;
	peerlist_add(l, &e, PEER_TRACKER, now);
	for (unsigned i = 0; i < 300; i++) {
		assert_true(next_is(l, now, &e));
		peerlist_dialing(l, &e);
		assert_false(peerlist_next(l, now, &(struct endpoint){.port = 0}));
		assert_int_equal(peerlist_deadline(l, now), INT64_MAX);
		peerlist_failed(l, &e, now);
		at = peerlist_deadline(l, now);
		assert_true(at - now >= MAX(base * 3 / 4, 30 * SECOND));
		assert_true(at - now <= MIN(base * 5 / 4, 3600 * SECOND) + SECOND);
		assert_false(peerlist_next(l, at - 1, &(struct endpoint){.port = 0}));
		now = at;
		base = MIN(2 * base, 3600 * SECOND);
	}
	peerlist_connected(l, &e);
	peerlist_failed(l, &e, now); /* the dial that lost the race */
	assert_int_equal(peerlist_deadline(l, now), INT64_MAX);
	peerlist_closed(l, &e, true, now);
	assert_true(peerlist_deadline(l, now) <= now + 39 * SECOND);
	peerlist_check(l);
	peerlist_free(&l);
}

static void test_seeding(void **state)
{
	struct endpoint seed = ep("1.2.3.4:5"), other = ep("1.2.3.5:5"), later = ep("1.2.3.6:5");
	struct rng rng;
	struct peerlist *l = new_list(10, &rng, 5);

	(void)state;
	peerlist_add(l, &seed, PEER_TRACKER, NOW);
	peerlist_add(l, &later, PEER_TRACKER, NOW);
	peerlist_dialing(l, &later);
	peerlist_failed(l, &later, NOW);
	peerlist_mark_seed(l, &seed, true);
	peerlist_mark_seed(l, &later, true);
	assert_true(next_is(l, NOW, &seed));
	peerlist_set_seeding(l, true);
	assert_int_equal(peerlist_candidates(l), 0);
	assert_int_equal(peerlist_deadline(l, NOW), INT64_MAX);
	peerlist_add(l, &other, PEER_TRACKER, NOW);
	assert_true(next_is(l, NOW, &other));
	peerlist_mark_seed(l, &other, true);
	assert_int_equal(peerlist_candidates(l), 0);
	peerlist_mark_seed(l, &other, false);
	assert_true(next_is(l, NOW, &other));
	peerlist_check(l);
	/* What had to wait still has to. */
	peerlist_set_seeding(l, false);
	peerlist_dialing(l, &other);
	assert_true(next_is(l, NOW, &seed));
	peerlist_dialing(l, &seed);
	assert_true(peerlist_deadline(l, NOW) >= NOW + 30 * SECOND);
	assert_true(next_is(l, NOW + 40 * SECOND, &later));
	peerlist_check(l);
	peerlist_free(&l);
}

static void test_ban(void **state)
{
	struct endpoint a = ep("1.2.3.4:5"), b = ep("1.2.3.4:6"), c = ep("1.2.3.5:5");
	struct rng rng;
	struct peerlist *l = new_list(10, &rng, 6);

	(void)state;
	peerlist_add(l, &a, PEER_TRACKER, NOW);
	peerlist_add(l, &b, PEER_TRACKER, NOW);
	peerlist_add(l, &c, PEER_TRACKER, NOW);
	peerlist_connected(l, &b);
	peerlist_ban(l, &b);
	peerlist_check(l);
	assert_true(peerlist_is_banned(l, &a) && peerlist_is_banned(l, &b));
	assert_false(peerlist_is_banned(l, &c));
	assert_int_equal(peerlist_count(l), 2);
	assert_true(next_is(l, NOW, &c));
	peerlist_closed(l, &b, true, NOW);
	assert_int_equal(peerlist_count(l), 1);
	peerlist_check(l);
	/* All of an IPv6 network, which the other addresses of it do not come back from. */
	a = ep("[2001:db8:1:1::1]:5");
	b = ep("[2001:db8:1:1::2]:5");
	c = ep("[2001:db8:1:2::1]:5");
	peerlist_add(l, &a, PEER_TRACKER, NOW);
	peerlist_add(l, &b, PEER_TRACKER, NOW);
	peerlist_add(l, &c, PEER_TRACKER, NOW);
	assert_int_equal(peerlist_count(l), 4);
	peerlist_ban(l, &a);
	assert_int_equal(peerlist_count(l), 2);
	assert_true(peerlist_is_banned(l, &b));
	assert_false(peerlist_is_banned(l, &c));
	peerlist_add(l, &b, PEER_TRACKER, NOW);
	assert_int_equal(peerlist_count(l), 2);
	peerlist_check(l);
	peerlist_free(&l);
}

/* Full: failures go first, worse sources before better, the oldest of equals; those in use stay. */
static void test_eviction(void **state)
{
	struct endpoint pex = ep("1.0.0.1:1"), failed = ep("1.0.0.2:1"), used = ep("1.0.0.3:1");
	struct endpoint old = ep("1.0.0.4:1"), manual = ep("1.0.0.5:1"), fresh[4];
	struct peerlist_info info;
	struct rng rng;
	struct peerlist *l = new_list(5, &rng, 7);

	(void)state;
	peerlist_add(l, &old, PEER_TRACKER, NOW);
	peerlist_add(l, &pex, PEER_PEX, NOW + SECOND);
	peerlist_add(l, &failed, PEER_MANUAL, NOW + SECOND);
	peerlist_add(l, &used, PEER_PEX, NOW + SECOND);
	peerlist_add(l, &manual, PEER_MANUAL, NOW + SECOND);
	peerlist_dialing(l, &failed);
	peerlist_failed(l, &failed, NOW + SECOND);
	peerlist_dialing(l, &used);
	for (unsigned i = 0; i < 4; i++)
		fresh[i] = ep_n(3 * i + 1);
	assert_int_equal(peerlist_add(l, &fresh[0], PEER_TRACKER, NOW + 2 * SECOND), E_OK);
	assert_false(peerlist_lookup(l, &failed, &info));
	assert_int_equal(peerlist_add(l, &fresh[1], PEER_TRACKER, NOW + 2 * SECOND), E_OK);
	assert_false(peerlist_lookup(l, &pex, &info));
	assert_int_equal(peerlist_add(l, &pex, PEER_PEX, NOW + 2 * SECOND), E_OVERLOAD);
	assert_int_equal(peerlist_add(l, &fresh[2], PEER_TRACKER, NOW + 2 * SECOND), E_OK);
	assert_false(peerlist_lookup(l, &old, &info));
	for (unsigned i = 0; i < 9; i++)
		peerlist_add(l, &fresh[i % 4], PEER_TRACKER, NOW + 3 * SECOND);
	assert_true(peerlist_lookup(l, &manual, &info) && peerlist_lookup(l, &used, &info));
	assert_int_equal(peerlist_count(l), 5);
	peerlist_check(l);
	peerlist_free(&l);
}

static void test_many(void **state)
{
	struct rng rng;
	struct peerlist *l = new_list(100000, &rng, 8);
	struct endpoint e;

	(void)state;
	for (uint32_t i = 0; i < 120000; i++) {
		e = ep_n(i);
		assert_int_equal(peerlist_add(l, &e, PEER_PEX, NOW + i * SECOND / 100), E_OK);
	}
	assert_int_equal(peerlist_count(l), 100000);
	peerlist_check(l);
	for (uint32_t i = 0; i < 50000; i++) {
		assert_true(peerlist_next(l, 2000 * SECOND, &e));
		peerlist_dialing(l, &e);
		peerlist_failed(l, &e, 2000 * SECOND);
	}
	peerlist_check(l);
	peerlist_free(&l);
}

static void step(struct peerlist *l, struct rng *rng, int64_t now)
{
	struct endpoint e = ep_n(rng_below(rng, 60)), by = ep_n(rng_below(rng, 4));

	switch (rng_below(rng, 14)) {
	case 0:
		peerlist_mark_seed(l, &e, rng_below(rng, 2));
		break;
	case 1:
		peerlist_set_seeding(l, rng_below(rng, 2));
		break;
	case 2:
		peerlist_closed(l, &e, rng_below(rng, 2), now);
		break;
	case 3:
		peerlist_failed(l, &e, now);
		break;
	case 4:
		peerlist_connected(l, &e);
		break;
	case 5:
		if (rng_below(rng, 20) == 0)
			peerlist_ban(l, &e);
		break;
	case 6:
		if (peerlist_next(l, now, &e))
			peerlist_dialing(l, &e);
		break;
	case 7:
		if (rng_below(rng, 20) == 0)
			peerlist_set_own(l, &e);
		break;
	case 8:
	case 9:
		(void)peerlist_introduce(l, &e, &by, rng_below(rng, 2), now);
		break;
	case 10:
		if (rng_below(rng, 20) == 0)
			peerlist_forget_sources(l, rng_below(rng, 1u << PEER_SOURCES));
		break;
	case 11:
		peerlist_forget(l, &e);
		break;
	default:
		peerlist_add(l, &e, (enum peer_source)rng_below(rng, PEER_SOURCES), now);
		break;
	}
}

static void test_random_history(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct rng rng;
		struct peerlist *l = new_list(40, &rng, seed);
		int64_t now = NOW;

		for (unsigned i = 0; i < 2000; i++) {
			step(l, &rng, now);
			peerlist_check(l);
			assert_true(peerlist_count(l) <= 40);
			now += rng_below(&rng, 5) * SECOND;
		}
		peerlist_free(&l);
	}
}

static void test_banset(void **state)
{
	struct banset *b = banset_new(1000, 5);
	struct endpoint e;

	(void)state;
	for (uint32_t i = 0; i < 1500; i++) {
		e = ep_n(i);
		assert_false(banset_has(b, &e));
		banset_add(b, &e);
		banset_add(b, &e);
		assert_true(banset_has(b, &e));
		assert_int_equal(banset_count(b), MIN(i + 1, 1000));
	}
	for (uint32_t i = 0; i < 1500; i++) {
		e = ep_n(i);
		e.port = 9;
		assert_int_equal(banset_has(b, &e), i >= 500);
	}
	banset_free(&b);
	assert_null(b);
}

/* Of IPv6 a ban is of the network: one network takes one place, and cannot push others out. */
static void test_banset_v6(void **state)
{
	struct banset *b = banset_new(4, 5);
	uint8_t ip[16] = {0x20, 1, 0xd, 0xb8, 0, 1, 0, 1, 1};
	struct endpoint v4 = ep_n(7), e = endpoint_from_v6(ip, 1);

	(void)state;
	banset_add(b, &v4);
	for (uint32_t i = 0; i < 100; i++) {
		ip[15] = (uint8_t)i;
		e = endpoint_from_v6(ip, 1);
		banset_add(b, &e);
	}
	assert_int_equal(banset_count(b), 2);
	assert_true(banset_has(b, &v4));
	ip[8] = 0xff;
	e = endpoint_from_v6(ip, 2);
	assert_true(banset_has(b, &e));
	ip[7] = 2;
	e = endpoint_from_v6(ip, 1);
	assert_false(banset_has(b, &e));
	v4 = ep_n(8);
	assert_false(banset_has(b, &v4));
	banset_free(&b);
}

/* Whom we left for a reason of our own is dialled again at once, with the failures it had. */
static void test_released(void **state)
{
	struct rng rng;
	struct peerlist *l;
	struct endpoint e = endpoint_from_v4((const uint8_t[]){10, 1, 2, 3}, 6881), next;
	struct peerlist_info info;

	(void)state;
	rng_seed(&rng, 3);
	l = peerlist_new(10, &rng);
	assert_int_equal(peerlist_add(l, &e, PEER_TRACKER, 0), E_OK);
	for (int i = 0; i < 2; i++) {
		peerlist_dialing(l, &e);
		if (i == 1)
			peerlist_connected(l, &e);
		assert_false(peerlist_next(l, 0, &next));
		peerlist_released(l, &e);
		assert_true(peerlist_next(l, 0, &next));
		assert_true(endpoint_equal(&next, &e));
	}
	assert_true(peerlist_lookup(l, &e, &info));
	assert_int_equal(info.failures, 0);
	peerlist_released(l, &e); /* not in use: nothing to do */
	peerlist_check(l);
	peerlist_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_released),
		cmocka_unit_test(test_sources_and_age),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_seeding),
		cmocka_unit_test(test_ban),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_random_history),
		cmocka_unit_test(test_banset),
		cmocka_unit_test(test_banset_v6),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
