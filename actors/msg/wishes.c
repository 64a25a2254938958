/* SPDX-License-Identifier: MIT */
/*
 * What a person wishes of a torrent: copies, moves and comparisons.
 */
#include "actors/msg/wishes.h"

void wishes_init(struct wishes *w)
{
	*w = (struct wishes){0};
}

void wishes_copy(struct wishes *to, const struct wishes *from)
{
	*to = *from;
	if (from->file_priority != NULL)
		to->file_priority = xmemdup(from->file_priority, from->file_priority_n);
}

void wishes_move(struct wishes *to, struct wishes *from)
{
	*to = *from;
	wishes_init(from);
}

void wishes_fini(struct wishes *w)
{
	xfree(w->file_priority);
	wishes_init(w);
}

bool wishes_same_files(const struct wishes *a, const struct wishes *b)
{
	if (a->file_priority == NULL || b->file_priority == NULL)
		return a->file_priority == b->file_priority;
	return a->file_priority_n == b->file_priority_n &&
	       memcmp(a->file_priority, b->file_priority, a->file_priority_n) == 0;
}

bool wishes_equal(const struct wishes *a, const struct wishes *b)
{
	return a->down_limit == b->down_limit && a->up_limit == b->up_limit &&
	       a->sequential == b->sequential && a->first_last == b->first_last &&
	       a->encryption == b->encryption && a->discreet == b->discreet &&
	       wishes_same_files(a, b);
}
