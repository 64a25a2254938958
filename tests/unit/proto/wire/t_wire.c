/* SPDX-License-Identifier: MIT */
/* The wire: every message both ways and under every cut, what is refused and how early, handshakes,
 * BEP 6. */
#include "proto/base/rng.h"
#include "proto/wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MAX_BLOCK   131072u
#define MAX_MESSAGE 4096u

/* --- what a stream says, as text: payload fragments of one block are joined --- */

struct transcript {
	char text[65536];
	size_t n;
	uint32_t next; /* where the next fragment must begin */
};

PRINTF_LIKE(2, 3) static void note(struct transcript *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->text + t->n, sizeof t->text - t->n, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof t->text - t->n);
	t->n += (size_t)n;
}

static void note_payload(struct transcript *t, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		note(t, "%02x", s.p[i]);
}

static const char *const names[] = {
	[WIRE_KEEPALIVE] = "KEEPALIVE",
	[WIRE_UNKNOWN] = "UNKNOWN",
	[WIRE_PIECE_DATA] = "DATA",
	[WIRE_PIECE_END] = "END",
#define WIRE_MSG(id, name, shape) [WIRE_##name] = #name,
#include "proto/wire/wire.def"
#undef WIRE_MSG
};

static void note_event(struct transcript *t, const struct wire_ev *ev)
{
	if (ev->type == WIRE_PIECE_DATA) {
		assert_int_equal(ev->begin, t->next);
		assert_int_equal(ev->length, ev->payload.n);
		t->next += ev->length;
		note_payload(t, ev->payload);
		return;
	}
	if (ev->type == WIRE_PIECE_BEGIN)
		t->next = ev->begin;
	note(t, "\n%s %u %u %u %u ", names[ev->type], ev->id, ev->index, ev->begin, ev->length);
	note_payload(t, ev->payload);
}

/* Feeds one chunk from an allocation of exactly its size. */
static enum err feed_chunk(struct wire_dec *d, const uint8_t *p, size_t n, struct transcript *t)
{
	uint8_t *copy = malloc(n ? n : 1);
	size_t at = 0, used = 0;
	struct wire_ev ev;
	enum err e = E_OK;

	assert_non_null(copy);
	memcpy(copy, p, n);
	do {
		e = wire_next(d, copy + at, n - at, &used, &ev);
		assert_true(used <= n - at);
		at += used;
		if (e == E_OK && ev.type != WIRE_NONE)
			note_event(t, &ev);
	} while (e == E_OK && ev.type != WIRE_NONE);
	if (e == E_OK)
		assert_int_equal(at, n);
	else
		assert_int_equal(ev.type, WIRE_NONE);
	free(copy);
	return e;
}

enum cut { CUT_WHOLE, CUT_BYTES, CUT_RANDOM };

static enum err feed(const uint8_t *p, size_t n, enum cut cut, uint64_t seed, struct transcript *t)
{
	struct wire_dec d;
	struct rng rng;
	enum err e = E_OK;
	size_t at = 0;

	rng_seed(&rng, seed);
	memset(t, 0, sizeof *t);
	wire_dec_init(&d, MAX_BLOCK, MAX_MESSAGE - 1, MAX_MESSAGE);
	while (at < n && e == E_OK) {
		size_t k = cut == CUT_WHOLE ? n : cut == CUT_BYTES ? 1 : 1 + rng_below(&rng, 40);

		k = MIN(k, n - at);
		e = feed_chunk(&d, p + at, k, t);
		at += k;
	}
	note(t, "\n%s %s", err_name(e), wire_at_boundary(&d) ? "boundary" : "inside");
	wire_dec_fini(&d);
	return e;
}

static struct transcript whole, cut;

static enum err feed_all_ways(const uint8_t *p, size_t n)
{
	enum err e = feed(p, n, CUT_WHOLE, 0, &whole);

	assert_int_equal(feed(p, n, CUT_BYTES, 0, &cut), e);
	/* After an error the position is of no interest. */
	if (e != E_OK)
		*strrchr(whole.text, ' ') = *strrchr(cut.text, ' ') = '\0';
	assert_string_equal(whole.text, cut.text);
	for (uint64_t seed = 1; seed <= 60; seed++) {
		assert_int_equal(feed(p, n, CUT_RANDOM, seed, &cut), e);
		if (e != E_OK)
			*strrchr(cut.text, ' ') = '\0';
		assert_string_equal(whole.text, cut.text);
	}
	return e;
}

