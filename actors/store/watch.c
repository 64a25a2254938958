/* SPDX-License-Identifier: MIT */
/*
 * Verified pieces for who publishes them: kept from one question to the next, while there are
 * questions.
 */
#include "actors/store/priv.h"

#include "proto/base/array.h"

#define SEEN_MAX 65536u /* between two questions; beyond, all are lost, and that is said */

void store_watch_note(struct storrent *t, uint32_t piece)
{
	struct verified_piece p = {.piece = piece};
	struct store *s;

	CHECK_OBJ(t, STORRENT_MAGIC);
	s = t->s;
	if (!s->watched || s->watch_lost)
		return;
	if (s->seen_n == SEEN_MAX) {
		store_watch_end(s);
		s->watch_lost = true;
		return;
	}
	memcpy(p.infohash, t->meta->infohash.v1, sizeof p.infohash);
	ARRAY_PUSH(s->seen, s->seen_n, s->seen_room, p);
}

void store_watch_answer(struct store *s, struct m_store_pieces *m)
{
	CHECK_OBJ(s, STORE_MAGIC);
	m->pieces = s->seen;
	m->pieces_n = s->seen_n;
	m->lost = s->watch_lost;
	s->seen = NULL;
	s->seen_n = s->seen_room = 0;
	s->watch_lost = false;
	s->watched = m->on;
}

void store_watch_end(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	xfree(s->seen);
	s->seen = NULL;
	s->seen_n = s->seen_room = 0;
}
