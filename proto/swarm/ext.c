/* SPDX-License-Identifier: MIT */
/*
 * The extension protocol of a connection: what we offer, what it says, and whether either side
 * wants nothing (BEP 10, BEP 21).
 *
 * Who becomes a seed says so at once: by the message of that name where the other side offers it,
 * else by a handshake that names nothing else.
 */
#include "proto/swarm/priv.h"

#define HANDSHAKE_ID 0u
/* What others call our messages. */
#define OUR_UPLOAD_ONLY 3u
#define BELIEVE_EVERY   (60 * USEC_PER_SEC)

static bool wants_nothing(const struct swarm_peer *p)
{
	return swarm_done(p->swarm) && !p->masked;
}

void swarm_say_extended(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;
	struct ext_params h = {.ids = {[EXT_UPLOAD_ONLY] = OUR_UPLOAD_ONLY},
		.reqq = s->config.max_served,
		.port = s->config.port,
		.upload_only = wants_nothing(p),
		.client = s->config.version,
		.yourip = &p->at};
	uint8_t dict[512];
	struct wr body = wr_of(dict, sizeof dict);
	struct wr w = outbuf_begin(&p->out, sizeof dict + 6);

	ext_handshake_build(&body, &h);
	must(!body.full);
	p->said_upload_only = h.upload_only;
	wire_put_extended(&w, HANDSHAKE_ID, dict, (size_t)(body.p - dict));
	outbuf_commit(&p->out, &w);
}

static void say_upload_only(struct swarm_peer *p, bool on)
{
	static const char handshake[2][20] = {"d11:upload_onlyi0ee", "d11:upload_onlyi1ee"};
	uint8_t byte = on;
	struct wr w = outbuf_begin(&p->out, 32);

	p->said_upload_only = on;
	if (p->ext_ids[EXT_UPLOAD_ONLY] != 0)
		wire_put_extended(&w, p->ext_ids[EXT_UPLOAD_ONLY], &byte, 1);
	else
		wire_put_extended(&w, HANDSHAKE_ID, (const uint8_t *)handshake[on], 19);
	outbuf_commit(&p->out, &w);
	p->swarm->ops->wake(p->conn);
}

void swarm_update_upload_only(struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p != NULL && p->caps.extended && p->said_upload_only != wants_nothing(p))
			say_upload_only(p, wants_nothing(p));
	}
}

static void set_upload_only(struct swarm_peer *p, bool on)
{
	if (p->upload_only != on && p->peer_interested)
		p->swarm->choke_soon = true;
	p->upload_only = on;
}

/* Where it can be reached again: its listening port, not the one it called from. */
static void note_port(struct swarm_peer *p, uint16_t port, int64_t now)
{
	if (!p->incoming || port == 0 || p->reach.port != 0)
		return;
	p->reach = p->at;
	p->reach.port = port;
	peerlist_add(p->swarm->candidates, &p->reach, PEER_INCOMING, now);
	peerlist_connected(p->swarm->candidates, &p->reach);
}

/*
 * Our address as others see it, which the order of dialling goes by (BEP 40).  Two have to say the
 * same, and not too often, because the order is made anew.
 */
static void note_yourip(struct swarm_peer *p, const struct endpoint *ip, int64_t now)
{
	struct swarm *s = p->swarm;
	struct witness *w = &s->witness[endpoint_is_v4(ip)];
	struct endpoint own = *ip;
	bool agrees = memcmp(w->ip.ip, ip->ip, sizeof ip->ip) == 0;

	if (s->config.port == 0 || !endpoint_is_global(ip))
		return;
	if (!agrees || memcmp(w->by.ip, p->at.ip, sizeof p->at.ip) == 0) {
		w->ip = *ip;
		w->by = p->at;
		return;
	}
	if (w->believed_at != INT64_MIN && now - w->believed_at < BELIEVE_EVERY)
		return;
	w->believed_at = now;
	own.port = s->config.port;
	peerlist_set_own(s->candidates, &own);
}

static enum err on_handshake(struct swarm_peer *p, struct slice payload, int64_t now)
{
	struct ext_handshake h;

	/* It may come again and tell only what has changed. */
	ext_handshake_init(&h);
	memcpy(h.ids, p->ext_ids, sizeof h.ids);
	h.reqq = p->reqq;
	h.upload_only = p->upload_only;
	if (ext_handshake_parse(payload, &h) != E_OK)
		return E_PROTOCOL;
	memcpy(p->ext_ids, h.ids, sizeof p->ext_ids);
	p->reqq = h.reqq;
	set_upload_only(p, h.upload_only);
	if (h.client[0] != '\0')
		memcpy(p->client, h.client, sizeof p->client);
	note_port(p, h.port, now);
	note_yourip(p, &h.yourip, now);
	return E_OK;
}

enum err swarm_on_extended(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!p->caps.extended)
		return E_PROTOCOL;
	if (ev->id == HANDSHAKE_ID)
		return on_handshake(p, ev->payload, now);
	if (ev->id == OUR_UPLOAD_ONLY && ev->payload.n == 1)
		set_upload_only(p, ev->payload.p[0] != 0);
	return E_OK; /* whatever else it is, we did not announce it */
}
