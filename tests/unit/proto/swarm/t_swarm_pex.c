/* SPDX-License-Identifier: MIT */
/*
 * Peer exchange in a swarm: who is told of whom, when, and how much of what they say is kept.
 *
 * A crowd of peers that say nothing by themselves; what a swarm says to one of them is read out of
 * its buffer as the other side would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/swarm/priv.h"
#include "proto/wire/pex.h"

#define SECOND INT64_C(1000000)
#define CROWD  320u
#define PIECES 8u
#define HIS_ID 9 /* what the peers call ut_pex */
#define OUR_ID 1 /* what we do */

static struct crowd {
	struct swarm *swarm;
	struct rng rng;
	struct swarm_peer *peer[CROWD];
	int64_t now;
} crowd;

static void wake(void *conn)
{
	(void)conn;
}

static void credit(void *owner, unsigned n)
{
	(void)owner, (void)n;
}

static bool claim(void *owner)
{
	(void)owner;
	return false;
}

static const struct swarm_ops ops = {.wake = wake, .credit = credit, .claim = claim};

static struct endpoint ep(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, &e), E_OK);
	return e;
}

/* Where the i-th of many lives: every third one by IPv6. */
static struct endpoint ep_n(unsigned i)
{
	uint8_t v4[4] = {77, 1, (uint8_t)(i >> 8), (uint8_t)i};
	uint8_t v6[16] = {0x20, 1, 0x48, 0x60, 1, 1, (uint8_t)(i >> 8), (uint8_t)i, 9};

	return i % 3 == 2 ? endpoint_from_v6(v6, 6881) : endpoint_from_v4(v4, 6881);
}

static int setup(void **state)
{
	static const uint8_t infohash[20] = {5, 5, 5};
	struct layout l = layout_of((uint64_t)PIECES * BLOCK_SIZE, BLOCK_SIZE);
	struct swarm_config config = {.max_requests = 40,
		.max_served = 100,
		.upload_slots = 3,
		.version = "test 1",
		.request_timeout = 60 * SECOND};

	(void)state;
	memset(&crowd, 0, sizeof crowd);
	crowd.now = 1000 * SECOND;
	rng_seed(&crowd.rng, 11);
	crowd.swarm = swarm_new(&l, infohash, &config, &ops, NULL, &crowd.rng, crowd.now);
	swarm_gossip(crowd.swarm, true);
	return 0;
}

static void leave(unsigned i)
{
	swarm_leave(&crowd.peer[i], crowd.now);
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CROWD; i++)
		if (crowd.peer[i] != NULL)
			leave(i);
	peerlist_check(crowd.swarm->candidates);
	swarm_free(&crowd.swarm);
	return 0;
}

static enum err say(unsigned i, uint8_t id, const void *p, size_t n)
{
	struct wire_ev ev = {.type = WIRE_EXTENDED, .id = id, .payload = {p, n}};

	return swarm_event(crowd.peer[i], &ev, crowd.now);
}

static void say_text(unsigned i, const char *handshake)
{
	assert_int_equal(say(i, 0, handshake, strlen(handshake)), E_OK);
}

static void clear(unsigned i)
{
	outbuf_sent(&crowd.peer[i]->out, outbuf_len(&crowd.peer[i]->out));
}

static void join_at(unsigned i, const struct endpoint *at, bool incoming)
{
	uint8_t id[20] = {(uint8_t)(i >> 8), (uint8_t)i};
	struct wire_ev none = {.type = WIRE_HAVE_NONE};

	crowd.peer[i] = swarm_join(crowd.swarm, NULL, at, id,
		(struct swarm_caps){.fast = true, .extended = true}, incoming, crowd.now);
	assert_int_equal(swarm_event(crowd.peer[i], &none, crowd.now), E_OK);
	clear(i);
}

static void join(unsigned i)
{
	struct endpoint at = ep_n(i);

	join_at(i, &at, false);
}

/* It offers the message. */
static void listen_to(unsigned i)
{
	say_text(i, "d1:md6:ut_pexi9eee");
	clear(i);
}

