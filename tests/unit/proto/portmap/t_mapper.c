/* SPDX-License-Identifier: MIT */
/* Keeping a port open: a gateway of the test's own answers, refuses, forgets and is silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/portmap/mapper.h"

#define SEC USEC_PER_SEC

static const uint8_t our_ip[4] = {192, 168, 1, 7}, outside[4] = {1, 2, 3, 4};

enum speech { SILENT, ONLY_NATPMP, PCP };

/* What is asked of it, and how it answers. */
struct world {
	struct mapper m;
	struct rng rng;
	int64_t now;
	enum speech speech;
	unsigned result;
	uint32_t epoch, lease; /* lease 0: as asked */
	uint16_t taken[PCP_PROTOS];
	uint16_t has[PCP_PROTOS]; /* external ports that are mapped */
	unsigned asked[3];        /* TCP, UDP, address */
	unsigned removed;
	uint16_t suggested;
	uint32_t wanted; /* lease of the last request */
};

static struct world *new_world(enum speech speech)
{
	struct world *w = xcalloc(1, sizeof *w);
	struct mapper_conf conf = {.local = endpoint_from_v4(our_ip, 6681), .lease = 3600};

	rng_seed(&w->rng, 7);
	w->now = 100 * SEC;
	w->speech = speech;
	w->epoch = 5000;
	memcpy(conf.nonce[PCP_TCP], "tcptcptcptcp", PCP_NONCE);
	memcpy(conf.nonce[PCP_UDP], "udpudpudpudp", PCP_NONCE);
	mapper_init(&w->m, &conf, &w->rng, w->now);
	return w;
}

/* The port it gives, which is the one suggested if nobody else has it. */
static uint16_t give(struct world *w, unsigned p, uint16_t suggested, uint32_t lease)
{
	w->suggested = suggested;
	w->wanted = lease;
	if (lease == 0) {
		w->removed++;
		w->has[p] = 0;
		return 0;
	}
	w->asked[p]++;
	if (w->result != 0)
		return 0;
	w->has[p] = suggested == w->taken[p] ? (uint16_t)(suggested + 1000) : suggested;
	return w->has[p];
}

static void put_be(uint8_t *p, uint64_t v, unsigned n)
{
	struct wr w = wr_of(p, n);

	wr_be(&w, v, n);
}

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static size_t answer_pcp(struct world *w, const uint8_t *q, uint8_t *a)
{
	unsigned p = q[36] == 6 ? PCP_TCP : PCP_UDP;
	uint32_t lease = (uint32_t)(be16(q + 4) << 16 | be16(q + 6));

	assert_memory_equal(q + 24, p == PCP_TCP ? "tcptcptcptcp" : "udpudpudpudp", PCP_NONCE);
	memcpy(a, q, PCP_MAP_SIZE);
	a[1] |= 0x80;
	a[3] = (uint8_t)w->result;
	memset(a + 8, 0, 16);
	put_be(a + 8, w->epoch, 4);
	put_be(a + 42, give(w, p, be16(q + 42), lease), 2);
	put_be(a + 4, w->lease != 0 ? w->lease : lease, 4);
	memcpy(a + 56, outside, 4);
	return PCP_MAP_SIZE;
}

static size_t answer_natpmp(struct world *w, const uint8_t *q, size_t n, uint8_t *a)
{
	unsigned p = q[1] == 2 ? PCP_TCP : PCP_UDP;

	memset(a, 0, 16);
	a[1] = 0x80 | q[1];
	put_be(a + 2, w->result, 2);
	put_be(a + 4, w->epoch, 4);
	if (n == NATPMP_ADDRESS_SIZE) {
		w->asked[2]++;
		memcpy(a + 8, outside, 4);
		return 12;
	}
	memcpy(a + 8, q + 4, 2);
	put_be(a + 10, give(w, p, be16(q + 6), (uint32_t)(be16(q + 8) << 16 | be16(q + 10))), 2);
	memcpy(a + 12, q + 8, 4);
	if (w->lease != 0)
		put_be(a + 12, w->lease, 4);
	return 16;
}

