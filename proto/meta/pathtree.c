/* SPDX-License-Identifier: MIT */
/*
 * The directories and files of one torrent, so that no two things get the same path.
 *
 * Every node counts the suffixes that were tried on its name and never tries one twice.  A
 * candidate that is taken was made from this very name, or is a name that ends like it, so each
 * node is in the way of a bounded number of others and the search stays linear.  Candidates that
 * would be too long carry a hash of the whole name for the same reason.
 */
#include "proto/meta/pathtree.h"

#include "proto/base/arena.h"
#include "proto/base/path.h"
#include "proto/base/utf8.h"
#include "proto/meta/hash.h"

#include <stdio.h>
#include <stdlib.h>

#define PATHTREE_MAGIC 0x50545245u
#define SLOTS_MIN      64u
#define NAMES_MAX      ((size_t)512 << 20)
#define EXT_MAX                                                                                    \
	32 /* as path_sanitise() keeps it; escapes may make it longer, then it counts as none */

struct node {
	const char *name; /* in the arena */
	uint32_t hash;
	uint32_t parent;
	uint32_t tried; /* suffixes tried on this name */
	uint32_t alias; /* of a file: the directory that stands in for one of the same name; or 0 */
	bool dir;
};

struct pathtree {
	uint32_t magic;
	uint8_t key[16];
	struct node *nodes; /* [0] is the root */
	uint32_t n, cap;
	uint32_t *slots;  /* open addressing; 0 is free, as the root is never looked up */
	uint32_t slots_n; /* a power of two, at least twice n */
	struct arena names;
};

struct pathtree *pathtree_new(const uint8_t key[16])
{
	struct pathtree *t;

	ALLOC_OBJ(t, PATHTREE_MAGIC);
	memcpy(t->key, key, sizeof t->key);
	t->cap = SLOTS_MIN / 2;
	t->slots_n = SLOTS_MIN;
	arena_init(&t->names, NAMES_MAX);
	t->nodes = calloc(t->cap, sizeof t->nodes[0]);
	t->slots = calloc(t->slots_n, sizeof t->slots[0]);
	if (t->nodes == NULL || t->slots == NULL) {
		pathtree_free(&t);
		return NULL;
	}
	t->nodes[t->n++] = (struct node){.name = "", .dir = true};
	return t;
}

void pathtree_free(struct pathtree **tp)
{
	struct pathtree *t;

	TAKE_OBJ(t, tp, PATHTREE_MAGIC);
	arena_free(&t->names);
	free(t->nodes);
	free(t->slots);
	FREE_OBJ(t);
}

const char *pathtree_name(const struct pathtree *t, uint32_t node)
{
	CHECK_OBJ(t, PATHTREE_MAGIC);
	must(node < t->n);
	return t->nodes[node].name;
}

static uint32_t hash_node(const struct pathtree *t, uint32_t parent, const char *name)
{
	char buf[sizeof parent + PATH_NAME_BUF];
	size_t n = strlen(name);

	must(n <= PATH_NAME_MAX);
	memcpy(buf, &parent, sizeof parent);
	memcpy(buf + sizeof parent, name, n);
	return (uint32_t)hash_keyed(t->key, buf, sizeof parent + n);
}

/* The slot of a node, or the free slot where it belongs. */
static uint32_t find_slot(
	const struct pathtree *t, uint32_t hash, uint32_t parent, const char *name)
{
	uint32_t mask = t->slots_n - 1, i = hash & mask;

	for (;; i = (i + 1) & mask) {
		const struct node *o = &t->nodes[t->slots[i]];

		if (t->slots[i] == 0)
			return i;
		if (o->hash == hash && o->parent == parent && strcmp(o->name, name) == 0)
			return i;
	}
}

static enum err grow_tree(struct pathtree *t)
{
	uint32_t slots_n = 2 * t->slots_n, *slots;
	struct node *nodes;

	if (t->n >= PATHTREE_NODES_MAX)
		return E_TOO_BIG;
	nodes = realloc(t->nodes, (size_t)slots_n / 2 * sizeof nodes[0]);
	if (nodes == NULL)
		return E_NOMEM;
	t->nodes = nodes;
	slots = calloc(slots_n, sizeof slots[0]);
	if (slots == NULL)
		return E_NOMEM;
	for (uint32_t i = 1; i < t->n; i++) {
		uint32_t at = nodes[i].hash & (slots_n - 1);

		while (slots[at] != 0)
			at = (at + 1) & (slots_n - 1);
		slots[at] = i;
	}
	free(t->slots);
	t->slots = slots;
	t->slots_n = slots_n;
	t->cap = slots_n / 2;
	return E_OK;
}

