/* SPDX-License-Identifier: MIT */
/*
 * URLs of trackers: the queries of announce and scrape, and the parts of a udp:// URL.
 *
 * A tracker's URL comes from a torrent file, that is, from a stranger: it may neither bring line
 * ends into a request nor bring announce parameters of its own.
 */
#include "proto/base/bytes.h"
#include "proto/base/encode.h"
#include "proto/tracker/http.h"
#include "proto/tracker/udp.h"

static void put_field(struct wr *w, const char *name, uint64_t v)
{
	wr_u8(w, '&');
	wr_text(w, name);
	wr_u8(w, '=');
	wr_decimal(w, v);
}

static void put_text_field(struct wr *w, const char *name, const char *v)
{
	if (v == NULL || v[0] == '\0')
		return;
	wr_u8(w, '&');
	wr_text(w, name);
	wr_u8(w, '=');
	percent_encode(w, v, strlen(v));
}

/* Eight digits of hexadecimal, as clients write it. */
static void put_key(struct wr *w, uint32_t key)
{
	wr_text(w, "&key=");
	for (int shift = 28; shift >= 0; shift -= 4)
		wr_u8(w, (uint8_t) "0123456789ABCDEF"[key >> shift & 15]);
}

/* Length of base without its fragment; 0: it is empty or has bytes that no URL has. */
static size_t clean_length(const char *base)
{
	size_t n = 0;

	for (; base[n] != '\0' && base[n] != '#'; n++)
		if ((uint8_t)base[n] <= 0x20 || (uint8_t)base[n] >= 0x7f)
			return 0;
	return n;
}

static bool query_has(const char *query, size_t n, const char *name)
{
	size_t k = strlen(name);

	for (size_t i = 0; i + k < n; i++)
		if ((query[i] == '?' || query[i] == '&') && strncmp(query + i + 1, name, k) == 0 &&
			i + k + 1 < n && query[i + k + 1] == '=')
			return true;
	return false;
}

/* Copies base and whatever must stand before the first parameter. */
static enum err put_base(struct wr *w, const char *base, size_t n)
{
	static const char *const ours[] = {"info_hash", "peer_id", "event", "uploaded", "left"};
	const char *query = memchr(base, '?', n);

	if (n == 0)
		return E_SYNTAX;
	for (size_t i = 0; query != NULL && i < ARRAY_LEN(ours); i++)
		if (query_has(query, n - (size_t)(query - base), ours[i]))
			return E_DENIED;
	wr_bytes(w, base, n);
	if (query == NULL)
		wr_u8(w, '?');
	else if (base[n - 1] != '?' && base[n - 1] != '&')
		wr_u8(w, '&');
	return E_OK;
}

static enum err end_text(struct wr *w, char *out)
{
	wr_u8(w, 0);
	if (!w->full)
		return E_OK;
	out[0] = '\0';
	return E_TOO_BIG;
}

enum err announce_http_url(
	const char *base, const struct announce_params *params, char *out, size_t n)
{
	struct wr w = wr_of(out, n);
	enum err e = put_base(&w, base, clean_length(base));

	must(n > 0);
	if (e != E_OK) {
		out[0] = '\0';
		return e;
	}
	wr_text(&w, "info_hash=");
	percent_encode(&w, params->infohash, 20);
	wr_text(&w, "&peer_id=");
	percent_encode(&w, params->peer_id, 20);
	put_field(&w, "port", params->port);
	put_field(&w, "uploaded", params->uploaded);
	put_field(&w, "downloaded", params->downloaded);
	put_field(&w, "left", params->left);
	put_key(&w, params->key);
	put_field(&w, "compact", 1);
	if (params->numwant != ANNOUNCE_NUMWANT_DEFAULT)
		put_field(&w, "numwant", params->numwant);
	put_text_field(&w, "event", announce_event_name(params->event));
	put_text_field(&w, "trackerid", params->trackerid);
	put_text_field(&w, "ipv4", params->ipv4);
	put_text_field(&w, "ipv6", params->ipv6);
	return end_text(&w, out);
}

/* Where the path begins: behind "scheme://authority"; n when there is none. */
static size_t path_start(const char *base, size_t n)
{
	const char *host = memmem(base, n, "://", 3);
	size_t at = host != NULL ? (size_t)(host - base) + 3 : 0;

	while (at < n && base[at] != '/' && base[at] != '?')
		at++;
	return at;
}

enum err announce_http_scrape_url(const char *base, const uint8_t infohash[20], char *out, size_t n)
{
	static const char announce[] = "announce";
	size_t len = clean_length(base), first = path_start(base, len), path = first, at;
	struct wr w = wr_of(out, n);

	must(n > 0);
	out[0] = '\0';
	while (path < len && base[path] != '?')
		path++;
	for (at = path; at > first && base[at - 1] != '/';)
		at--;
	if (len == 0)
		return E_SYNTAX;
	if (at == first || path - at < sizeof announce - 1 ||
		strncmp(base + at, announce, sizeof announce - 1) != 0)
		return E_UNSUPPORTED;
	wr_bytes(&w, base, at);
	wr_text(&w, "scrape");
	at += sizeof announce - 1;
	wr_bytes(&w, base + at, len - at);
	if (path == len)
		wr_u8(&w, '?');
	else if (base[len - 1] != '?' && base[len - 1] != '&')
		wr_u8(&w, '&');
	wr_text(&w, "info_hash=");
	percent_encode(&w, infohash, 20);
	return end_text(&w, out);
}

/* --- udp:// --- */

static enum err read_port(const char *s, size_t n, uint16_t *port)
{
	uint32_t v = 0;

	if (n == 0)
		return E_MISSING;
	if (n > 5)
		return E_RANGE;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return E_SYNTAX;
		v = v * 10 + (uint32_t)(s[i] - '0');
	}
	if (v == 0 || v > 65535)
		return E_RANGE;
	*port = (uint16_t)v;
	return E_OK;
}

/* Where the host ends: at its bracket, or at the colon of the port. */
static size_t host_length(const char *s, size_t n, bool bracket)
{
	const char *end = memchr(s, bracket ? ']' : ':', n);

	return end == NULL ? n : (size_t)(end - s);
}

enum err announce_udp_url(
	const char *url, char *host, size_t n, uint16_t *port, const char **urldata)
{
	size_t len, authority, hlen, skip;
	bool bracket;

	if (strncmp(url, "udp://", 6) != 0)
		return E_SYNTAX;
	len = clean_length(url);
	if (len <= 6)
		return E_SYNTAX;
	url += 6;
	len -= 6;
	authority = strcspn(url, "/?#");
	*urldata = authority < len ? url + authority : NULL;
	bracket = url[0] == '[';
	skip = bracket;
	hlen = host_length(url + skip, authority - skip, bracket);
	if (hlen == 0 || memchr(url, '@', authority) != NULL)
		return E_SYNTAX;
	if (hlen >= n)
		return E_TOO_BIG;
	memcpy(host, url + skip, hlen);
	host[hlen] = '\0';
	skip += hlen;
	if (bracket && (skip >= authority || url[skip++] != ']'))
		return E_SYNTAX;
	if (skip >= authority)
		return E_MISSING;
	if (url[skip] != ':')
		return E_SYNTAX;
	return read_port(url + skip + 1, authority - skip - 1, port);
}