/* The next message of that kind in what we say to it, taken out of it; false: there is none. */
static bool heard(unsigned i, struct pex_message *m)
{
	const uint8_t *at = outbuf_data(&crowd.peer[i]->out);
	size_t n = outbuf_len(&crowd.peer[i]->out);
	bool found = false;

	for (size_t k = 0; k + 4 < n;) {
		uint32_t len = (uint32_t)at[k] << 24 | (uint32_t)at[k + 1] << 16 |
			       (uint32_t)at[k + 2] << 8 | at[k + 3];

		if (len > 2 && at[k + 4] == 20 && at[k + 5] == HIS_ID) {
			assert_false(found);
			found = true;
			assert_int_equal(pex_parse((struct slice){at + k + 6, len - 2}, m), E_OK);
		}
		k += 4 + len;
	}
	clear(i);
	return found;
}

static void tick(int64_t seconds)
{
	crowd.now += seconds * SECOND;
	swarm_tick(crowd.swarm, crowd.now);
}

/* Seconds until peer i hears something, each of them a tick; at most `most`. */
static int64_t wait_for(unsigned i, int64_t most, struct pex_message *m)
{
	for (int64_t s = 1; s <= most; s++) {
		tick(1);
		if (heard(i, m))
			return s;
	}
	return -1;
}

static bool names(const struct pex_message *m, const struct endpoint *e, uint8_t *flags)
{
	for (uint32_t i = 0; i < m->added_n; i++)
		if (endpoint_equal(&m->added[i].at, e)) {
			*flags = m->added[i].flags;
			return true;
		}
	return false;
}

static bool drops(const struct pex_message *m, const struct endpoint *e)
{
	for (uint32_t i = 0; i < m->dropped_n; i++)
		if (endpoint_equal(&m->dropped[i], e))
			return true;
	return false;
}

static void test_first_then_changes(void **state)
{
	struct pex_message m;
	struct endpoint e;
	uint8_t flags;

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		join(i);
	listen_to(0);
	tick(1);
	assert_true(heard(0, &m)); /* the first comes at once, and names all others */
	assert_int_equal(m.added_n, 5);
	assert_int_equal(m.dropped_n, 0);
	e = ep_n(0);
	assert_false(names(&m, &e, &flags));
	e = ep_n(3);
	assert_true(names(&m, &e, &flags) && flags == PEX_REACHABLE);
	/* Nothing new is not said. */
	assert_int_equal(wait_for(0, 200, &m), -1);
	join(6);
	leave(2);
	assert_int_equal(wait_for(0, 2, &m), 1); /* it has been quiet for long */
	e = ep_n(6);
	assert_true(m.added_n == 1 && names(&m, &e, &flags));
	e = ep_n(2);
	assert_true(m.dropped_n == 1 && drops(&m, &e));
	/* Who has come and gone meanwhile was never here, who went and came back always. */
	join(7);
	leave(3);
	tick(1);
	leave(7);
	join(3);
	assert_int_equal(wait_for(0, 200, &m), -1);
	leave(3);
	assert_int_equal(wait_for(0, 200, &m), 1);
	e = ep_n(3);
	assert_true(m.added_n == 0 && m.dropped_n == 1 && drops(&m, &e));
}

/*
 * Others end the connection when two messages come less than 60 s apart by their clock.  Ours leave
 * at least 65 s apart, so the way may delay the first by five seconds more than the next.
 */
static void test_interval(void **state)
{
	const int64_t guard = 60, delay = 5;
	struct pex_message m;
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	join(0);
	join(1);
	listen_to(0);
	tick(1);
	assert_true(heard(0, &m));
	for (unsigned i = 2; i < 60; i++) {
		int64_t gap;

		join(i);
		gap = wait_for(0, 200, &m);
		least = MIN(least, gap);
		most = MAX(most, gap);
		leave(i);
	}
	assert_true(least - delay >= guard);
	assert_true(least >= 62 && most <= 72);
}