static size_t answer(struct world *w, const uint8_t *q, size_t n, uint8_t *a)
{
	if (w->speech == SILENT)
		return 0;
	if (q[0] == 2 && w->speech == ONLY_NATPMP) {
		memcpy(a, "\0\x81\0\1\0\0\0\0", 8);
		return 8;
	}
	return q[0] == 2 ? answer_pcp(w, q, a) : answer_natpmp(w, q, n, a);
}

/* All that is due now is sent and answered; how many datagrams that were. */
static unsigned talk(struct world *w)
{
	uint8_t q[PCP_MAP_SIZE], a[PCP_MAP_SIZE];
	unsigned sent = 0;
	size_t n;

	while ((n = mapper_send(&w->m, w->now, q)) > 0) {
		sent++;
		assert_true(sent < 50);
		n = answer(w, q, n, a);
		if (n > 0)
			mapper_take(&w->m, a, n, w->now);
	}
	assert_true(mapper_deadline(&w->m) > w->now);
	return sent;
}

/* Lets time pass, with all that is due meanwhile. */
static unsigned pass(struct world *w, int64_t us)
{
	int64_t end = w->now + us;
	unsigned sent = talk(w);

	while (mapper_deadline(&w->m) <= end) {
		int64_t at = MAX(mapper_deadline(&w->m), w->now);

		w->epoch += (uint32_t)((at - w->now + SEC / 2) / SEC);
		w->now = at;
		sent += talk(w);
	}
	w->epoch += (uint32_t)((end - w->now + SEC / 2) / SEC);
	w->now = end;
	return sent;
}

static void expect_held(const struct world *w, uint16_t tcp, uint16_t udp)
{
	struct endpoint at = endpoint_from_v4(outside, 0);

	assert_int_equal(w->m.of[PCP_TCP].held, tcp != 0);
	assert_int_equal(w->m.of[PCP_UDP].held, udp != 0);
	if (tcp != 0)
		assert_int_equal(w->m.of[PCP_TCP].external, tcp);
	if (udp != 0)
		assert_int_equal(w->m.of[PCP_UDP].external, udp);
	if (tcp != 0 || udp != 0)
		assert_true(endpoint_same_ip(&w->m.address, &at));
}

static void t_pcp(void **state)
{
	struct world *w = new_world(PCP);

	(void)state;
	assert_int_equal(talk(w), 2);
	expect_held(w, 6681, 6681);
	assert_int_equal(w->m.method, MAPPER_PCP);
	assert_string_equal(mapper_words(&w->m, PCP_TCP), "granted");
	/* Ten minutes, so that a restart is noticed. */
	assert_int_equal(pass(w, 599 * SEC), 0);
	assert_int_equal(pass(w, 2 * SEC), 2);
	expect_held(w, 6681, 6681);
	assert_true(w->m.of[PCP_TCP].until > w->now + 3500 * SEC);
	/* Of a shorter one nothing before half the time, all before 5/8 of it. */
	w->lease = 400;
	pass(w, 600 * SEC);
	assert_int_equal(pass(w, 198 * SEC), 0);
	assert_int_equal(pass(w, 54 * SEC), 2);
	xfree(w);
}

static void t_natpmp_where_there_is_no_pcp(void **state)
{
	struct world *w = new_world(ONLY_NATPMP);

	(void)state;
	assert_int_equal(talk(w), 4); /* PCP, the address, TCP, UDP */
	expect_held(w, 6681, 6681);
	assert_int_equal(w->m.method, MAPPER_NATPMP);
	assert_int_equal(w->asked[2], 1);
	assert_int_equal(pass(w, 599 * SEC), 0);
	assert_int_equal(pass(w, 2 * SEC), 3);
	expect_held(w, 6681, 6681);
	xfree(w);
}

