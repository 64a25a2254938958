/* SPDX-License-Identifier: MIT */
/*
 * One exchange with a UDP tracker, connect and then announce or scrape (BEP 15, URL data of BEP
 * 41).
 *
 * A state machine without a socket: the caller sends what udp_exchange_output() gives to the
 * tracker's address, hands in what came back from that address, and calls output again at the
 * deadline.  A datagram that does not carry our transaction id changes nothing.  Times are
 * microseconds of one clock. Embedded by value, owns nothing; one owner.
 */
#ifndef PROTO_TRACKER_UDP_H
#define PROTO_TRACKER_UDP_H

#include "proto/base/base.h"
#include "proto/tracker/http.h"

#define UDP_DATAGRAM_MAX 1200u /* the longest datagram of ours */

enum udp_action {
	UDP_CONNECT = 0,
	UDP_ANNOUNCE = 1,
	UDP_SCRAPE = 2,
	UDP_ERROR = 3,
};

struct udp_exchange_opts {
	const struct announce_params *params; /* copied; its strings are not used */
	enum udp_action action;               /* UDP_ANNOUNCE or UDP_SCRAPE */
	bool v6;             /* the tracker is reached over IPv6: peers are 18 bytes */
	const char *urldata; /* borrowed until the end, may be NULL: path and query, BEP 41 */
	uint64_t seed;       /* random: the transaction ids are made from it */
	uint64_t conn_id;    /* used while now < conn_until */
	int64_t conn_until;  /* 0: no connection id is known */
	unsigned last_try;   /* give up after the try with n = last_try; BEP 15 goes to 8 */
};

struct udp_exchange {
	struct announce_params params;
	const char *urldata;
	enum udp_action action;
	enum udp_action step; /* what is being asked now */
	enum err status;      /* E_AGAIN while it runs */
	bool v6;
	bool connected; /* a connect was answered in this exchange */
	uint32_t txid;
	uint64_t rng;
	uint64_t conn_id;
	int64_t conn_until;
	int64_t send_at; /* when the next datagram is due */
	unsigned n, last_try;
};

void udp_exchange_start(struct udp_exchange *x, const struct udp_exchange_opts *opts, int64_t now);
/*
 * Writes the datagram that is due and returns its length; 0: nothing is due.  The last timeout ends
 * the exchange with E_TIMEOUT here.  BEP 15 "time outs".
 */
size_t udp_exchange_output(struct udp_exchange *x, uint8_t buf[UDP_DATAGRAM_MAX], int64_t now);
/*
 * A datagram that came from the tracker's address.  r is initialised when the exchange ends here,
 * and is then the caller's to free.  E_AGAIN: not ours, or a step done (ask output again); E_OK: r
 * is the answer; E_TRACKER: r->failure has the tracker's words; E_TRUNCATED, E_PROTOCOL: an answer
 * to us that is broken; E_NOMEM.
 */
enum err udp_exchange_input(
	struct udp_exchange *x, const uint8_t *p, size_t n, int64_t now, struct announce_reply *r);
/* When output is to be called; INT64_MAX once the exchange has ended. */
int64_t udp_exchange_deadline(const struct udp_exchange *x);
/* E_AGAIN while it runs, then how it ended. */
enum err udp_exchange_status(const struct udp_exchange *x);
/* The connection id and until when it may be used again; until is 0 when there is none. */
uint64_t udp_exchange_conn(const struct udp_exchange *x, int64_t *until);

/*
 * Splits "udp://host:port/path?query".  host is copied without brackets; *urldata points into url,
 * at path and query, or is NULL.  E_SYNTAX; E_MISSING: no port; E_RANGE: a port of 0 or over 65535.
 */
enum err announce_udp_url(
	const char *url, char *host, size_t n, uint16_t *port, const char **urldata);

#endif
