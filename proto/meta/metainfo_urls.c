/* SPDX-License-Identifier: MIT */
/*
 * The trackers, web seeds and texts of a .torrent file.
 *
 * None of them can make a torrent unusable: what is no URL is dropped, and what follows the
 * thousandth is ignored.  The number of strings looked at is bounded, too, so that the comparison
 * of each with all before it stays cheap whatever a stranger wrote.
 */
#include "proto/base/utf8.h"
#include "proto/meta/metainfo_priv.h"

#define URL_LEN_MAX  4096u
#define LOOKED_MAX   10000u /* strings examined */
#define TEXT_LEN_MAX 16384u

struct url_set {
	const char *url[METAINFO_URLS_MAX];
	uint32_t n;
	uint32_t looked;
};

bool metainfo_is_url(struct slice s)
{
	if (s.n == 0 || s.n > URL_LEN_MAX || !utf8_valid(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool is_known(const struct url_set *set, struct slice s)
{
	for (uint32_t i = 0; i < set->n; i++)
		if (slice_equals(s, set->url[i]))
			return true;
	return false;
}

/* Adds a usable, new URL.  E_NOMEM or E_OK. */
static enum err add_url(struct metainfo_parse *mp, struct url_set *set, const struct benc *node)
{
	struct slice s;

	if (set->n == ARRAY_LEN(set->url) || set->looked++ >= LOOKED_MAX || !bstr(node, &s))
		return E_OK;
	s = slice_trim(s);
	if (!metainfo_is_url(s) || is_known(set, s))
		return E_OK;
	set->url[set->n] = arena_strndup(&mp->m->arena, s.p, s.n);
	if (set->url[set->n] == NULL)
		return metainfo_fail_room(mp, node->raw.p);
	set->n++;
	return E_OK;
}

/* A string, or a list of strings. */
static enum err add_urls(struct metainfo_parse *mp, struct url_set *set, const struct benc *node)
{
	struct benc_iter it = {NULL, NULL};
	struct benc item;
	enum err e = E_OK;

	if (node->type == BENC_STR)
		return add_url(mp, set, node);
	if (node->type == BENC_LIST)
		it = benc_iter_of(node);
	while (e == E_OK && blist_next(&it, &item))
		e = add_url(mp, set, &item);
	return e;
}

/* Copies the URLs from index `first` on into the arena. */
static const char *const *copy_urls(struct arena *a, const struct url_set *set, uint32_t first)
{
	size_t size = (set->n - first) * sizeof set->url[0];
	const char **urls = arena_alloc(a, size);

	if (urls != NULL)
		memcpy(urls, &set->url[first], size);
	return urls;
}

/* The node's URLs, where it has usable ones, as one tier more. */
static enum err add_tier(struct metainfo_parse *mp, struct url_set *set,
	struct metainfo_tier *tiers, const struct benc *node)
{
	struct metainfo *m = mp->m;
	uint32_t first = set->n;
	enum err e = add_urls(mp, set, node);

	if (e != E_OK || set->n == first)
		return e;
	tiers[m->tiers_n].urls = copy_urls(&m->arena, set, first);
	if (tiers[m->tiers_n].urls == NULL)
		return metainfo_fail_room(mp, node->raw.p);
	tiers[m->tiers_n++].urls_n = set->n - first;
	return E_OK;
}

enum err metainfo_read_tiers(
	struct metainfo_parse *mp, const struct benc *announce, const struct benc *list)
{
	struct metainfo *m = mp->m;
	struct metainfo_tier tiers[METAINFO_URLS_MAX];
	struct url_set set = {.n = 0};
	struct benc_iter it = {NULL, NULL};
	struct metainfo_tier *copy;
	struct benc item;
	enum err e = E_OK;

	if (list->type == BENC_LIST)
		it = benc_iter_of(list);
	while (e == E_OK && blist_next(&it, &item))
		e = add_tier(mp, &set, tiers, &item);
	if (e == E_OK && m->tiers_n == 0)
		e = add_tier(mp, &set, tiers, announce);
	if (e != E_OK || m->tiers_n == 0)
		return e;
	copy = arena_alloc(&m->arena, m->tiers_n * sizeof *copy);
	if (copy == NULL)
		return metainfo_fail_room(mp, m->raw.p);
	memcpy(copy, tiers, m->tiers_n * sizeof *copy);
	m->tiers = copy;
	return E_OK;
}

enum err metainfo_read_url_list(struct metainfo_parse *mp, const struct benc *urls)
{
	struct metainfo *m = mp->m;
	struct url_set set = {.n = 0};
	enum err e = add_urls(mp, &set, urls);

	if (e != E_OK || set.n == 0)
		return e;
	m->url_list = copy_urls(&m->arena, &set, 0);
	if (m->url_list == NULL)
		return metainfo_fail_room(mp, m->raw.p);
	m->url_list_n = set.n;
	return E_OK;
}

/* What replaces the character at p: itself, a space, or U+FFFD.  Its length; *used bytes are read.
 */
static size_t clean_char(const uint8_t *p, size_t n, char out[4], size_t *used)
{
	uint32_t cp;
	unsigned len = utf8_decode(p, n, &cp);

	*used = len > 0 ? len : 1;
	if (len == 0) {
		memcpy(out, "\xef\xbf\xbd", 3);
		return 3;
	}
	if (utf8_is_control(cp) || utf8_is_direction_mark(cp)) {
		out[0] = ' ';
		return 1;
	}
	memcpy(out, p, len);
	return len;
}

char *metainfo_clean_text(struct arena *a, struct slice s)
{
	char buf[TEXT_LEN_MAX];
	size_t n = 0, used;

	for (size_t i = 0; i < s.n && n + 4 <= sizeof buf; i += used)
		n += clean_char(s.p + i, s.n - i, buf + n, &used);
	return arena_strndup(a, buf, n);
}

enum err metainfo_read_text(struct metainfo_parse *mp, const struct benc *text, const char **out)
{
	struct slice s;

	if (!bstr(text, &s))
		return E_OK;
	*out = metainfo_clean_text(&mp->m->arena, s);
	return *out != NULL ? E_OK : metainfo_fail_room(mp, text->raw.p);
}
