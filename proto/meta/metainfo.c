/* SPDX-License-Identifier: MIT */
/*
 * A .torrent file: the outer dictionary, the info dictionary, the reference count.
 *
 * The bytes are validated once as bencode; each dictionary is then walked once, into a table of the
 * fields we know.  A known field of the info dictionary that occurs twice is refused, since clients
 * would differ about which one counts; other disorder is the field's daily bread.
 */
#include "proto/meta/metainfo.h"

#include "proto/meta/metainfo_priv.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 32
#define ITEMS_MAX (24u << 20)         /* a million files with all their fields */
#define ARENA_MAX ((size_t)384 << 20) /* a million files whose paths repeat a name of 255 bytes */

#define ROOT_FIELDS(F)                                                                             \
	F(ANNOUNCE, "announce")                                                                    \
	F(ANNOUNCE_LIST, "announce-list")                                                          \
	F(COMMENT, "comment")                                                                      \
	F(COMMENT_UTF8, "comment.utf-8")                                                           \
	F(CREATED_BY, "created by")                                                                \
	F(CREATION_DATE, "creation date")                                                          \
	F(INFO, "info")                                                                            \
	F(URL_LIST, "url-list")

#define INFO_FIELDS(F)                                                                             \
	F(ATTR, "attr")                                                                            \
	F(FILE_TREE, "file tree")                                                                  \
	F(FILES, "files")                                                                          \
	F(LENGTH, "length")                                                                        \
	F(META_VERSION, "meta version")                                                            \
	F(NAME, "name")                                                                            \
	F(NAME_UTF8, "name.utf-8")                                                                 \
	F(PIECE_LENGTH, "piece length")                                                            \
	F(PIECES, "pieces")                                                                        \
	F(PRIVATE, "private")

#define F(id, key) ROOT_##id,
enum { ROOT_FIELDS(F) ROOT_N };
#undef F
#define F(id, key) INFO_##id,
enum { INFO_FIELDS(F) INFO_N };
#undef F

#define F(id, key) key,
static const char *const root_keys[] = {ROOT_FIELDS(F)};
static const char *const info_keys[] = {INFO_FIELDS(F)};
#undef F

static enum err fail_missing(
	struct metainfo_parse *mp, const struct benc *dict, const char *prefix, const char *key)
{
	return metainfo_fail(mp, E_MISSING, dict->raw.p, "%s%s: missing", prefix, key);
}

/* An integer field that must be there and lie between 1 and max. */
static enum err read_positive(struct metainfo_parse *mp, const struct benc *info,
	const struct benc *node, const char *key, int64_t max, int64_t *out)
{
	if (node->type == BENC_NONE)
		return fail_missing(mp, info, "info.", key);
	if (!bint(node, out))
		return metainfo_fail(mp, E_TYPE, node->raw.p, "info.%s: not an integer", key);
	if (*out < 1)
		return metainfo_fail(mp, E_RANGE, node->raw.p, "info.%s: %lld is not positive", key,
			(long long)*out);
	if (*out > max)
		return metainfo_fail(mp, E_TOO_BIG, node->raw.p, "info.%s: %lld is more than %lld",
			key, (long long)*out, (long long)max);
	return E_OK;
}

static enum err read_piece_length(
	struct metainfo_parse *mp, const struct benc *info, const struct benc f[INFO_N])
{
	int64_t length;
	enum err e = read_positive(mp, info, &f[INFO_PIECE_LENGTH], info_keys[INFO_PIECE_LENGTH],
		METAINFO_PIECE_MAX, &length);

	if (e == E_OK)
		mp->m->piece_length = (uint32_t)length;
	return e;
}

/* info.pieces must name exactly as many hashes as the content has pieces. */
static enum err read_pieces(struct metainfo_parse *mp, const struct benc *node)
{
	struct metainfo *m = mp->m;
	uint64_t want = (m->size + m->piece_length - 1) / m->piece_length;
	struct slice s;

	if (!bstr(node, &s))
		return metainfo_fail(mp, E_TYPE, node->raw.p, "info.pieces: not a string");
	if (s.n % HASH_SHA1_SIZE != 0)
		return metainfo_fail(mp, E_RANGE, node->raw.p,
			"info.pieces: length %zu is not a multiple of 20", s.n);
	if (want > METAINFO_PIECES_MAX)
		return metainfo_fail(mp, E_TOO_BIG, node->raw.p,
			"info.pieces: %llu pieces are more than %u", (unsigned long long)want,
			METAINFO_PIECES_MAX);
	if (s.n / HASH_SHA1_SIZE != want)
		return metainfo_fail(mp, E_RANGE, node->raw.p,
			"info.pieces: %zu hashes, but the content has %llu pieces",
			s.n / HASH_SHA1_SIZE, (unsigned long long)want);
	m->pieces = (uint32_t)want;
	m->piece_hashes = s.p;
	return E_OK;
}

