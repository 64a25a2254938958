/* SPDX-License-Identifier: MIT */
/* The life of a swarm: made and configured, joined and left, told what is wanted, and its tick. */
#include "proto/swarm/priv.h"

_Static_assert(
	METAINFO_PIECES_MAX <= PICKER_PIECES_MAX && METAINFO_PIECE_MAX <= PICKER_PIECE_LENGTH_MAX,
	"whatever torrent is taken can be picked from");

struct swarm *swarm_new(const struct layout *layout, const uint8_t infohash[20],
	const struct swarm_config *config, const struct swarm_ops *ops, void *owner,
	struct rng *rng, int64_t now)
{
	struct swarm *s;

	ALLOC_OBJ(s, SWARM_MAGIC);
	s->layout = layout != NULL ? *layout : layout_of(1, 1);
	s->bare = layout == NULL;
	s->ops = ops;
	s->owner = owner;
	s->rng = rng;
	memcpy(s->infohash, infohash, sizeof s->infohash);
	link_init(&s->idle);
	meter_init(&s->down, now);
	meter_init(&s->up, now);
	s->picker = picker_new(s->layout.pieces, s->layout.piece_length, s->layout.size, rng);
	if (s->bare)
		picker_priority(s->picker, 0, PRIORITY_SKIP);
	s->candidates = peerlist_new(
		config->candidates != 0 ? config->candidates : PEERLIST_CAP_DEFAULT, rng);
	choker_init(&s->choker, 0, 0, config->choke_seed);
	swarm_configure(s, config);
	if (s->bare)
		s->metadata = metadata_new(infohash, config->unverified);
	s->super_mode = config->super_seed;
	for (size_t i = 0; i < ARRAY_LEN(s->witness); i++)
		s->witness[i].believed_at = INT64_MIN;
	return s;
}

void swarm_configure(struct swarm *s, const struct swarm_config *config)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	if (config->upload_slots != s->config.upload_slots) {
		s->choker.slots = config->upload_slots;
		s->choker.slots_min = MIN(config->upload_slots, SLOTS_LEAST);
	}
	s->config = *config;
}

void swarm_gossip(struct swarm *s, bool on)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	if (s->gossip == on)
		return;
	s->gossip = on;
	if (!on)
		swarm_pex_forget(s);
	swarm_update_offers(s);
}

void swarm_free(struct swarm **sp)
{
	struct swarm *s;

	if (*sp == NULL)
		return;
	TAKE_OBJ(s, sp, SWARM_MAGIC);
	must(s->peers_n == 0);
	xfree(s->times_shown);
	xfree(s->departed);
	xfree(s->reads);
	xfree(s->times_bait);
	xfree(s->peers);
	xfree(s->log);
	smartban_free(&s->smartban);
	metadata_free(&s->metadata);
	picker_free(&s->picker);
	peerlist_free(&s->candidates);
	FREE_OBJ(s);
}

/* --- joining and leaving --- */

/* BEP 3 "bitfield", BEP 6 "Have All/Have None": must be our first message. */
static void say_have(struct swarm_peer *p)
{
	const struct bitfield *have = swarm_have(p->swarm);
	size_t n = bitfield_bytes(have->bits);
	struct wr w = outbuf_begin(&p->out, 5 + n);

	if (p->caps.fast && (have->count == 0 || p->masked))
		wire_put_have_none(&w);
	else if (p->masked)
		return;
	else if (p->caps.fast && bitfield_full(have))
		wire_put_have_all(&w);
	else if (have->count > 0)
		wire_put_bitfield(&w, have->bytes, n);
	outbuf_commit(&p->out, &w);
}

