/* SPDX-License-Identifier: MIT */
/* How long pieces and blocks are, as the picker counts them. */
#include "proto/picker/priv.h"

uint32_t picker_piece_length(const struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	must(piece < p->pieces);
	if (piece + 1 < p->pieces)
		return p->piece_length;
	return (uint32_t)(p->size - (uint64_t)piece * p->piece_length);
}

uint32_t picker_blocks(const struct picker *p, uint32_t piece)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	return blocks_in(picker_piece_length(p, piece));
}

uint32_t picker_block_length(const struct picker *p, uint32_t piece, uint32_t begin)
{
	CHECK_OBJ(p, PICKER_MAGIC);
	uint32_t length;

	if (piece >= p->pieces || begin % BLOCK_SIZE != 0)
		return 0;
	length = picker_piece_length(p, piece);
	return begin < length ? MIN(length - begin, BLOCK_SIZE) : 0;
}
