/* SPDX-License-Identifier: MIT */
/*
 * Reading a magnet link.
 *
 * It is a list of key=value; each value is percent-decoded into the arena, which bounds all of it
 * by the length of the link.  A table says what reads the value of which key.
 */
#include "proto/meta/magnet.h"

#include "proto/base/encode.h"
#include "proto/base/utf8.h"
#include "proto/meta/bencode.h"
#include "proto/meta/metainfo_priv.h"

#include <stdarg.h>
#include <stdio.h>

#define ARENA_MAX (16 * MAGNET_BYTES_MAX)
#define HOST_MAX  253u
#define DN_MAX    1024u

struct link_parse {
	struct magnet *m;
	struct parse_error *err; /* never NULL */
	const uint8_t *text;     /* its first byte */
	bool has_v2;             /* btmh was there */
};

PRINTF_LIKE(4, 5)
static enum err fail(struct link_parse *lp, enum err e, const uint8_t *at, const char *fmt, ...)
{
	va_list ap;

	lp->err->err = e;
	lp->err->offset = (size_t)(at - lp->text);
	va_start(ap, fmt);
	(void)vsnprintf(lp->err->what, sizeof lp->err->what, fmt, ap);
	va_end(ap);
	return e;
}

static enum err fail_room(struct link_parse *lp, const uint8_t *at)
{
	return fail(lp, E_NOMEM, at, "no memory for the link");
}

/* --- text --- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* Whether s begins with the prefix, which is in lower case; if so it is cut off. */
static bool cut_prefix(struct slice *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(s->p[i]) != (uint8_t)prefix[i])
			return false;
	s->p += n;
	s->n -= n;
	return true;
}

static bool is_key(struct slice s, const char *key)
{
	return cut_prefix(&s, key) && s.n == 0;
}

static bool decode_digits(const uint8_t *p, uint8_t *out)
{
	return hex_decode((const char *)p, 2, out, 1);
}

/* Percent-decoded, NUL behind it; a sign without two digits stands for itself.  p is NULL: no
 * memory. */
static struct slice decode_value(struct link_parse *lp, struct slice in, bool plus_is_space)
{
	uint8_t *out = (uint8_t *)arena_bytes(&lp->m->arena, in.n + 1);
	size_t n = 0;

	if (out == NULL)
		return (struct slice){0};
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];

		if (c == '%' && in.n - i > 2 && decode_digits(in.p + i + 1, &c))
			i += 2;
		else if (c == '+' && plus_is_space)
			c = ' ';
		out[n++] = c;
	}
	out[n] = '\0';
	return (struct slice){out, n};
}

/* Digits up to max; they are cut off.  False: none, or more. */
static bool cut_number(struct slice *s, uint64_t max, uint64_t *out)
{
	size_t n = 0;

	*out = 0;
	for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		if (!mul_ok(*out, 10u, out) || !add_ok(*out, (uint64_t)(s->p[n] - '0'), out) ||
			*out > max)
			return false;
	s->p += n;
	s->n -= n;
	return n > 0;
}

/* --- which torrent --- */

static enum err read_btih(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	struct infohash *ih = &lp->m->infohash;
	const char *text = (const char *)v.p;
	uint8_t hash[HASH_SHA1_SIZE];

	if (!hex_decode(text, v.n, hash, sizeof hash) &&
		!base32_decode(text, v.n, hash, sizeof hash))
		return fail(lp, E_SYNTAX, at,
			"an info-hash is 40 hex digits or 32 of base32; here are %zu characters",
			v.n);
	if (ih->has_v1 && memcmp(ih->v1, hash, sizeof hash) != 0)
		return fail(lp, E_RANGE, at, "xt: the link names two different torrents");
	memcpy(ih->v1, hash, sizeof hash);
	ih->has_v1 = true;
	return E_OK;
}

/* A multihash: 0x12 is SHA-256, 0x20 its length. */
static enum err read_btmh(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	struct infohash *ih = &lp->m->infohash;
	uint8_t hash[HASH_SHA256_SIZE];

	if (!cut_prefix(&v, "1220") || !hex_decode((const char *)v.p, v.n, hash, sizeof hash))
		return fail(lp, E_SYNTAX, at, "xt: urn:btmh: needs 1220 and 64 hex digits");
	if (lp->has_v2 && memcmp(ih->v2, hash, sizeof hash) != 0)
		return fail(lp, E_RANGE, at, "xt: the link names two different torrents");
	memcpy(ih->v2, hash, sizeof hash);
	ih->has_v2 = lp->has_v2 = true;
	return E_OK;
}

/* Names in other networks are not looked at. */
static enum err read_xt(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	if (cut_prefix(&v, "urn:btih:"))
		return read_btih(lp, v, at);
	if (cut_prefix(&v, "urn:btmh:"))
		return read_btmh(lp, v, at);
	return E_OK;
}

static enum err read_xs(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	struct magnet *m = lp->m;

	if (!cut_prefix(&v, "urn:btpk:"))
		return E_OK;
	if (!hex_decode((const char *)v.p, v.n, m->key, sizeof m->key))
		return fail(lp, E_SYNTAX, at, "xs: urn:btpk: needs 64 hex digits");
	m->has_key = true;
	return E_OK;
}

