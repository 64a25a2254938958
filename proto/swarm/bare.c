/* SPDX-License-Identifier: MIT */
/*
 * What peers say of their pieces while nobody knows how many there are, and the moment it becomes
 * known (BEP 9).
 *
 * Hearsay is kept as it was said: the bytes of a bitfield, numbers of pieces.  It takes no more
 * memory than the peer has sent bytes, HEARD_HAVES numbers at most, and all of a shard share one
 * budget.  The swarm has a stand-in for a layout meanwhile, of one piece that nobody wants or has,
 * so that whatever counts pieces finds none.
 */
#include "proto/base/array.h"
#include "proto/meta/metainfo.h"
#include "proto/swarm/priv.h"

#define HEARD_BITS   (METAINFO_PIECES_MAX / 8) /* bytes of a bitfield */
#define HEARD_HAVES  65536u                    /* more are forgotten */
#define REQUESTS_MAX 300u                      /* for what we cannot have, from one peer */

struct hearsay {
	bool all;
	uint8_t *bits; /* owned; as it came */
	uint32_t bits_n;
	uint32_t *haves; /* owned */
	uint32_t haves_n, haves_room;
};

static bool take_budget(struct swarm_peer *p, size_t n)
{
	struct byte_budget *b = p->swarm->config.unverified;

	if (b != NULL && b->used + n > b->max)
		return false;
	if (b != NULL)
		b->used += n;
	return true;
}

static struct hearsay *heard_of(struct swarm_peer *p)
{
	if (p->heard == NULL)
		p->heard = xcalloc(1, sizeof *p->heard);
	return p->heard;
}

void swarm_forget_heard(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct byte_budget *b = p->swarm->config.unverified;
	struct hearsay *h = p->heard;

	if (h == NULL)
		return;
	if (b != NULL)
		b->used -= h->bits_n + (size_t)h->haves_room * sizeof *h->haves;
	xfree(h->bits);
	xfree(h->haves);
	xfree(h);
	p->heard = NULL;
}

/* --- what it says --- */

static enum err on_bitfield(struct swarm_peer *p, struct slice bits)
{
	struct hearsay *h = heard_of(p);

	if (bits.n == 0 || bits.n > HEARD_BITS || (h->bits != NULL && h->bits_n != bits.n))
		return E_PROTOCOL;
	if (h->bits == NULL) {
		if (!take_budget(p, bits.n))
			return E_OVERLOAD;
		h->bits = xmemdup(bits.p, bits.n);
		h->bits_n = (uint32_t)bits.n;
		return E_OK;
	}
	for (size_t i = 0; i < bits.n; i++)
		h->bits[i] |= bits.p[i];
	return E_OK;
}

static enum err on_have(struct swarm_peer *p, uint32_t piece)
{
	struct hearsay *h = heard_of(p);
	uint32_t room = h->haves_room;

	if (piece >= METAINFO_PIECES_MAX)
		return E_PROTOCOL;
	if (h->bits != NULL && piece / 8 < h->bits_n) {
		bits_set(h->bits, piece);
		return E_OK;
	}
	if (h->haves_n == HEARD_HAVES)
		return E_OK;
	if (h->haves_n == room) {
		room = MIN(array_room(room, (size_t)room + 1), HEARD_HAVES);
		if (!take_budget(p, (room - h->haves_room) * sizeof *h->haves))
			return E_OVERLOAD;
		h->haves = xrealloc(h->haves, room * sizeof *h->haves);
		h->haves_room = room;
	}
	h->haves[h->haves_n++] = piece;
	return E_OK;
}

static enum err on_allowed_fast(struct swarm_peer *p, uint32_t piece)
{
	if (piece >= METAINFO_PIECES_MAX)
		return E_PROTOCOL;
	if (p->allowed_n < ARRAY_LEN(p->allowed))
		p->allowed[p->allowed_n++] = piece;
	return E_OK;
}

static enum err on_request(struct swarm_peer *p, const struct wire_ev *ev)
{
	struct block_req r = {ev->index, ev->begin, ev->length};

	swarm_put_reject(p, &r);
	return ++p->bad_requests > REQUESTS_MAX ? E_PROTOCOL : E_OK;
}

static enum err on_fast(struct swarm_peer *p, const struct wire_ev *ev)
{
	if (!p->caps.fast)
		return E_PROTOCOL;
	if (ev->type == WIRE_HAVE_ALL)
		heard_of(p)->all = true;
	else if (ev->type == WIRE_HAVE_NONE)
		(void)heard_of(p);
	else if (ev->type == WIRE_ALLOWED_FAST)
		return on_allowed_fast(p, ev->index);
	return E_OK; /* a suggestion is of no use, and a reject answers nothing of ours */
}

enum err swarm_bare_event(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	switch (ev->type) {
	case WIRE_CHOKE:
	case WIRE_UNCHOKE:
		p->peer_choking = ev->type == WIRE_CHOKE;
		return E_OK;
	case WIRE_INTERESTED:
	case WIRE_NOT_INTERESTED:
		p->peer_interested = ev->type == WIRE_INTERESTED;
		return E_OK;
	case WIRE_HAVE:
		return on_have(p, ev->index);
	case WIRE_BITFIELD:
		return on_bitfield(p, ev->payload);
	case WIRE_REQUEST:
		return on_request(p, ev);
	case WIRE_HAVE_ALL:
	case WIRE_HAVE_NONE:
	case WIRE_SUGGEST:
	case WIRE_REJECT:
	case WIRE_ALLOWED_FAST:
		return on_fast(p, ev);
	case WIRE_EXTENDED:
		return swarm_on_extended(p, ev, now);
	default:
		return E_OK;
	}
}

/* --- the rest becomes known --- */

/* false: it cannot be true. */
static bool believe(struct swarm_peer *p)
{
	const struct hearsay *h = p->heard;

	for (uint32_t i = 0; i < p->allowed_n; i++)
		if (p->allowed[i] >= p->has.bits)
			return false;
	if (h == NULL)
		return true;
	if (h->bits != NULL && bitfield_load(&p->has, h->bits, h->bits_n) != E_OK)
		return false;
	for (uint32_t i = 0; i < h->haves_n; i++) {
		if (h->haves[i] >= p->has.bits)
			return false;
		bitfield_set(&p->has, h->haves[i]);
	}
	if (h->all)
		bitfield_set_all(&p->has);
	return true;
}

void swarm_complete(
	struct swarm *s, const struct layout *layout, struct slice info, bool is_private)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	struct smartban_names liars;

	must(s->bare);
	if (metadata_guilty(s->metadata, &liars) > 0)
		swarm_convict_all(s, &liars);
	s->bare = false;
	s->layout = *layout;
	swarm_set_info(s, info, is_private);
	metadata_free(&s->metadata);
	picker_free(&s->picker);
	s->picker = picker_new(layout->pieces, layout->piece_length, layout->size, s->rng);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p == NULL)
			continue;
		wire_dec_limit(&p->dec, (uint32_t)bitfield_bytes(layout->pieces));
		bitfield_free(&p->has);
		bitfield_init(&p->has, layout->pieces);
		p->unfit = !believe(p);
	}
}

void swarm_introduce(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p == NULL)
			continue;
		p->haves_due = swarm_have(s)->count > 0;
		swarm_tick_haves(p);
		if (p->caps.extended)
			swarm_say_extended(p);
		if (p->heard != NULL)
			swarm_greet(p, now);
		swarm_forget_heard(p);
		s->ops->wake(p->conn);
	}
	s->next_choke = now + CHOKE_SOON;
	s->choke_soon = true;
}
