/* SPDX-License-Identifier: MIT */
/*
 * A UDP exchange under a plan: each datagram of the input is a control byte (bit 0: the right
 * transaction id, bits 1 to 7: seconds that pass), a length and that many bytes.  The first byte
 * chooses family and action.
 */
#include "proto/tracker/udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEC INT64_C(1000000)

static void answer(
	struct udp_exchange *x, const uint8_t *sent, uint8_t *in, size_t n, bool right, int64_t now)
{
	struct announce_reply r;
	enum err e;

	if (right && n >= 8)
		memcpy(in + 4, sent + 12, 4);
	e = udp_exchange_input(x, in, n, now, &r);
	must(r.peers_n <= ANNOUNCE_PEERS_MAX && strlen(r.failure) < sizeof r.failure);
	must(e != E_TRACKER || r.failure[0] != '\0');
	must(udp_exchange_status(x) == e || e == E_AGAIN);
	announce_reply_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct announce_params params = {.port = 6881};
	struct udp_exchange_opts opts = {
		.params = &params, .urldata = "/a?b", .seed = 1, .last_try = 8};
	struct rd rd = rd_of(data, size);
	uint8_t first = rd_u8(&rd), out[UDP_DATAGRAM_MAX] = {0}, in[255];
	struct udp_exchange x;
	int64_t now = SEC;

	opts.v6 = first & 1;
	opts.action = first & 2 ? UDP_SCRAPE : UDP_ANNOUNCE;
	opts.conn_until = first & 4 ? 30 * SEC : 0;
	udp_exchange_start(&x, &opts, now);
	while (rd_left(&rd) > 0) {
		uint8_t control = rd_u8(&rd);
		uint8_t length = rd_u8(&rd);
		size_t n = MIN(length, rd_left(&rd));
		const uint8_t *p = rd_take(&rd, n);

		now += (control >> 1) * SEC;
		udp_exchange_output(&x, out, now);
		must(udp_exchange_deadline(&x) > now);
		if (p != NULL && n > 0)
			memcpy(in, p, n);
		answer(&x, out, in, n, control & 1, now);
	}
	return 0;
}
