/* SPDX-License-Identifier: MIT */
/*
 * The file tree of a hybrid torrent (BEP 52, "file tree"), held against the list of version 1.
 *
 * We take part in the version 1 half alone, and others in the version 2 half, with the same files.
 * Where the halves name different ones, what one half's peers write the other half's would take for
 * damage, so such a torrent is refused.  Both list the files in the same order; padding and
 * symbolic links have no bytes that could differ and are passed over.
 */
#include "proto/base/path.h"
#include "proto/meta/metainfo_priv.h"

#define TREE_DEPTH 32u /* as deep as the parser lets bencoding nest */

/* A walk over the files of the tree. */
struct tree_walk {
	struct benc_iter it[TREE_DEPTH];
	struct slice name[TREE_DEPTH]; /* name[i] leads to it[i + 1] */
	unsigned depth;                /* open dictionaries */
	bool bad;                      /* it is no tree of files */
};

static bool is_link(const struct benc *leaf)
{
	struct slice attr;

	return bdict_str(leaf, "attr", &attr) && attr.n > 0 && memchr(attr.p, 'l', attr.n) != NULL;
}

/* Steps into a directory, or into what stands around the leaf of a file. */
static void enter_node(struct tree_walk *w, struct slice name, const struct benc *node)
{
	if (node->type != BENC_DICT || w->depth == TREE_DEPTH) {
		w->bad = true;
		return;
	}
	w->name[w->depth - 1] = name;
	w->it[w->depth++] = benc_iter_of(node);
}

/* The next file: its names are name[0 .. depth - 2].  False at the end, and where it is no tree. */
static bool next_leaf(struct tree_walk *w, int64_t *length)
{
	struct benc value;
	struct slice key;

	while (w->depth > 0 && !w->bad) {
		if (!bdict_next(&w->it[w->depth - 1], &key, &value)) {
			w->depth--;
			continue;
		}
		if (key.n > 0) {
			enter_node(w, key, &value);
			continue;
		}
		if (w->depth < 2 || value.type != BENC_DICT)
			w->bad = true;
		else if (!is_link(&value))
			return bdict_int(&value, "length", length) || !(w->bad = true);
	}
	return false;
}

/* The next component that is a name, made safe as in the paths; false: there is none. */
static bool next_v1(struct benc_iter *it, char out[PATH_NAME_BUF])
{
	struct benc item;

	while (blist_next(it, &item))
		if (item.type == BENC_STR && path_sanitise(item.s, out, PATH_NAME_BUF) == E_OK)
			return true;
	return false;
}

static bool next_v2(const struct tree_walk *w, unsigned *i, char out[PATH_NAME_BUF])
{
	while (*i + 1 < w->depth)
		if (path_sanitise(w->name[(*i)++], out, PATH_NAME_BUF) == E_OK)
			return true;
	return false;
}

static bool same_path(const struct tree_walk *w, const struct benc *list)
{
	struct benc_iter it = benc_iter_of(list);
	char a[PATH_NAME_BUF], b[PATH_NAME_BUF];
	unsigned i = 0;

	for (;;) {
		bool more = next_v1(&it, a);

		if (more != next_v2(w, &i, b))
			return false;
		if (!more)
			return true;
		if (strcmp(a, b) != 0)
			return false;
	}
}

static bool same_single(struct tree_walk *w, const struct metainfo *m)
{
	char name[PATH_NAME_BUF];
	unsigned i = 0;
	int64_t length;

	if (!next_leaf(w, &length) || w->depth != 2 || (uint64_t)length != m->size)
		return false;
	return (!next_v2(w, &i, name) || strcmp(name, m->name) == 0) && !next_leaf(w, &length);
}

static bool same_list(struct tree_walk *w, const struct metainfo *m, const struct benc *files)
{
	struct benc_iter it = benc_iter_of(files);
	struct benc dict, list;
	int64_t length;

	for (uint32_t i = 0; blist_next(&it, &dict); i++) {
		if (m->files[i].pad)
			continue;
		if (!next_leaf(w, &length) || (uint64_t)length != m->files[i].length)
			return false;
		metainfo_path_list(&dict, &list);
		if (!same_path(w, &list))
			return false;
	}
	return !next_leaf(w, &length);
}

enum err metainfo_check_tree(
	struct metainfo_parse *mp, const struct benc *tree, const struct benc *files)
{
	struct tree_walk w = {.it = {benc_iter_of(tree)}, .depth = 1};
	bool same;

	if (tree->type != BENC_DICT)
		return metainfo_fail(mp, E_TYPE, tree->raw.p, "info.file tree: not a dictionary");
	same = files->type == BENC_NONE ? same_single(&w, mp->m) : same_list(&w, mp->m, files);
	if (w.bad)
		return metainfo_fail(
			mp, E_SYNTAX, tree->raw.p, "info.file tree: not a tree of files");
	if (!same)
		return metainfo_fail(mp, E_RANGE, tree->raw.p,
			"info.file tree: its version 2 files are not those of its version 1 part");
	return E_OK;
}