static size_t encode_session(uint8_t *buf, size_t n)
{
	static const uint8_t bits[] = {0xff, 0x80, 0x01};
	struct wr w = wr_of(buf, n);

	wire_put_keepalive(&w);
	wire_put_choke(&w);
	wire_put_unchoke(&w);
	wire_put_interested(&w);
	wire_put_not_interested(&w);
	wire_put_have(&w, 0x01020304);
	wire_put_bitfield(&w, bits, sizeof bits);
	wire_put_request(&w, 1, 16384, 16383);
	wire_put_piece_header(&w, 7, 32768, 5);
	wr_bytes(&w, "\1\2\3\4\5", 5);
	wire_put_cancel(&w, 4294967295u, 2, 3);
	wire_put_port(&w, 6881);
	wire_put_suggest(&w, 9);
	wire_put_have_all(&w);
	wire_put_have_none(&w);
	wire_put_reject(&w, 4, 5, 6);
	wire_put_allowed_fast(&w, 10);
	wire_put_extended(&w, 3, (const uint8_t *)"d1:md6:ut_pexi1eee", 18);
	wire_put_extended(&w, 0, NULL, 0);
	wr_bytes(&w, "\0\0\0\4\x63xyz\0\0\0\1\xee", 13);
	wire_put_piece_header(&w, 0, 0, 1);
	wr_bytes(&w, "\x9a", 1);
	assert_false(w.full);
	return (size_t)(w.p - buf);
}

static void test_every_message_under_every_cut(void **state)
{
	static const char expect[] = "\nKEEPALIVE 0 0 0 0 "
				     "\nCHOKE 0 0 0 0 "
				     "\nUNCHOKE 1 0 0 0 "
				     "\nINTERESTED 2 0 0 0 "
				     "\nNOT_INTERESTED 3 0 0 0 "
				     "\nHAVE 4 16909060 0 0 "
				     "\nBITFIELD 5 0 0 3 ff8001"
				     "\nREQUEST 6 1 16384 16383 "
				     "\nPIECE_BEGIN 7 7 32768 5 0102030405"
				     "\nEND 0 7 32768 5 "
				     "\nCANCEL 8 4294967295 2 3 "
				     "\nPORT 9 6881 0 0 "
				     "\nSUGGEST 13 9 0 0 "
				     "\nHAVE_ALL 14 0 0 0 "
				     "\nHAVE_NONE 15 0 0 0 "
				     "\nREJECT 16 4 5 6 "
				     "\nALLOWED_FAST 17 10 0 0 "
				     "\nEXTENDED 3 0 0 18 64313a6d64363a75745f706578693165656"
				     "5"
				     "\nEXTENDED 0 0 0 0 "
				     "\nUNKNOWN 99 0 0 3 "
				     "\nUNKNOWN 238 0 0 0 "
				     "\nPIECE_BEGIN 7 0 0 1 9a"
				     "\nEND 0 0 0 1 "
				     "\nOK boundary";
	uint8_t buf[1024];
	size_t n = encode_session(buf, sizeof buf);

	(void)state;
	assert_int_equal(feed_all_ways(buf, n), E_OK);
	assert_string_equal(whole.text, expect);
}

static void test_every_truncation_waits(void **state)
{
	uint8_t buf[1024];
	size_t n = encode_session(buf, sizeof buf);

	(void)state;
	for (size_t k = 0; k < n; k++)
		assert_int_equal(feed_all_ways(buf, k), E_OK);
}

static void test_long_messages_are_collected(void **state)
{
	uint8_t buf[8192], bits[MAX_MESSAGE - 1];
	struct wr w = wr_of(buf, sizeof buf);

	(void)state;
	for (size_t i = 0; i < sizeof bits; i++)
		bits[i] = (uint8_t)(i * 7);
	wire_put_bitfield(&w, bits, sizeof bits);
	wire_put_extended(&w, 9, bits, 700);
	wire_put_choke(&w);
	assert_int_equal(feed_all_ways(buf, (size_t)(w.p - buf)), E_OK);
	assert_non_null(strstr(whole.text, "\nCHOKE 0 0 0 0 \nOK boundary"));
}