static void t_silence(void **state)
{
	struct world *w = new_world(SILENT);
	unsigned sent = pass(w, 12 * SEC);

	(void)state;
	/* PCP at 0 and 3 s, then NAT-PMP. */
	assert_int_equal(w->m.method, MAPPER_NATPMP);
	assert_true(sent >= 4);
	sent += pass(w, 130 * SEC);
	assert_int_equal(sent, 2 + 9);
	assert_int_equal(w->m.of[PCP_TCP].result, MAPPER_SILENT);
	assert_non_null(strstr(mapper_words(&w->m, PCP_TCP), "does not answer"));
	assert_int_equal(pass(w, 300 * SEC), 0);
	/* Turned on meanwhile. */
	w->speech = PCP;
	pass(w, 400 * SEC);
	expect_held(w, 6681, 6681);
	xfree(w);
}

static void t_retries(void **state)
{
	struct world *w = new_world(PCP);
	uint8_t q[PCP_MAP_SIZE];
	int64_t wait = 0;

	(void)state;
	talk(w);
	w->speech = SILENT;
	w->now = w->m.of[PCP_TCP].due;
	for (unsigned i = 0; i < MAPPER_TRIES; i++) {
		int64_t base = MIN(3 * SEC << i, 1024 * SEC);

		assert_int_equal(mapper_send(&w->m, w->now, q), PCP_MAP_SIZE);
		assert_int_equal(mapper_send(&w->m, w->now, q), 0);
		wait = w->m.send_at - w->now;
		assert_in_range(wait, base - base / 10, base + base / 10);
		w->now = w->m.send_at;
	}
	/* Nothing is held when its time is over, and all begins anew later. */
	assert_int_equal(mapper_send(&w->m, w->now, q), 0);
	w->speech = PCP;
	pass(w, MAPPER_PAUSE + SEC);
	expect_held(w, 6681, 6681);
	xfree(w);
}

static void t_lease_ends(void **state)
{
	struct world *w = new_world(PCP);

	(void)state;
	talk(w);
	w->speech = SILENT;
	pass(w, 3590 * SEC);
	expect_held(w, 6681, 6681);
	pass(w, 20 * SEC);
	expect_held(w, 0, 0);
	xfree(w);
}

static void t_restarted_gateway(void **state)
{
	for (enum speech s = ONLY_NATPMP; s <= PCP; s++) {
		struct world *w = new_world(s);

		pass(w, 100 * SEC);
		memset(w->has, 0, sizeof w->has);
		w->epoch = 3;
		/* Seen in the answer to the first renewal; then both are asked for. */
		pass(w, 2400 * SEC);
		assert_int_equal(w->m.forgotten, 1);
		assert_int_equal(w->has[PCP_TCP], 6681);
		assert_int_equal(w->has[PCP_UDP], 6681);
		expect_held(w, 6681, 6681);
		xfree(w);
	}
	(void)state;
}

static void t_announced_restart(void **state)
{
	uint8_t pcp[24] = {2, 0x80}, natpmp[12] = {0, 0x80};

	(void)state;
	memcpy(natpmp + 8, outside, 4);
	for (enum speech s = ONLY_NATPMP; s <= PCP; s++) {
		struct world *w = new_world(s);
		const uint8_t *say = s == PCP ? pcp : natpmp;
		size_t n = s == PCP ? sizeof pcp : sizeof natpmp;

		pass(w, 100 * SEC);
		memset(w->has, 0, sizeof w->has);
		w->epoch = 0;
		mapper_take(&w->m, say, n, w->now);
		assert_true(mapper_deadline(&w->m) <= w->now);
		talk(w);
		assert_int_equal(w->has[PCP_TCP], 6681);
		assert_int_equal(w->has[PCP_UDP], 6681);
		/* Said again at once, as gateways do, it is known. */
		mapper_take(&w->m, say, n, w->now);
		assert_int_equal(talk(w), 0);
		xfree(w);
	}
}

