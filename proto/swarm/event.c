/* SPDX-License-Identifier: MIT */
/*
 * What a peer says, message by message (BEP 3 "peer messages", BEP 6, BEP 10, BEP 21).
 * Nothing it says can do more than end its own connection.
 */
#include "proto/swarm/priv.h"

typedef enum err event_f(struct swarm_peer *, const struct wire_ev *, int64_t now);

/* --- what it has --- */

static void one_more(struct swarm_peer *p, uint32_t piece)
{
	if (!bitfield_set(&p->has, piece))
		return;
	picker_have(p->swarm->picker, piece);
	if (picker_wants(p->swarm->picker, piece))
		p->interesting++;
}

static void learnt_more(struct swarm_peer *p, int64_t now)
{
	swarm_note_seed(p, now);
	swarm_update_interest(p);
	if (swarm_wants_requests(p))
		p->swarm->ops->wake(p->conn);
}

/* BEP 3 allows a bitfield only as the first message, but aria2 sends another one in place of many
 * HAVEs. */
static enum err late_bitfield(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	struct bitfield more;
	enum err err;
	uint32_t i;

	bitfield_init(&more, p->has.bits);
	err = bitfield_load(&more, ev->payload.p, ev->payload.n);
	if (err == E_OK) {
		for (struct bitwalk walk = bitfield_walk(&more); bitwalk_next(&walk, &i);)
			one_more(p, i);
		learnt_more(p, now);
	}
	bitfield_free(&more);
	return err == E_OK ? E_OK : E_PROTOCOL;
}

static enum err on_bitfield(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	if (p->greeted)
		return late_bitfield(p, ev, now);
	if (bitfield_load(&p->has, ev->payload.p, ev->payload.n) != E_OK)
		return E_PROTOCOL;
	swarm_greet(p, now);
	return E_OK;
}

static enum err on_have_all(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	(void)ev;
	if (!p->caps.fast)
		return E_PROTOCOL;
	if (p->greeted) {
		for (uint32_t i = 0; i < p->has.bits && !p->seed; i++)
			one_more(p, i);
		learnt_more(p, now);
		return E_OK;
	}
	bitfield_set_all(&p->has);
	swarm_greet(p, now);
	return E_OK;
}

/* After anything else it says nothing: what a peer has shown does not go away. */
static enum err on_have_none(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	(void)ev;
	if (!p->caps.fast)
		return E_PROTOCOL;
	swarm_greet(p, now);
	return E_OK;
}

static enum err on_have(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	swarm_greet(p, now);
	if (ev->index >= p->has.bits)
		return E_PROTOCOL;
	one_more(p, ev->index);
	learnt_more(p, now);
	swarm_super_seen(p->swarm, ev->index, now);
	return E_OK;
}

/* --- choking and interest --- */

static enum err on_choke(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	(void)ev;
	swarm_greet(p, now);
	p->peer_choking = true;
	/* BEP 6: with the fast extension each request is still answered, by a piece or a reject. */
	if (!p->caps.fast)
		swarm_void_asked(p, false);
	return E_OK;
}

static enum err on_unchoke(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	(void)ev;
	swarm_greet(p, now);
	p->peer_choking = p->held = false;
	p->last_block_at = now;
	p->swarm->ops->wake(p->conn);
	return E_OK;
}

static enum err on_interested(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	(void)ev;
	swarm_greet(p, now);
	if (!p->peer_interested) {
		p->peer_interested = true;
		p->swarm->choke_soon = true;
		swarm_unchoke_if_room(p, now);
	}
	return E_OK;
}

static enum err on_not_interested(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	(void)ev;
	swarm_greet(p, now);
	if (p->peer_interested && !p->am_choking)
		p->swarm->choke_soon = true;
	p->peer_interested = false;
	return E_OK;
}

/* --- what it asks for --- */

static enum err on_request(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	struct block_req r = {ev->index, ev->begin, ev->length};

	swarm_greet(p, now);
	return swarm_on_request(p, &r, now);
}

static enum err on_cancel(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	struct block_req r = {ev->index, ev->begin, ev->length};

	swarm_greet(p, now);
	swarm_on_cancel(p, &r);
	return E_OK;
}

/* --- fast extension, the rest (BEP 6) --- */

static enum err on_reject(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	swarm_greet(p, now);
	return swarm_on_reject(p, ev, now);
}

static enum err on_allowed_fast(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	swarm_greet(p, now);
	return swarm_on_allowed_fast(p, ev);
}

static enum err on_suggest(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	swarm_greet(p, now);
	return swarm_on_suggest(p, ev);
}

static enum err on_nothing(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	(void)p, (void)ev, (void)now;
	return E_OK;
}

static event_f *const handlers[] = {
	[WIRE_KEEPALIVE] = on_nothing,
	[WIRE_CHOKE] = on_choke,
	[WIRE_UNCHOKE] = on_unchoke,
	[WIRE_INTERESTED] = on_interested,
	[WIRE_NOT_INTERESTED] = on_not_interested,
	[WIRE_HAVE] = on_have,
	[WIRE_BITFIELD] = on_bitfield,
	[WIRE_REQUEST] = on_request,
	[WIRE_CANCEL] = on_cancel,
	[WIRE_PORT] = on_nothing,
	[WIRE_SUGGEST] = on_suggest,
	[WIRE_HAVE_ALL] = on_have_all,
	[WIRE_HAVE_NONE] = on_have_none,
	[WIRE_REJECT] = on_reject,
	[WIRE_ALLOWED_FAST] = on_allowed_fast,
	[WIRE_EXTENDED] = swarm_on_extended,
	[WIRE_UNKNOWN] = on_nothing,
};

enum err swarm_event(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	must((size_t)ev->type < ARRAY_LEN(handlers) && handlers[ev->type] != NULL);
	if (p->swarm->bare)
		return swarm_bare_event(p, ev, now);
	return handlers[ev->type](p, ev, now);
}
