/* SPDX-License-Identifier: MIT */
/*
 * A datagram of the DHT, written: keys in order, so that there is one way to say a thing.
 *
 * It writes into the datagram's own buffer: thousands a second cost no memory.
 */
#include "proto/dht/krpc.h"

static void put_str(struct wr *w, const void *p, size_t n)
{
	wr_decimal(w, n);
	wr_u8(w, ':');
	wr_bytes(w, p, n);
}

static void put_int(struct wr *w, int64_t i)
{
	wr_text(w, i < 0 ? "i-" : "i");
	wr_decimal(w, i < 0 ? 0 - (uint64_t)i : (uint64_t)i);
	wr_u8(w, 'e');
}

/* `key` with its length: "2:id". */
static void put_field(struct wr *w, const char *key, struct slice s)
{
	if (s.p == NULL)
		return;
	wr_text(w, key);
	put_str(w, s.p, s.n);
}

static void put_fixed(struct wr *w, const char *key, const uint8_t *p, size_t n)
{
	put_field(w, key, (struct slice){p, p != NULL ? n : 0});
}

static void put_raw(struct wr *w, const char *key, struct slice s)
{
	if (s.p == NULL)
		return;
	wr_text(w, key);
	wr_bytes(w, s.p, s.n);
}

static void put_number(struct wr *w, const char *key, bool there, int64_t i)
{
	if (!there)
		return;
	wr_text(w, key);
	put_int(w, i);
}

static bool has_infohash(enum krpc_method m)
{
	return m == KRPC_GET_PEERS || m == KRPC_ANNOUNCE_PEER;
}

static void put_want(struct wr *w, unsigned want)
{
	if (want == 0)
		return;
	wr_text(w, "4:wantl");
	if (want & KRPC_WANT_N4)
		wr_text(w, "2:n4");
	if (want & KRPC_WANT_N6)
		wr_text(w, "2:n6");
	wr_text(w, "e");
}

static void put_query(struct wr *w, const struct krpc *m)
{
	bool by_hash = has_infohash(m->method);

	wr_text(w, "1:ad");
	put_number(w, "3:cas", m->has_cas, m->cas);
	put_fixed(w, "2:id", m->id, KAD_ID_SIZE);
	put_number(w, "12:implied_port", m->implied_port, 1);
	put_fixed(w, "9:info_hash", by_hash ? m->target : NULL, KAD_ID_SIZE);
	put_fixed(w, "1:k", m->key, 32);
	put_number(w, "6:noseed", m->noseed, 1);
	put_number(w, "4:port", m->has_port, m->port);
	put_field(w, "4:salt", m->salt);
	put_number(w, "6:scrape", m->scrape, 1);
	put_number(w, "4:seed", m->seed, 1);
	put_number(w, "3:seq", m->has_seq, m->seq);
	put_fixed(w, "3:sig", m->signature, 64);
	put_fixed(w, "6:target", by_hash ? NULL : m->target, KAD_ID_SIZE);
	put_field(w, "5:token", m->token);
	put_raw(w, "1:v", m->value);
	put_want(w, m->want);
	wr_text(w, "e1:q");
	put_str(w, krpc_method_name(m->method), strlen(krpc_method_name(m->method)));
}

static void put_reply(struct wr *w, const struct krpc *m)
{
	wr_text(w, "1:rd");
	put_fixed(w, "4:BFpe", m->peers, KRPC_BLOOM);
	put_fixed(w, "4:BFsd", m->seeds, KRPC_BLOOM);
	put_fixed(w, "2:id", m->id, KAD_ID_SIZE);
	put_number(w, "8:interval", m->has_samples, m->interval);
	put_fixed(w, "1:k", m->key, 32);
	put_field(w, "5:nodes", m->nodes);
	put_field(w, "6:nodes6", m->nodes6);
	put_number(w, "3:num", m->has_samples, m->num);
	put_field(w, "7:samples", m->samples);
	put_number(w, "3:seq", m->has_seq, m->seq);
	put_fixed(w, "3:sig", m->signature, 64);
	put_field(w, "5:token", m->token);
	put_raw(w, "1:v", m->value);
	put_raw(w, "6:values", m->values);
	wr_text(w, "e");
}

static void put_error(struct wr *w, const struct krpc *m)
{
	wr_text(w, "1:el");
	put_int(w, m->code);
	put_str(w, m->words.p, m->words.n);
	wr_text(w, "e");
}

size_t krpc_encode(const struct krpc *m, uint8_t *out, size_t n)
{
	static const char kinds[] = {[KRPC_QUERY] = 'q', [KRPC_REPLY] = 'r', [KRPC_ERROR] = 'e'};
	struct wr w = wr_of(out, n);

	must((unsigned)m->kind < ARRAY_LEN(kinds));
	wr_u8(&w, 'd');
	if (m->kind == KRPC_QUERY)
		put_query(&w, m);
	if (m->kind == KRPC_ERROR)
		put_error(&w, m);
	if (m->kind != KRPC_QUERY)
		put_field(&w, "2:ip", m->ip);
	if (m->kind == KRPC_REPLY)
		put_reply(&w, m);
	put_number(&w, "2:ro", m->read_only, 1);
	put_field(&w, "1:t", m->tid);
	put_field(&w, "1:v", m->version);
	wr_text(&w, "1:y1:");
	wr_u8(&w, (uint8_t)kinds[m->kind]);
	wr_u8(&w, 'e');
	return w.full ? 0 : (size_t)(w.p - out);
}
