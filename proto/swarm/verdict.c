/* SPDX-License-Identifier: MIT */
/*
 * What the store says of a piece: good, bad, or not written; and who is to blame.
 *
 * A bad piece makes suspects of all who sent a part of it.  Who sent all of it is guilty; of
 * several, the notes of the smart ban find the one once the piece has come whole.  Until then
 * suspects are on parole: they get whole pieces of their own, so that a lie convicts its author at
 * once and the truth clears it.  Nobody is banned for bad company.
 */
#include "proto/swarm/priv.h"

/* A peer that does not read is not sent more than this; when it reads again it is told the rest. */
#define HAVES_MOST 65536u

static void put_have(struct swarm_peer *p, uint32_t piece)
{
	struct wr w = outbuf_begin(&p->out, 9);

	wire_put_have(&w, piece);
	outbuf_commit(&p->out, &w);
}

/* The peer is to be told this one, too, by swarm_tick_haves(). */
static void put_off(struct swarm_peer *p, uint32_t piece)
{
	if (p->haves_due && piece < p->haves_at)
		p->haves_again = true;
	p->haves_due = true;
}

void swarm_tick_haves(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	const struct bitfield *have = swarm_have(p->swarm);
	bool any = false;

	if (!p->haves_due || p->masked)
		return;
	for (; p->haves_at < have->bits && outbuf_len(&p->out) < HAVES_MOST; p->haves_at++) {
		if (!bitfield_get(have, p->haves_at))
			continue;
		put_have(p, p->haves_at);
		any = true;
	}
	if (p->haves_at == have->bits) {
		p->haves_due = p->haves_again;
		p->haves_again = false;
		p->haves_at = 0;
	}
	if (any)
		p->swarm->ops->wake(p->conn);
}

/*
 * BEP 3 "have".  A seed is not told: it saves a message and a system call a piece.  Anybody else
 * is, even who has the piece, or two that finish would never know each other for seeds.
 */
static void tell_have(struct swarm_peer *p, uint32_t piece, bool wanted)
{
	if (wanted && bitfield_get(&p->has, piece)) {
		if (p->interesting > 0)
			p->interesting--;
		swarm_update_interest(p);
	}
	if (p->seed)
		return;
	if (outbuf_len(&p->out) >= HAVES_MOST)
		put_off(p, piece);
	else
		put_have(p, piece);
	p->swarm->ops->wake(p->conn);
}

/* --- blame --- */

static struct smartban *notes_of(struct swarm *s)
{
	if (s->smartban == NULL)
		s->smartban = smartban_new();
	return s->smartban;
}

bool swarm_suspects(const struct swarm *s, uint32_t piece)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	return s->smartban != NULL && smartban_suspects(s->smartban, piece);
}

void swarm_block_digest(struct swarm *s, uint32_t piece, uint32_t begin, uint64_t digest)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	if (picker_block_length(s->picker, piece, begin) == 0)
		return;
	smartban_note(notes_of(s), piece, begin / BLOCK_SIZE,
		picker_sender(s->picker, piece, begin), digest);
}

static bool has_to_judge(const struct swarm *s)
{
	return !swarm_done(s) || picker_partials(s->picker) > 0;
}

void swarm_note_departed(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;

	if (!has_to_judge(s))
		return;
	if (s->departed == NULL)
		s->departed = xcalloc(DEPARTED_MAX, sizeof *s->departed);
	s->departed[s->departed_n++ % DEPARTED_MAX] = (struct departed){p->name, p->at};
}

static void forget_departed(struct swarm *s)
{
	xfree(s->departed);
	s->departed = NULL;
}

/* Guilty for sure: who is connected is handed out by swarm_guilty(), who has left stays away. */
static void convict(struct swarm *s, uint32_t name)
{
	struct swarm_peer *p = swarm_peer_named(s, name);

	if (p != NULL && !p->guilty) {
		p->guilty = true;
		s->guilty_n++;
		peerlist_ban(s->candidates, &p->at);
	}
	for (unsigned i = 0; p == NULL && s->departed != NULL && i < DEPARTED_MAX; i++)
		if (s->departed[i].name == name && s->departed[i].at.port != 0)
			peerlist_ban(s->candidates, &s->departed[i].at);
}

void swarm_convict_all(struct swarm *s, const struct smartban_names *guilty)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	for (unsigned i = 0; i < guilty->n; i++)
		convict(s, guilty->v[i]);
}

