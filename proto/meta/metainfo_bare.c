/* SPDX-License-Identifier: MIT */
/*
 * A torrent before its info dictionary is known, how it becomes whole, and how trackers are added.
 *
 * What comes out is always read from bytes again: from a magnet link, or from a .torrent file that
 * is written here.  So it keeps the promises that the readers keep, and what is stored is what is
 * used.
 */
#include "proto/base/array.h"
#include "proto/base/encode.h"
#include "proto/base/path.h"
#include "proto/meta/magnet.h"
#include "proto/meta/metainfo_priv.h"

#include <stdio.h>
#include <stdlib.h>

static enum err fail(struct parse_error *pe, enum err e, const char *what)
{
	if (pe != NULL) {
		*pe = (struct parse_error){.err = e};
		(void)snprintf(pe->what, sizeof pe->what, "%s", what);
	}
	return e;
}

/* --- from a link --- */

/* What the link calls it, if that can be a name at all; else its info-hash. */
static const char *name_of(struct arena *a, const struct magnet *g)
{
	char name[PATH_NAME_BUF], hex[2 * HASH_SHA1_SIZE + 1];
	struct slice dn = {0};

	if (g->name != NULL)
		dn = (struct slice){(const uint8_t *)g->name, strlen(g->name)};
	hex_encode(g->infohash.v1, sizeof g->infohash.v1, hex);
	if (path_sanitise(dn, name, sizeof name) == E_OK)
		return arena_strndup(a, name, strlen(name));
	return arena_strndup(a, hex, strlen(hex));
}

static const char *const *copy_list(struct arena *a, const char *const *list, uint32_t n)
{
	const char **out = arena_alloc(a, MAX(n, 1u) * sizeof *out);

	for (uint32_t i = 0; out != NULL && i < n; i++) {
		out[i] = arena_strndup(a, list[i], strlen(list[i]));
		if (out[i] == NULL)
			return NULL;
	}
	return out;
}

/* Each tracker is a tier of its own. */
static bool fill_tiers(struct metainfo *m, const struct magnet *g)
{
	const char *const *urls = copy_list(&m->arena, g->trackers, g->trackers_n);
	struct metainfo_tier *tiers =
		arena_alloc(&m->arena, MAX(g->trackers_n, 1u) * sizeof *tiers);

	if (urls == NULL || tiers == NULL)
		return false;
	for (uint32_t i = 0; i < g->trackers_n; i++)
		tiers[i] = (struct metainfo_tier){urls + i, 1};
	m->tiers = tiers;
	m->tiers_n = g->trackers_n;
	return true;
}

static enum err make_bare(const struct magnet *g, struct metainfo **out, struct parse_error *pe)
{
	char *link = magnet_write(g);
	struct metainfo *m = metainfo_new(link, strlen(link));

	xfree(link);
	if (m == NULL)
		return fail(pe, E_NOMEM, "no memory for the link");
	m->bare = true;
	memcpy(m->infohash.v1, g->infohash.v1, sizeof m->infohash.v1);
	m->infohash.has_v1 = true;
	m->name = name_of(&m->arena, g);
	m->url_list = copy_list(&m->arena, g->seeds, g->seeds_n);
	m->url_list_n = g->seeds_n;
	if (m->name == NULL || m->url_list == NULL || !fill_tiers(m, g)) {
		metainfo_unref(&m);
		return fail(pe, E_NOMEM, "no memory for the link");
	}
	*out = m;
	return E_OK;
}

enum err metainfo_from_magnet(
	const char *link, size_t n, struct metainfo **out, struct parse_error *pe)
{
	struct magnet g;
	enum err e = magnet_parse(link, n, &g, pe);

	*out = NULL;
	if (e != E_OK)
		return e;
	if (g.has_key)
		e = fail(pe, E_UNSUPPORTED,
			"xs: a torrent that changes (urn:btpk:, BEP 46) is not supported");
	else
		e = make_bare(&g, out, pe);
	magnet_fini(&g);
	return e;
}

/* --- to a .torrent file --- */

/* A key of the outer dictionary and its value as encoded; both borrowed. */
struct entry {
	struct slice key, value;
};

