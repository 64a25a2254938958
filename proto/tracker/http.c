/* SPDX-License-Identifier: MIT */
/*
 * Replies of trackers: the shape both transports fill, and the bencoded form of HTTP.
 *
 * Numbers of the wrong type or sign count as absent: one odd field is no reason to lose the peers.
 */
#include "proto/tracker/http.h"

#include <stdlib.h>

#include "proto/base/text.h"
#include "proto/meta/bencode.h"

const char *announce_event_name(enum announce_event e)
{
	static const char *const names[] = {
		[ANNOUNCE_NONE] = "",
		[ANNOUNCE_STARTED] = "started",
		[ANNOUNCE_STOPPED] = "stopped",
		[ANNOUNCE_COMPLETED] = "completed",
		[ANNOUNCE_PAUSED] = "paused",
	};

	return (unsigned)e < ARRAY_LEN(names) ? names[e] : "";
}

void announce_reply_init(struct announce_reply *r)
{
	memset(r, 0, sizeof *r);
	r->complete = r->incomplete = r->downloaded = -1;
}

void announce_reply_free(struct announce_reply *r)
{
	free(r->peers);
	announce_reply_init(r);
}

enum err announce_reply_add_peer(struct announce_reply *r, const struct endpoint *e)
{
	if (e->port == 0 || endpoint_is_multicast(e) || endpoint_is_unspecified(e))
		return E_OK;
	if (r->peers_n >= ANNOUNCE_PEERS_MAX)
		return E_OK;
	if (r->peers_n == r->peers_cap) {
		uint32_t cap = r->peers_cap ? 2 * r->peers_cap : 64;
		struct endpoint *peers = realloc(r->peers, cap * sizeof *peers);

		if (peers == NULL)
			return E_NOMEM;
		r->peers = peers;
		r->peers_cap = cap;
	}
	r->peers[r->peers_n++] = *e;
	return E_OK;
}

/* --- bencoded replies --- */

static enum err refuse(struct announce_reply *r, enum err e, const char *words)
{
	text_sanitise(r->failure, sizeof r->failure,
		(struct slice){(const uint8_t *)words, strlen(words)});
	return e;
}

static enum err add_compact(struct announce_reply *r, struct slice s, bool v6)
{
	struct rd rd = rd_of(s.p, s.n);
	struct endpoint e;
	enum err err = E_OK;

	while (err == E_OK && r->peers_n < ANNOUNCE_PEERS_MAX &&
		(v6 ? endpoint_read_compact6(&rd, &e) : endpoint_read_compact4(&rd, &e)))
		err = announce_reply_add_peer(r, &e);
	return err;
}

/* One dictionary of the original form of peers; host names are passed over. */
static enum err add_dict(struct announce_reply *r, const struct benc *peer)
{
	struct endpoint e;
	struct slice ip;
	int64_t port;

	if (!bdict_str(peer, "ip", &ip) || !bdict_int(peer, "port", &port))
		return E_OK;
	if (port < 1 || port > 65535 || endpoint_parse_ip((const char *)ip.p, ip.n, &e) != E_OK)
		return E_OK;
	e.port = (uint16_t)port;
	return announce_reply_add_peer(r, &e);
}

static enum err add_peers(struct announce_reply *r, const struct benc *peers, bool v6)
{
	struct benc_iter it;
	struct benc item;
	struct slice s;
	enum err e = E_OK;

	if (bstr(peers, &s))
		return add_compact(r, s, v6);
	if (peers->type != BENC_LIST)
		return E_OK;
	it = benc_iter_of(peers);
	while (e == E_OK && r->peers_n < ANNOUNCE_PEERS_MAX && blist_next(&it, &item))
		e = add_dict(r, &item);
	return e;
}

static int64_t count_of(const struct benc *node)
{
	int64_t v;

	return bint(node, &v) && v >= 0 && v <= INT32_MAX ? v : -1;
}

static uint32_t seconds_of(const struct benc *node)
{
	int64_t v;

	return bint(node, &v) && v > 0 ? (uint32_t)MIN(v, INT32_MAX) : 0;
}

static void read_external_ip(struct announce_reply *r, const struct benc *node)
{
	struct slice s;

	if (!bstr(node, &s))
		return;
	if (s.n == 4)
		r->external_ip = endpoint_from_v4(s.p, 0);
	else if (s.n == 16)
		r->external_ip = endpoint_from_v6(s.p, 0);
}

static void read_text(char *out, size_t n, const struct benc *node)
{
	struct slice s;

	if (bstr(node, &s))
		text_sanitise(out, n, s);
}

/* Kept as it is, for it goes back in a URL, percent-encoded; what a C string cannot hold is left
 * out. */
static void read_trackerid(struct announce_reply *r, const struct benc *node)
{
	struct slice s;

	if (!bstr(node, &s) || s.n == 0 || s.n >= sizeof r->trackerid || memchr(s.p, 0, s.n))
		return;
	memcpy(r->trackerid, s.p, s.n);
	r->trackerid[s.n] = '\0';
}

