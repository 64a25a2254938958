/* SPDX-License-Identifier: MIT */
/*
 * An array that grows: a list, how many items it has, and how many it has room for.
 *
 * The three are plain variables or members of whoever owns the list, so that it can be handed on as
 * a list and a number.  Room grows by half at least, so appending costs O(1).  What a stranger may
 * make long is bounded by the caller before it grows; memory that is not there is a panic.
 */
#ifndef PROTO_BASE_ARRAY_H
#define PROTO_BASE_ARRAY_H

#include "proto/base/base.h"

/* How many items to make room for when `need` must fit and `room` did.  need <= UINT32_MAX. */
uint32_t array_room(uint32_t room, size_t need);

/*
 * Makes room for `more` items behind the first n.  `list` (T *, malloced or NULL) and `room`
 * (uint32_t) are lvalues; new items are not initialised.
 */
#define ARRAY_RESERVE(list, n, room, more)                                                         \
	do {                                                                                       \
		size_t need_ = (size_t)(n) + (more);                                               \
		if (need_ > (room)) {                                                              \
			(room) = array_room((room), need_);                                        \
			(list) = xrealloc((list), (size_t)(room) * sizeof *(list));                \
		}                                                                                  \
	} while (0)

/* Appends one item. `n` is an lvalue, too. */
#define ARRAY_PUSH(list, n, room, item)                                                            \
	do {                                                                                       \
		ARRAY_RESERVE((list), (n), (room), 1);                                             \
		(list)[(n)++] = (item);                                                            \
	} while (0)

#endif
