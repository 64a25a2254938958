/* SPDX-License-Identifier: MIT */
/*
 * An ordered set that knows the rank of each member: a treap, intrusive, O(log n) a step.
 *
 * Members are ordered by (place, row); no two are equal.  A node is in one set at a time, and its
 * key does not change while it is.  The set owns nothing.
 */
#ifndef ACTORS_SESSION_RANK_H
#define ACTORS_SESSION_RANK_H

#include "proto/base/base.h"

struct rank_node {
	struct rank_node *left, *right;
	uint32_t size;   /* of the subtree */
	uint32_t weight; /* heap order */
	int64_t place, row;
};

/* NULL is the empty set. */
struct rank_set {
	struct rank_node *root;
};

void rank_insert(struct rank_set *, struct rank_node *, int64_t place, int64_t row);
void rank_remove(struct rank_set *, struct rank_node *); /* it is in the set */

static inline uint32_t rank_size(const struct rank_set *s)
{
	return s->root != NULL ? s->root->size : 0;
}

/* NULL when there is none. */
struct rank_node *rank_first(const struct rank_set *);
struct rank_node *rank_last(const struct rank_set *);
struct rank_node *rank_at(const struct rank_set *, uint32_t rank); /* from 0 */
/* How many come before it. */
uint32_t rank_of(const struct rank_set *, const struct rank_node *);
bool rank_before(const struct rank_node *, const struct rank_node *);

#endif