static void t_other_ports(void **state)
{
	struct world *w = new_world(PCP);

	(void)state;
	/* TCP is another: UDP is asked for the same. */
	w->taken[PCP_TCP] = 6681;
	talk(w);
	expect_held(w, 7681, 7681);
	xfree(w);
	/* UDP is another: TCP moves there. */
	w = new_world(PCP);
	w->taken[PCP_UDP] = 6681;
	talk(w);
	expect_held(w, 7681, 7681);
	assert_int_equal(w->removed, 1);
	xfree(w);
	/* Never the same: both are kept as they are. */
	w = new_world(PCP);
	w->taken[PCP_UDP] = 6681;
	w->taken[PCP_TCP] = 7681;
	talk(w);
	assert_true(w->m.of[PCP_TCP].held && w->m.of[PCP_UDP].held);
	assert_int_equal(pass(w, 500 * SEC), 0);
	xfree(w);
}

/* A lease that is refused its renewal is asked for again where it is, for as long as it runs. */
static void t_renewal_refused(void **state)
{
	struct world *w = new_world(PCP);

	(void)state;
	talk(w);
	expect_held(w, 6681, 6681);
	w->suggested = 0;
	w->result = 11; /* CANNOT_PROVIDE_EXTERNAL */
	pass(w, 1900 * SEC);
	assert_int_equal(w->suggested, 6681);
	assert_true(w->m.of[PCP_TCP].held);
	w->result = 0;
	pass(w, 400 * SEC);
	expect_held(w, 6681, 6681);
	xfree(w);
}

/* The gateway gives another port when it is renewed. */
static void t_port_changes(void **state)
{
	struct world *w = new_world(ONLY_NATPMP);

	(void)state;
	talk(w);
	w->taken[PCP_TCP] = w->taken[PCP_UDP] = 6681;
	pass(w, 1900 * SEC);
	expect_held(w, 7681, 7681);
	xfree(w);
}

static const struct refusal {
	unsigned result;
	uint32_t lease;
	int64_t least, most; /* seconds until it is asked again */
} refusals[] = {
	{2, 1800, 1800, 1800},
	{3, 60, 60, 60},
	{4, 99999, 1800, 1800},
	{5, 1, 30, 30},
	{6, 60, 60, 60},
	{7, 60, 60, 60},
	{8, 300, 300, 300},
	{9, 60, 60, 60},
	{10, 60, 60, 60},
	{11, 60, 30, 60}, /* after other ports were tried at once */
	{12, 60, 86400, 86400},
	{13, 60, 60, 60},
	{200, 60, 60, 60},
};

static void t_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct world *w = new_world(PCP);
		int64_t at;

		w->result = refusals[i].result;
		w->lease = refusals[i].lease;
		talk(w);
		expect_held(w, 0, 0);
		at = (mapper_deadline(&w->m) - w->now) / SEC;
		if (at < refusals[i].least || at > refusals[i].most)
			fail_msg("result %u: after %d s", refusals[i].result, (int)at);
		assert_string_equal(mapper_words(&w->m, PCP_TCP), pcp_words(w->result));
		assert_int_equal(w->asked[PCP_TCP], w->result == 11 ? 3 : 1);
		/* Allowed meanwhile. */
		w->result = 0;
		w->lease = 0;
		pass(w, refusals[i].most * SEC + SEC);
		assert_true(w->m.of[PCP_TCP].held);
		xfree(w);
	}
}

static void t_refused_renewal_keeps_the_lease(void **state)
{
	struct world *w = new_world(ONLY_NATPMP);

	(void)state;
	talk(w);
	w->result = 2;
	pass(w, 2000 * SEC);
	expect_held(w, 6681, 6681);
	assert_string_equal(mapper_words(&w->m, PCP_UDP), natpmp_words(2));
	pass(w, 1700 * SEC);
	expect_held(w, 0, 0);
	xfree(w);
}

