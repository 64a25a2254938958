/* SPDX-License-Identifier: MIT */
/*
 * An ordered set that knows ranks.
 *
 * The weights that keep the tree flat are mixed from the row ids, which nobody outside can choose,
 * so that the same database gives the same tree.
 */
#include "actors/session/ordered_set.h"

#include "proto/base/rng.h"

static uint32_t mix(uint64_t x)
{
	return (uint32_t)(splitmix_next(&x) >> 32);
}

static uint32_t size_of(const struct ordered_node *n)
{
	return n != NULL ? n->size : 0;
}

static void count_again(struct ordered_node *n)
{
	n->size = size_of(n->left) + 1 + size_of(n->right);
}

bool ordered_before(const struct ordered_node *a, const struct ordered_node *b)
{
	return a->place != b->place ? a->place < b->place : a->row < b->row;
}

/* What comes before `key`, and the rest. */
static void split(struct ordered_node *n, const struct ordered_node *key,
	struct ordered_node **left, struct ordered_node **right)
{
	if (n == NULL) {
		*left = *right = NULL;
		return;
	}
	if (ordered_before(n, key)) {
		split(n->right, key, &n->right, right);
		*left = n;
	} else {
		split(n->left, key, left, &n->left);
		*right = n;
	}
	count_again(n);
}

/* All of a comes before all of b. */
static struct ordered_node *merge(struct ordered_node *a, struct ordered_node *b)
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

void ordered_insert(struct ordered_set *s, struct ordered_node *n, int64_t place, int64_t row)
{
	struct ordered_node *left, *right;

	*n = (struct ordered_node){
		.size = 1, .weight = mix((uint64_t)row), .place = place, .row = row};
	split(s->root, n, &left, &right);
	s->root = merge(merge(left, n), right);
}

void ordered_remove(struct ordered_set *s, struct ordered_node *n)
{
	struct ordered_node **p = &s->root;

	while (*p != n) {
		must(*p != NULL);
		(*p)->size--;
		p = ordered_before(n, *p) ? &(*p)->left : &(*p)->right;
	}
	*p = merge(n->left, n->right);
	*n = (struct ordered_node){0};
}

struct ordered_node *ordered_first(const struct ordered_set *s)
{
	struct ordered_node *n = s->root;

	while (n != NULL && n->left != NULL)
		n = n->left;
	return n;
}

struct ordered_node *ordered_last(const struct ordered_set *s)
{
	struct ordered_node *n = s->root;

	while (n != NULL && n->right != NULL)
		n = n->right;
	return n;
}

struct ordered_node *ordered_at(const struct ordered_set *s, uint32_t rank)
{
	struct ordered_node *n = s->root;

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

uint32_t ordered_rank(const struct ordered_set *s, const struct ordered_node *key)
{
	const struct ordered_node *n = s->root;
	uint32_t before = 0;

	while (n != key) {
		must(n != NULL);
		if (ordered_before(n, key)) {
			before += size_of(n->left) + 1;
			n = n->right;
		} else {
			n = n->left;
		}
	}
	return before + size_of(n->left);
}
