/* SPDX-License-Identifier: MIT */
/* PCP and NAT-PMP datagrams, the epoch, and words for results. */
#include "proto/portmap/pcp.h"

#define PCP_V            2u
#define ANSWER           0x80u
#define OP_ANNOUNCE      0u /* of NAT-PMP: the external address */
#define OP_MAP           1u /* of NAT-PMP: UDP, and the next number is TCP */
#define PCP_HEADER       24u
#define UNSUPP_VERSION   1u
#define IP_TCP           6u
#define IP_UDP           17u
#define NATPMP_ADDRESS_N 12u
#define NATPMP_MAP_N     16u

/* --- asking --- */

void pcp_map_encode(struct wr *w, const struct pcp_ask *a)
{
	/* Any address of the family of ours. */
	static const uint8_t any4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	static const uint8_t any6[16];

	wr_u8(w, PCP_V);
	wr_u8(w, OP_MAP);
	wr_u16(w, 0);
	wr_u32(w, a->lease);
	wr_bytes(w, a->local.ip, 16);
	wr_bytes(w, a->nonce, PCP_NONCE);
	wr_u8(w, a->proto == PCP_TCP ? IP_TCP : IP_UDP);
	wr_be(w, 0, 3);
	wr_u16(w, a->local.port);
	wr_u16(w, a->lease > 0 ? a->external : 0);
	wr_bytes(w, endpoint_is_v4(&a->local) ? any4 : any6, 16);
}

void natpmp_map_encode(struct wr *w, const struct pcp_ask *a)
{
	wr_u8(w, 0);
	wr_u8(w, a->proto == PCP_UDP ? OP_MAP : OP_MAP + 1);
	wr_u16(w, 0);
	wr_u16(w, a->local.port);
	wr_u16(w, a->lease > 0 ? a->external : 0);
	wr_u32(w, a->lease);
}

void natpmp_address_encode(struct wr *w)
{
	wr_u8(w, 0);
	wr_u8(w, OP_ANNOUNCE);
}

/* --- answers --- */

static void decode_pcp_map(struct rd *r, struct pcp_answer *out)
{
	const uint8_t *nonce = rd_take(r, PCP_NONCE), *ip;
	unsigned proto = rd_u8(r);

	(void)rd_take(r, 3);
	out->internal = rd_u16(r);
	out->external = rd_u16(r);
	ip = rd_take(r, 16);
	if (r->bad || (proto != IP_TCP && proto != IP_UDP))
		return;
	memcpy(out->nonce, nonce, PCP_NONCE);
	memcpy(out->address.ip, ip, 16);
	if (endpoint_is_v4(&out->address))
		out->address = endpoint_from_v4(ip + 12, 0);
	out->proto = proto == IP_TCP ? PCP_TCP : PCP_UDP;
	out->kind = PCP_MAP;
}

static void decode_pcp(struct rd *r, unsigned op, struct pcp_answer *out)
{
	(void)rd_u8(r);
	out->result = rd_u8(r);
	out->lease = rd_u32(r);
	out->epoch = rd_u32(r);
	(void)rd_take(r, 12);
	if (r->bad)
		return;
	if (op == OP_MAP)
		decode_pcp_map(r, out);
	else if (op == OP_ANNOUNCE)
		out->kind = PCP_RESTART;
}

static void decode_natpmp(struct rd *r, unsigned op, struct pcp_answer *out)
{
	const uint8_t *ip;

	out->result = rd_u16(r);
	out->epoch = rd_u32(r);
	if (op == OP_ANNOUNCE) {
		/* A refusal may end here. */
		ip = out->result == 0 || rd_left(r) >= 4 ? rd_take(r, 4) : NULL;
		if (ip != NULL)
			out->address = endpoint_from_v4(ip, 0);
		if (!r->bad)
			out->kind = NATPMP_ADDRESS;
		return;
	}
	out->proto = op == OP_MAP ? PCP_UDP : PCP_TCP;
	out->internal = rd_u16(r);
	out->external = rd_u16(r);
	out->lease = rd_u32(r);
	if (!r->bad)
		out->kind = NATPMP_MAP;
}

/*
 * A gateway that speaks no PCP says so in its own version's shape: of NAT-PMP in 8 bytes, of
 * another PCP in 24 or more.  In both the fourth byte is the result.
 */
static bool is_version_refusal(const uint8_t *p, size_t n)
{
	return n >= 8 && p[1] == (ANSWER | OP_MAP) && p[3] == UNSUPP_VERSION &&
	       (p[0] == 0 ? p[2] == 0 && n < NATPMP_MAP_N : n >= PCP_HEADER);
}

void pcp_decode(const uint8_t *p, size_t n, struct pcp_answer *out)
{
	struct rd r = rd_of(p, n);
	unsigned version = rd_u8(&r), op = rd_u8(&r);

	*out = (struct pcp_answer){.kind = PCP_NONE};
	if (r.bad || n > PCP_MAX || (op & ANSWER) == 0)
		return;
	op &= ~ANSWER;
	if (is_version_refusal(p, n)) {
		out->kind = PCP_VERSION;
		out->result = UNSUPP_VERSION;
	} else if (version == PCP_V && n % 4 == 0) {
		decode_pcp(&r, op, out);
	} else if (version == 0 && op <= OP_MAP + 1) {
		decode_natpmp(&r, op, out);
	}
}

/* --- the epoch --- */

static bool fits(const struct pcp_epoch *e, uint32_t server, bool natpmp, int64_t now)
{
	int64_t client_delta = (now - e->at) / 1000000;
	int64_t server_delta = (int64_t)server - (int64_t)e->server;

	if (natpmp)
		return server_delta + 2 >= client_delta * 7 / 8;
	return server_delta >= -1 && client_delta + 2 >= server_delta - server_delta / 16 &&
	       server_delta + 2 >= client_delta - client_delta / 16;
}

bool pcp_epoch_fits(struct pcp_epoch *e, uint32_t server, bool natpmp, int64_t now)
{
	bool good = !e->known || fits(e, server, natpmp, now);

	*e = (struct pcp_epoch){.known = true, .server = server, .at = now};
	return good;
}

/* --- words --- */

const char *pcp_words(unsigned result)
{
	static const char *const words[] = {
		[0] = "granted",
		[1] = "the gateway speaks another version of PCP",
		[2] = "the gateway does not allow us to map ports: allow it in its settings",
		[3] = "the gateway could not read the request",
		[4] = "the gateway maps no ports by PCP",
		[5] = "the gateway lacks an option of PCP",
		[6] = "the gateway could not read an option",
		[7] = "the gateway has no connection to the Internet right now",
		[8] = "the gateway has no room for another mapping",
		[9] = "the gateway does not map this protocol",
		[10] = "the gateway grants this machine no more mappings",
		[11] = "the gateway cannot give the port: it is taken, or its rules forbid it",
		[12] = "there is another router between this machine and the gateway: map the port "
		       "there, or set portmap.gateway to the router that is next",
		[13] = "too many remote peers",
	};

	return result < ARRAY_LEN(words) ? words[result] : "the gateway gives an unknown reason";
}

const char *natpmp_words(unsigned result)
{
	static const char *const words[] = {
		[0] = "granted",
		[1] = "the gateway speaks another version of NAT-PMP",
		[2] = "the gateway does not allow us to map ports: turn NAT-PMP on in its settings",
		[3] = "the gateway has no connection to the Internet right now",
		[4] = "the gateway has no room for another mapping",
		[5] = "the gateway maps no ports by NAT-PMP",
	};

	return result < ARRAY_LEN(words) ? words[result] : "the gateway gives an unknown reason";
}