static enum err read_s(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	struct magnet *m = lp->m;

	if (v.n % 2 != 0 || v.n / 2 > sizeof m->salt ||
		!hex_decode((const char *)v.p, v.n, m->salt, v.n / 2))
		return fail(lp, E_SYNTAX, at, "s: a salt is at most 128 hex digits");
	m->salt_n = (uint32_t)v.n / 2;
	return E_OK;
}

/* --- what helps to find it --- */

static enum err read_xl(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	uint64_t size;

	(void)at;
	if (cut_number(&v, METAINFO_SIZE_MAX, &size) && v.n == 0)
		lp->m->size = size;
	return E_OK;
}

static enum err read_dn(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	char *name;

	if (v.n == 0 || lp->m->name != NULL)
		return E_OK;
	name = metainfo_clean_text(&lp->m->arena, v);
	if (name == NULL)
		return fail_room(lp, at);
	/* Once it is clean, so that no character is cut in two. */
	name[utf8_cut((struct slice){(const uint8_t *)name, strlen(name)}, DN_MAX)] = '\0';
	lp->m->name = name;
	return E_OK;
}

static bool has_text(const char *const *list, uint32_t n, struct slice s)
{
	for (uint32_t i = 0; i < n; i++)
		if (slice_equals(s, list[i]))
			return true;
	return false;
}

static bool add_url(
	struct magnet *m, const char **list, uint32_t *n, uint32_t max, struct slice url)
{
	if (*n >= max || !metainfo_is_url(url) || has_text(list, *n, url))
		return false;
	list[*n] = arena_strndup(&m->arena, url.p, url.n);
	if (list[*n] == NULL)
		return false;
	(*n)++;
	return true;
}

bool magnet_add_tracker(struct magnet *m, struct slice url)
{
	return add_url(m, m->trackers, &m->trackers_n, ARRAY_LEN(m->trackers), url);
}

bool magnet_add_seed(struct magnet *m, struct slice url)
{
	return add_url(m, m->seeds, &m->seeds_n, ARRAY_LEN(m->seeds), url);
}

static enum err read_tr(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	(void)at;
	(void)magnet_add_tracker(lp->m, v);
	return E_OK;
}

static enum err read_ws(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	(void)at;
	(void)magnet_add_seed(lp->m, v);
	return E_OK;
}

/* --- peers --- */

static bool is_host(struct slice s)
{
	if (s.n == 0 || s.n > HOST_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = lower(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.' &&
			c != '_')
			return false;
	}
	return true;
}

/* "host:port" or "[v6]:port" in two. */
static bool split_peer(struct slice v, struct slice *host, uint64_t *port)
{
	bool bracket = v.n > 0 && v.p[0] == '[';
	const uint8_t *end = v.n > 0 ? memrchr(v.p, ':', v.n) : NULL;
	struct slice rest;

	if (end == NULL)
		return false;
	*host = (struct slice){v.p, (size_t)(end - v.p)};
	rest = (struct slice){end + 1, v.n - host->n - 1};
	if (!cut_number(&rest, UINT16_MAX, port) || rest.n > 0 || *port == 0)
		return false;
	if (!bracket)
		return is_host(*host);
	if (host->n < 3 || host->p[host->n - 1] != ']')
		return false;
	*host = (struct slice){host->p + 1, host->n - 2};
	return true;
}

static bool has_peer(const struct magnet *m, struct slice host, uint64_t port)
{
	for (uint32_t i = 0; i < m->peers_n; i++)
		if (m->peers[i].port == port && slice_equals(host, m->peers[i].host))
			return true;
	return false;
}

static enum err read_pe(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	struct magnet *m = lp->m;
	struct magnet_peer p = {0};
	struct slice host;
	uint64_t port;

	if (m->peers_n == ARRAY_LEN(m->peers) || !split_peer(v, &host, &port) ||
		has_peer(m, host, port))
		return E_OK;
	p.port = (uint16_t)port;
	p.is_literal = endpoint_parse_ip((const char *)host.p, host.n, &p.at) == E_OK;
	p.at.port = p.port;
	if (!p.is_literal && v.p[0] == '[')
		return E_OK;
	p.host = arena_strndup(&m->arena, host.p, host.n);
	if (p.host == NULL)
		return fail_room(lp, at);
	m->peers[m->peers_n++] = p;
	return E_OK;
}

/* --- which files --- */

static bool cut_range(struct slice *s, struct magnet_range *out)
{
	uint64_t first, last;

	if (!cut_number(s, METAINFO_FILES_MAX, &first))
		return false;
	last = first;
	if (cut_prefix(s, "-") && !cut_number(s, METAINFO_FILES_MAX, &last))
		return false;
	*out = (struct magnet_range){(uint32_t)first, (uint32_t)last};
	return first <= last;
}

static enum err read_so(struct link_parse *lp, struct slice v, const uint8_t *at)
{
	struct magnet *m = lp->m;
	uint32_t room = 1;

