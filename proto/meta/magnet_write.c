/* SPDX-License-Identifier: MIT */
/* Writing a magnet link: what has to be in it first, then as many helpers as there is room for. */
#include "proto/meta/magnet.h"

#include "proto/base/encode.h"

#include <inttypes.h>
#include <stdio.h>

/* "&key=" and the value, if all of it fits. */
static void put_value(struct wr *w, const char *key, const char *value)
{
	struct wr before = *w;

	wr_text(w, "&");
	wr_text(w, key);
	wr_text(w, "=");
	percent_encode(w, value, strlen(value));
	if (w->full)
		*w = before;
}

/* The first pair stands behind a '?'. */
static void put_name(struct wr *w, bool first, const char *urn, const uint8_t *bytes, size_t n)
{
	char hex[2 * HASH_SHA256_SIZE + 1];

	hex_encode(bytes, n, hex);
	wr_text(w, first ? "magnet:?" : "&");
	wr_text(w, urn);
	wr_text(w, hex);
}

static void put_names(struct wr *w, const struct magnet *m)
{
	const struct infohash *ih = &m->infohash;
	char salt[2 * MAGNET_SALT_MAX + 1];

	if (ih->has_v1)
		put_name(w, true, "xt=urn:btih:", ih->v1, sizeof ih->v1);
	if (ih->has_v2)
		put_name(w, !ih->has_v1, "xt=urn:btmh:1220", ih->v2, sizeof ih->v2);
	if (!m->has_key)
		return;
	put_name(w, !ih->has_v1 && !ih->has_v2, "xs=urn:btpk:", m->key, sizeof m->key);
	hex_encode(m->salt, m->salt_n, salt);
	if (m->salt_n > 0)
		put_value(w, "s", salt);
}

static void put_ranges(struct wr *w, const struct magnet *m)
{
	char text[32];

	for (uint32_t i = 0; i < m->ranges_n; i++) {
		const struct magnet_range *r = &m->ranges[i];
		int n = snprintf(text, sizeof text, "%s%" PRIu32, i == 0 ? "&so=" : ",", r->first);

		if (r->last > r->first)
			(void)snprintf(text + n, sizeof text - (size_t)n, "-%" PRIu32, r->last);
		wr_text(w, text);
	}
}

static void put_peer(struct wr *w, const struct magnet_peer *p)
{
	char text[300];
	bool v6 = strchr(p->host, ':') != NULL;

	(void)snprintf(
		text, sizeof text, "%s%s%s:%u", v6 ? "[" : "", p->host, v6 ? "]" : "", p->port);
	put_value(w, "x.pe", text);
}

static void put_all(struct wr *w, const struct magnet *m)
{
	char size[24];

	put_names(w, m);
	put_ranges(w, m);
	if (m->name != NULL)
		put_value(w, "dn", m->name);
	(void)snprintf(size, sizeof size, "%" PRIu64, m->size);
	if (m->size > 0)
		put_value(w, "xl", size);
	for (uint32_t i = 0; i < m->peers_n; i++)
		put_peer(w, &m->peers[i]);
	for (uint32_t i = 0; i < m->trackers_n; i++)
		put_value(w, "tr", m->trackers[i]);
	for (uint32_t i = 0; i < m->seeds_n; i++)
		put_value(w, "ws", m->seeds[i]);
}

char *magnet_write(const struct magnet *m)
{
	char *link = xcalloc(1, MAGNET_BYTES_MAX + 1);
	struct wr w = wr_of(link, MAGNET_BYTES_MAX);

	put_all(&w, m);
	return xrealloc(link, strlen(link) + 1);
}
