/* SPDX-License-Identifier: MIT */
/*
 * The names and files of a .torrent file.
 *
 * Every component is sanitised on its own and then entered into a tree that keeps paths apart.
 * Padding, which never reaches the disk, stays out of the tree: it often repeats one name, and must
 * not take a name from a real file.  Nor must a symbolic link: links are entered after all files.
 * The tree is keyed with the info-hash, which changes with every name that a stranger could choose
 * to slow it down.
 */
#include "proto/base/encode.h"
#include "proto/base/path.h"
#include "proto/meta/metainfo_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_FIELDS(F)                                                                             \
	F(ATTR, "attr")                                                                            \
	F(LENGTH, "length")                                                                        \
	F(PATH, "path")                                                                            \
	F(PATH_UTF8, "path.utf-8")                                                                 \
	F(SYMLINK_PATH, "symlink path")

#define F(id, key) FILE_##id,
enum { FILE_FIELDS(F) FILE_N };
#undef F
#define F(id, key) key,
static const char *const file_keys[] = {FILE_FIELDS(F)};
#undef F

/* One file on its way into the list. */
struct file_parse {
	struct metainfo_parse *mp;
	struct pathtree *tree;
	uint32_t index;
	const uint8_t *at; /* the file's dictionary */
	bool pad;
	uint32_t links; /* so far */
	uint32_t dir;   /* node of the directory reached so far; of the file, in the end */
	size_t n;       /* bytes of path */
	char path[METAINFO_PATH_MAX + 1];
};

enum err metainfo_read_name(
	struct metainfo_parse *mp, const struct benc *name, const struct benc *name_utf8)
{
	struct metainfo *m = mp->m;
	const struct benc *node = name_utf8->type == BENC_STR ? name_utf8 : name;
	char out[PATH_NAME_BUF];
	struct slice s;

	if (!bstr(node, &s))
		return metainfo_fail(mp, E_TYPE, m->info.p, "info.name: not a string");
	if (path_sanitise(s, out, sizeof out) != E_OK)
		hex_encode(m->infohash.v1, sizeof m->infohash.v1, out);
	m->name = arena_strndup(&m->arena, out, strlen(out));
	return m->name != NULL ? E_OK : metainfo_fail_room(mp, node->raw.p);
}

