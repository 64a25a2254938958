/* SPDX-License-Identifier: MIT */
/*
 * A .torrent file (BEP 3, "metainfo files"), checked, with every name made safe.
 *
 * One that is bare comes of a magnet link: its info-hash, a name, trackers and web seeds are known,
 * and no content; pieces, files_n, size and piece_length are 0, and raw is the link.
 *
 * Immutable after it was made and counted by atomic references, so threads share it by
 * pointer. All strings are NUL-terminated UTF-8 without control characters.  A metainfo that is
 * not bare keeps what the rest of the program relies on: 0 < size <= 16 TiB, pieces and piece
 * hashes match the size, files tile it without gap or overlap, and paths are relative, contained
 * and, padding aside, unique.
 */
#ifndef PROTO_META_METAINFO_H
#define PROTO_META_METAINFO_H

#include "proto/base/arena.h"
#include "proto/base/base.h"
#include "proto/meta/hash.h"

#define METAINFO_BYTES_MAX  ((size_t)256 << 20)   /* of the .torrent */
#define METAINFO_SIZE_MAX   (UINT64_C(16) << 40)  /* of the content */
#define METAINFO_PIECE_MAX  (UINT32_C(128) << 20) /* bytes in a piece; as qBittorrent makes them */
#define METAINFO_PIECES_MAX (UINT32_C(4) << 20)
#define METAINFO_FILES_MAX  UINT32_C(1000000)
#define METAINFO_URLS_MAX   1000u /* trackers; and again web seeds */
#define METAINFO_PATH_MAX   2048u /* bytes in a file's relative path, without NUL */

struct parse_error {
	enum err err;
	size_t offset;  /* of the offending byte in the input */
	char what[128]; /* for a person: "info.pieces: length 39 is not a multiple of 20" */
};

struct metainfo_file {
	const char *path;        /* relative to the target directory, '/' between components */
	uint64_t length, offset; /* bytes; offset within the content */
	bool pad; /* never on disk, reads as zeros (BEP 47); symbolic links, too, of length 0 */
	/*
	 * BEP 47, "symlink path": the text of a symbolic link to be made at path, NULL: of none. To
	 * be given to symlinkat(2) as it is: relative to the link's own directory, and it leads to
	 * a file, directory or link of this torrent, never out of its top directory.
	 */
	const char *symlink;
	bool executable; /* BEP 47, attr "x" */
};

/* Trackers to be tried together (BEP 12). */
struct metainfo_tier {
	const char *const *urls;
	uint32_t urls_n; /* at least 1 */
};

struct metainfo {
	uint32_t magic;
	_Atomic uint32_t refs;
	struct infohash infohash; /* over the exact bytes received; hybrids are used as v1 */
	bool bare;                /* the info dictionary is not known yet (BEP 9) */
	const char *name;         /* the file, or the top directory; bare: fit to be one of them */
	uint32_t piece_length;    /* bytes; any number, not only powers of two */
	uint32_t pieces;
	uint64_t size;    /* bytes of content, pad files included */
	uint32_t files_n; /* at least 1 */
	const struct metainfo_file *files;
	bool is_private;  /* BEP 27; false while bare */
	bool multi;       /* has a top directory */
	uint32_t tiers_n; /* announce-list, or announce where there is none */
	const struct metainfo_tier *tiers;
	const char *const *url_list; /* web seeds (BEP 19) */
	uint32_t url_list_n;
	const char *comment, *created_by; /* NULL when absent */
	int64_t creation_date;            /* seconds since 1970; 0 when absent */
	struct slice raw;                 /* the bytes received, or the link; owned */
	struct slice info;                /* the info dictionary, inside raw */
	const uint8_t *piece_hashes;      /* pieces * 20 bytes, inside raw */
	struct arena arena;               /* private: owns strings and tables */
};

