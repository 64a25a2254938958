/* SPDX-License-Identifier: MIT */
/* The inside of outgoing HTTP: the web (web.c) and one request (get.c). */
#ifndef ACTORS_FETCH_PRIV_H
#define ACTORS_FETCH_PRIV_H

#include <curl/curl.h>

#include "actors/fetch/address_filter.h"
#include "actors/fetch/watch.h"
#include "actors/fetch/web.h"

#define WEB_MAGIC 0x57454221u

struct web {
	uint32_t magic;
	bool closing;
	unsigned connections, gets_n;
	uint16_t api_port;
	enum proxy_use use;
	const struct blocklist *blocked; /* owned reference */
	struct loop *loop;
	struct resolver *resolver;
	CURLM *multi; /* made with the first request */
	struct loop_timer timer;
	struct watch_set sockets; /* of libcurl's */
	void (*hop_done)(
		struct web_get *, CURLcode); /* of get.c; the request may be gone afterwards */
};

struct web_get {
	uint32_t magic;
	struct web *web;
	const struct config *config; /* owned reference */
	int64_t connect_timeout;
	size_t body_max;
	uint64_t first, length; /* the part that is asked for; length 0: all */
	const struct web_sink *sink;
	struct {
		char range[96], retry[64]; /* "": not there */
		bool encoded, moved;
		bool told; /* the sink has it */
	} head;
	struct address_filter filter;
	web_done_f *fn;
	void *ctx;
	struct resolver_wait wait;
	struct loop_task fail_task;
	enum err fail; /* what fail_task reports, or why a callback ended the transfer */
	char *url;     /* owned, of this hop */
	char *host;    /* owned, without brackets */
	uint16_t port;
	struct proxy_url *proxy; /* owned; NULL: none */
	unsigned hops;
	enum web_family family;
	CURL *easy;                 /* owned; NULL while resolving */
	struct curl_slist *resolve; /* owned */
	uint8_t *body;              /* owned */
	size_t body_n, body_cap, headers_n;
	char error[CURL_ERROR_SIZE];
};

/* url.c */
/* The host without brackets, which is the caller's, and the port, of http and https.  E_SYNTAX,
 * E_RANGE, E_UNSUPPORTED: of another scheme; *host may be set all the same. */
enum err web_url_parse(const char *url, char **host, uint16_t *port);
/* web.c */
void web_make_multi(struct web *);

#endif
