/* SPDX-License-Identifier: MIT */
/* The pieces of a torrent for people: what is here, wanted or under way, and how many have each. */
#include "actors/peers/priv.h"

static void mark_begun(const struct picker *p, uint8_t *states)
{
	uint8_t blocks[PICKER_BITMAP_MAX];
	uint32_t iter = 0, piece;
	size_t n;

	while (picker_save_partial(p, &iter, &piece, blocks, &n))
		states[piece] |= PIECE_BEGUN;
}

void ptorrent_pieces(const struct peer_torrent *t, uint8_t **states, uint8_t **copies)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	const struct picker *p = swarm_picker(t->swarm);
	const struct bitfield *have = swarm_have(t->swarm);
	uint32_t n = t->meta->pieces;

	*states = xcalloc(MAX(n, 1u), 1);
	*copies = xcalloc(MAX(n, 1u), 1);
	for (uint32_t i = 0; i < n; i++) {
		bool wanted = picker_priority_of(p, i) != PRIORITY_SKIP;

		(*states)[i] = (uint8_t)((bitfield_get(have, i) ? PIECE_HAVE : 0) |
					 (wanted ? PIECE_WANTED : 0));
		(*copies)[i] = (uint8_t)MIN(picker_availability(p, i), 255u);
	}
	mark_begun(p, *states);
}