static void test_bad_lengths_are_refused_at_once(void **state)
{
	static const struct {
		const char *bytes;
		size_t n; /* the error must come with the last of these bytes */
		enum err err;
	} t[] = {
		{"\0\0\0\2\0", 5, E_PROTOCOL},      /* choke with a body */
		{"\0\0\0\4\4", 5, E_PROTOCOL},      /* have, short */
		{"\0\0\0\6\4", 5, E_PROTOCOL},      /* have, long */
		{"\0\0\0\14\6", 5, E_PROTOCOL},     /* request, short */
		{"\0\0\0\16\10", 5, E_PROTOCOL},    /* cancel, long */
		{"\0\0\0\2\11", 5, E_PROTOCOL},     /* port, short */
		{"\0\0\0\1\24", 5, E_PROTOCOL},     /* extended without its id */
		{"\0\0\0\10\7", 5, E_PROTOCOL},     /* piece without all its fields */
		{"\0\0\0\11\7", 5, E_PROTOCOL},     /* piece with an empty block */
		{"\0\2\0\12", 4, E_TOO_BIG},        /* block of 131073 */
		{"\0\0\x10\1\5", 5, E_TOO_BIG},     /* bitfield over max_message */
		{"\0\0\x10\1\x63", 5, E_TOO_BIG},   /* unknown over max_message */
		{"\x7f\xff\xff\xff", 4, E_TOO_BIG}, /* over anything */
		{"\xff\xff\xff\xff", 4, E_TOO_BIG}, /* length of -1 */
		{"GET ", 4, E_TOO_BIG},             /* another protocol */
		{"\0\0\0\12\7\0\0\0\0\xff\xff\xff\xff", 13,
			E_PROTOCOL}, /* begin + length overflows */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (feed((const uint8_t *)t[i].bytes, t[i].n - 1, CUT_WHOLE, 0, &whole) != E_OK)
			fail_msg("row %zu: too early", i);
		if (feed_all_ways((const uint8_t *)t[i].bytes, t[i].n) != t[i].err)
			fail_msg("row %zu: %s", i, whole.text);
	}
}

static void test_errors_are_latched(void **state)
{
	struct wire_dec d;
	struct wire_ev ev;
	size_t used;

	(void)state;
	wire_dec_init(&d, MAX_BLOCK, MAX_MESSAGE - 1, MAX_MESSAGE);
	assert_int_equal(wire_next(&d, (const uint8_t *)"\0\0\0\2\0", 5, &used, &ev), E_PROTOCOL);
	assert_int_equal(wire_next(&d, (const uint8_t *)"\0\0\0\0", 4, &used, &ev), E_PROTOCOL);
	assert_int_equal(used, 0);
	assert_int_equal(ev.type, WIRE_NONE);
	wire_dec_fini(&d);
}

static void test_payload_placed_directly(void **state)
{
	uint8_t buf[64];
	struct wr w = wr_of(buf, sizeof buf);
	struct wire_dec d;
	struct wire_ev ev;
	size_t used;

	(void)state;
	wire_put_piece_header(&w, 3, 16384, 16384);
	wr_bytes(&w, "abc", 3);
	wire_dec_init(&d, MAX_BLOCK, MAX_MESSAGE - 1, MAX_MESSAGE);
	assert_int_equal(wire_payload_left(&d), 0);
	assert_int_equal(wire_next(&d, buf, 16, &used, &ev), E_OK);
	assert_int_equal(ev.type, WIRE_PIECE_BEGIN);
	assert_int_equal(used, WIRE_PIECE_HEADER);
	assert_int_equal(wire_payload_left(&d), 16384);
	assert_false(wire_at_boundary(&d));
	assert_int_equal(wire_next(&d, buf + used, 3, &used, &ev), E_OK);
	assert_int_equal(ev.type, WIRE_PIECE_DATA);
	assert_ptr_equal(ev.payload.p, buf + 13);
	wire_payload_placed(&d, 10000);
	assert_int_equal(wire_payload_left(&d), 6381);
	assert_int_equal(wire_next(&d, NULL, 0, &used, &ev), E_OK);
	assert_int_equal(ev.type, WIRE_NONE);
	wire_payload_placed(&d, 6381);
	assert_int_equal(wire_next(&d, buf, 13, &used, &ev), E_OK);
	assert_int_equal(ev.type, WIRE_PIECE_END);
	assert_int_equal(used, 0);
	assert_int_equal(ev.index, 3);
	assert_int_equal(ev.begin, 16384);
	assert_int_equal(ev.length, 16384);
	assert_true(wire_at_boundary(&d));
	assert_int_equal(wire_next(&d, buf, 13, &used, &ev), E_OK);
	assert_int_equal(ev.type, WIRE_PIECE_BEGIN);
	wire_dec_fini(&d);
}

