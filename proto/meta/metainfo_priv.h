/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the metainfo parser share.  Private to metainfo*.c; one thread.
 */
#ifndef PROTO_META_METAINFO_PRIV_H
#define PROTO_META_METAINFO_PRIV_H

#include "proto/meta/bencode.h"
#include "proto/meta/metainfo.h"
#include "proto/meta/pathtree.h"

struct metainfo_parse {
	struct metainfo *m;      /* under construction */
	struct parse_error *err; /* never NULL */
};

/* A metainfo of which nothing is known but a copy of its raw bytes; one reference.  NULL: no
 * memory.
 */
struct metainfo *metainfo_new(const void *raw, size_t n);

/* Notes what is wrong at a byte inside m->raw, and returns e. */
PRINTF_LIKE(4, 5)
enum err metainfo_fail(
	struct metainfo_parse *mp, enum err e, const uint8_t *at, const char *fmt, ...);

/* The same for an arena that is used up: its bound, or the memory. */
enum err metainfo_fail_room(struct metainfo_parse *mp, const uint8_t *at);

/* info.name and info.name.utf-8, either may be BENC_NONE: sets m->name.  m->infohash is known. */
enum err metainfo_read_name(
	struct metainfo_parse *mp, const struct benc *name, const struct benc *name_utf8);

/* The one file of a torrent without info.files: sets files and size.  m->name is known. */
enum err metainfo_read_single(
	struct metainfo_parse *mp, const struct benc *length, const struct benc *attr);

/* info.files (BEP 3): sets files and size.  m->name is known. */
enum err metainfo_read_files(struct metainfo_parse *mp, const struct benc *files);

/* The list that names a file of info.files: path.utf-8, or path. */
void metainfo_path_list(const struct benc *file, struct benc *list);

/* A symbolic link whose own name is in the tree. */
struct metainfo_link {
	struct metainfo_file *file; /* borrowed; path is set */
	uint32_t node;              /* in the tree */
	struct benc target;         /* a list: "symlink path" */
};

/*
 * Sets file->symlink where the target is something of the torrent.  All files and links are in the
 * tree; its nodes from first_link on that are no directories are links.
 */
void metainfo_read_link(struct metainfo_parse *mp, const struct pathtree *tree, uint32_t first_link,
	const struct metainfo_link *link);

/* info.file tree of a hybrid must name the files that were read; files is info.files or BENC_NONE.
 */
enum err metainfo_check_tree(
	struct metainfo_parse *mp, const struct benc *tree, const struct benc *files);

/* announce and announce-list (BEP 12): sets tiers. */
enum err metainfo_read_tiers(
	struct metainfo_parse *mp, const struct benc *announce, const struct benc *list);

/* url-list (BEP 19), a string or a list: sets url_list. */
enum err metainfo_read_url_list(struct metainfo_parse *mp, const struct benc *urls);

/* Whether it can be a URL: no spaces or controls within, UTF-8, of sane length. */
bool metainfo_is_url(struct slice s);

/* Text for people: valid UTF-8, at most 16 KiB, controls as spaces.  NULL: the arena is used up. */
char *metainfo_clean_text(struct arena *a, struct slice s);
/* The same of a string; *out stays NULL for anything else. */
enum err metainfo_read_text(struct metainfo_parse *mp, const struct benc *text, const char **out);

#endif