static bool has_attr(const struct benc *attr, char c)
{
	struct slice s;

	return bstr(attr, &s) && s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

enum err metainfo_read_single(
	struct metainfo_parse *mp, const struct benc *length, const struct benc *attr)
{
	struct metainfo *m = mp->m;
	struct metainfo_file *file = arena_alloc(&m->arena, sizeof *file);

	if (file == NULL)
		return metainfo_fail_room(mp, length->raw.p);
	m->size = (uint64_t)length->i;
	*file = (struct metainfo_file){
		.path = m->name,
		.length = m->size,
		.executable = has_attr(attr, 'x'),
	};
	m->files = file;
	m->files_n = 1;
	return E_OK;
}

/* metainfo_fail() with "info.files[7]" before the words. */
PRINTF_LIKE(4, 5)
static enum err fail_file(
	struct file_parse *fp, enum err e, const struct benc *node, const char *fmt, ...)
{
	char words[96];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	return metainfo_fail(fp->mp, e, node->type != BENC_NONE ? node->raw.p : fp->at,
		"info.files[%u]%s", fp->index, words);
}

static enum err append_name(struct file_parse *fp, const struct benc *node, const char *name)
{
	size_t n = strlen(name);

	if (sizeof fp->path - fp->n < n + 2)
		return fail_file(
			fp, E_PATH, node, ".path: longer than %u bytes", METAINFO_PATH_MAX);
	if (fp->n > 0)
		fp->path[fp->n++] = '/';
	memcpy(fp->path + fp->n, name, n + 1);
	fp->n += n;
	return E_OK;
}

/* Adds one component to the path; `last` is the file itself. */
static enum err enter_name(
	struct file_parse *fp, const struct benc *node, const char *name, bool last)
{
	uint32_t to;
	enum err e;

	if (fp->pad)
		return append_name(fp, node, name);
	e = last ? pathtree_file(fp->tree, fp->dir, name, &to)
		 : pathtree_dir(fp->tree, fp->dir, name, &to);
	if (e == E_TOO_BIG)
		return fail_file(fp, e, node, ".path: too many directories");
	if (e != E_OK)
		return metainfo_fail_room(fp->mp, node->raw.p);
	fp->dir = to;
	return append_name(fp, node, pathtree_name(fp->tree, to));
}

/*
 * Enters all components of a path list.  Those without a name ("", "..") are passed over; one that
 * is followed by another with a name is a directory.
 */
static enum err enter_path(struct file_parse *fp, const struct benc *list)
{
	struct benc_iter it = benc_iter_of(list);
	char name[PATH_NAME_BUF] = "", next[PATH_NAME_BUF];
	struct benc item;
	enum err e = E_OK;

	while (e == E_OK && blist_next(&it, &item)) {
		if (item.type != BENC_STR)
			return fail_file(fp, E_TYPE, &item, ".path: a component is not a string");
		if (path_sanitise(item.s, next, sizeof next) != E_OK)
			continue;
		if (name[0] != '\0')
			e = enter_name(fp, &item, name, false);
		memcpy(name, next, sizeof name);
	}
	if (e == E_OK)
		e = enter_name(fp, list, name[0] != '\0' ? name : "_", true);
	return e;
}

/* The names that clients without BEP 47 give their padding. */
static bool is_pad_name(const struct benc *list)
{
	static const char prefix[] = "_____padding_file_";
	struct benc_iter it = benc_iter_of(list);
	struct benc item = {.type = BENC_NONE};

	while (blist_next(&it, &item))
		;
	return item.type == BENC_STR && item.s.n >= sizeof prefix - 1 &&
	       memcmp(item.s.p, prefix, sizeof prefix - 1) == 0;
}

static const struct benc *choose_path(const struct benc f[FILE_N])
{
	bool utf8 = f[FILE_PATH_UTF8].type == BENC_LIST && f[FILE_PATH_UTF8].s.n > 0;

	return &f[utf8 ? FILE_PATH_UTF8 : FILE_PATH];
}

void metainfo_path_list(const struct benc *file, struct benc *list)
{
	struct benc f[FILE_N];

	(void)bdict_fields(file, file_keys, FILE_N, f);
	*list = *choose_path(f);
}

/* Padding needs no name: it gets the one that libtorrent gives it. */
static enum err name_padding(struct file_parse *fp, uint64_t length, const char **out)
{
	int n = snprintf(fp->path, sizeof fp->path, "%s/.pad/%llu", fp->mp->m->name,
		(unsigned long long)length);

	*out = arena_strndup(&fp->mp->m->arena, fp->path, (size_t)n);
	return *out != NULL ? E_OK : metainfo_fail_room(fp->mp, fp->at);
}

static enum err read_path(struct file_parse *fp, const struct benc f[FILE_N], const char **out)
{
	struct metainfo *m = fp->mp->m;
	const struct benc *list = choose_path(f);
	enum err e;

	if (list->type == BENC_NONE)
		return fail_file(fp, E_MISSING, list, ".path: missing");
	if (list->type != BENC_LIST)
		return fail_file(fp, E_TYPE, list, ".path: not a list");
	if (list->s.n == 0)
		return fail_file(fp, E_SYNTAX, list, ".path: empty");
	fp->n = 0;
	fp->dir = PATHTREE_ROOT;
	fp->pad = fp->pad || is_pad_name(list);
	e = append_name(fp, list, m->name);
	if (e == E_OK)
		e = enter_path(fp, list);
	if (e != E_OK)
		return e;
	*out = arena_strndup(&m->arena, fp->path, fp->n);
	return *out != NULL ? E_OK : metainfo_fail_room(fp->mp, list->raw.p);
}

/* A symbolic link that can be made, if its target is in the torrent. */
static bool is_link(const struct benc f[FILE_N])
{
	return has_attr(&f[FILE_ATTR], 'l') && f[FILE_SYMLINK_PATH].type == BENC_LIST &&
	       choose_path(f)->type == BENC_LIST;
}

/* A symbolic link has no bytes of its own, whatever length it states (BEP 47). */
static enum err read_length(struct file_parse *fp, const struct benc f[FILE_N], uint64_t *out)
{
	const struct benc *node = &f[FILE_LENGTH];

	*out = 0;
	if (has_attr(&f[FILE_ATTR], 'l'))
		return E_OK;
	if (node->type == BENC_NONE)
		return fail_file(fp, E_MISSING, node, ".length: missing");
	if (node->type != BENC_INT)
		return fail_file(fp, E_TYPE, node, ".length: not an integer");
	if (node->i < 0)
		return fail_file(
			fp, E_RANGE, node, ".length: %lld is negative", (long long)node->i);
	*out = (uint64_t)node->i;
	if (*out > METAINFO_SIZE_MAX || fp->mp->m->size > METAINFO_SIZE_MAX - *out)
		return fail_file(fp, E_TOO_BIG, node, ".length: the content is larger than 16 TiB");
	return E_OK;
}

static enum err read_file(
	struct file_parse *fp, const struct benc *dict, struct metainfo_file *file)
{
	struct metainfo *m = fp->mp->m;
	struct benc f[FILE_N];
	uint32_t twice;
	enum err e;

	fp->at = dict->raw.p;
	if (dict->type != BENC_DICT)
		return fail_file(fp, E_TYPE, dict, ": not a dictionary");
	twice = bdict_fields(dict, file_keys, FILE_N, f);
	if (twice != 0)
		return fail_file(
			fp, E_SYNTAX, dict, ".%s: appears twice", file_keys[__builtin_ctz(twice)]);
	*file = (struct metainfo_file){
		.offset = m->size,
		.executable = has_attr(&f[FILE_ATTR], 'x'),
	};
	e = read_length(fp, f, &file->length);
	fp->pad = has_attr(&f[FILE_ATTR], 'p') || has_attr(&f[FILE_ATTR], 'l');
	fp->links += is_link(f);
	if (e == E_OK && fp->pad && choose_path(f)->type == BENC_NONE)
		e = name_padding(fp, file->length, &file->path);
	else if (e == E_OK)
		e = read_path(fp, f, &file->path);
	file->pad = fp->pad;
	m->size += file->length;
	return e;
}

static enum err count_files(struct metainfo_parse *mp, const struct benc *files, uint32_t *n)
{
	struct benc_iter it = benc_iter_of(files);
	struct benc item;

	*n = 0;
	if (files->type != BENC_LIST)
		return metainfo_fail(mp, E_TYPE, files->raw.p, "info.files: not a list");
	while (blist_next(&it, &item))
		if (++*n > METAINFO_FILES_MAX)
			return metainfo_fail(mp, E_TOO_BIG, item.raw.p,
				"info.files: more than %u files", METAINFO_FILES_MAX);
	if (*n == 0)
		return metainfo_fail(mp, E_SYNTAX, files->raw.p, "info.files: empty");
	return E_OK;
}

/* Gives the links their names in the tree, behind all files. */
static enum err enter_links(struct file_parse *fp, const struct benc *list,
	struct metainfo_file *files, struct metainfo_link *links)
{
	struct benc_iter it = benc_iter_of(list);
	struct benc f[FILE_N], item;
	uint32_t n = 0;
	enum err e = E_OK;

	for (fp->index = 0; e == E_OK && blist_next(&it, &item); fp->index++) {
		(void)bdict_fields(&item, file_keys, FILE_N, f);
		if (!is_link(f))
			continue;
		fp->at = item.raw.p;
		fp->pad = false;
		e = read_path(fp, f, &files[fp->index].path);
		links[n++] = (struct metainfo_link){
			.file = &files[fp->index],
			.node = fp->dir,
			.target = f[FILE_SYMLINK_PATH],
		};
	}
	return e;
}

static enum err read_links(
	struct file_parse *fp, const struct benc *list, struct metainfo_file *files)
{
	struct metainfo_link *links = calloc(fp->links, sizeof *links);
	uint32_t first = pathtree_count(fp->tree);
	enum err e;

	if (links == NULL)
		return metainfo_fail_room(fp->mp, list->raw.p);
	e = enter_links(fp, list, files, links);
	for (uint32_t i = 0; e == E_OK && i < fp->links; i++)
		metainfo_read_link(fp->mp, fp->tree, first, &links[i]);
	free(links);
	return e;
}

static enum err read_list(struct metainfo_parse *mp, const struct benc *list, struct pathtree *tree,
	struct metainfo_file *files)
{
	struct file_parse fp = {.mp = mp, .tree = tree};
	struct benc_iter it = benc_iter_of(list);
	struct benc item;
	enum err e = E_OK;

	for (; e == E_OK && blist_next(&it, &item); fp.index++)
		e = read_file(&fp, &item, &files[fp.index]);
	mp->m->files = files;
	mp->m->files_n = fp.index;
	return e == E_OK && fp.links > 0 ? read_links(&fp, list, files) : e;
}

enum err metainfo_read_files(struct metainfo_parse *mp, const struct benc *list)
{
	struct metainfo *m = mp->m;
	struct metainfo_file *files;
	struct pathtree *tree;
	uint32_t n;
	enum err e = count_files(mp, list, &n);

	if (e != E_OK)
		return e;
	files = arena_alloc(&m->arena, n * sizeof *files);
	tree = pathtree_new(m->infohash.v1);
	if (files != NULL && tree != NULL)
		e = read_list(mp, list, tree, files);
	else
		e = metainfo_fail_room(mp, list->raw.p);
	if (tree != NULL)
		pathtree_free(&tree);
	return e;
}
