/* SPDX-License-Identifier: MIT */
/* The datagrams of PCP and NAT-PMP, the epoch, and that every result has words of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rng.h"
#include "proto/portmap/igd.h"
#include "proto/portmap/pcp.h"

#define SEC INT64_C(1000000)

static const uint8_t our_ip[4] = {192, 168, 1, 7};

static struct pcp_ask ask_of(enum pcp_proto proto, uint32_t lease)
{
	struct pcp_ask a = {.local = endpoint_from_v4(our_ip, 6681),
		.proto = proto,
		.external = 7000,
		.lease = lease};

	memcpy(a.nonce, "abcdefghijkl", PCP_NONCE);
	return a;
}

static void t_pcp_request(void **state)
{
	static const uint8_t wanted[PCP_MAP_SIZE] = "\2\1\0\0\0\0\x0e\x10"
						    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\xa8\1\7"
						    "abcdefghijkl"
						    "\x11\0\0\0\x1a\x19\x1b\x58"
						    "\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0";
	struct pcp_ask ask = ask_of(PCP_UDP, 3600);
	uint8_t out[PCP_MAP_SIZE];
	struct wr w = wr_of(out, sizeof out);

	(void)state;
	pcp_map_encode(&w, &ask);
	assert_true(!w.full && w.p == w.end);
	assert_memory_equal(out, wanted, sizeof wanted);
	/* Taken away: neither time nor a suggestion. */
	ask = ask_of(PCP_TCP, 0);
	w = wr_of(out, sizeof out);
	pcp_map_encode(&w, &ask);
	assert_memory_equal(out + 4, "\0\0\0\0", 4);
	assert_int_equal(out[36], 6);
	assert_memory_equal(out + 42, "\0\0", 2);
}

static void t_natpmp_request(void **state)
{
	struct pcp_ask ask = ask_of(PCP_TCP, 7200);
	uint8_t out[NATPMP_MAP_SIZE], two[NATPMP_ADDRESS_SIZE];
	struct wr w = wr_of(out, sizeof out);

	(void)state;
	natpmp_map_encode(&w, &ask);
	assert_true(!w.full && w.p == w.end);
	assert_memory_equal(out, "\0\2\0\0\x1a\x19\x1b\x58\0\0\x1c\x20", sizeof out);
	ask = ask_of(PCP_UDP, 0);
	w = wr_of(out, sizeof out);
	natpmp_map_encode(&w, &ask);
	assert_memory_equal(out, "\0\1\0\0\x1a\x19\0\0\0\0\0\0", sizeof out);
	w = wr_of(two, sizeof two);
	natpmp_address_encode(&w);
	assert_true(!w.full && w.p == w.end);
	assert_memory_equal(two, "\0\0", 2);
}

#define MAP_HEAD(result) "\2\x81\0" result "\0\0\x0e\x10\0\0\1\0" ZERO12
#define ZERO12           "\0\0\0\0\0\0\0\0\0\0\0\0"
#define MAP_TAIL(proto)                                                                            \
	"abcdefghijkl" proto "\0\0\0\x1a\x19\x1b\x59\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4"