/* The root of a reply: bencode and a dictionary, or a failure in words. */
static enum err parse_root(struct slice body, struct announce_reply *r, struct benc *root)
{
	/* Line ends after the dictionary are common, and harmless. */
	static const struct benc_limits limits = {.depth = 8, .items = 200000, .trailing = true};
	enum err e;

	announce_reply_init(r);
	if (body.n == 0)
		return refuse(r, E_SYNTAX, "the tracker's answer is empty");
	if (body.p[0] == '<')
		return refuse(r, E_SYNTAX, "the tracker answered with a web page");
	e = benc_parse(body, &limits, root, NULL);
	if (e != E_OK)
		return refuse(r, E_SYNTAX, "the tracker's answer is not bencoded");
	if (root->type != BENC_DICT)
		return refuse(r, E_TYPE, "the tracker's answer is not a dictionary");
	return E_OK;
}

enum reply_key {
	KEY_FAILURE,
	KEY_WARNING,
	KEY_INTERVAL,
	KEY_MIN_INTERVAL,
	KEY_TRACKERID,
	KEY_COMPLETE,
	KEY_INCOMPLETE,
	KEY_DOWNLOADED,
	KEY_PEERS,
	KEY_PEERS6,
	KEY_EXTERNAL_IP,
	KEY_MAX_
};

static const char *const reply_keys[KEY_MAX_] = {"failure reason", "warning message", "interval",
	"min interval", "tracker id", "complete", "incomplete", "downloaded", "peers", "peers6",
	"external ip"};

static enum err read_reply(struct announce_reply *r, const struct benc f[KEY_MAX_])
{
	enum err e;

	read_text(r->warning, sizeof r->warning, &f[KEY_WARNING]);
	r->interval = seconds_of(&f[KEY_INTERVAL]);
	r->min_interval = seconds_of(&f[KEY_MIN_INTERVAL]);
	read_trackerid(r, &f[KEY_TRACKERID]);
	r->complete = count_of(&f[KEY_COMPLETE]);
	r->incomplete = count_of(&f[KEY_INCOMPLETE]);
	r->downloaded = count_of(&f[KEY_DOWNLOADED]);
	read_external_ip(r, &f[KEY_EXTERNAL_IP]);
	e = add_peers(r, &f[KEY_PEERS], false);
	return e == E_OK ? add_peers(r, &f[KEY_PEERS6], true) : e;
}

enum err announce_http_parse(struct slice body, struct announce_reply *r)
{
	struct benc root, f[KEY_MAX_];
	enum err e = parse_root(body, r, &root);

	if (e != E_OK)
		return e;
	bdict_fields(&root, reply_keys, KEY_MAX_, f);
	if (f[KEY_FAILURE].type != BENC_NONE) {
		read_text(r->failure, sizeof r->failure, &f[KEY_FAILURE]);
		r->interval = seconds_of(&f[KEY_INTERVAL]);
		r->min_interval = seconds_of(&f[KEY_MIN_INTERVAL]);
		return r->failure[0] != '\0' ? E_OK : refuse(r, E_OK, "refused without a reason");
	}
	/* Any of these makes it a reply; trackers leave out the others. */
	if (f[KEY_INTERVAL].type == BENC_NONE && f[KEY_PEERS].type == BENC_NONE &&
		f[KEY_PEERS6].type == BENC_NONE)
		return refuse(r, E_TYPE, "the tracker's answer has neither peers nor an interval");
	return read_reply(r, f);
}

/* --- scrape, BEP 48 --- */

enum err announce_http_scrape_parse(
	struct slice body, const uint8_t infohash[20], struct announce_reply *r)
{
	struct benc root, files, node;
	struct benc_iter it;
	struct slice key;
	enum err e = parse_root(body, r, &root);

	if (e != E_OK)
		return e;
	if (bdict_get(&root, "failure reason", &node)) {
		read_text(r->failure, sizeof r->failure, &node);
		return r->failure[0] != '\0' ? E_OK : refuse(r, E_OK, "refused without a reason");
	}
	if (!bdict_dict(&root, "files", &files))
		return refuse(r, E_TYPE, "the scrape's answer lists no torrents");
	it = benc_iter_of(&files);
	while (bdict_next(&it, &key, &node)) {
		struct benc n;

		if (key.n != 20 || memcmp(key.p, infohash, 20) != 0)
			continue;
		r->complete = bdict_get(&node, "complete", &n) ? count_of(&n) : -1;
		r->incomplete = bdict_get(&node, "incomplete", &n) ? count_of(&n) : -1;
		r->downloaded = bdict_get(&node, "downloaded", &n) ? count_of(&n) : -1;
		return E_OK;
	}
	return refuse(r, E_NOT_FOUND, "the tracker does not know this torrent");
}
