/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a magnet link.  What is accepted keeps its bounds, is written and read as the same
 * again, and makes a bare torrent whose name can be one of a file.
 */
#include "proto/base/path.h"
#include "proto/base/utf8.h"
#include "proto/meta/magnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s)
{
	if (s != NULL)
		must(utf8_valid((struct slice){(const uint8_t *)s, strlen(s)}));
}

static void check_magnet(const struct magnet *m)
{
	must(m->infohash.has_v1 != m->has_key);
	must(m->trackers_n <= MAGNET_TRACKERS_MAX && m->seeds_n <= MAGNET_SEEDS_MAX &&
		m->peers_n <= MAGNET_PEERS_MAX && m->salt_n <= MAGNET_SALT_MAX);
	check_text(m->name);
	for (uint32_t i = 0; i < m->trackers_n; i++)
		check_text(m->trackers[i]);
	for (uint32_t i = 0; i < m->seeds_n; i++)
		check_text(m->seeds[i]);
	for (uint32_t i = 0; i < m->peers_n; i++) {
		must(m->peers[i].port > 0 && m->peers[i].host[0] != '\0');
		must(!m->peers[i].is_literal || m->peers[i].at.port == m->peers[i].port);
	}
	for (uint32_t i = 0; i < m->ranges_n; i++)
		must(m->ranges[i].first <= m->ranges[i].last);
}

/* By what is written of both. */
static void check_written(const struct magnet *m)
{
	char *link = magnet_write(m), *again;
	struct magnet back;

	must(strlen(link) <= MAGNET_BYTES_MAX);
	must(magnet_parse(link, strlen(link), &back, NULL) == E_OK);
	must(infohash_equal(&m->infohash, &back.infohash));
	again = magnet_write(&back);
	must(strcmp(link, again) == 0);
	xfree(link);
	xfree(again);
	magnet_fini(&back);
}

static void check_bare(const struct metainfo *m)
{
	must(m->bare && m->infohash.has_v1 && m->files_n == 0 && m->pieces == 0);
	must(path_relative_ok(m->name) && strchr(m->name, '/') == NULL);
	must(m->raw.n <= MAGNET_BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct metainfo *bare;
	struct parse_error pe;
	struct magnet m;
	bool has_key;

	if (magnet_parse((const char *)data, size, &m, &pe) != E_OK) {
		must(pe.err != E_OK && pe.what[0] != '\0' && pe.offset <= size);
		return 0;
	}
	has_key = m.has_key;
	check_magnet(&m);
	check_written(&m);
	magnet_fini(&m);
	must((metainfo_from_magnet((const char *)data, size, &bare, &pe) == E_OK) == !has_key);
	if (bare != NULL) {
		check_bare(bare);
		metainfo_unref(&bare);
	}
	return 0;
}
