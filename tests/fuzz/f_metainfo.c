/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a torrent.  What is accepted must keep every promise of metainfo.h: names that stay
 * inside, files that tile the content, the same reading twice.
 */
#include "proto/base/path.h"
#include "proto/base/utf8.h"
#include "proto/meta/layout.h"
#include "proto/meta/metainfo.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s)
{
	if (s != NULL)
		must(utf8_valid((struct slice){(const uint8_t *)s, strlen(s)}));
}

/* The path is contained, and is not the same as, or beneath, that of an earlier file. */
static void check_file(const struct metainfo *m, uint32_t i)
{
	const struct metainfo_file *f = &m->files[i];

	must(path_relative_ok(f->path) && strlen(f->path) <= METAINFO_PATH_MAX);
	check_text(f->path);
	for (uint32_t k = 0; !f->pad && i < 64 && k < i; k++) {
		size_t n = strlen(m->files[k].path), own = strlen(f->path);

		if (m->files[k].pad || strncmp(m->files[k].path, f->path, MIN(n, own)) != 0)
			continue;
		must(n > own ? m->files[k].path[own] != '/' : n < own && f->path[n] != '/');
	}
}

/* A link that is to be made ends beneath the torrent's top directory. */
static void check_link(const struct metainfo *m, const struct metainfo_file *f)
{
	char top[METAINFO_PATH_MAX + 2], dir[METAINFO_PATH_MAX + 2], to[3 * METAINFO_PATH_MAX];

	if (f->symlink == NULL)
		return;
	must(f->pad && f->length == 0 && f->symlink[0] != '/' && strrchr(f->path, '/') != NULL);
	(void)snprintf(top, sizeof top, "/%s", m->name);
	(void)snprintf(dir, sizeof dir, "/%.*s", (int)(strrchr(f->path, '/') - f->path), f->path);
	must(path_join_clean(dir, f->symlink, to, sizeof to) == E_OK && path_beneath(top, to));
}

static void check_spans(const struct metainfo *m)
{
	struct span_iter it = span_iter_of(m, 0, m->size);
	struct file_span s;
	uint64_t at = 0;

	while (span_next(&it, &s)) {
		must(s.file_offset == 0 && s.length == m->files[s.file].length);
		must(layout_file_at(m, at) == s.file);
		at += s.length;
	}
	must(at == m->size);
}

static void check_metainfo(const struct metainfo *m)
{
	struct layout l = layout_of(m->size, m->piece_length);
	uint64_t at = 0;

	must(l.pieces == m->pieces && m->files_n > 0);
	must(layout_offset(&l, l.pieces - 1, layout_piece_size(&l, l.pieces - 1)) == m->size);
	(void)metainfo_hash(m, m->pieces - 1)[HASH_SHA1_SIZE - 1];
	for (uint32_t i = 0; i < m->files_n; i++) {
		check_file(m, i);
		check_link(m, &m->files[i]);
		must(m->files[i].offset == at);
		at += m->files[i].length;
	}
	must(at == m->size);
	check_spans(m);
	check_text(m->name);
	check_text(m->comment);
	check_text(m->created_by);
	for (uint32_t i = 0; i < m->tiers_n; i++)
		for (uint32_t k = 0; k < m->tiers[i].urls_n; k++)
			check_text(m->tiers[i].urls[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct metainfo *m, *again;
	struct parse_error pe;

	if (metainfo_parse(data, size, &m, &pe) != E_OK) {
		must(m == NULL && pe.err != E_OK && pe.what[0] != '\0' && pe.offset <= size);
		return 0;
	}
	check_metainfo(m);
	must(metainfo_parse(m->raw.p, m->raw.n, &again, NULL) == E_OK);
	must(infohash_equal(&m->infohash, &again->infohash) && again->files_n == m->files_n);
	for (uint32_t i = 0; i < m->files_n; i++)
		must(strcmp(m->files[i].path, again->files[i].path) == 0);
	metainfo_unref(&again);
	metainfo_unref(&m);
	return 0;
}
