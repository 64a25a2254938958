/* SPDX-License-Identifier: MIT */
/*
 * Where a web seed has the files of a torrent (BEP 19, "Metadata Extension").
 *
 * Servers know files by the names in the info dictionary, as the bytes they are; ours are made
 * safe for a file system and may differ.  So names are read there again.  One thread; pure.
 */
#ifndef PROTO_WEBSEED_NAMES_H
#define PROTO_WEBSEED_NAMES_H

#include "proto/base/bytes.h"
#include "proto/meta/metainfo.h"

/* Room that the URL of any file fits in, of a base URL that metainfo takes: each byte of a path
 * may become three. */
#define HTTPSEED_URL_MAX 16384u

struct httpseed_names;

/* Takes a reference of m, which is not bare.  4 bytes a file. */
struct httpseed_names *httpseed_names_new(const struct metainfo *m);
void httpseed_names_free(struct httpseed_names **);

/*
 * Writes the file's URL and a NUL.  A base that ends in '/', or any base of a torrent with a top
 * directory, is a directory: the name, and of many files the path behind it, is appended,
 * percent-encoded.  Any other is the one file itself.  False: it does not fit.
 */
bool httpseed_url(const struct httpseed_names *, const char *base, uint32_t file, struct wr *out);

#endif
