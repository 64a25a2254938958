/* SPDX-License-Identifier: MIT */
/*
 * The extension protocol of a connection: one table of the messages we take, the handshake that
 * offers them, and whether either side wants nothing (BEP 10, BEP 21).
 *
 * The table says of each message how long it may be and in which torrents it is offered; what does
 * not fit is ignored before its handler sees it.  Every handshake names all that is offered: some
 * take a name that a later one lacks as withdrawn.
 */
#include "proto/swarm/priv.h"
#include "proto/wire/pex.h"

#define HANDSHAKE_ID  0u
#define BELIEVE_EVERY (60 * USEC_PER_SEC)

/* --- the messages --- */

/* A message of the extension protocol. */
struct message {
	uint8_t id;        /* what others call ours; 0: we do not take it */
	uint32_t min, max; /* bytes of payload; shorter and longer ones are ignored */
	/* Anything but E_OK: close the connection for that reason. */
	enum err (*handle)(struct swarm_peer *, struct slice payload, int64_t now);
	bool in_private; /* offered in private torrents, too (BEP 27) */
	bool when_bare;  /* offered while the torrent is known by its info-hash alone */
	/* What else it depends on; NULL: nothing.  Who changes that calls swarm_update_offers(). */
	bool (*offered)(const struct swarm *);
};

static void set_upload_only(struct swarm_peer *p, bool on)
{
	if (p->upload_only != on && p->peer_interested)
		p->swarm->choke_soon = true;
	p->upload_only = on;
}

static enum err on_upload_only(struct swarm_peer *p, struct slice payload, int64_t now)
{
	(void)now;
	set_upload_only(p, payload.p[0] != 0);
	return E_OK;
}

static bool gossips(const struct swarm *s)
{
	return s->gossip;
}

static const struct message messages[EXT_MAX_] = {
	[EXT_DONTHAVE] = {7, 4, 4, swarm_on_donthave, .in_private = true},
	[EXT_PEX] = {1, 2, PEX_BYTES_MAX, swarm_on_pex, .when_bare = true, .offered = gossips},
	[EXT_UPLOAD_ONLY] = {3, 1, 1, on_upload_only, .in_private = true, .when_bare = true},
	[EXT_METADATA] = {2, 2, METADATA_MESSAGE_MAX, swarm_on_metadata, .when_bare = true},
};

static bool is_offered(const struct swarm *s, const struct message *m)
{
	return m->id != 0 && (m->in_private || !s->is_private) && (m->when_bare || !s->bare) &&
	       (m->offered == NULL || m->offered(s));
}

/* The names that are offered now, as bits. */
static uint32_t offers(const struct swarm *s)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < EXT_MAX_; i++)
		bits |= (uint32_t)is_offered(s, &messages[i]) << i;
	return bits;
}

/* --- what we say --- */

static bool wants_nothing(const struct swarm_peer *p)
{
	return swarm_done(p->swarm) && !p->masked;
}

void swarm_say_extended(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;
	uint32_t offered = offers(s);
	struct ext_params h = {.withdrawn = p->ext_said & ~offered,
		.reqq = s->config.max_served,
		.metadata_size = swarm_info_size(s),
		.port = s->config.port,
		.upload_only = wants_nothing(p),
		.was_upload_only = p->said_upload_only,
		.client = s->config.version,
		.yourip = &p->at};
	uint8_t dict[512];
	struct wr body = wr_of(dict, sizeof dict);
	struct wr w = outbuf_begin(&p->out, sizeof dict + 6);

	for (unsigned i = 0; i < EXT_MAX_; i++)
		h.ids[i] = (offered >> i & 1) != 0 ? messages[i].id : 0;
	ext_handshake_build(&body, &h);
	must(!body.full);
	p->said_upload_only = h.upload_only;
	p->ext_said = (uint8_t)offered;
	wire_put_extended(&w, HANDSHAKE_ID, dict, (size_t)(body.p - dict));
	outbuf_commit(&p->out, &w);
}

void swarm_update_offers(struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	uint32_t offered = offers(s);

	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p == NULL || !p->caps.extended || p->ext_said == offered)
			continue;
		swarm_say_extended(p);
		s->ops->wake(p->conn);
	}
}

/* By the message of that name where the other side offers it, else by another handshake. */
static void say_upload_only(struct swarm_peer *p, bool on)
{
	uint8_t byte = on;

	if (swarm_put_extended(p, EXT_UPLOAD_ONLY, &byte, 1)) {
		p->said_upload_only = on;
		return;
	}
	swarm_say_extended(p);
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

/* --- what it says --- */

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
	h.encrypts = p->encrypts;
	h.metadata_size = p->metadata_size;
	if (ext_handshake_parse(payload, &h) != E_OK)
		return E_PROTOCOL;
	memcpy(p->ext_ids, h.ids, sizeof p->ext_ids);
	p->reqq = h.reqq;
	set_upload_only(p, h.upload_only);
	p->encrypts = h.encrypts;
	if (h.client[0] != '\0')
		memcpy(p->client, h.client, sizeof p->client);
	p->metadata_size = h.metadata_size;
	swarm_info_claimed(p, now);
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
	for (unsigned i = 0; i < EXT_MAX_; i++) {
		const struct message *m = &messages[i];

		/* What we have withdrawn may have been on its way. */
		if (m->id == ev->id && is_offered(p->swarm, m))
			return ev->payload.n >= m->min && ev->payload.n <= m->max
				       ? m->handle(p, ev->payload, now)
				       : E_OK;
	}
	return E_OK; /* whatever else it is, we did not announce it */
}