struct entries {
	struct entry *v; /* owned */
	uint32_t n, room;
};

static void add_entry(struct entries *e, struct slice key, struct slice value)
{
	ARRAY_PUSH(e->v, e->n, e->room, ((struct entry){key, value}));
}

static void add_named(struct entries *e, const char *key, struct slice value)
{
	add_entry(e, (struct slice){(const uint8_t *)key, strlen(key)}, value);
}

/* By key; of the same key the first that came first. */
static int compare_entries(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int order = memcmp(a->key.p, b->key.p, MIN(a->key.n, b->key.n));

	if (order != 0)
		return order;
	if (a->key.n != b->key.n)
		return a->key.n < b->key.n ? -1 : 1;
	return a->value.p < b->value.p ? -1 : a->value.p > b->value.p;
}

static bool same_key(const struct entry *a, const struct entry *b)
{
	return a->key.n == b->key.n && memcmp(a->key.p, b->key.p, a->key.n) == 0;
}

/* What m has for the outer dictionary besides its URLs. */
static void copy_entries(struct entries *e, const struct metainfo *m)
{
	struct slice raw = m->raw;
	struct benc root = {.type = BENC_DICT, .raw = raw, .s = {raw.p + 1, raw.n - 1}};
	struct slice key;
	struct benc_iter it;
	struct benc value;

	while (raw.n > 0 && raw.p[raw.n - 1] != 'e')
		raw.n--; /* white space behind the end */
	root.s.n = raw.n - 2;
	it = benc_iter_of(&root);
	while (bdict_next(&it, &key, &value))
		if (!slice_equals(key, "announce") && !slice_equals(key, "announce-list") &&
			!slice_equals(key, "url-list"))
			add_entry(e, key, value.raw);
}

/* The lists of URLs, and where they are encoded. */
struct urls {
	const struct metainfo *m, *more;   /* more may be NULL */
	const struct metainfo_tier *tiers; /* of m, or in their place */
	uint32_t tiers_n;
	struct benc_out announce, list, seeds;
};

static bool has_tracker(const struct metainfo *m, const char *url)
{
	for (uint32_t i = 0; i < m->tiers_n; i++)
		for (uint32_t k = 0; k < m->tiers[i].urls_n; k++)
			if (strcmp(m->tiers[i].urls[k], url) == 0)
				return true;
	return false;
}

static bool has_seed(const struct metainfo *m, const char *url)
{
	for (uint32_t i = 0; i < m->url_list_n; i++)
		if (strcmp(m->url_list[i], url) == 0)
			return true;
	return false;
}

static uint32_t count_trackers(const struct metainfo *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->tiers_n; i++)
		n += m->tiers[i].urls_n;
	return n;
}

static void write_tier(struct benc_out *o, const struct metainfo_tier *tier)
{
	benc_list_begin(o);
	for (uint32_t i = 0; i < tier->urls_n; i++)
		benc_cstr(o, tier->urls[i]);
	benc_list_end(o);
}

static void write_tiers(struct urls *u)
{
	uint32_t n = count_trackers(u->m);

	benc_list_begin(&u->list);
	for (uint32_t i = 0; i < u->tiers_n; i++)
		write_tier(&u->list, &u->tiers[i]);
	for (uint32_t i = 0; u->more != NULL && i < u->more->tiers_n; i++)
		for (uint32_t k = 0; k < u->more->tiers[i].urls_n; k++) {
			const char *const *url = &u->more->tiers[i].urls[k];

			if (has_tracker(u->m, *url) || n++ >= METAINFO_URLS_MAX)
				continue;
			write_tier(&u->list, &(struct metainfo_tier){url, 1});
		}
	benc_list_end(&u->list);
}

static void write_seeds(struct urls *u)
{
	uint32_t n = u->m->url_list_n;

	benc_list_begin(&u->seeds);
	for (uint32_t i = 0; i < u->m->url_list_n; i++)
		benc_cstr(&u->seeds, u->m->url_list[i]);
	for (uint32_t i = 0; u->more != NULL && i < u->more->url_list_n; i++)
		if (!has_seed(u->m, u->more->url_list[i]) && n++ < METAINFO_URLS_MAX)
			benc_cstr(&u->seeds, u->more->url_list[i]);
	benc_list_end(&u->seeds);
}