static void end_parole(struct swarm *s, uint32_t name)
{
	struct swarm_peer *p = swarm_peer_named(s, name);

	if (p == NULL || !p->parole)
		return;
	p->parole = false;
	if (swarm_wants_requests(p))
		s->ops->wake(p->conn);
}

/* Before the picker forgets who sent what. */
static void judge_good(struct swarm *s, uint32_t piece)
{
	struct smartban_names guilty, cleared;
	uint32_t sole = picker_sole_sender(s->picker, piece);

	if (sole != PICKER_NOBODY)
		end_parole(s, sole);
	if (s->smartban == NULL)
		return;
	smartban_passed(s->smartban, piece, &guilty, &cleared);
	swarm_convict_all(s, &guilty);
	for (unsigned i = 0; i < cleared.n; i++)
		end_parole(s, cleared.v[i]);
}

static void judge_bad(struct swarm *s, uint32_t piece)
{
	uint32_t who[SMARTBAN_NAMES], sole = picker_sole_sender(s->picker, piece);
	unsigned n = picker_contributors(s->picker, piece, who, ARRAY_LEN(who));
	struct smartban_names guilty;

	for (unsigned i = 0; i < n; i++) {
		struct swarm_peer *p = swarm_peer_named(s, who[i]);

		if (p == NULL)
			continue;
		p->bad_pieces++;
		p->parole = true;
	}
	if (sole != PICKER_NOBODY)
		convict(s, sole);
	smartban_failed(notes_of(s), piece, &guilty);
	swarm_convict_all(s, &guilty);
}

unsigned swarm_guilty(struct swarm *s, struct swarm_peer **bad, unsigned max)
{
	unsigned n = 0;

	CHECK_OBJ(s, SWARM_MAGIC);
	for (uint32_t i = 0; s->guilty_n > 0 && n < max && i < s->peers_cap; i++) {
		if (s->peers[i] == NULL || !s->peers[i]->guilty)
			continue;
		s->peers[i]->guilty = false;
		s->guilty_n--;
		bad[n++] = s->peers[i];
	}
	return n;
}

static bool has_part_in(const struct swarm *s, uint32_t piece, uint32_t name)
{
	uint32_t who[SMARTBAN_NAMES];
	unsigned n = picker_contributors(s->picker, piece, who, ARRAY_LEN(who));

	for (unsigned i = 0; i < n; i++)
		if (who[i] == name)
			return true;
	return false;
}

unsigned swarm_taint(struct swarm_peer *p, uint32_t *pieces, unsigned max)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;
	uint8_t *bitmap = xcalloc(1, PICKER_BITMAP_MAX);
	uint32_t iter = 0, piece;
	unsigned n = 0;
	size_t bytes;

	/* A complete piece is judged by its hash in a moment. */
	while (n < max && picker_save_partial(s->picker, &iter, &piece, bitmap, &bytes))
		if (!picker_complete(s->picker, piece) && has_part_in(s, piece, p->name))
			pieces[n++] = piece;
	xfree(bitmap);
	for (unsigned i = 0; i < n; i++) {
		s->wasted += (uint64_t)picker_blocks_here(s->picker, pieces[i]) * BLOCK_SIZE;
		picker_write_failed(s->picker, pieces[i]);
		swarm_wake_idle(s, UINT32_MAX, pieces[i]);
	}
	return n;
}

/* --- verdicts --- */

void swarm_piece_ok(struct swarm *s, uint32_t piece, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	bool wanted = picker_wants(s->picker, piece);

	(void)now;
	if (bitfield_get(swarm_have(s), piece))
		return;
	judge_good(s, piece);
	picker_hash_ok(s->picker, piece);
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL)
			tell_have(s->peers[i], piece, wanted);
	if (!has_to_judge(s))
		forget_departed(s);
	if (picker_done(s->picker))
		swarm_update_upload_only(s);
}

unsigned swarm_piece_bad(struct swarm *s, uint32_t piece, struct swarm_peer **bad, unsigned max)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	s->wasted += layout_piece_size(&s->layout, piece);
	s->failed_pieces++;
	judge_bad(s, piece);
	picker_hash_failed(s->picker, piece);
	swarm_wake_idle(s, UINT32_MAX, piece);
	return swarm_guilty(s, bad, max);
}

void swarm_piece_failed(struct swarm *s, uint32_t piece)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	picker_write_failed(s->picker, piece);
	swarm_wake_idle(s, UINT32_MAX, piece);
}
