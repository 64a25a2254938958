/* SPDX-License-Identifier: MIT */
/*
 * The info dictionary between us and a peer (BEP 9): asked of it while the swarm is bare, given to
 * it afterwards.
 *
 * It is given from the bytes whose hash is the torrent's name, never in part, and never of a
 * private torrent.  Some clients ask for all pieces at once: what they ask for waits until there is
 * room in ->out, counted in the budget of requests that all peers of the owner share.  Nobody needs
 * it many times over.
 */
#include "proto/swarm/priv.h"

#define INFO_AHEAD  (2u * METADATA_PIECE) /* bytes that wait to be sent: the next piece waits */
#define INFO_QUEUE  METADATA_SIZE_MAX / METADATA_PIECE /* requests of one peer */
#define INFO_TIMES  4u                                 /* a peer is given all of it so often, */
#define INFO_MARGIN 64u                                /* and so many pieces */

/* --- asked of us --- */

void swarm_set_info(struct swarm *s, struct slice info, bool is_private)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	s->info = info;
	s->is_private = is_private;
}

uint32_t swarm_info_size(const struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	if (s->is_private || s->info.n > METADATA_SIZE_MAX)
		return 0;
	return (uint32_t)s->info.n;
}

/* Requests that wait are requests, wherever they are counted. */
static void count_asked(struct swarm_peer *p, int64_t n)
{
	struct serve_budget *b = p->swarm->config.budget;

	if (b != NULL)
		b->used = (uint64_t)((int64_t)b->used + n);
}

static void put_message(struct swarm_peer *p, enum metadata_type type, uint32_t piece,
	uint32_t total_size, struct slice data)
{
	uint8_t head[METADATA_HEAD_MAX];
	struct wr h = wr_of(head, sizeof head), w;

	ext_metadata_build(&h, type, piece, total_size);
	must(!h.full);
	size_t n = (size_t)(h.p - head);

	w = outbuf_begin(&p->out, 6 + n + data.n);
	wire_put_extended_head(&w, p->ext_ids[EXT_METADATA], n + data.n);
	wr_bytes(&w, head, n);
	if (data.n > 0)
		wr_bytes(&w, data.p, data.n);
	outbuf_commit(&p->out, &w);
	p->swarm->ops->wake(p->conn);
}

static bool may_have(const struct swarm_peer *p, uint32_t piece)
{
	const struct serve_budget *b = p->swarm->config.budget;
	uint32_t pieces = metadata_pieces(swarm_info_size(p->swarm));

	if (piece >= pieces || p->info_asked.n >= INFO_QUEUE)
		return false;
	if (b != NULL && b->used >= b->max)
		return false;
	return p->info_served + p->info_asked.n < INFO_TIMES * pieces + INFO_MARGIN;
}

static void on_request(struct swarm_peer *p, uint32_t piece)
{
	if (p->ext_ids[EXT_METADATA] == 0)
		return; /* there is no number under which it would take an answer */
	if (!may_have(p, piece)) {
		put_message(p, METADATA_REJECT, piece, 0, (struct slice){NULL, 0});
		return;
	}
	req_push(&p->info_asked, (struct block_req){.piece = piece});
	count_asked(p, 1);
	swarm_serve_info(p);
}

void swarm_serve_info(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	const struct swarm *s = p->swarm;
	uint32_t size = swarm_info_size(s);
	struct block_req r;

	while (p->info_asked.n > 0 && outbuf_len(&p->out) < INFO_AHEAD) {
		must(req_pop(&p->info_asked, &r));
		count_asked(p, -1);
		if (p->ext_ids[EXT_METADATA] == 0 || size == 0)
			continue;
		put_message(p, METADATA_DATA, r.piece, size,
			(struct slice){s->info.p + (size_t)r.piece * METADATA_PIECE,
				metadata_piece_size(size, r.piece)});
		p->info_served++;
	}
	if (p->info_asked.n == 0)
		req_clear(&p->info_asked);
}

/* --- asked of it --- */

static void ask(struct swarm_peer *p, int64_t now)
{
	struct metadata *m = p->swarm->metadata;
	uint32_t piece;

	while (metadata_next(m, p->name, &piece, now))
		put_message(p, METADATA_REQUEST, piece, 0, (struct slice){NULL, 0});
}

/* Something has happened that may change what is asked of whom. */
static void go_on(struct swarm *s, int64_t now)
{
	for (uint32_t i = 0; metadata_stirred(s->metadata); i = 0)
		for (; i < s->peers_cap; i++)
			if (s->peers[i] != NULL)
				ask(s->peers[i], now);
	if (s->fetched || metadata_bytes(s->metadata).p == NULL)
		return;
	s->fetched = true;
	s->ops->fetched(s->owner);
}

enum err swarm_on_metadata(struct swarm_peer *p, struct slice payload, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;
	struct metadata_message m;

	if (ext_metadata_parse(payload, &m) != E_OK)
		return E_PROTOCOL;
	if (m.type == METADATA_REQUEST)
		on_request(p, m.piece);
	else if (s->bare) {
		metadata_got(s->metadata, p->name, &m, now);
		ask(p, now);
		go_on(s, now);
	}
	return E_OK;
}

void swarm_info_claimed(struct swarm_peer *p, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;

	if (!s->bare)
		return;
	metadata_claim(s->metadata, p->name, &p->at,
		p->ext_ids[EXT_METADATA] != 0 ? p->metadata_size : 0, now);
	ask(p, now);
	go_on(s, now);
}

void swarm_info_leave(struct swarm_peer *p, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	count_asked(p, -(int64_t)p->info_asked.n);
	req_clear(&p->info_asked);
	if (p->swarm->bare)
		metadata_leave(p->swarm->metadata, p->name, now);
}

void swarm_info_tick(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	if (!s->bare)
		return;
	metadata_tick(s->metadata, now);
	go_on(s, now);
}

struct slice swarm_metadata(const struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	return s->bare ? metadata_bytes(s->metadata) : (struct slice){NULL, 0};
}

void swarm_metadata_progress(const struct swarm *s, struct metadata_progress *p)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	memset(p, 0, sizeof *p);
	if (s->bare)
		metadata_progress(s->metadata, p);
}
