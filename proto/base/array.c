/* SPDX-License-Identifier: MIT */
/* How much room an array takes when it grows. */
#include "proto/base/array.h"

#define ROOM_FIRST 8u

uint32_t array_room(uint32_t room, size_t need)
{
	uint64_t grown = (uint64_t)room + room / 2;

	must(need <= UINT32_MAX);
	grown = MAX(MAX(grown, need), ROOM_FIRST);
	return (uint32_t)MIN(grown, UINT32_MAX);
}