static bool is_v2_only(const struct benc f[INFO_N])
{
	int64_t version;

	return f[INFO_PIECES].type == BENC_NONE && bint(&f[INFO_META_VERSION], &version) &&
	       version >= 2;
}

static enum err check_info(struct metainfo_parse *mp, const struct benc *info,
	const struct benc f[INFO_N], uint32_t twice)
{
	if (twice != 0)
		return metainfo_fail(mp, E_SYNTAX, info->raw.p, "info.%s: appears twice",
			info_keys[__builtin_ctz(twice)]);
	if (is_v2_only(f))
		return metainfo_fail(mp, E_UNSUPPORTED, info->raw.p,
			"a version 2 torrent (BEP 52) without a version 1 part is not supported");
	if (f[INFO_PIECES].type == BENC_NONE)
		return fail_missing(mp, info, "info.", info_keys[INFO_PIECES]);
	return E_OK;
}

static enum err read_content(
	struct metainfo_parse *mp, const struct benc *info, const struct benc f[INFO_N])
{
	const uint8_t *at = f[INFO_FILES].type != BENC_NONE ? f[INFO_FILES].raw.p : info->raw.p;
	int64_t length;
	enum err e;

	if (f[INFO_FILES].type != BENC_NONE) {
		mp->m->multi = true;
		e = metainfo_read_files(mp, &f[INFO_FILES]);
	} else {
		if (f[INFO_LENGTH].type == BENC_NONE)
			return metainfo_fail(
				mp, E_MISSING, at, "info.length and info.files: both missing");
		if (bint(&f[INFO_LENGTH], &length) && length == 0)
			return metainfo_fail(mp, E_RANGE, f[INFO_LENGTH].raw.p,
				"info.length: the torrent has no content");
		e = read_positive(mp, info, &f[INFO_LENGTH], info_keys[INFO_LENGTH],
			(int64_t)METAINFO_SIZE_MAX, &length);
		if (e == E_OK)
			e = metainfo_read_single(mp, &f[INFO_LENGTH], &f[INFO_ATTR]);
	}
	if (e == E_OK && mp->m->size == 0)
		e = metainfo_fail(mp, E_RANGE, at, "info.files: the torrent has no content");
	return e;
}

static bool is_hybrid(const struct benc f[INFO_N])
{
	int64_t version;

	return bint(&f[INFO_META_VERSION], &version) && version == 2 &&
	       f[INFO_FILE_TREE].type != BENC_NONE;
}

static enum err read_info(struct metainfo_parse *mp, const struct benc *info)
{
	struct metainfo *m = mp->m;
	struct benc f[INFO_N];
	uint32_t twice = bdict_fields(info, info_keys, INFO_N, f);
	int64_t flag;
	enum err e = check_info(mp, info, f, twice);

	m->info = info->raw;
	if (e == E_OK)
		e = read_piece_length(mp, info, f);
	if (e != E_OK)
		return e;
	hash_once(HASH_SHA1, info->raw.p, info->raw.n, m->infohash.v1);
	m->infohash.has_v1 = true;
	m->is_private = bint(&f[INFO_PRIVATE], &flag) && flag != 0;
	if (f[INFO_NAME].type == BENC_NONE && f[INFO_NAME_UTF8].type == BENC_NONE)
		return fail_missing(mp, info, "info.", info_keys[INFO_NAME]);
	e = metainfo_read_name(mp, &f[INFO_NAME], &f[INFO_NAME_UTF8]);
	if (e == E_OK)
		e = read_content(mp, info, f);
	if (e == E_OK && is_hybrid(f))
		e = metainfo_check_tree(mp, &f[INFO_FILE_TREE], &f[INFO_FILES]);
	if (e == E_OK)
		e = read_pieces(mp, &f[INFO_PIECES]);
	return e;
}

/* What a torrent can do without: wrong types are read as absent. */
static enum err read_extras(struct metainfo_parse *mp, const struct benc f[ROOT_N])
{
	struct metainfo *m = mp->m;
	bool utf8 = f[ROOT_COMMENT_UTF8].type == BENC_STR;
	enum err e;