static const struct answer_case {
	const char *name, *bytes;
	size_t n;
	enum pcp_kind kind;
	unsigned result;
} answers[] = {
	{"granted", MAP_HEAD("\0") MAP_TAIL("\6"), 60, PCP_MAP, 0},
	{"refused", MAP_HEAD("\2") MAP_TAIL("\x11"), 60, PCP_MAP, 2},
	{"an option behind it", MAP_HEAD("\0") MAP_TAIL("\6") "\x7f\0\0\4wxyz", 68, PCP_MAP, 0},
	{"a request", "\2\1\0\0\0\0\x0e\x10\0\0\1\0" ZERO12 MAP_TAIL("\6"), 60, PCP_NONE, 0},
	{"cut", MAP_HEAD("\0") MAP_TAIL("\6"), 56, PCP_NONE, 0},
	{"no multiple of four", MAP_HEAD("\0") MAP_TAIL("\6") "x", 61, PCP_NONE, 0},
	{"SCTP", MAP_HEAD("\0") MAP_TAIL("\x84"), 60, PCP_NONE, 0},
	{"PEER", "\2\x82\0\0\0\0\x0e\x10\0\0\1\0" ZERO12 MAP_TAIL("\6"), 60, PCP_NONE, 0},
	{"another version", "\3\x81\0\1\0\0\0\0\0\0\1\0" ZERO12, 24, PCP_VERSION, 1},
	{"version 2 says that it is none", MAP_HEAD("\1"), 24, PCP_VERSION, 1},
	{"NAT-PMP answers PCP", "\0\x81\0\1\0\0\1\0", 8, PCP_VERSION, 1},
	{"a restart", "\2\x80\0\0\0\0\0\0\0\0\0\5" ZERO12, 24, PCP_RESTART, 0},
	{"NAT-PMP: address", "\0\x80\0\0\0\0\1\0\1\2\3\4", 12, NATPMP_ADDRESS, 0},
	{"NAT-PMP: no address now", "\0\x80\0\3\0\0\1\0\0\0\0\0", 12, NATPMP_ADDRESS, 3},
	{"NAT-PMP: refused in 8 bytes", "\0\x80\0\2\0\0\1\0", 8, NATPMP_ADDRESS, 2},
	{"NAT-PMP: address, cut", "\0\x80\0\0\0\0\1\0\1\2\3", 11, PCP_NONE, 0},
	{"NAT-PMP: UDP", "\0\x81\0\0\0\0\1\0\x1a\x19\x1b\x59\0\0\x0e\x10", 16, NATPMP_MAP, 0},
	{"NAT-PMP: TCP", "\0\x82\0\0\0\0\1\0\x1a\x19\x1b\x59\0\0\x0e\x10", 16, NATPMP_MAP, 0},
	{"NAT-PMP: no room", "\0\x82\0\4\0\0\1\0\x1a\x19\0\0\0\0\0\0", 16, NATPMP_MAP, 4},
	{"NAT-PMP: cut", "\0\x82\0\0\0\0\1\0\x1a\x19\x1b\x59\0\0\x0e", 15, PCP_NONE, 0},
	{"NAT-PMP: unknown", "\0\x83\0\0\0\0\1\0\x1a\x19\x1b\x59\0\0\x0e\x10", 16, PCP_NONE, 0},
	{"nothing", "", 0, PCP_NONE, 0},
	{"one byte", "\2", 1, PCP_NONE, 0},
};

static void t_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct answer_case *c = &answers[i];
		uint8_t *exact = xmemdup(c->bytes, c->n); /* for the sanitizers */
		struct pcp_answer a;

		pcp_decode(exact, c->n, &a);
		if (a.kind != c->kind || a.result != c->result)
			fail_msg("%s: kind %d, result %u", c->name, a.kind, a.result);
		xfree(exact);
	}
}

static void t_answer_fields(void **state)
{
	static const uint8_t outside[4] = {1, 2, 3, 4};
	struct endpoint at = endpoint_from_v4(outside, 0);
	struct pcp_answer a;

	(void)state;
	pcp_decode((const uint8_t *)answers[0].bytes, 60, &a);
	assert_int_equal(a.lease, 3600);
	assert_int_equal(a.epoch, 256);
	assert_int_equal(a.proto, PCP_TCP);
	assert_int_equal(a.internal, 6681);
	assert_int_equal(a.external, 7001);
	assert_true(endpoint_equal(&a.address, &at));
	assert_memory_equal(a.nonce, "abcdefghijkl", PCP_NONCE);
	pcp_decode((const uint8_t *)"\0\x82\0\0\0\0\1\0\x1a\x19\x1b\x59\0\0\x0e\x10", 16, &a);
	assert_int_equal(a.proto, PCP_TCP);
	assert_int_equal(a.internal, 6681);
	assert_int_equal(a.external, 7001);
	assert_int_equal(a.lease, 3600);
	pcp_decode((const uint8_t *)"\0\x80\0\0\0\0\1\0\1\2\3\4", 12, &a);
	assert_true(endpoint_equal(&a.address, &at));
}

