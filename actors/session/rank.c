/* SPDX-License-Identifier: MIT */
/*
 * An ordered set that knows ranks.
 *
 * The weights that keep the tree flat are mixed from the row ids, which nobody outside can choose,
 * so that the same database gives the same tree.
 */
#include "actors/session/rank.h"

#include "proto/base/rng.h"

static uint32_t mix(uint64_t x)
{
	return (uint32_t)(splitmix_next(&x) >> 32);
}

static uint32_t size_of(const struct rank_node *n)
{
	return n != NULL ? n->size : 0;
}

static void count_again(struct rank_node *n)
{
	n->size = size_of(n->left) + 1 + size_of(n->right);
}

bool rank_before(const struct rank_node *a, const struct rank_node *b)
{
	return a->place != b->place ? a->place < b->place : a->row < b->row;
}

/* What comes before `key`, and the rest. */
static void split(struct rank_node *n, const struct rank_node *key, struct rank_node **left,
	struct rank_node **right)
{
	if (n == NULL) {
		*left = *right = NULL;
		return;
	}
	if (rank_before(n, key)) {
		split(n->right, key, &n->right, right);
		*left = n;
	} else {
		split(n->left, key, left, &n->left);
		*right = n;
	}
	count_again(n);
}

/* All of a comes before all of b. */
static struct rank_node *merge(struct rank_node *a, struct rank_node *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	if (a->weight > b->weight) {
		a->right = merge(a->right, b);
		count_again(a);
		return a;
	}
	b->left = merge(a, b->left);
	count_again(b);
	return b;
}

void rank_insert(struct rank_set *s, struct rank_node *n, int64_t place, int64_t row)
{
	struct rank_node *left, *right;

	*n = (struct rank_node){
		.size = 1, .weight = mix((uint64_t)row), .place = place, .row = row};
	split(s->root, n, &left, &right);
	s->root = merge(merge(left, n), right);
}

void rank_remove(struct rank_set *s, struct rank_node *n)
{
	struct rank_node **p = &s->root;

	while (*p != n) {
		must(*p != NULL);
		(*p)->size--;
		p = rank_before(n, *p) ? &(*p)->left : &(*p)->right;
	}
	*p = merge(n->left, n->right);
}

struct rank_node *rank_first(const struct rank_set *s)
{
	struct rank_node *n = s->root;

	while (n != NULL && n->left != NULL)
		n = n->left;
	return n;
}

struct rank_node *rank_last(const struct rank_set *s)
{
	struct rank_node *n = s->root;

	while (n != NULL && n->right != NULL)
		n = n->right;
	return n;
}

struct rank_node *rank_at(const struct rank_set *s, uint32_t rank)
{
	struct rank_node *n = s->root;

	while (n != NULL && rank != size_of(n->left)) {
		if (rank < size_of(n->left)) {
			n = n->left;
		} else {
			rank -= size_of(n->left) + 1;
			n = n->right;
		}
	}
	return n;
}

uint32_t rank_of(const struct rank_set *s, const struct rank_node *key)
{
	const struct rank_node *n = s->root;
	uint32_t before = 0;

	while (n != key) {
		must(n != NULL);
		if (rank_before(n, key)) {
			before += size_of(n->left) + 1;
			n = n->right;
		} else {
			n = n->left;
		}
	}
	return before + size_of(n->left);
}
