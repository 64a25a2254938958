/* SPDX-License-Identifier: MIT */
/*
 * What the owner of a swarm sees and sets of it: state.h is the folder's alone, so that what stands
 * there may change without anybody else.
 */
#include "proto/swarm/priv.h"

/* --- the swarm --- */

const struct bitfield *swarm_have(const struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	return picker_own(s->picker);
}

bool swarm_done(const struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	return !s->bare && picker_done(s->picker);
}

uint64_t swarm_left(const struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	return s->bare ? BLOCK_SIZE : picker_wanted_left(s->picker);
}

struct picker *swarm_picker(const struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	return s->picker;
}

struct peerlist *swarm_candidates(const struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	return s->candidates;
}

const struct layout *swarm_layout(const struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	return &s->layout;
}

unsigned swarm_peers(const struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	return s->peers_n;
}

void swarm_set_private(struct swarm *s, bool is_private)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	s->is_private = is_private;
}

void swarm_set_up_limit(struct swarm *s, uint64_t rate)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	s->up_limit = rate;
}

bool swarm_stop_download(struct swarm *s, bool stop)
{
	bool ended;

	CHECK_OBJ(s, SWARM_MAGIC);
	ended = s->no_download && !stop;
	s->no_download = stop;
	return ended;
}

void swarm_totals(const struct swarm *s, struct swarm_totals *n)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	*n = (struct swarm_totals){.downloaded = s->downloaded,
		.uploaded = s->uploaded,
		.wasted = s->wasted,
		.failed_pieces = s->failed_pieces,
		.no_download = s->no_download};
}

void swarm_rates(struct swarm *s, int64_t now, uint64_t *down, uint64_t *up)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	*down = meter_shown(&s->down, now);
	*up = meter_shown(&s->up, now);
}

/* --- a peer and its connection --- */

void *swarm_conn(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return p->conn;
}

struct outbuf *swarm_out(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return &p->out;
}

struct wire_dec *swarm_decoder(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return &p->dec;
}

unsigned swarm_asked(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return p->asked.n;
}

const struct block_req *swarm_serve_first(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return p->serving.n > 0 ? req_at(&p->serving, 0) : NULL;
}

bool swarm_wants_info(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return p->info_asked.n > 0;
}

bool swarm_chokes(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return p->am_choking;
}

bool swarm_is_seed(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return p->seed;
}

bool swarm_peer_unfit(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return p->unfit;
}

uint64_t swarm_pace(const struct swarm_peer *p, bool *starting)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	*starting = p->starting;
	return p->pace;
}

void swarm_progress(struct swarm_peer *p, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	p->last_block_at = now;
}

/* --- a peer as others are told of it --- */

void swarm_look(const struct swarm_peer *p, struct swarm_look *v)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	*v = (struct swarm_look){.client = p->client,
		.has = &p->has,
		.reach = p->reach,
		.am_choking = p->am_choking,
		.am_interested = p->am_interested,
		.peer_choking = p->peer_choking,
		.peer_interested = p->peer_interested,
		.interesting = p->interesting,
		.downloaded = p->downloaded,
		.uploaded = p->uploaded,
		.connected_at = p->connected_at,
		.seed = p->seed,
		.upload_only = p->upload_only,
		.snubbed = p->snubbed,
		.optimistic = p->optimistic,
		.delay = p->delay};
	memcpy(v->id, p->id, sizeof v->id);
}

void swarm_peer_rates(struct swarm_peer *p, int64_t now, uint64_t *down, uint64_t *up)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	*down = meter_shown(&p->down, now);
	*up = meter_shown(&p->up, now);
}