/* What waits behind other things would come late, and the next one too soon after it. */
static void test_waits_for_the_line(void **state)
{
	struct pex_message m;

	(void)state;
	join(0);
	join(1);
	listen_to(0);
	swarm_gossip(crowd.swarm, false); /* something to be said: a handshake */
	swarm_gossip(crowd.swarm, true);
	assert_true(outbuf_len(&crowd.peer[0]->out) > 0);
	tick(1);
	assert_false(heard(0, &m));
	tick(1);
	assert_true(heard(0, &m));
}

static void test_fifty(void **state)
{
	bool known[CROWD] = {false};
	struct pex_message m;
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 181; i++)
		join(i);
	listen_to(0);
	/* All are named in the end, each once, fifty at a time. */
	for (unsigned round = 0; round < 4; round++) {
		assert_true(wait_for(0, 80, &m) > 0);
		assert_true(m.added_n <= PEX_MAX && m.dropped_n == 0);
		for (unsigned i = 1; i < 181; i++) {
			struct endpoint e = ep_n(i);
			uint8_t flags;

			if (!names(&m, &e, &flags))
				continue;
			assert_false(known[i]);
			known[i] = true;
			n++;
		}
	}
	assert_int_equal(n, 180);
	assert_int_equal(wait_for(0, 80, &m), -1);
	/* More than the log reaches: who is there is told, and nobody twice. */
	for (unsigned i = 1; i < 181; i++)
		leave(i);
	for (unsigned i = 181; i < 300; i++)
		join(i);
	n = 0;
	while (wait_for(0, 80, &m) > 0) {
		assert_true(m.added_n <= PEX_MAX && m.dropped_n <= PEX_MAX);
		n += m.added_n;
	}
	assert_int_equal(n, 119);
	/* Of more than it remembers it is told once, and not of the forgotten ones again. */
	for (unsigned i = 1; i < 181; i++)
		join(i);
	listen_to(181);
	for (n = 0; n < CROWD && wait_for(181, 80, &m) > 0;)
		n += m.added_n;
	assert_int_equal(n, 200);
}

struct who {
	const char *at;
	bool incoming;
	const char *says;  /* its handshake; NULL: none */
	const char *named; /* as; NULL: not at all */
	uint8_t flags;
};

static const struct who who[] = {
	{"8.8.1.1:6881", false, NULL, "8.8.1.1:6881", PEX_REACHABLE},
	{"8.8.1.2:6881", false, "d11:upload_onlyi1ee", "8.8.1.2:6881", PEX_REACHABLE | PEX_SEED},
	{"8.8.1.3:6881", false, "d1:ei1ee", "8.8.1.3:6881", PEX_REACHABLE | PEX_ENCRYPTION},
	{"8.8.1.4:40000", true, NULL, NULL, 0},
	{"8.8.1.5:40000", true, "d1:pi6889ee", "8.8.1.5:6889", 0},
	{"[2001:4860::7]:40000", true, "d1:pi6889ee", "[2001:4860::7]:6889", 0},
	{"192.168.7.7:6881", false, NULL, NULL, 0}, {"[fd00::7]:6881", false, NULL, NULL, 0},
	{"127.0.0.1:6881", false, NULL, NULL, 0},
	{"198.51.100.9:6881", false, NULL, NULL, 0}, /* nobody's */
};

static void test_who_is_named(void **state)
{
	struct endpoint far = ep("9.9.9.9:9999"), near = ep("10.0.0.9:9999");
	struct pex_message m;
	uint8_t flags;

	(void)state;
	join_at(100, &far, false);
	listen_to(100);
	join_at(101, &near, false);
	listen_to(101);
	for (unsigned i = 0; i < ARRAY_LEN(who); i++) {
		struct endpoint at = ep(who[i].at);

		join_at(i, &at, who[i].incoming);
		if (who[i].says != NULL)
			say_text(i, who[i].says);
		clear(i);
	}
	tick(6);
	assert_true(heard(100, &m));
	for (unsigned i = 0; i < ARRAY_LEN(who); i++) {
		struct endpoint e = ep(who[i].named != NULL ? who[i].named : who[i].at);

		flags = 0;
		if (names(&m, &e, &flags) != (who[i].named != NULL) || flags != who[i].flags)
			fail_msg("%s", who[i].at);
	}
	assert_false(names(&m, &near, &flags));
	/* Who is in the network itself hears of it, too. */
	assert_true(heard(101, &m));
	for (unsigned i = 6; i <= 8; i++) {
		struct endpoint e = ep(who[i].at);

		assert_true(names(&m, &e, &flags));
	}
	assert_false(names(&m, &near, &flags));
	assert_true(names(&m, &far, &flags));
}

