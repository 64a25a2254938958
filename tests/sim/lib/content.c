/* SPDX-License-Identifier: MIT */
/* Torrents whose every byte follows from a number, and disks compared with them. */
#include "proto/meta/bencode.h"
#include "proto/meta/layout.h"
#include "tests/sim/lib/disk.h"

#include <stdio.h>

#define DOWNLOADS "/d"

static uint64_t word_at(const struct content *c, uint64_t i)
{
	uint64_t z = c->key + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

uint8_t content_byte(const struct content *c, uint64_t offset)
{
	return (uint8_t)(c->zeros ? 0 : word_at(c, offset / 8) >> 8 * (offset % 8));
}

void content_fill(const struct content *c, uint64_t offset, uint8_t *out, size_t n)
{
	size_t i = 0;

	if (c->zeros) {
		memset(out, 0, n);
		return;
	}
	for (; i < n && (offset + i) % 8 != 0; i++)
		out[i] = content_byte(c, offset + i);
	for (; i + 8 <= n; i += 8) {
		uint64_t w = word_at(c, (offset + i) / 8);

		for (unsigned k = 0; k < 8; k++)
			out[i + k] = (uint8_t)(w >> 8 * k);
	}
	for (; i < n; i++)
		out[i] = content_byte(c, offset + i);
}

/* --- the metainfo --- */

static uint8_t *make_hashes(const struct content *c, uint32_t pieces)
{
	uint8_t *hashes = xcalloc(pieces, HASH_SHA1_SIZE);
	uint8_t *piece = xcalloc(1, c->piece_length);

	for (uint32_t i = 0; i < pieces; i++) {
		uint64_t at = (uint64_t)i * c->piece_length;
		size_t n = (size_t)MIN((uint64_t)c->piece_length, c->size - at);

		if (c->zeros && i > 0 && n == c->piece_length) {
			memcpy(hashes + (size_t)i * HASH_SHA1_SIZE, hashes, HASH_SHA1_SIZE);
			continue;
		}
		content_fill(c, at, piece, n);
		hash_once(HASH_SHA1, piece, n, hashes + (size_t)i * HASH_SHA1_SIZE);
	}
	xfree(piece);
	return hashes;
}

static void put_files(struct benc_out *o, const struct content *c)
{
	uint64_t each = c->size / c->files;

	benc_key(o, "files");
	benc_list_begin(o);
	for (unsigned i = 0; i < c->files; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "part%02u", i);
		benc_dict_begin(o);
		benc_key(o, "length");
		benc_int(o, (int64_t)(i + 1 < c->files ? each : c->size - each * i));
		benc_key(o, "path");
		benc_list_begin(o);
		benc_cstr(o, i % 2 ? "odd" : "even");
		benc_cstr(o, name);
		benc_list_end(o);
		benc_dict_end(o);
	}
	benc_list_end(o);
}

static void put_info(struct benc_out *o, const struct content *c, uint32_t pieces)
{
	uint8_t *hashes = make_hashes(c, pieces);

	benc_dict_begin(o);
	if (c->files > 1) {
		put_files(o, c);
	} else {
		benc_key(o, "length");
		benc_int(o, (int64_t)c->size);
	}
	benc_key(o, "name");
	benc_cstr(o, c->name);
	benc_key(o, "piece length");
	benc_int(o, c->piece_length);
	benc_key(o, "pieces");
	benc_str(o, hashes, (size_t)pieces * HASH_SHA1_SIZE);
	if (c->is_private) {
		benc_key(o, "private");
		benc_int(o, 1);
	}
	benc_dict_end(o);
	xfree(hashes);
}

/* The world frees it. */
static void keep_meta(struct sim *s, struct metainfo *meta)
{
	if (s->metas_n == s->metas_room) {
		s->metas_room = MAX(8u, 2 * s->metas_room);
		s->metas = xrealloc(s->metas, sizeof(struct metainfo *) * s->metas_room);
	}
	s->metas[s->metas_n++] = meta;
}

