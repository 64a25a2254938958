/* SPDX-License-Identifier: MIT */
/*
 * The order of all torrents, in which they get a slot: places that are kept in the database.
 *
 * A place is a number with wide gaps, so that a move changes one torrent; only when a gap is used
 * up all places are given anew, in one transaction.  Moves are carried out one after the other,
 * because each follows from the order that the one before has left.
 */
#include "actors/session/priv.h"

#define GAP (INT64_C(1) << 32)

/* A move that waits for the database. */
struct move {
	uint32_t magic;
	struct msg *m;     /* owned: the m_torrent_set to answer */
	struct tref *refs; /* owned, n of each */
	struct row_place *places;
	uint32_t n;
};
#define MOVE_MAGIC 0x4d4f5645u

static struct torrent *torrent_of(struct ordered_node *n)
{
	return container_of(n, struct torrent, order_node);
}

/* What does not fit any more shares a place; the rows then tell the order. */
int64_t session_new_place(struct session *s, bool top)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	if (top && !sub_ok(s->place_first, GAP, &s->place_first))
		s->place_first = INT64_MIN;
	if (!top && !add_ok(s->place_last, GAP, &s->place_last))
		s->place_last = INT64_MAX;
	return top ? s->place_first : s->place_last;
}

static void note_place(struct session *s, int64_t place)
{
	s->place_first = MIN(s->place_first, place);
	s->place_last = MAX(s->place_last, place);
}

void torrent_enter_order(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	note_place(t->session, t->place);
	ordered_insert(&t->session->order, &t->order_node, t->place, t->row);
}

void torrent_leave_order(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (ordered_is_in(&t->order_node))
		ordered_remove(&t->session->order, &t->order_node);
}

static void give_place(struct torrent *t, int64_t place)
{
	torrent_leave_order(t);
	t->place = place;
	torrent_enter_order(t);
	queue_moved(t);
	torrent_changed(t);
}

/* --- where a move leads --- */

/* The rank it is to have, from 0. */
static uint32_t aim_of(const struct torrent *t, const struct m_torrent_set *c)
{
	uint32_t n = ordered_size(&t->session->order), now = torrent_position(t) - 1;

	switch (c->move) {
	case MOVE_TOP:
		return 0;
	case MOVE_UP:
		return now > 0 ? now - 1 : 0;
	case MOVE_DOWN:
		return MIN(now + 1, n - 1);
	case MOVE_BOTTOM:
		return n - 1;
	case MOVE_TO:
		break;
	}
	return (uint32_t)MIN(MAX(c->value, 1u), n) - 1;
}

/* Who is at rank i once the one at `from` stands at `aim`: its rank today. */
static uint32_t rank_before_move(uint32_t i, uint32_t from, uint32_t aim)
{
	if (i == aim)
		return from;
	if (from < aim && i >= from && i < aim)
		return i + 1; /* those it passes move up */
	if (from > aim && i > aim && i <= from)
		return i - 1;
	return i;
}

/* Places for all, t among them at its new rank. */
static void number_all(struct move *v, struct torrent *t, uint32_t aim)
{
	struct session *s = t->session;
	uint32_t n = ordered_size(&s->order), from = torrent_position(t) - 1;

	v->n = n;
	v->refs = xcalloc(n, sizeof *v->refs);
	v->places = xcalloc(n, sizeof *v->places);
	for (uint32_t i = 0; i < n; i++) {
		const struct torrent *x =
			torrent_of(ordered_at(&s->order, rank_before_move(i, from, aim)));

		v->refs[i] = x->ref;
		v->places[i] = (struct row_place){x->row, (int64_t)i * GAP};
	}
}

/* A place between those that will be its neighbours; false: there is none left. */
static bool find_place(struct torrent *t, uint32_t aim, int64_t *out)
{
	struct session *s = t->session;
	uint32_t n = ordered_size(&s->order), from = torrent_position(t) - 1;
	int64_t above, below;

	if (aim == 0 || aim == n - 1) {
		*out = session_new_place(s, aim == 0);
		return true;
	}
	above = ordered_at(&s->order, aim > from ? aim : aim - 1)->place;
	below = ordered_at(&s->order, aim > from ? aim + 1 : aim)->place;
	*out = above / 2 + below / 2;
	return above < *out && *out < below;
}

/* --- carrying it out --- */

static void next_move(struct session *s);

static void end_move(struct session *s, struct move *v, enum err err)
{
	s->moving = false;
	actor_reply(s->actor, &v->m, err);
	xfree(v->refs);
	xfree(v->places);
	FREE_OBJ(v);
}

static void on_moved(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct session *s = session_of(a);
	struct move *v;

	CAST_OBJ(v, ctx, MOVE_MAGIC);
	if (err != E_OK && m != NULL && *m != NULL)
		MSG_AS(TORRENT_SET, v->m)->why = MSG_AS(STATE_SET, *m)->why;
	for (uint32_t i = 0; err == E_OK && i < v->n; i++) {
		struct torrent *t = torrent_at(s, v->refs[i]);

		if (t != NULL && ordered_is_in(&t->order_node))
			give_place(t, v->places[i].place);
	}
	end_move(s, v, err);
	if (err != E_STOPPING)
		next_move(s);
}

static void keep_undo(
	const struct torrent *t, uint32_t aim, struct m_torrent_set *c, struct m_state_set *set)
{
	struct undo_image was, now = {.value = (int64_t)aim + 1};

	if (c->undo != 0 && image_of(t, TORRENT_MOVE, &was))
		image_keep(t, c, set, &was, &now);
}

static void begin_move(struct torrent *t, uint32_t aim, struct msg *m)
{
	struct session *s = t->session;
	struct m_state_set *set = msg_new(s->actor, MSG_STATE_SET);
	struct msg *call = &set->h;
	struct move *v;
	int64_t place;

	ALLOC_OBJ(v, MOVE_MAGIC);
	v->m = m;
	if (find_place(t, aim, &place)) {
		struct tref ref = t->ref;
		struct row_place one = {t->row, place};
		v->n = 1;
		v->refs = xmemdup(&ref, sizeof ref);
		v->places = xmemdup(&one, sizeof one);
	} else {
		number_all(v, t, aim);
	}
	keep_undo(t, aim, MSG_AS(TORRENT_SET, m), set);
	set->key = STATE_PLACES;
	set->places = xmemdup(v->places, v->n * sizeof *v->places);
	set->places_n = v->n;
	s->moving = true;
	actor_call_within(s->actor, ADDR_STATE, &call, STATE_TIMEOUT, on_moved, v);
}

static void next_move(struct session *s)
{
	struct msg *m;

	while (!s->moving && (m = deferred_pop(&s->moves)) != NULL) {
		struct m_torrent_set *c = MSG_AS(TORRENT_SET, m);
		struct torrent *t = torrent_find(s, c->infohash);
		enum err e = E_OK;

		if (t == NULL || !torrent_listed(t))
			e = E_NOT_FOUND;
		else if (c->put_back)
			e = image_check(t, c);
		if (e != E_OK)
			actor_reply(s->actor, &m, e == E_EXISTS ? E_OK : e);
		else if (aim_of(t, c) == torrent_position(t) - 1)
			actor_reply(s->actor, &m, E_OK);
		else
			begin_move(t, aim_of(t, c), m);
	}
}

void session_move(struct session *s, struct msg **m)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	deferred_push(&s->moves, m);
	next_move(s);
}
