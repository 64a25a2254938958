/* SPDX-License-Identifier: MIT */
/*
 * Addresses on a peer's word (BEP 11): how many one may bring, and when they are as good as others.
 *
 * An introducer is the network of its address, hashed: coming back with another port or another
 * address of its own /64 gives it no second share.  Two that meet in one place share one; with 512
 * places that is rare, and costs them nothing but places.
 *
 * Invariant: introduced[k] is the number of entries whose `introducer` is k + 1.
 */
#include "proto/peerlist/priv.h"

static uint16_t place_of(const struct peerlist *l, const struct endpoint *by)
{
	struct endpoint net = *by;

	net.port = 0;
	if (!endpoint_is_v4(by))
		memset(net.ip + 8, 0, 8);
	return (uint16_t)(endpoint_hash(&net, l->hash_seed) % INTRODUCERS);
}

/* It is known: by the same introducer it is no news, by another it has two. */
static enum err name_again(
	struct peerlist *l, uint32_t i, uint16_t place, const struct endpoint *e, int64_t now_us)
{
	if (l->entry[i].introducer == place + 1) {
		l->entry[i].sources |= 1u << PEER_PEX;
		return E_EXISTS;
	}
	return peerlist_add(l, e, PEER_PEX, now_us);
}

enum err peerlist_introduce(struct peerlist *l, const struct endpoint *e, const struct endpoint *by,
	bool seed, int64_t now_us)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	uint16_t place = place_of(l, by);
	uint32_t i = peerlist_find(l, e);
	enum err err;

	if (i != NONE)
		return name_again(l, i, place, e, now_us);
	if (l->introduced == NULL)
		l->introduced = xcalloc(INTRODUCERS, sizeof *l->introduced);
	if (l->introduced[place] >= PEERLIST_INTRODUCED_MAX)
		return E_OVERLOAD;
	err = peerlist_add(l, e, PEER_PEX, now_us);
	if (err != E_OK)
		return err;
	i = peerlist_find(l, e);
	must(i != NONE);
	l->introduced[place]++;
	l->entry[i].introducer = (uint16_t)(place + 1);
	if (seed)
		l->entry[i].flags |= FLAG_SEED;
	peerlist_replace(l, i);
	return E_OK;
}

void peerlist_forget_sources(struct peerlist *l, unsigned sources)
{
	CHECK_OBJ(l, PEERLIST_MAGIC);
	for (uint32_t i = l->n; i-- > 0;) {
		if ((l->entry[i].sources & ~sources) != 0)
			continue;
		if (l->entry[i].state <= ENTRY_PARKED)
			peerlist_remove(l, i);
		else
			l->entry[i].flags |= FLAG_FORGET;
	}
}
