/* SPDX-License-Identifier: MIT */
/* Datagrams of the DHT: the BEPs' own, read and written back; what is wrong, and what is odd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/dht/krpc.h"

#define ID  "2:id20:abcdefghij0123456789"
#define ID2 "2:id20:mnopqrstuvwxyz123456"
#define IH  "9:info_hash20:mnopqrstuvwxyz123456"
#define K32 "0123456789abcdef0123456789ABCDEF"
#define S64 K32 K32

/* Each is canonical: what is read of it is written as the same bytes. */
static const struct sample {
	const char *text;
	enum krpc_kind kind;
	enum krpc_method method;
} samples[] = {
	/* BEP 5 */
	{"d1:ad" ID "e1:q4:ping1:t2:aa1:y1:qe", KRPC_QUERY, KRPC_PING},
	{"d1:rd" ID2 "e1:t2:aa1:y1:re", KRPC_REPLY, KRPC_UNKNOWN},
	{"d1:ad" ID "6:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe", KRPC_QUERY,
		KRPC_FIND_NODE},
	{"d1:rd2:id20:0123456789abcdefghij5:nodes9:def456...e1:t2:aa1:y1:re", KRPC_REPLY,
		KRPC_UNKNOWN},
	{"d1:ad" ID IH "e1:q9:get_peers1:t2:aa1:y1:qe", KRPC_QUERY, KRPC_GET_PEERS},
	{"d1:rd" ID "5:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re", KRPC_REPLY,
		KRPC_UNKNOWN},
	{"d1:rd" ID "5:nodes9:def456...5:token8:aoeusnthe1:t2:aa1:y1:re", KRPC_REPLY, KRPC_UNKNOWN},
	{"d1:ad" ID "12:implied_porti1e" IH
	 "4:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
		KRPC_QUERY, KRPC_ANNOUNCE_PEER},
	{"d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee", KRPC_ERROR, KRPC_UNKNOWN},
	/* BEP 32, 33, 43, 51, 42 */
	{"d1:ad" ID "6:target20:mnopqrstuvwxyz1234564:wantl2:n42:n6ee1:q9:find_node2:roi1e1:t2:aa"
	 "1:v4:LT\x01\x02"
	 "1:y1:qe",
		KRPC_QUERY, KRPC_FIND_NODE},
	{"d1:ad" ID IH "6:noseedi1e6:scrapei1ee1:q9:get_peers1:t2:aa1:y1:qe", KRPC_QUERY,
		KRPC_GET_PEERS},
	{"d1:ad" ID "6:target20:mnopqrstuvwxyz123456e1:q17:sample_infohashes1:t2:aa1:y1:qe",
		KRPC_QUERY, KRPC_SAMPLE_INFOHASHES},
	{"d2:ip6:\x01\x02\x03\x04\x1a\xe1"
	 "1:rd" ID "8:intervali21600e5:nodes0:3:numi2e7:samples40:" K32 "01234567e1:t2:aa1:y1:re",
		KRPC_REPLY, KRPC_UNKNOWN},
	/* BEP 44 */
	{"d1:ad3:casi1e" ID "1:k32:" K32 "4:salt6:foobar3:seqi2e3:sig64:" S64
	 "5:token2:xy1:v12:Hello World!e1:q3:put1:t2:aa1:y1:qe",
		KRPC_QUERY, KRPC_PUT},
	{"d1:ad" ID "3:seqi-7e6:target20:mnopqrstuvwxyz123456e1:q3:get1:t2:aa1:y1:qe", KRPC_QUERY,
		KRPC_GET},
	{"d1:rd" ID "1:k32:" K32 "3:seqi2e3:sig64:" S64 "5:token2:xy1:vd2:ih3:abcee1:t2:aa1:y1:re",
		KRPC_REPLY, KRPC_UNKNOWN},
	/* A value may be nested as deep as it likes within its thousand bytes. */
	{"d1:rd" ID "5:token2:xy1:vlllllllllllllllllllleeeeeeeeeeeeeeeeeeeee1:t2:aa1:y1:re",
		KRPC_REPLY, KRPC_UNKNOWN},
};

static size_t length_of(const char *text)
{
	return strlen(text);
}

static void t_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const struct sample *s = &samples[i];
		size_t n = length_of(s->text), written;
		uint8_t *exact = xmemdup(s->text, n), out[KRPC_IN_MAX]; /* for the sanitizers */
		struct krpc m;

		if (krpc_decode(exact, n, &m) != E_OK)
			fail_msg("%s", s->text);
		assert_int_equal(m.kind, s->kind);
		assert_int_equal(m.method, s->method);
		written = krpc_encode(&m, out, sizeof out);
		if (written != n || memcmp(out, s->text, n) != 0)
			fail_msg("%s\n%.*s", s->text, (int)written, (const char *)out);
		/* Where there is no room nothing is written. */
		for (size_t room = 0; room < n; room++)
			assert_int_equal(krpc_encode(&m, out, room), 0);
		/* Cut anywhere it is none. */
		for (size_t cut = 0; cut < n; cut++)
			assert_int_not_equal(krpc_decode(exact, cut, &m), E_OK);
		xfree(exact);
	}
}