	if (v.n == 0)
		return E_OK;
	if (m->ranges != NULL)
		return fail(lp, E_SYNTAX, at, "so: appears twice");
	for (size_t i = 0; i < v.n; i++)
		room += v.p[i] == ',';
	m->ranges = arena_alloc(&m->arena, room * sizeof *m->ranges);
	if (m->ranges == NULL)
		return fail_room(lp, at);
	do {
		if (!cut_range(&v, &m->ranges[m->ranges_n]))
			return fail(lp, E_SYNTAX, at,
				"so: files are numbers such as 0,2,5-7, each below %u",
				METAINFO_FILES_MAX);
		m->ranges_n++;
	} while (cut_prefix(&v, ","));
	if (v.n > 0)
		return fail(lp, E_SYNTAX, at, "so: files are numbers such as 0,2,5-7");
	return E_OK;
}

/* --- the link --- */

static const struct {
	const char *key;
	enum err (*read)(struct link_parse *, struct slice value, const uint8_t *at);
} keys[] = {
	{"xt", read_xt},
	{"xs", read_xs},
	{"s", read_s},
	{"dn", read_dn},
	{"xl", read_xl},
	{"tr", read_tr},
	{"ws", read_ws},
	{"x.pe", read_pe},
	{"so", read_so},
};

/* "tr.12" is "tr". */
static struct slice cut_count(struct slice key)
{
	size_t n = key.n;

	while (n > 0 && key.p[n - 1] >= '0' && key.p[n - 1] <= '9')
		n--;
	if (n > 1 && n < key.n && key.p[n - 1] == '.')
		key.n = n - 1;
	return key;
}

static enum err read_pair(struct link_parse *lp, struct slice pair)
{
	const uint8_t *eq;
	struct slice key, value;

	(void)cut_prefix(&pair, "amp;");
	eq = pair.n > 0 ? memchr(pair.p, '=', pair.n) : NULL;
	if (eq == NULL)
		return E_OK;
	key = cut_count((struct slice){pair.p, (size_t)(eq - pair.p)});
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!is_key(key, keys[i].key))
			continue;
		value = (struct slice){eq + 1, (size_t)(pair.p + pair.n - eq) - 1};
		value = decode_value(lp, value, keys[i].read == read_dn);
		return value.p != NULL ? keys[i].read(lp, value, pair.p) : fail_room(lp, pair.p);
	}
	return E_OK;
}

static enum err read_pairs(struct link_parse *lp, struct slice s)
{
	enum err e = E_OK;

	while (e == E_OK && s.n > 0) {
		const uint8_t *amp = memchr(s.p, '&', s.n);
		size_t n = amp != NULL ? (size_t)(amp - s.p) : s.n;

		e = read_pair(lp, (struct slice){s.p, n});
		n += amp != NULL;
		s.p += n;
		s.n -= n;
	}
	return e;
}

static enum err check_named(struct link_parse *lp)
{
	struct magnet *m = lp->m;

	m->has_key = m->has_key && !m->infohash.has_v1;
	if (m->infohash.has_v1 || m->has_key)
		return E_OK;
	if (lp->has_v2)
		return fail(lp, E_UNSUPPORTED, lp->text,
			"xt: a torrent of version 2 (urn:btmh:) without a version 1 info-hash is "
			"not supported");
	return fail(lp, E_MISSING, lp->text, "xt: the link has no urn:btih: that names a torrent");
}

static enum err read_link(struct link_parse *lp, struct slice s)
{
	struct slice hash = s;
	enum err e;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] == 0x7f)
			return fail(lp, E_SYNTAX, s.p + i,
				"a magnet link is one line without control characters");
	if (!cut_prefix(&s, "magnet:")) {
		if (hash.n == 40 || hash.n == 32)
			return read_btih(lp, hash, hash.p);
		return fail(lp, E_SYNTAX, s.p, "a magnet link begins with magnet:?xt=urn:btih:");
	}
	while (cut_prefix(&s, "/"))
		continue;
	if (!cut_prefix(&s, "?"))
		return fail(lp, E_SYNTAX, s.p, "a magnet link begins with magnet:?xt=urn:btih:");
	e = read_pairs(lp, s);
	return e == E_OK ? check_named(lp) : e;
}

enum err magnet_parse(const char *text, size_t n, struct magnet *out, struct parse_error *pe)
{
	struct parse_error ignored;
	struct link_parse lp = {
		.m = out, .err = pe != NULL ? pe : &ignored, .text = (const uint8_t *)text};
	struct slice s = slice_trim((struct slice){(const uint8_t *)text, n});
	enum err e;

	*lp.err = (struct parse_error){.err = E_OK};
	memset(out, 0, sizeof *out);
	arena_init(&out->arena, ARENA_MAX);
	if (s.n > MAGNET_BYTES_MAX)
		e = fail(&lp, E_TOO_BIG, s.p, "the link is longer than 64 KiB");
	else
		e = read_link(&lp, s);
	if (e != E_OK)
		magnet_fini(out);
	return e;
}

void magnet_fini(struct magnet *m)
{
	arena_free(&m->arena);
	memset(m, 0, sizeof *m);
}