static const struct epoch_case {
	const char *name;
	int64_t passed; /* s */
	int64_t told;   /* s more than before */
	bool pcp, natpmp;
} epochs[] = {
	{"as it should be", 1000, 1000, true, true},
	{"a second back", 0, -1, true, true},
	{"two seconds back", 0, -2, false, true},
	{"three seconds back", 0, -3, false, false},
	{"restarted", 1000, -5000, false, false},
	{"a slow clock there", 1600, 1500, true, true},
	{"too slow for PCP", 1600, 1450, false, true},
	{"too slow for both", 1600, 1390, false, false},
	{"a fast clock there", 1500, 1600, true, true},
	{"too fast for PCP", 1400, 1600, false, true},
};

static void t_epoch(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(epochs); i++)
		for (unsigned natpmp = 0; natpmp < 2; natpmp++) {
			struct pcp_epoch e = {0};
			const struct epoch_case *c = &epochs[i];

			assert_true(pcp_epoch_fits(&e, 10000, natpmp, 5 * SEC));
			if (pcp_epoch_fits(&e, (uint32_t)(10000 + c->told), natpmp,
				    (5 + c->passed) * SEC) != (natpmp ? c->natpmp : c->pcp))
				fail_msg("%s, NAT-PMP %u", c->name, natpmp);
			/* From then on the new one counts. */
			assert_true(pcp_epoch_fits(&e, (uint32_t)(10000 + c->told + 7), natpmp,
				(5 + c->passed + 7) * SEC));
		}
}

static void t_words(void **state)
{
	const char *unknown = pcp_words(99);

	(void)state;
	for (unsigned r = 0; r <= 13; r++) {
		assert_string_not_equal(pcp_words(r), unknown);
		for (unsigned s = 0; s < r; s++)
			assert_string_not_equal(pcp_words(r), pcp_words(s));
	}
	assert_string_equal(pcp_words(14), unknown);
	for (unsigned r = 0; r <= 5; r++)
		assert_string_not_equal(natpmp_words(r), unknown);
	assert_string_equal(natpmp_words(6), unknown);
}

/* --- UPnP's ladder --- */

static const struct igd_case {
	const char *name;
	int errors[8];  /* one after the other, 0: the end */
	uint32_t lease; /* asked for at last */
	bool same_port, gave_up;
} ladders[] = {
	{"a lease of ours", {0}, 3600, true, false},
	{"for ever alone", {725}, 0, true, false},
	{"for ever alone, and not that", {725, 725}, 0, true, true},
	{"no time is right, then a week", {725, 402}, IGD_WEEK, true, false},
	{"402 at once", {402}, 0, true, false},
	{"402 and 402", {402, 402}, IGD_WEEK, true, false},
	{"402 for all", {402, 402, 402}, 3600, true, false},
	{"402 for ever", {402, 402, 402, 402}, 3600, true, true},
	{"taken", {718}, 3600, false, false},
	{"501 means taken", {501}, 3600, false, false},
	{"taken by another way", {729}, 3600, false, false},
	{"taken four times", {718, 718, 718, 718}, 3600, false, false},
	{"taken five times", {718, 718, 718, 718, 718}, 3600, false, true},
	{"other ports are not given", {718, 724}, 3600, true, false},
	{"nor is ours", {718, 724, 718}, 3600, true, true},
	{"taken, and for ever alone", {718, 725}, 0, false, false},
	{"not allowed", {606}, 3600, true, true},
	{"unknown", {12345}, 3600, true, true},
};

static void t_igd(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (size_t i = 0; i < ARRAY_LEN(ladders); i++) {
		const struct igd_case *c = &ladders[i];
		bool more = true;
		struct igd_ask a;

		igd_begin(&a, 6681, 6681, 3600);
		for (unsigned k = 0; c->errors[k] != 0; k++)
			more = igd_again(&a, c->errors[k], &rng);
		if (more == c->gave_up || a.lease != c->lease ||
			(a.external == 6681) != c->same_port)
			fail_msg("%s: %d lease %u external %u", c->name, more, a.lease, a.external);
		if (!c->same_port)
			assert_in_range(a.external, 40000, 49999);
	}
	assert_string_not_equal(igd_words(718), igd_words(9999));
	assert_string_not_equal(igd_words(725), igd_words(9999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_pcp_request),
		cmocka_unit_test(t_natpmp_request),
		cmocka_unit_test(t_answers),
		cmocka_unit_test(t_answer_fields),
		cmocka_unit_test(t_epoch),
		cmocka_unit_test(t_words),
		cmocka_unit_test(t_igd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