static void t_wrong_answers_change_nothing(void **state)
{
	uint8_t q[PCP_MAP_SIZE], good[PCP_MAP_SIZE], bad[PCP_MAP_SIZE];
	struct world *w = new_world(PCP);
	static const unsigned at[] = {0, 1, 24, 35, 36, 40, 41};

	(void)state;
	assert_int_equal(mapper_send(&w->m, w->now, q), PCP_MAP_SIZE);
	answer(w, q, PCP_MAP_SIZE, good);
	for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
		memcpy(bad, good, sizeof bad);
		bad[at[i]] ^= 1;
		mapper_take(&w->m, bad, sizeof bad, w->now);
		expect_held(w, 0, 0);
		assert_int_equal(w->m.op, MAPPER_ASK);
	}
	mapper_take(&w->m, (const uint8_t *)"\0\x82\0\0\0\0\1\0\x1a\x19\x1b\x59\0\0\x0e\x10", 16,
		w->now);
	expect_held(w, 0, 0);
	mapper_take(&w->m, good, sizeof good, w->now);
	assert_true(w->m.of[PCP_TCP].held);
	/* Said twice. */
	mapper_take(&w->m, good, sizeof good, w->now);
	assert_int_equal(mapper_send(&w->m, w->now, q), PCP_MAP_SIZE);
	assert_int_equal(q[36], 17);
	xfree(w);
}

static void t_stop(void **state)
{
	for (enum speech s = ONLY_NATPMP; s <= PCP; s++) {
		struct world *w = new_world(s);

		talk(w);
		mapper_stop(&w->m);
		assert_false(mapper_released(&w->m));
		assert_int_equal(talk(w), 2);
		assert_int_equal(w->removed, 2);
		assert_int_equal(w->wanted, 0);
		assert_true(mapper_released(&w->m));
		assert_int_equal(pass(w, 9999 * SEC), 0);
		xfree(w);
	}
	/* A gateway that has gone silent is asked thrice, then left. */
	struct world *w = new_world(PCP);

	talk(w);
	w->speech = SILENT;
	mapper_stop(&w->m);
	assert_int_equal(pass(w, 10 * SEC), 6);
	assert_true(mapper_released(&w->m));
	xfree(w);
	/* Nothing was ever granted: nothing is taken away. */
	w = new_world(SILENT);
	talk(w);
	mapper_stop(&w->m);
	assert_true(mapper_released(&w->m));
	xfree(w);
	(void)state;
}

static void t_farewell(void **state)
{
	struct world *w = new_world(PCP);
	uint8_t q[PCP_MAP_SIZE], a[PCP_MAP_SIZE];

	(void)state;
	assert_int_equal(mapper_farewell(&w->m, PCP_TCP, q), 0);
	talk(w);
	for (unsigned p = 0; p < PCP_PROTOS; p++)
		answer(w, q, mapper_farewell(&w->m, (enum pcp_proto)p, q), a);
	assert_int_equal(w->removed, 2);
	xfree(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_pcp),
		cmocka_unit_test(t_natpmp_where_there_is_no_pcp),
		cmocka_unit_test(t_silence),
		cmocka_unit_test(t_retries),
		cmocka_unit_test(t_lease_ends),
		cmocka_unit_test(t_restarted_gateway),
		cmocka_unit_test(t_announced_restart),
		cmocka_unit_test(t_other_ports),
		cmocka_unit_test(t_renewal_refused),
		cmocka_unit_test(t_port_changes),
		cmocka_unit_test(t_refusals),
		cmocka_unit_test(t_refused_renewal_keeps_the_lease),
		cmocka_unit_test(t_wrong_answers_change_nothing),
		cmocka_unit_test(t_stop),
		cmocka_unit_test(t_farewell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
