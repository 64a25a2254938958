/* SPDX-License-Identifier: MIT */
/*
 * The UDP tracker exchange as a state machine (BEP 15).
 *
 * Two steps: ask for a connection id, then ask what we want.  Each step repeats its datagram after
 * 15 * 2^n seconds; n starts over once, when the first connect is answered, so that a tracker that
 * answers connects alone cannot keep an exchange going for ever.  A connection id that is too old
 * sends the exchange back to its first step.
 */
#include "proto/tracker/udp.h"

#include "proto/base/bytes.h"
#include "proto/base/rng.h"
#include "proto/base/text.h"

#define SECOND        INT64_C(1000000)
#define FIRST_TIMEOUT (15 * SECOND)
#define LAST_N        8u
#define CONN_LIFETIME (60 * SECOND)
#define PROTOCOL_ID   UINT64_C(0x41727101980)
#define URLDATA_MAX   1024u

/* The seed is random and secret, so are the ids. */
static uint32_t next_txid(struct udp_exchange *x)
{
	return (uint32_t)(splitmix_next(&x->rng) >> 32);
}

static void begin_step(struct udp_exchange *x, enum udp_action step, int64_t now)
{
	x->step = step;
	x->txid = next_txid(x);
	x->send_at = now;
}

void udp_exchange_start(struct udp_exchange *x, const struct udp_exchange_opts *opts, int64_t now)
{
	must(opts->action == UDP_ANNOUNCE || opts->action == UDP_SCRAPE);
	memset(x, 0, sizeof *x);
	x->params = *opts->params;
	x->urldata = opts->urldata;
	x->action = opts->action;
	x->v6 = opts->v6;
	x->rng = opts->seed;
	x->conn_id = opts->conn_id;
	x->conn_until = opts->conn_until;
	x->last_try = MIN(opts->last_try, LAST_N);
	x->status = E_AGAIN;
	begin_step(x, now < x->conn_until ? x->action : UDP_CONNECT, now);
}

/* --- out --- */

static uint32_t event_number(enum announce_event e)
{
	switch (e) {
	case ANNOUNCE_COMPLETED:
		return 1;
	case ANNOUNCE_STARTED:
		return 2;
	case ANNOUNCE_STOPPED:
		return 3;
	default: /* BEP 15 has no number for "paused" */
		return 0;
	}
}

/* BEP 41: the path and query of the URL, in options of at most 255 bytes. */
static void put_urldata(struct wr *w, const char *s)
{
	size_t n = strcspn(s, "#");

	if (n > URLDATA_MAX)
		return;
	while (n > 0) {
		size_t k = MIN(n, 255);

		wr_u8(w, 2);
		wr_u8(w, (uint8_t)k);
		wr_bytes(w, s, k);
		s += k;
		n -= k;
	}
}

static void put_announce(struct wr *w, const struct udp_exchange *x)
{
	const struct announce_params *p = &x->params;

	wr_bytes(w, p->infohash, 20);
	wr_bytes(w, p->peer_id, 20);
	wr_u64(w, p->downloaded);
	wr_u64(w, p->left);
	wr_u64(w, p->uploaded);
	wr_u32(w, event_number(p->event));
	wr_u32(w, 0);
	wr_u32(w, p->key);
	wr_u32(w, p->numwant);
	wr_u16(w, p->port);
	if (x->urldata != NULL)
		put_urldata(w, x->urldata);
}

static size_t put_request(const struct udp_exchange *x, uint8_t *buf)
{
	struct wr w = wr_of(buf, UDP_DATAGRAM_MAX);

	wr_u64(&w, x->step == UDP_CONNECT ? PROTOCOL_ID : x->conn_id);
	wr_u32(&w, x->step);
	wr_u32(&w, x->txid);
	if (x->step == UDP_ANNOUNCE)
		put_announce(&w, x);
	else if (x->step == UDP_SCRAPE)
		wr_bytes(&w, x->params.infohash, 20);
	must(!w.full);
	return (size_t)(w.p - buf);
}