	e = metainfo_read_tiers(mp, &f[ROOT_ANNOUNCE], &f[ROOT_ANNOUNCE_LIST]);
	if (e == E_OK)
		e = metainfo_read_url_list(mp, &f[ROOT_URL_LIST]);
	if (e == E_OK)
		e = metainfo_read_text(
			mp, &f[utf8 ? ROOT_COMMENT_UTF8 : ROOT_COMMENT], &m->comment);
	if (e == E_OK)
		e = metainfo_read_text(mp, &f[ROOT_CREATED_BY], &m->created_by);
	(void)bint(&f[ROOT_CREATION_DATE], &m->creation_date);
	return e;
}

static enum err read_root(struct metainfo_parse *mp, const struct benc *root)
{
	struct benc f[ROOT_N];
	uint32_t twice = bdict_fields(root, root_keys, ROOT_N, f);
	const struct benc *info = &f[ROOT_INFO];
	enum err e;

	if ((twice & 1u << ROOT_INFO) != 0)
		return metainfo_fail(mp, E_SYNTAX, root->raw.p, "info: appears twice");
	if (info->type == BENC_NONE)
		return fail_missing(mp, root, "", root_keys[ROOT_INFO]);
	if (info->type != BENC_DICT)
		return metainfo_fail(mp, E_TYPE, info->raw.p, "info: not a dictionary");
	e = read_info(mp, info);
	if (e == E_OK)
		e = read_extras(mp, f);
	return e;
}

/* Line ends that an editor or a shell left behind the last byte are no reason to refuse. */
static size_t trim_end(struct slice s)
{
	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == ' '))
		s.n--;
	return s.n;
}

static enum err read_raw(struct metainfo_parse *mp)
{
	static const struct benc_limits limits = {.depth = DEPTH_MAX, .items = ITEMS_MAX};
	struct slice in = mp->m->raw;
	struct benc_report report;
	struct benc root;
	enum err e;

	if (in.n == 0)
		return metainfo_fail(mp, E_TRUNCATED, in.p, "the torrent is empty");
	if (in.p[0] != 'd')
		return metainfo_fail(mp, E_TYPE, in.p, "not a torrent: it does not begin as one");
	/* An 'e' ends every dictionary, so trimming cannot take a byte that counts. */
	in.n = trim_end(in);
	e = benc_parse(in, &limits, &root, &report);
	if (e != E_OK)
		return metainfo_fail(mp, e, in.p + report.offset, "bencoding: %s", err_words(e));
	return read_root(mp, &root);
}

struct metainfo *metainfo_new(const void *p, size_t n)
{
	struct metainfo *m;
	uint8_t *raw = malloc(n + 1);

	if (raw == NULL)
		return NULL;
	if (n > 0)
		memcpy(raw, p, n);
	ALLOC_OBJ(m, METAINFO_MAGIC);
	atomic_init(&m->refs, 1);
	m->raw = (struct slice){raw, n};
	arena_init(&m->arena, ARENA_MAX);
	return m;
}

static enum err fail_early(struct parse_error *pe, enum err e, const char *what)
{
	*pe = (struct parse_error){.err = e};
	(void)snprintf(pe->what, sizeof pe->what, "%s", what);
	return e;
}

enum err metainfo_parse(const void *p, size_t n, struct metainfo **out, struct parse_error *pe)
{
	struct parse_error ignored;
	struct metainfo_parse mp = {.err = pe != NULL ? pe : &ignored};
	enum err e;

	*out = NULL;
	*mp.err = (struct parse_error){.err = E_OK};
	if (n > METAINFO_BYTES_MAX)
		return fail_early(mp.err, E_TOO_BIG, "the torrent is larger than 256 MiB");
	mp.m = metainfo_new(p, n);
	if (mp.m == NULL)
		return fail_early(mp.err, E_NOMEM, "no memory for a copy of the torrent");
	e = read_raw(&mp);
	if (e == E_OK)
		*out = mp.m;
	else
		metainfo_unref(&mp.m);
	return e;
}

/* The object is one that metainfo_parse() made, so nothing of it is truly const. */
static struct metainfo *cast_away(const void *m)
{
	return (struct metainfo *)(uintptr_t)m;
}

struct metainfo *metainfo_ref(const struct metainfo *shared)
{
	struct metainfo *m = cast_away(shared);

	CHECK_OBJ(m, METAINFO_MAGIC);
	must(atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed) > 0);
	return m;
}

void metainfo_unref(struct metainfo **mp)
{
	struct metainfo *m;

	TAKE_OBJ(m, mp, METAINFO_MAGIC);
	if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
		return;
	arena_free(&m->arena);
	xfree((void *)(uintptr_t)m->raw.p);
	FREE_OBJ(m);
}