static const char *first_tracker(const struct urls *u)
{
	if (u->tiers_n > 0)
		return u->tiers[0].urls[0];
	return u->more != NULL && u->more->tiers_n > 0 ? u->more->tiers[0].urls[0] : NULL;
}

static void add_urls(struct entries *e, struct urls *u)
{
	const char *first = first_tracker(u);

	write_tiers(u);
	write_seeds(u);
	if (first != NULL) {
		benc_cstr(&u->announce, first);
		add_named(e, "announce", benc_out_done(&u->announce));
		add_named(e, "announce-list", benc_out_done(&u->list));
	}
	if (benc_out_done(&u->seeds).n > 2)
		add_named(e, "url-list", benc_out_done(&u->seeds));
}

/* The .torrent of these entries, which end here. */
static enum err read_back(struct entries *e, struct metainfo **out, struct parse_error *pe)
{
	struct benc_out o = {0};
	struct slice raw;
	enum err err;

	qsort(e->v, e->n, sizeof *e->v, compare_entries);
	benc_dict_begin(&o);
	for (uint32_t i = 0; i < e->n; i++) {
		if (i > 0 && same_key(&e->v[i - 1], &e->v[i]))
			continue;
		benc_key_bytes(&o, e->v[i].key.p, e->v[i].key.n);
		benc_raw(&o, e->v[i].value.p, e->v[i].value.n);
	}
	benc_dict_end(&o);
	xfree(e->v);
	raw = benc_out_done(&o);
	err = metainfo_parse(raw.p, raw.n, out, pe);
	benc_out_free(&o);
	return err;
}

static enum err build(
	struct entries *e, struct urls *u, struct metainfo **out, struct parse_error *pe)
{
	enum err err;

	add_urls(e, u);
	err = read_back(e, out, pe);
	benc_out_free(&u->announce);
	benc_out_free(&u->list);
	benc_out_free(&u->seeds);
	if (err != E_OK || infohash_equal(&(*out)->infohash, &u->m->infohash))
		return err;
	metainfo_unref(out);
	return fail(pe, E_BADHASH, "the info dictionary is another torrent's");
}

/* --- it becomes whole --- */

/* By the hashes of the link: all that it names. */
static bool is_named(const struct metainfo *bare, struct slice info)
{
	uint8_t v1[HASH_SHA1_SIZE], v2[HASH_SHA256_SIZE];
	struct magnet g;
	bool good;

	hash_once(HASH_SHA1, info.p, info.n, v1);
	if (memcmp(v1, bare->infohash.v1, sizeof v1) != 0 ||
		magnet_parse((const char *)bare->raw.p, bare->raw.n, &g, NULL) != E_OK)
		return false;
	if (g.infohash.has_v2)
		hash_once(HASH_SHA256, info.p, info.n, v2);
	good = !g.infohash.has_v2 || memcmp(v2, g.infohash.v2, sizeof v2) == 0;
	magnet_fini(&g);
	return good;
}

enum err metainfo_complete(const struct metainfo *bare, struct slice info, struct metainfo **out,
	struct parse_error *pe)
{
	CHECK_OBJ(bare, METAINFO_MAGIC);
	struct urls u = {.m = bare, .tiers = bare->tiers, .tiers_n = bare->tiers_n};
	struct entries e = {0};
	struct benc root;

	must(bare->bare);
	*out = NULL;
	if (!is_named(bare, info))
		return fail(pe, E_BADHASH, "the info dictionary is another torrent's");
	if (benc_parse(info, NULL, &root, NULL) != E_OK || root.type != BENC_DICT)
		return fail(pe, E_SYNTAX, "the info dictionary is malformed");
	add_named(&e, "info", info);
	return build(&e, &u, out, pe);
}

/* --- trackers are added --- */

static enum err join_bare(const struct metainfo *m, const struct metainfo *more,
	struct metainfo **out, struct parse_error *pe)
{
	struct magnet g;
	enum err e = magnet_parse((const char *)m->raw.p, m->raw.n, &g, pe);