void sim_content(struct sim *s, struct content *c)
{
	uint32_t pieces = (uint32_t)((c->size + c->piece_length - 1) / c->piece_length);
	struct benc_out o = {0};
	struct slice done;

	c->files = MAX(c->files, 1u);
	c->key = (uint64_t)sim_below(s, UINT32_MAX) + 1;
	benc_dict_begin(&o);
	if (!c->trackerless) {
		benc_key(&o, "announce");
		benc_cstr(&o, c->referred ? REFERRER : "http://tracker.sim/announce");
	}
	benc_key(&o, "info");
	put_info(&o, c, pieces);
	benc_dict_end(&o);
	done = benc_out_done(&o);
	must(metainfo_parse(done.p, done.n, &c->meta, NULL) == E_OK);
	benc_out_free(&o);
	keep_meta(s, c->meta);
	if (c->files == 1 && !c->zeros && s->truth == NULL) {
		s->truth_n = (size_t)c->size;
		s->truth_key = c->key;
		s->truth = xcalloc(1, s->truth_n);
		content_fill(c, 0, s->truth, s->truth_n);
	}
}

/* --- disks --- */

static void full_path(const struct content *c, uint32_t file, char *out, size_t n)
{
	int k = snprintf(out, n, DOWNLOADS "/%s", c->meta->files[file].path);

	must(k > 0 && (size_t)k < n);
}

static void fill_dirs(struct disk *d, char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (disk_find(d, path) == NULL)
			disk_make(d, path, true)->name_synced = true;
		*p = '/';
	}
}

void sim_disk_fill(struct host *h, const struct content *c)
{
	uint8_t *buf = xcalloc(1, PAGE);
	struct node *n;

	for (uint32_t i = 0; i < c->meta->files_n; i++) {
		const struct metainfo_file *f = &c->meta->files[i];
		char path[512];

		full_path(c, i, path, sizeof path);
		fill_dirs(h->disk, path);
		n = disk_make(h->disk, path, false);
		for (uint64_t at = 0; at < f->length; at += PAGE) {
			size_t k = (size_t)MIN((uint64_t)PAGE, f->length - at);

			content_fill(c, f->offset + at, buf, k);
			must(disk_write(h->disk, n, at, buf, k) == E_OK);
		}
		disk_sync(n);
		n->name_synced = true;
	}
	xfree(buf);
}

/* Whether the bytes [from, to) of the content are on the disk. */
static bool holds(const struct host *h, const struct content *c, uint64_t from, uint64_t to)
{
	uint8_t is[4096], want[4096];
	struct span_iter it = span_iter_of(c->meta, from, to - from);
	struct file_span span;

	while (span_next(&it, &span)) {
		const struct node *n;
		char path[512];

		full_path(c, span.file, path, sizeof path);
		n = disk_find(h->disk, path);
		if (n == NULL || n->size < span.file_offset + span.length)
			return false;
		for (uint64_t i = 0; i < span.length;) {
			size_t k = (size_t)MIN(sizeof is, span.length - i);
			uint64_t at = c->meta->files[span.file].offset + span.file_offset + i;

			disk_read(n, span.file_offset + i, is, k);
			content_fill(c, at, want, k);
			if (memcmp(is, want, k) != 0)
				return false;
			i += k;
		}
	}
	return true;
}

/* Every page of the disk is the one that the world knows for true. */
static bool shares_all(const struct host *h, const struct content *c)
{
	const struct node *n;
	char path[512];

	if (h->s->truth_key != c->key)
		return false;
	full_path(c, 0, path, sizeof path);
	n = disk_find(h->disk, path);
	if (n == NULL || n->size != c->size)
		return false;
	for (uint64_t i = 0; i < c->size / PAGE; i++)
		if (n->pages[i].data != h->s->truth + i * PAGE)
			return false;
	return c->size % PAGE == 0;
}

bool sim_disk_equals(const struct host *h, const struct content *c)
{
	if (shares_all(h, c))
		return true;
	for (uint64_t at = 0; at < c->size; at += c->piece_length)
		if (!holds(h, c, at, MIN(at + c->piece_length, c->size)))
			return false;
	return true;
}

bool sim_disk_has(const struct host *h, const struct content *c, const struct bitfield *pieces)
{
	for (uint32_t i = bitfield_next_set(pieces, 0); i < pieces->bits;
		i = bitfield_next_set(pieces, i + 1)) {
		uint64_t at = (uint64_t)i * c->piece_length;

		if (!holds(h, c, at, MIN(at + c->piece_length, c->size)))
			return false;
	}
	return true;
}
