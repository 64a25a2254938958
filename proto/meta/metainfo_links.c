/* SPDX-License-Identifier: MIT */
/*
 * The symbolic links of a .torrent file (BEP 47, attr "l" and "symlink path").
 *
 * A target is written from the torrent's top directory on, and its names are those of the list,
 * while files may have got others.  So it is followed through the tree of paths to what it names,
 * and written anew, from the link's own directory on.  No name of it is ".." but those that lead up
 * to a directory that the link and its target have in common, and directories are real ones: so it
 * ends inside the torrent's top directory, also where it leads through another link, which does.
 */
#include "proto/base/path.h"
#include "proto/meta/metainfo_priv.h"

/* A target on its way through the tree. */
struct trail {
	const struct pathtree *tree;
	uint32_t first_link; /* nodes from here on that are no directories are links */
	uint32_t node;       /* where it stands */
	bool through;        /* behind a link: the tree does not know where that leads */
	size_t n;
	char path[METAINFO_PATH_MAX + 1]; /* from the top directory on */
};

static bool append_name(struct trail *t, const char *name)
{
	size_t n = strlen(name);

	if (sizeof t->path - t->n < n + 2)
		return false;
	if (t->n > 0)
		t->path[t->n++] = '/';
	memcpy(t->path + t->n, name, n + 1);
	t->n += n;
	return true;
}

/* Follows one name; false: there is nothing of that name. */
static bool follow_name(struct trail *t, const char *name, bool last)
{
	uint32_t to = t->through ? 0 : pathtree_find(t->tree, t->node, name, !last);

	if (t->through)
		return append_name(t, name);
	if (to == 0 && !last) {
		to = pathtree_find(t->tree, t->node, name, false);
		if (to < t->first_link)
			return false;
		t->through = true;
	}
	t->node = to;
	return to != 0 && append_name(t, pathtree_name(t->tree, to));
}

/* Follows all names of a list; false: they name nothing, or lead out. */
static bool follow_target(struct trail *t, const struct benc *target)
{
	struct benc_iter it = benc_iter_of(target);
	char name[PATH_NAME_BUF] = "", next[PATH_NAME_BUF];
	struct benc item;

	while (blist_next(&it, &item)) {
		if (item.type != BENC_STR || slice_equals(item.s, ".."))
			return false;
		if (path_sanitise(item.s, next, sizeof next) != E_OK)
			continue;
		if (name[0] != '\0' && !follow_name(t, name, false))
			return false;
		memcpy(name, next, sizeof name);
	}
	return name[0] != '\0' && follow_name(t, name, true);
}

/* How many bytes of directories, slashes included, the link's path has in common with the target,
 * which counts as one where the link lies beneath it. */
static size_t common_part(const char *link, const char *target)
{
	size_t common = 0, i = 0;

	for (; link[i] != '\0' && target[i] != '\0' && link[i] == target[i]; i++)
		if (link[i] == '/')
			common = i + 1;
	return target[i] == '\0' && link[i] == '/' ? i : common;
}

/* The target as seen from the link's directory; both from the top directory on. */
static const char *write_target(struct arena *a, const char *link, const char *target)
{
	char out[METAINFO_PATH_MAX + 1];
	size_t common = common_part(link, target), n = 0;
	const char *rest = target + common;

	for (const char *p = link + common + (link[common] == '/'); *p != '\0'; p++) {
		if (*p != '/')
			continue;
		if (sizeof out - n < 4)
			return NULL;
		memcpy(out + n, "../", 3);
		n += 3;
	}
	if (sizeof out - n < strlen(rest) + 1)
		return NULL;
	memcpy(out + n, rest, strlen(rest));
	n += strlen(rest);
	if (n > 0 && out[n - 1] == '/')
		n--; /* it is a directory above */
	return n > 0 ? arena_strndup(a, out, n) : NULL;
}

void metainfo_read_link(struct metainfo_parse *mp, const struct pathtree *tree, uint32_t first_link,
	const struct metainfo_link *link)
{
	struct metainfo *m = mp->m;
	struct trail t = {.tree = tree, .first_link = first_link, .node = PATHTREE_ROOT};

	if (!follow_target(&t, &link->target) || (!t.through && t.node == link->node))
		return;
	link->file->symlink =
		write_target(&m->arena, link->file->path + strlen(m->name) + 1, t.path);
}