static const struct {
	const char *name, *text;
} refused[] = {
	{"nothing", ""},
	{"a list", "l1:ae"},
	{"no kind", "d1:ad" ID "e1:q4:ping1:t2:aae"},
	{"another kind", "d1:ad" ID "e1:q4:ping1:t2:aa1:y1:xe"},
	{"no transaction", "d1:ad" ID "e1:q4:ping1:y1:qe"},
	{"a long transaction", "d1:ad" ID "e1:q4:ping1:t17:aaaaaaaaaaaaaaaaa1:y1:qe"},
	{"no arguments", "d1:q4:ping1:t2:aa1:y1:qe"},
	{"arguments that are none", "d1:ai5e1:q4:ping1:t2:aa1:y1:qe"},
	{"a reply without any", "d1:t2:aa1:y1:re"},
	{"deep", "d1:adllllllllllleeeeeeeeeeeee1:q4:ping1:t2:aa1:y1:qe"},
};

static void t_refused(void **state)
{
	struct krpc m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (krpc_decode((const uint8_t *)refused[i].text, length_of(refused[i].text), &m) ==
			E_OK)
			fail_msg("%s", refused[i].name);
}

/* What has the wrong type or length is as if it were not there. */
static void t_odd(void **state)
{
	static const char query[] =
		"d1:ad2:id3:abc9:info_hash21:mnopqrstuvwxyz12345674:porti70000e5:tokeni5e"
		"4:wantl2:n53:n46i6eee1:q5:dance1:t2:aa1:y1:qe";
	static const char reply[] =
		"d1:rd2:id20:abcdefghij01234567895:nodesi3e6:values3:abc1:k3:abce1:t1:x1:y1:re";
	static const char unsorted[] = "d1:y1:q1:t2:aa1:q4:ping1:ad" ID "ee";
	struct krpc m;

	(void)state;
	assert_int_equal(krpc_decode((const uint8_t *)query, sizeof query - 1, &m), E_OK);
	assert_int_equal(m.method, KRPC_UNKNOWN);
	assert_null(m.id);
	assert_null(m.target);
	assert_null(m.token.p);
	assert_false(m.has_port);
	assert_int_equal(m.want, 0);
	assert_int_equal(krpc_decode((const uint8_t *)reply, sizeof reply - 1, &m), E_OK);
	assert_non_null(m.id);
	assert_null(m.nodes.p);
	assert_null(m.values.p);
	assert_null(m.key);
	assert_int_equal(krpc_decode((const uint8_t *)unsorted, sizeof unsorted - 1, &m), E_OK);
	assert_int_equal(m.method, KRPC_PING);
}

static void t_lists(void **state)
{
	static const char nodes[] = "abcdefghij0123456789\x01\x02\x03\x04\x1a\xe1rest";
	static const char values[] = "l6:axje.u3:abc18:0123456789abcdef\x1a\xe1i5e6:idhtnme";
	struct slice list = {(const uint8_t *)nodes, sizeof nodes - 1};
	struct endpoint found[3];
	struct krpc_node node;
	uint8_t out[64];
	struct wr w = wr_of(out, sizeof out);
	char text[ENDPOINT_TEXT];

	(void)state;
	assert_true(krpc_node_next(&list, false, &node));
	endpoint_format(&node.at, text, sizeof text);
	assert_string_equal(text, "1.2.3.4:6881");
	assert_memory_equal(node.id.b, "abcdefghij0123456789", 20);
	assert_false(krpc_node_next(&list, false, &node));
	krpc_node_put(&w, &node);
	assert_memory_equal(out, nodes, KRPC_NODE4);

	list = (struct slice){(const uint8_t *)values, sizeof values - 1};
	assert_int_equal(krpc_values(list, found, 3), 3);
	assert_int_equal(krpc_values(list, found, 1), 1);
	assert_true(endpoint_is_v4(&found[0]));
	assert_int_equal(krpc_values((struct slice){(const uint8_t *)"l6:axj", 6}, found, 3), 0);
	w = wr_of(out, sizeof out);
	krpc_value_put(&w, &found[0]);
	assert_memory_equal(out, "6:axje.u", 8);
}

static void t_random(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (unsigned i = 0; i < 100000; i++) {
		const struct sample *s = &samples[rng_below(&rng, ARRAY_LEN(samples))];
		size_t n = length_of(s->text);
		uint8_t *p = xmemdup(s->text, n), out[KRPC_IN_MAX];
		struct krpc m, again;

		for (unsigned k = rng_below(&rng, 4); k > 0; k--)
			p[rng_below(&rng, (uint32_t)n)] = (uint8_t)rng_below(&rng, 256);
		if (krpc_decode(p, n, &m) == E_OK && m.method != KRPC_UNKNOWN &&
			m.kind == KRPC_QUERY) {
			size_t written = krpc_encode(&m, out, sizeof out);

			assert_int_equal(krpc_decode(out, written, &again), E_OK);
			assert_int_equal(again.method, m.method);
		}
		xfree(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(t_round_trip),
		cmocka_unit_test(t_refused), cmocka_unit_test(t_odd), cmocka_unit_test(t_lists),
		cmocka_unit_test(t_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
