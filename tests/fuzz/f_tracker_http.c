/* SPDX-License-Identifier: MIT */
/*
 * What comes from trackers over HTTP, and what else is a short text of a stranger's: replies,
 * scrapes, extension handshakes, tracker URLs, peer ids, endpoints.  Every text that results must
 * be printable UTF-8.
 */
#include "proto/base/utf8.h"
#include "proto/tracker/http.h"
#include "proto/tracker/udp.h"
#include "proto/wire/ext.h"
#include "proto/wire/peer_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t room)
{
	size_t n = strlen(s);
	uint32_t cp;

	must(n < room);
	for (size_t at = 0, k; at < n; at += k) {
		k = utf8_decode((const uint8_t *)s + at, n - at, &cp);
		must(k > 0 && !utf8_is_control(cp));
	}
}

static void check_replies(struct slice body)
{
	uint8_t hash[20] = {0};
	struct announce_reply r;
	enum err e = announce_http_parse(body, &r);

	must(e == E_OK || r.failure[0] != '\0');
	must(r.peers_n <= ANNOUNCE_PEERS_MAX);
	check_text(r.failure, sizeof r.failure);
	check_text(r.warning, sizeof r.warning);
	must(strlen(r.trackerid) < sizeof r.trackerid);
	for (uint32_t i = 0; i < r.peers_n; i++)
		must(r.peers[i].port != 0);
	announce_reply_free(&r);
	memcpy(hash, body.p, MIN(body.n, 20));
	e = announce_http_scrape_parse(body, hash, &r);
	must(e == E_OK || r.failure[0] != '\0');
	announce_reply_free(&r);
}

static void check_urls(const char *text)
{
	struct announce_params p = {.port = 1, .trackerid = text};
	char url[TRACKER_URL_MAX], host[256];
	const char *urldata = NULL;
	uint16_t port = 0;
	size_t n;

	if (announce_http_url(text, &p, url, sizeof url) == E_OK) {
		n = strlen(url);
		for (size_t i = 0; i < n; i++)
			must((uint8_t)url[i] > 0x20 && (uint8_t)url[i] < 0x7f);
	}
	announce_http_scrape_url(text, p.infohash, url, sizeof url);
	if (announce_udp_url(text, host, sizeof host, &port, &urldata) == E_OK)
		must(host[0] != '\0' && port != 0);
}

static void check_endpoint(const char *text)
{
	char buf[ENDPOINT_TEXT];
	struct endpoint e, back;

	if (endpoint_parse(text, &e) != E_OK)
		return;
	must(endpoint_format(&e, buf, sizeof buf) > 0);
	must(endpoint_parse(buf, &back) == E_OK && endpoint_equal(&e, &back));
}

static void check_peer_id(const uint8_t *data, size_t size)
{
	char name[PEER_ID_CLIENT], text[PEER_ID_PRINTABLE];
	uint8_t id[20] = {0};

	memcpy(id, data, MIN(size, 20));
	peer_id_client(id, name, sizeof name);
	peer_id_printable(id, text);
	for (const char *c = name; *c != '\0'; c++)
		must(*c >= 0x20 && *c < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = {data, size};
	struct ext_handshake h;
	char text[512];
	size_t n = MIN(size, sizeof text - 1);

	if (size == 0)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	check_replies(body);
	ext_handshake_init(&h);
	ext_handshake_parse(body, &h);
	check_text(h.client, sizeof h.client);
	must(h.reqq > 0);
	check_urls(text);
	check_endpoint(text);
	check_peer_id(data, size);
	return 0;
}