struct swarm_peer *swarm_join(struct swarm *s, void *conn, const struct endpoint *at,
	const uint8_t id[20], struct swarm_caps caps, bool incoming, int64_t now)
{
	struct swarm_peer *p;

	CHECK_OBJ(s, SWARM_MAGIC);
	ALLOC_OBJ(p, SWARM_PEER_MAGIC);
	p->swarm = s;
	p->conn = conn;
	p->at = *at;
	memcpy(p->id, id, sizeof p->id);
	p->caps = caps;
	p->incoming = incoming;
	p->am_choking = p->peer_choking = true;
	p->starting = true;
	p->unchoked_at = INT64_MIN;
	p->window = WINDOW_START;
	p->reqq = REQQ_DEFAULT;
	p->connected_at = p->last_block_at = p->asked_at = now;
	for (size_t i = 0; i < ARRAY_LEN(p->given); i++)
		p->given[i].at = now;
	wire_dec_init(&p->dec, WIRE_MAX_BLOCK,
		(uint32_t)bitfield_bytes(s->bare ? METAINFO_PIECES_MAX : s->layout.pieces),
		MAX_MESSAGE);
	bitfield_init(&p->has, s->layout.pieces);
	meter_init(&p->down, now);
	meter_init(&p->up, now);
	if (s->peers_n == 0)
		s->next_choke = now + CHOKE_SOON;
	swarm_roster_add(s, p);
	peer_id_client(id, p->client, sizeof p->client);
	swarm_update_super(s, now);
	if (swarm_super_hides(p))
		swarm_mask(p);
	say_have(p);
	if (caps.extended)
		swarm_say_extended(p);
	return p;
}

void swarm_leave(struct swarm_peer **pp, int64_t now)
{
	struct swarm_peer *p;
	struct swarm *s;

	TAKE_OBJ(p, pp, SWARM_PEER_MAGIC);
	s = p->swarm;
	swarm_idle(p, false);
	swarm_void_asked(p, false);
	if (p->greeted)
		picker_leave(s->picker, &p->has);
	swarm_info_leave(p, now);
	swarm_forget_heard(p);
	if (!p->am_choking)
		s->choke_soon = true;
	if (p->reach.port != 0)
		peerlist_closed(s->candidates, &p->reach, p->downloaded + p->uploaded > 0, now);
	if (p->downloaded > 0)
		swarm_note_departed(p);
	if (p->guilty)
		s->guilty_n--;
	swarm_pex_leave(p);
	swarm_roster_remove(s, p);
	s->owed -= p->owed;
	req_clear(&p->asked);
	swarm_forget_serving(p);
	bitfield_free(&p->has);
	if (p->masked)
		swarm_unmask(p);
	wire_dec_fini(&p->dec);
	outbuf_fini(&p->out);
	FREE_OBJ(p);
}

float swarm_relevance(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	const struct bitfield *have = swarm_have(p->swarm);
	uint32_t lack = have->bits - have->count;

	if (lack == 0)
		return 0;
	return (float)picker_count_missing_that(p->swarm->picker, &p->has) / (float)lack;
}

/* --- what is wanted changes --- */

void swarm_reconsider(struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p == NULL)
			continue;
		p->interesting = picker_count_wanted_that(s->picker, &p->has);
		swarm_update_interest(p);
		if (swarm_wants_requests(p))
			s->ops->wake(p->conn);
	}
	swarm_update_upload_only(s);
}

/* --- the tick --- */

void swarm_tick(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	swarm_tick_pex(s, now);
	s->pace = meter_rate(&s->down, now);
	s->ticked = s->downloaded;
	meter_mark(&s->down, now);
	meter_mark(&s->up, now);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		if (s->peers[i] == NULL)
			continue;
		meter_mark(&s->peers[i]->down, now);
		meter_mark(&s->peers[i]->up, now);
		swarm_tick_requests(s->peers[i], now);
		swarm_tick_haves(s->peers[i]);
	}
	swarm_tick_super(s, now);
	if (s->bare) {
		swarm_info_tick(s, now);
		return; /* there is nothing to be had from us */
	}
	if (s->choke_soon && s->next_choke > now + CHOKE_SOON)
		s->next_choke = now + CHOKE_SOON;
	s->choke_soon = false;
	if (s->peers_n > 0 && now >= s->next_choke) {
		swarm_run_choker(s, now);
		/* A call between two rounds does not put the next one off. */
		s->next_choke = MAX(s->choker.round_at + CHOKER_ROUND_US, now + CHOKE_SOON);
	}
}
