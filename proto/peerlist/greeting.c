/* SPDX-License-Identifier: MIT */
/*
 * How an address is greeted, in three of its bits.
 *
 * What is known is only ever what has worked or what somebody said; an address of which nothing is
 * known is greeted as its torrent's owner likes best.
 */
#include "proto/peerlist/priv.h"

static enum peer_greeting greeting_of(const struct entry *en)
{
	return (enum peer_greeting)((en->flags & FLAG_GREETING) >> GREETING_BIT);
}

static void set_greeting(struct entry *en, enum peer_greeting greeting)
{
	en->flags = (uint8_t)((en->flags & ~FLAG_GREETING) | (unsigned)greeting << GREETING_BIT);
}

enum peer_greeting peerlist_greeting(const struct peerlist *l, const struct endpoint *e)
{
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	i = peerlist_find(l, e);
	return i == NONE ? PEER_GREET_UNKNOWN : greeting_of(&l->entry[i]);
}

void peerlist_set_greeting(
	struct peerlist *l, const struct endpoint *e, enum peer_greeting greeting)
{
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	must(greeting <= PEER_GREET_ENCRYPTED);
	i = peerlist_find(l, e);
	if (i == NONE)
		return;
	set_greeting(&l->entry[i], greeting);
	l->entry[i].flags &= (uint8_t)~FLAG_REGREETED;
}

bool peerlist_regreet(struct peerlist *l, const struct endpoint *e, enum peer_greeting other)
{
	struct entry *en;
	uint32_t i;

	CHECK_OBJ(l, PEERLIST_MAGIC);
	must(other == PEER_GREET_PLAIN || other == PEER_GREET_ENCRYPTED);
	i = peerlist_find(l, e);
	if (i == NONE || l->entry[i].state != ENTRY_DIALING)
		return false;
	en = &l->entry[i];
	if ((en->flags & FLAG_REGREETED) != 0) {
		set_greeting(en, PEER_GREET_UNKNOWN);
		en->flags &= (uint8_t)~FLAG_REGREETED;
		return false;
	}
	set_greeting(en, other);
	en->flags |= FLAG_REGREETED;
	peerlist_released(l, e);
	return true;
}