/*
 * Reads n bytes, which are copied.  On E_OK *out has one reference that the caller owns.  Otherwise
 * *out is NULL and *pe, which may be NULL, says what is wrong where.  Linear in n.
 *
 * Errors of the bytes: those of benc_next(), E_MISSING, E_TYPE, E_RANGE, E_TOO_BIG, E_PATH (longer
 * than METAINFO_PATH_MAX), E_UNSUPPORTED (a torrent of version 2 alone, BEP 52); and E_NOMEM.
 *
 * Tolerated: unsorted keys, white space behind the end, names in any encoding, unusable URLs
 * (dropped). Paths: empty, "." and ".." components are dropped; two files that would share a path,
 * or a file that is a directory of another, are told apart by ".1", ".2"... before the extension of
 * the later one.  Symbolic links (BEP 47, attr "l") are empty pad files with ->symlink, and get
 * their names after all files; it is NULL where the target is none of the torrent's.
 *
 * Of a hybrid (BEP 52) the version 1 part counts; one whose version 2 part names other files is
 * refused (E_RANGE).
 */
enum err metainfo_parse(const void *p, size_t n, struct metainfo **out, struct parse_error *pe);

/*
 * The bare metainfo of a magnet link (magnet.h); as above, and E_UNSUPPORTED where the link names a
 * torrent that changes (BEP 46).  Its raw bytes are the link as magnet_write() has it.
 */
enum err metainfo_from_magnet(
	const char *link, size_t n, struct metainfo **out, struct parse_error *pe);

/*
 * The whole metainfo of a bare one, of which info is the info dictionary as it came from peers:
 * with the trackers and web seeds of the link, the name of the info dictionary, and raw bytes that
 * are a .torrent file.  E_BADHASH: it is not that torrent's, by v1 or, where the link names it, v2.
 */
enum err metainfo_complete(const struct metainfo *bare, struct slice info, struct metainfo **out,
	struct parse_error *pe);

/*
 * m with the trackers and web seeds that `more`, of the same info-hash, has besides its own, each
 * as a tier behind the others.  *out is m again, with one more reference, where there is nothing to
 * add: `more` has none, m is private or has as many as may be.  Errors as metainfo_parse().
 */
enum err metainfo_join(const struct metainfo *m, const struct metainfo *more, struct metainfo **out,
	struct parse_error *pe);

/*
 * m with those trackers in the place of its own, which a private torrent may have, too: a person
 * says so.  A bare one has no tiers; its trackers are asked in this order.  E_TOO_BIG: so many are
 * not kept.  Other errors as metainfo_parse().
 */
enum err metainfo_retrack(const struct metainfo *m, const struct metainfo_tier *tiers, uint32_t n,
	struct metainfo **out, struct parse_error *pe);

/*
 * Other names for its files, which its bytes do not have: a text to be kept with it, empty where
 * there are none.  metainfo_renamed() is the metainfo with those names, and with that of its first
 * directory; E_SYNTAX: they are not of this torrent, *out is NULL.
 */
enum err metainfo_renamed(const struct metainfo *m, const char *names, struct metainfo **out);

struct metainfo_rename {
	const char *from; /* a file, or a directory with all in it; NULL: the file of that number */
	uint32_t file;
	const char *to;
};

/*
 * *names, owned by the caller, is what m, which may have other names already, has with one more.
 * E_NOT_FOUND: there is no such file or directory; E_PATH: it may not be called so, or would leave
 * the torrent's directory; E_EXISTS: another file is called so, or one is a directory of the other.
 */
enum err metainfo_rename(const struct metainfo *m, const struct metainfo_rename *, char **names);

/*
 * Whether the address of a tracker looks as if it held somebody's key: a name or value of 16
 * characters and more that is made of letters and digits as no word is.  Such trackers are those of
 * private torrents, as a rule.
 */
bool metainfo_has_passkey(const struct metainfo *m);

/* The magnet link of a torrent, with its name, trackers and web seeds; owned by the caller. */
char *metainfo_magnet(const struct metainfo *m);

/* One more reference to the same object; any thread. */
struct metainfo *metainfo_ref(const struct metainfo *m);
/* Gives a reference back, the last one frees; any thread. */
void metainfo_unref(struct metainfo **m);

#define METAINFO_MAGIC 0x4d455441u

/* The 20 bytes of a piece's SHA-1; piece < m->pieces. */
static inline const uint8_t *metainfo_hash(const struct metainfo *m, uint32_t piece)
{
	must(piece < m->pieces);
	return m->piece_hashes + (size_t)piece * HASH_SHA1_SIZE;
}

#endif