static void test_banned_and_unreachable(void **state)
{
	struct endpoint in = ep("8.8.1.5:40000"), reach = ep("8.8.1.5:6889");
	struct pex_message m;
	struct endpoint e;
	uint8_t flags;

	(void)state;
	/* Where it says it listens nobody answered. */
	peerlist_add(crowd.swarm->candidates, &reach, PEER_TRACKER, crowd.now);
	peerlist_dialing(crowd.swarm->candidates, &reach);
	peerlist_failed(crowd.swarm->candidates, &reach, crowd.now);
	join_at(9, &in, true);
	say_text(9, "d1:pi6889ee");
	for (unsigned i = 0; i < 4; i++)
		join(i);
	listen_to(0);
	tick(6);
	assert_true(heard(0, &m));
	assert_int_equal(m.added_n, 3);
	assert_false(names(&m, &reach, &flags));
	/* Who lied is not even gone: some dial whom they hear to be. */
	e = ep_n(2);
	peerlist_ban(crowd.swarm->candidates, &e);
	leave(2);
	leave(3);
	assert_true(wait_for(0, 80, &m) > 0);
	assert_int_equal(m.dropped_n, 1);
	assert_false(drops(&m, &e));
}

/* A message that names addresses [from, from + n) of a network of their own. */
static size_t make(uint8_t *bytes, size_t room, unsigned from, unsigned n)
{
	struct pex_message m = {.added_n = n};
	struct wr w = wr_of(bytes, room);

	for (unsigned i = 0; i < n; i++) {
		uint8_t ip[4] = {88, 1, (uint8_t)((from + i) >> 8), (uint8_t)(from + i)};

		m.added[i].at = endpoint_from_v4(ip, 6881);
	}
	pex_build(&w, &m);
	assert_false(w.full);
	return (size_t)(w.p - bytes);
}

static enum err tell(unsigned i, unsigned from, unsigned n)
{
	uint8_t bytes[PEX_BUILD_MAX];
	size_t size = make(bytes, sizeof bytes, from, n);

	return say(i, OUR_ID, bytes, size);
}

static void test_taken(void **state)
{
	struct peerlist *list = crowd.swarm->candidates;
	struct peerlist_info info;
	struct endpoint e = ep("88.1.0.5:6881");

	(void)state;
	join(0);
	assert_int_equal(tell(0, 0, 50), E_OK);
	assert_int_equal(peerlist_candidates(list), 50);
	assert_true(peerlist_lookup(list, &e, &info) && info.sources == 1 << PEER_PEX);
	/* Too soon: not looked at. */
	crowd.now += 44 * SECOND;
	assert_int_equal(tell(0, 50, 50), E_OK);
	assert_int_equal(peerlist_candidates(list), 50);
	crowd.now += SECOND;
	assert_int_equal(tell(0, 50, 50), E_OK);
	assert_int_equal(peerlist_candidates(list), 100);
	/* One peer's share is bounded, however long it talks. */
	for (unsigned i = 2; i < 20; i++) {
		crowd.now += 60 * SECOND;
		assert_int_equal(tell(0, 50 * i, 50), E_OK);
	}
	assert_int_equal(peerlist_candidates(list), PEERLIST_INTRODUCED_MAX);
}

static void test_flood(void **state)
{
	(void)state;
	join(0);
	join(1);
	assert_int_equal(tell(0, 0, 1), E_OK);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(tell(0, i, 1), E_OK);
	assert_int_equal(tell(0, 9, 1), E_PROTOCOL);
	/* Noise is no better. */
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(say(1, OUR_ID, "xx", 2), E_OK);
	assert_int_equal(say(1, OUR_ID, "xx", 2), E_PROTOCOL);
}

