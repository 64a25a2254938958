/* SPDX-License-Identifier: MIT */
/* The header of BEP 29: type and version, extension, connection id, two times, window, seq, ack. */
#include "proto/utp/utp.h"

#define VERSION 1u
enum { ST_RESET = 3, ST_SYN = 4 };

/* Each extension says what follows it and how long it is; 0 ends them.  false: they do not end with
 * the datagram. */
static bool skip_extensions(struct rd *r, unsigned next)
{
	while (next != 0) {
		uint8_t follows = rd_u8(r), length = rd_u8(r);

		(void)rd_take(r, length);
		if (r->bad)
			return false;
		next = follows;
	}
	return rd_left(r) == 0;
}

bool utp_syn_decode(const uint8_t *p, size_t n, struct utp_syn *out)
{
	struct rd r = rd_of(p, n);
	unsigned kind, extension;

	if (n < UTP_HEADER || n > UTP_SYN_MAX)
		return false;
	kind = rd_u8(&r);
	extension = rd_u8(&r);
	out->connection = rd_u16(&r);
	out->sent_us = rd_u32(&r);
	(void)rd_take(&r, 8); /* difference of times, window */
	out->seq = rd_u16(&r);
	(void)rd_take(&r, 2); /* it has nothing to acknowledge */
	return kind == (ST_SYN << 4 | VERSION) && skip_extensions(&r, extension);
}

void utp_reset_encode(
	uint8_t out[UTP_HEADER], const struct utp_syn *syn, uint16_t seq, int64_t now_us)
{
	static const uint8_t kind[] = {ST_RESET << 4 | VERSION, 0};
	struct wr w = wr_of(out, UTP_HEADER);
	uint32_t now = (uint32_t)now_us;

	wr_bytes(&w, kind, sizeof kind);
	wr_u16(&w, syn->connection);
	wr_u32(&w, now);
	wr_u32(&w, now - syn->sent_us);
	wr_u32(&w, 0);
	wr_u16(&w, seq);
	wr_u16(&w, syn->seq);
	must(w.p == out + UTP_HEADER);
}
