/* SPDX-License-Identifier: MIT */
/*
 * The directories and files of one torrent, so that no two things get the same path.
 *
 * A tree of components, with all nodes in one keyed hash table: the work is linear in the bytes of
 * the paths whatever a stranger wrote, and the key must be one the stranger cannot know while
 * choosing the names.  The same names in the same order under the same key give the same result.
 * One owner.
 */
#ifndef PROTO_META_PATHTREE_H
#define PROTO_META_PATHTREE_H

#include "proto/base/base.h"

#define PATHTREE_ROOT      0u
#define PATHTREE_NODES_MAX (UINT32_C(4) << 20)

struct pathtree;

/* NULL when there is no memory. */
struct pathtree *pathtree_new(const uint8_t key[16]);
void pathtree_free(struct pathtree **t);

/*
 * Enters a directory, or adds a file, called name beneath the directory `parent`; name is a
 * sanitised component.  *node is what it became, under that name or, when a file has it already
 * (for a file: anything has it), under one with a suffix: "a.1.txt".  E_NOMEM or E_TOO_BIG.
 */
enum err pathtree_dir(struct pathtree *t, uint32_t parent, const char *name, uint32_t *node);
enum err pathtree_file(struct pathtree *t, uint32_t parent, const char *name, uint32_t *node);

/*
 * What is called name beneath the directory `parent`, 0 when nothing is; dir: only a directory will
 * do, also one that got a name with a suffix because a file has this one.
 */
uint32_t pathtree_find(const struct pathtree *t, uint32_t parent, const char *name, bool dir);

/* Nodes that are added from now on have this number or a greater one. */
uint32_t pathtree_count(const struct pathtree *t);

/* The name a node has in its parent.  Borrowed until pathtree_free(). */
const char *pathtree_name(const struct pathtree *t, uint32_t node);

#endif