static void test_whole_messages_are_not_copied(void **state)
{
	uint8_t buf[64];
	struct wr w = wr_of(buf, sizeof buf);
	struct wire_dec d;
	struct wire_ev ev;
	size_t used;

	(void)state;
	wire_put_extended(&w, 1, (const uint8_t *)"hello", 5);
	wire_dec_init(&d, MAX_BLOCK, MAX_MESSAGE - 1, MAX_MESSAGE);
	assert_int_equal(wire_next(&d, buf, (size_t)(w.p - buf), &used, &ev), E_OK);
	assert_ptr_equal(ev.payload.p, buf + 6);
	assert_null(d.body);
	wire_dec_fini(&d);
}

static void test_lies_cost_no_memory(void **state)
{
	struct wire_dec d;
	struct wire_ev ev;
	size_t used;

	(void)state;
	wire_dec_init(&d, MAX_BLOCK, 1 << 20, 1 << 20);
	assert_int_equal(wire_next(&d, (const uint8_t *)"\0\0\x7f\0\x14\1ab", 8, &used, &ev), E_OK);
	assert_int_equal(used, 8);
	assert_true(d.cap > 0 && d.cap <= 256);
	wire_dec_fini(&d);
}

/* An extended message that is longer than any we know passes by, and what follows is read. */
static void test_long_extended_is_not_kept(void **state)
{
	static const uint8_t head[] = {0, 1, 0, 3, 20, 1}, next[] = {0, 0, 0, 1, 1};
	uint8_t byte = 'x';
	struct wire_dec d;
	struct wire_ev ev;
	size_t used;

	(void)state;
	wire_dec_init(&d, MAX_BLOCK, MAX_MESSAGE, 1 << 20);
	assert_int_equal(wire_next(&d, head, sizeof head, &used, &ev), E_OK);
	assert_int_equal(ev.type, WIRE_UNKNOWN);
	assert_int_equal(ev.length, WIRE_EXTENDED_MAX + 1);
	for (uint32_t i = 0; i <= WIRE_EXTENDED_MAX; i++) {
		assert_int_equal(wire_next(&d, &byte, 1, &used, &ev), E_OK);
		assert_int_equal(ev.type, WIRE_NONE);
		assert_null(d.body);
	}
	assert_true(wire_at_boundary(&d));
	assert_int_equal(wire_next(&d, next, sizeof next, &used, &ev), E_OK);
	assert_int_equal(ev.type, WIRE_UNCHOKE);
	wire_dec_fini(&d);
}

/* A bitfield has its torrent's length, whatever else may be long. */
static void test_bitfield_bound(void **state)
{
	static const uint8_t good[] = {0, 0, 0, 3, 5, 0xff}, bad[] = {0, 0, 0, 4, 5};
	struct wire_dec d;
	struct wire_ev ev;
	size_t used;

	(void)state;
	wire_dec_init(&d, MAX_BLOCK, 2, 1 << 20);
	assert_int_equal(wire_next(&d, good, sizeof good, &used, &ev), E_OK);
	wire_dec_fini(&d);
	wire_dec_init(&d, MAX_BLOCK, 2, 1 << 20);
	assert_int_equal(wire_next(&d, bad, sizeof bad, &used, &ev), E_TOO_BIG);
	wire_dec_fini(&d);
}

static void test_full_writers_hold_whole_messages(void **state)
{
	uint8_t buf[16];
	struct wr w = wr_of(buf, sizeof buf);

	(void)state;
	wire_put_have(&w, 1);
	wire_put_request(&w, 1, 2, 3);
	assert_true(w.full);
	assert_int_equal(w.p - buf, 9);
}