/* Adds what find_slot() did not find. */
static enum err add_node(
	struct pathtree *t, uint32_t parent, const char *name, bool dir, uint32_t *node)
{
	uint32_t hash = hash_node(t, parent, name);
	enum err e = t->n == t->cap ? grow_tree(t) : E_OK;
	char *copy;

	if (e != E_OK)
		return e;
	copy = arena_strndup(&t->names, name, strlen(name));
	if (copy == NULL)
		return E_NOMEM;
	t->slots[find_slot(t, hash, parent, name)] = t->n;
	t->nodes[t->n] = (struct node){.name = copy, .hash = hash, .parent = parent, .dir = dir};
	*node = t->n++;
	return E_OK;
}

/* 0 when there is none. */
static uint32_t find_node(const struct pathtree *t, uint32_t parent, const char *name)
{
	return t->slots[find_slot(t, hash_node(t, parent, name), parent, name)];
}

/* Length of the part before the extension. */
static size_t stem_length(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (dot == NULL || dot == name || strlen(dot) > EXT_MAX)
		return strlen(name);
	return (size_t)(dot - name);
}

/* The k-th other name for a node: "a.1.txt". */
static void make_candidate(
	const struct pathtree *t, const char *name, uint32_t k, char out[PATH_NAME_BUF])
{
	size_t n = strlen(name), stem = stem_length(name), room;
	char suffix[32];
	int len = snprintf(suffix, sizeof suffix, ".%u", k);

	if (n + (size_t)len > PATH_NAME_MAX) {
		uint64_t hash = hash_keyed(t->key, name, n) + k;

		len = snprintf(suffix, sizeof suffix, "~%016llx", (unsigned long long)hash);
		room = PATH_NAME_MAX - (size_t)len - (n - stem);
		stem = utf8_cut((struct slice){(const uint8_t *)name, stem}, MIN(stem, room));
		n = stem_length(name);
	} else {
		n = stem;
	}
	(void)snprintf(out, PATH_NAME_BUF, "%.*s%s%s", (int)stem, name, suffix, name + n);
}

/* Tries other names for a taken node until one is free, or is a directory where that will do. */
static enum err evade_node(struct pathtree *t, uint32_t taken, bool dir, uint32_t *node)
{
	uint32_t parent = t->nodes[taken].parent;
	char name[PATH_NAME_BUF];

	for (;;) {
		make_candidate(t, t->nodes[taken].name, ++t->nodes[taken].tried, name);
		*node = find_node(t, parent, name);
		if (*node == 0)
			return add_node(t, parent, name, dir, node);
		if (dir && t->nodes[*node].dir)
			return E_OK;
	}
}

enum err pathtree_dir(struct pathtree *t, uint32_t parent, const char *name, uint32_t *node)
{
	CHECK_OBJ(t, PATHTREE_MAGIC);
	must(parent < t->n && t->nodes[parent].dir);
	uint32_t found = find_node(t, parent, name);
	enum err e;

	if (found == 0)
		return add_node(t, parent, name, true, node);
	*node = t->nodes[found].dir ? found : t->nodes[found].alias;
	if (*node != 0)
		return E_OK;
	e = evade_node(t, found, true, node);
	if (e == E_OK)
		t->nodes[found].alias = *node;
	return e;
}

enum err pathtree_file(struct pathtree *t, uint32_t parent, const char *name, uint32_t *node)
{
	CHECK_OBJ(t, PATHTREE_MAGIC);
	must(parent < t->n && t->nodes[parent].dir);
	uint32_t found = find_node(t, parent, name);

	if (found == 0)
		return add_node(t, parent, name, false, node);
	return evade_node(t, found, false, node);
}

uint32_t pathtree_find(const struct pathtree *t, uint32_t parent, const char *name, bool dir)
{
	CHECK_OBJ(t, PATHTREE_MAGIC);
	must(parent < t->n && t->nodes[parent].dir);
	uint32_t found = find_node(t, parent, name);

	return !dir || t->nodes[found].dir ? found : t->nodes[found].alias;
}

uint32_t pathtree_count(const struct pathtree *t)
{
	CHECK_OBJ(t, PATHTREE_MAGIC);
	return t->n;
}