	if (e != E_OK)
		return e;
	for (uint32_t i = 0; i < more->tiers_n; i++)
		for (uint32_t k = 0; k < more->tiers[i].urls_n; k++) {
			const char *url = more->tiers[i].urls[k];
			(void)magnet_add_tracker(
				&g, (struct slice){(const uint8_t *)url, strlen(url)});
		}
	for (uint32_t i = 0; i < more->url_list_n; i++) {
		const char *url = more->url_list[i];
		(void)magnet_add_seed(&g, (struct slice){(const uint8_t *)url, strlen(url)});
	}
	e = make_bare(&g, out, pe);
	magnet_fini(&g);
	return e;
}

/* Whether `more` knows any URL that m lacks. */
static bool brings_news(const struct metainfo *m, const struct metainfo *more)
{
	for (uint32_t i = 0; i < more->tiers_n; i++)
		for (uint32_t k = 0; k < more->tiers[i].urls_n; k++)
			if (!has_tracker(m, more->tiers[i].urls[k]))
				return true;
	for (uint32_t i = 0; i < more->url_list_n; i++)
		if (!has_seed(m, more->url_list[i]))
			return true;
	return false;
}

enum err metainfo_join(const struct metainfo *m, const struct metainfo *more, struct metainfo **out,
	struct parse_error *pe)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	struct urls u = {.m = m, .more = more, .tiers = m->tiers, .tiers_n = m->tiers_n};
	struct entries e = {0};

	CHECK_OBJ(more, METAINFO_MAGIC);
	must(infohash_equal(&m->infohash, &more->infohash));
	*out = NULL;
	if (m->is_private || !brings_news(m, more)) {
		*out = metainfo_ref(m);
		return E_OK;
	}
	if (m->bare)
		return join_bare(m, more, out, pe);
	copy_entries(&e, m);
	return build(&e, &u, out, pe);
}

/* --- other trackers --- */

static enum err retrack_bare(const struct metainfo *m, const struct metainfo_tier *tiers,
	uint32_t n, struct metainfo **out, struct parse_error *pe)
{
	struct magnet g;
	enum err e = magnet_parse((const char *)m->raw.p, m->raw.n, &g, pe);

	if (e != E_OK)
		return e;
	g.trackers_n = 0;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < tiers[i].urls_n; k++) {
			const char *url = tiers[i].urls[k];

			(void)magnet_add_tracker(
				&g, (struct slice){(const uint8_t *)url, strlen(url)});
		}
	e = make_bare(&g, out, pe);
	magnet_fini(&g);
	return e;
}

enum err metainfo_retrack(const struct metainfo *m, const struct metainfo_tier *tiers, uint32_t n,
	struct metainfo **out, struct parse_error *pe)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	struct urls u = {.m = m, .tiers = tiers, .tiers_n = n};
	struct entries e = {0};
	uint32_t wanted = 0;
	enum err err;

	*out = NULL;
	for (uint32_t i = 0; i < n; i++)
		wanted += tiers[i].urls_n;
	if (m->bare) {
		err = retrack_bare(m, tiers, n, out, pe);
	} else {
		copy_entries(&e, m);
		err = build(&e, &u, out, pe);
	}
	if (err != E_OK || count_trackers(*out) == wanted)
		return err;
	metainfo_unref(out);
	return fail(pe, E_TOO_BIG, "so many trackers are not kept");
}

/* --- to a link --- */

char *metainfo_magnet(const struct metainfo *m)
{
	CHECK_OBJ(m, METAINFO_MAGIC);
	struct magnet g = {.infohash = m->infohash, .name = m->name, .size = m->size};

	for (uint32_t i = 0; i < m->tiers_n; i++)
		for (uint32_t k = 0; k < m->tiers[i].urls_n; k++)
			if (g.trackers_n < ARRAY_LEN(g.trackers))
				g.trackers[g.trackers_n++] = m->tiers[i].urls[k];
	for (; g.seeds_n < MIN(m->url_list_n, (uint32_t)ARRAY_LEN(g.seeds)); g.seeds_n++)
		g.seeds[g.seeds_n] = m->url_list[g.seeds_n];
	return magnet_write(&g);
}
