/* SPDX-License-Identifier: MIT */
/*
 * An ordered set that knows the rank of each member: a treap, intrusive, O(log n) a step.
 *
 * Members are ordered by (place, row); no two are equal.  A node is in one set at a time, and its
 * key does not change while it is.  The set owns nothing.
 */
#ifndef ACTORS_SESSION_ORDERED_SET_H
#define ACTORS_SESSION_ORDERED_SET_H

#include "proto/base/base.h"

struct ordered_node {
	struct ordered_node *left, *right;
	uint32_t size;   /* of the subtree; 0: in no set */
	uint32_t weight; /* heap order */
	int64_t place, row;
};

/* NULL is the empty set. */
struct ordered_set {
	struct ordered_node *root;
};

void ordered_insert(struct ordered_set *, struct ordered_node *, int64_t place, int64_t row);
void ordered_remove(struct ordered_set *, struct ordered_node *); /* it is in the set */

static inline bool ordered_is_in(const struct ordered_node *n)
{
	return n->size > 0;
}

static inline uint32_t ordered_size(const struct ordered_set *s)
{
	return s->root != NULL ? s->root->size : 0;
}

/* NULL when there is none. */
struct ordered_node *ordered_first(const struct ordered_set *);
struct ordered_node *ordered_last(const struct ordered_set *);
struct ordered_node *ordered_at(const struct ordered_set *, uint32_t rank); /* from 0 */
/* How many come before it. */
uint32_t ordered_rank(const struct ordered_set *, const struct ordered_node *);
bool ordered_before(const struct ordered_node *, const struct ordered_node *);

#endif