/* Which addresses are taken from whom; with and without peers.allow_local. */
static const struct {
	const char *by;
	bool incoming;
	const char *at;
	bool strict, local;
} taken[] = {
	{"9.9.9.9:1", false, "8.8.8.8:6881", true, true},
	{"9.9.9.9:1", false, "8.8.8.8:22", false, true},
	{"9.9.9.9:1", false, "192.168.1.1:6881", false, false},
	{"9.9.9.9:1", false, "[fe80::1]:6881", false, false},
	{"9.9.9.9:1", false, "127.0.0.1:6881", false, false},
	{"9.9.9.9:1", false, "198.51.100.1:6881", false, false},
	{"192.168.1.9:1", false, "192.168.1.1:6881", true, true},
	{"192.168.1.9:1", false, "192.168.1.1:22", false, true},
	{"192.168.1.9:1", true, "192.168.1.1:6881", false, true},
	{"192.168.1.9:1", false, "127.0.0.1:6881", false, false},
	{"127.0.0.1:1", false, "127.0.0.1:6881", false, true},
};

static void test_near_and_far(void **state)
{
	(void)state;
	teardown(NULL);
	for (unsigned i = 0; i < ARRAY_LEN(taken); i++)
		for (unsigned local = 0; local < 2; local++) {
			struct endpoint by = ep(taken[i].by), e = ep(taken[i].at);
			struct pex_message m = {.added_n = 1, .added = {{.at = e}}};
			struct peerlist_info info;
			uint8_t bytes[PEX_BUILD_MAX];
			struct wr w = wr_of(bytes, sizeof bytes);

			setup(NULL);
			crowd.swarm->config.allow_local = local;
			join_at(0, &by, taken[i].incoming);
			pex_build(&w, &m);
			assert_int_equal(say(0, OUR_ID, bytes, (size_t)(w.p - bytes)), E_OK);
			if (peerlist_lookup(crowd.swarm->candidates, &e, &info) !=
				(local ? taken[i].local : taken[i].strict))
				fail_msg("%s by %s, %u", taken[i].at, taken[i].by, local);
			teardown(NULL);
		}
	setup(NULL);
}

static unsigned count_named(unsigned i, const char *text)
{
	const uint8_t *at = outbuf_data(&crowd.peer[i]->out);
	size_t n = outbuf_len(&crowd.peer[i]->out);
	bool found = memmem(at, n, text, strlen(text)) != NULL;

	clear(i);
	return found;
}

/* A swarm that must not gossip says nothing, offers nothing and believes nothing. */
static void test_silent(void **state)
{
	struct pex_message m;

	(void)state;
	join(0);
	join(1);
	listen_to(0);
	tick(1);
	assert_true(heard(0, &m));
	swarm_gossip(crowd.swarm, false);
	assert_true(count_named(0, "6:ut_pexi0e")); /* withdrawn */
	join(2);
	leave(1);
	for (unsigned i = 0; i < 200; i++) {
		tick(1);
		assert_false(heard(0, &m));
	}
	assert_int_equal(tell(0, 0, 50), E_OK);
	assert_int_equal(peerlist_candidates(crowd.swarm->candidates), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(tell(0, 0, 50), E_OK); /* it may not have heard yet */
	/* It may again: from the beginning, as to a new one. */
	swarm_gossip(crowd.swarm, true);
	assert_true(count_named(0, "6:ut_pexi1e"));
	tick(1);
	assert_true(heard(0, &m));
	assert_int_equal(m.added_n, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_then_changes),
		TEST(test_interval),
		TEST(test_waits_for_the_line),
		TEST(test_fifty),
		TEST(test_who_is_named),
		TEST(test_banned_and_unreachable),
		TEST(test_taken),
		TEST(test_flood),
		TEST(test_near_and_far),
		TEST(test_silent),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
