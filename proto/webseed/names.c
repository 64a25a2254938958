/* SPDX-License-Identifier: MIT */
/* The names of files as servers know them, found in the info dictionary by their offsets. */
#include "proto/webseed/names.h"

#include "proto/base/encode.h"
#include "proto/meta/bencode.h"

#define HTTPSEED_NAMES_MAGIC 0x574e414du

struct httpseed_names {
	uint32_t magic;
	struct metainfo *meta; /* owned reference */
	struct slice name;     /* inside meta->info */
	uint32_t *path;        /* owned: offset in meta->info of each file's path list; NULL: one
				  file */
};

/* A metainfo that exists has been read once: what is asked of it here is there. */
static struct benc info_of(const struct metainfo *m)
{
	struct benc info;

	must(benc_parse(m->info, NULL, &info, NULL) == E_OK);
	return info;
}

static void find_paths(struct httpseed_names *names, const struct benc *files)
{
	struct benc_iter it = benc_iter_of(files);
	const struct metainfo *m = names->meta;
	struct benc file, path;

	names->path = xcalloc(m->files_n, sizeof *names->path);
	for (uint32_t i = 0; i < m->files_n && blist_next(&it, &file); i++)
		if (bdict_list(&file, "path", &path) || bdict_list(&file, "path.utf-8", &path))
			names->path[i] = (uint32_t)(path.raw.p - m->info.p);
}

struct httpseed_names *httpseed_names_new(const struct metainfo *m)
{
	struct httpseed_names *names;
	struct benc info, files;

	must(!m->bare);
	info = info_of(m);
	ALLOC_OBJ(names, HTTPSEED_NAMES_MAGIC);
	names->meta = metainfo_ref(m);
	if (!bdict_str(&info, "name", &names->name))
		(void)bdict_str(&info, "name.utf-8", &names->name);
	if (bdict_list(&info, "files", &files))
		find_paths(names, &files);
	return names;
}

void httpseed_names_free(struct httpseed_names **pn)
{
	struct httpseed_names *names;

	if (*pn == NULL)
		return;
	TAKE_OBJ(names, pn, HTTPSEED_NAMES_MAGIC);
	xfree(names->path);
	metainfo_unref(&names->meta);
	FREE_OBJ(names);
}

static void put_path(const struct httpseed_names *names, uint32_t file, struct wr *out)
{
	struct slice raw = names->meta->info, part;
	struct benc_limits limits = benc_limits_default;
	struct benc path, item;
	struct benc_iter it;

	raw.p += names->path[file];
	raw.n -= names->path[file];
	limits.trailing = true;
	if (benc_parse(raw, &limits, &path, NULL) != E_OK)
		return;
	it = benc_iter_of(&path);
	while (blist_next(&it, &item))
		if (bstr(&item, &part) && part.n > 0) {
			wr_u8(out, '/');
			percent_encode(out, part.p, part.n);
		}
}

bool httpseed_url(
	const struct httpseed_names *names, const char *base, uint32_t file, struct wr *out)
{
	size_t n = strlen(base);
	bool slash = n > 0 && base[n - 1] == '/';

	CHECK_OBJ(names, HTTPSEED_NAMES_MAGIC);
	must(file < names->meta->files_n);
	wr_bytes(out, base, n);
	if (!slash && names->path != NULL)
		wr_u8(out, '/');
	if (slash || names->path != NULL)
		percent_encode(out, names->name.p, names->name.n);
	if (names->path != NULL)
		put_path(names, file, out);
	wr_u8(out, '\0');
	return !out->full;
}