size_t udp_exchange_output(struct udp_exchange *x, uint8_t buf[UDP_DATAGRAM_MAX], int64_t now)
{
	if (x->status != E_AGAIN || now < x->send_at)
		return 0;
	if (x->n > x->last_try) {
		x->status = E_TIMEOUT;
		return 0;
	}
	if (x->step != UDP_CONNECT && now >= x->conn_until)
		begin_step(x, UDP_CONNECT, now);
	x->send_at = now + (FIRST_TIMEOUT << x->n);
	x->n++;
	return put_request(x, buf);
}

/* --- in --- */

static enum err end_exchange(struct udp_exchange *x, enum err e)
{
	x->status = e;
	return e;
}

static enum err take_connect(struct udp_exchange *x, struct rd *r, int64_t now)
{
	uint64_t id = rd_u64(r);

	if (r->bad)
		return end_exchange(x, E_TRUNCATED);
	x->conn_id = id;
	x->conn_until = now + CONN_LIFETIME;
	if (!x->connected)
		x->n = 0;
	x->connected = true;
	begin_step(x, x->action, now);
	return E_AGAIN;
}

static int64_t count_of(uint32_t v)
{
	return v <= INT32_MAX ? (int64_t)v : -1;
}

static enum err take_announce(struct udp_exchange *x, struct rd *r, struct announce_reply *reply)
{
	uint32_t interval = rd_u32(r), leechers = rd_u32(r), seeders = rd_u32(r);
	struct endpoint e;
	enum err err = E_OK;

	if (r->bad)
		return end_exchange(x, E_TRUNCATED);
	reply->interval = interval <= INT32_MAX ? interval : 0;
	reply->incomplete = count_of(leechers);
	reply->complete = count_of(seeders);
	while (err == E_OK &&
		(x->v6 ? endpoint_read_compact6(r, &e) : endpoint_read_compact4(r, &e)))
		err = announce_reply_add_peer(reply, &e);
	return end_exchange(x, err);
}

static enum err take_scrape(struct udp_exchange *x, struct rd *r, struct announce_reply *reply)
{
	uint32_t seeders = rd_u32(r), completed = rd_u32(r), leechers = rd_u32(r);

	if (r->bad)
		return end_exchange(x, E_TRUNCATED);
	reply->complete = count_of(seeders);
	reply->downloaded = count_of(completed);
	reply->incomplete = count_of(leechers);
	return end_exchange(x, E_OK);
}

static enum err take_error(
	struct udp_exchange *x, struct rd *r, int64_t now, struct announce_reply *reply)
{
	static const char none[] = "refused without a reason";
	struct slice words = {r->p, rd_left(r)};

	/* A connection id from an earlier exchange may have been forgotten: ask for a new one,
	 * once. */
	if (x->step != UDP_CONNECT && !x->connected) {
		x->conn_until = 0;
		begin_step(x, UDP_CONNECT, now);
		return E_AGAIN;
	}
	while (words.n > 0 && words.p[words.n - 1] == 0)
		words.n--;
	if (words.n == 0)
		words = (struct slice){(const uint8_t *)none, sizeof none - 1};
	text_sanitise(reply->failure, sizeof reply->failure, words);
	x->conn_until = 0;
	return end_exchange(x, E_TRACKER);
}

enum err udp_exchange_input(
	struct udp_exchange *x, const uint8_t *p, size_t n, int64_t now, struct announce_reply *r)
{
	struct rd rd = rd_of(p, n);
	uint32_t action = rd_u32(&rd), txid = rd_u32(&rd);

	announce_reply_init(r);
	if (rd.bad || txid != x->txid || x->status != E_AGAIN)
		return E_AGAIN;
	if (action == UDP_ERROR)
		return take_error(x, &rd, now, r);
	if (action != x->step)
		return end_exchange(x, E_PROTOCOL);
	switch (x->step) {
	case UDP_CONNECT:
		return take_connect(x, &rd, now);
	case UDP_ANNOUNCE:
		return take_announce(x, &rd, r);
	default:
		return take_scrape(x, &rd, r);
	}
}

int64_t udp_exchange_deadline(const struct udp_exchange *x)
{
	return x->status == E_AGAIN ? x->send_at : INT64_MAX;
}

enum err udp_exchange_status(const struct udp_exchange *x)
{
	return x->status;
}

uint64_t udp_exchange_conn(const struct udp_exchange *x, int64_t *until)
{
	*until = x->conn_until;
	return x->conn_id;
}