static void test_handshake_byte_by_byte(void **state)
{
	uint8_t hs[WIRE_HANDSHAKE], reserved[8] = {0}, hash[20], id[20];
	struct wire_handshake out;

	(void)state;
	memset(hash, 0xaa, sizeof hash);
	memset(id, 0x55, sizeof id);
	wire_reserved_set(reserved, WIRE_FAST);
	wire_reserved_set(reserved, WIRE_EXTENSION);
	assert_memory_equal(reserved, "\0\0\0\0\0\x10\0\x04", 8);
	assert_int_equal(wire_handshake_encode(hs, reserved, hash, id), E_OK);
	for (size_t n = 0; n <= WIRE_HANDSHAKE; n++) {
		enum err e = wire_handshake_decode(hs, n, &out);

		assert_int_equal(e, n < WIRE_HANDSHAKE ? E_AGAIN : E_OK);
		assert_int_equal(out.has_infohash, n >= 48);
	}
	assert_memory_equal(out.reserved, reserved, 8);
	assert_memory_equal(out.infohash, hash, 20);
	assert_memory_equal(out.peer_id, id, 20);
	assert_true(wire_reserved_has(out.reserved, WIRE_FAST));
	assert_true(wire_reserved_has(out.reserved, WIRE_EXTENSION));
	assert_false(wire_reserved_has(out.reserved, WIRE_DHT));
	assert_false(wire_reserved_has(out.reserved, WIRE_V2));
	for (size_t i = 0; i < 20; i++) {
		hs[i] ^= 0x20;
		assert_int_equal(wire_handshake_decode(hs, i, &out), E_AGAIN);
		assert_int_equal(wire_handshake_decode(hs, i + 1, &out), E_PROTOCOL);
		hs[i] ^= 0x20;
	}
}

static void test_allowed_fast_set(void **state)
{
	static const uint32_t golden[] = {1059, 431, 808, 1217, 287, 376, 1188, 353, 508};
	const uint8_t ip[] = {80, 4, 4, 200}, neighbour[] = {80, 4, 4, 3};
	struct endpoint peer = endpoint_from_v4(ip, 1), near = endpoint_from_v4(neighbour, 9);
	uint32_t out[WIRE_ALLOWED_FAST_MAX];
	uint8_t hash[20], seen[5] = {0};

	(void)state;
	memset(hash, 0xaa, sizeof hash);
	for (uint32_t k = 7; k <= 9; k += 2) {
		assert_int_equal(wire_allowed_fast_set(hash, &peer, 1313, k, out), k);
		assert_memory_equal(out, golden, k * sizeof *out);
	}
	assert_int_equal(wire_allowed_fast_set(hash, &near, 1313, 9, out), 9);
	assert_memory_equal(out, golden, sizeof golden);
	assert_int_equal(wire_allowed_fast_set(hash, &peer, 5, 10, out), 5);
	for (unsigned i = 0; i < 5; i++)
		seen[out[i]]++;
	assert_memory_equal(seen, "\1\1\1\1\1", 5);
	assert_int_equal(wire_allowed_fast_set(hash, &peer, 0, 10, out), 0);
	assert_int_equal(
		wire_allowed_fast_set(hash, &peer, 1u << 31, 1000, out), WIRE_ALLOWED_FAST_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_message_under_every_cut),
		cmocka_unit_test(test_every_truncation_waits),
		cmocka_unit_test(test_long_messages_are_collected),
		cmocka_unit_test(test_bad_lengths_are_refused_at_once),
		cmocka_unit_test(test_errors_are_latched),
		cmocka_unit_test(test_payload_placed_directly),
		cmocka_unit_test(test_whole_messages_are_not_copied),
		cmocka_unit_test(test_lies_cost_no_memory),
		cmocka_unit_test(test_long_extended_is_not_kept),
		cmocka_unit_test(test_bitfield_bound),
		cmocka_unit_test(test_full_writers_hold_whole_messages),
		cmocka_unit_test(test_handshake_byte_by_byte),
		cmocka_unit_test(test_allowed_fast_set),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
