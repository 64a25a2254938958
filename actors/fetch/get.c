/* SPDX-License-Identifier: MIT */
/*
 * One HTTP request and its redirects.
 *
 * libcurl does not look names up here: ending a transfer that is still resolving can wait for the
 * lookup, and its threads cannot be counted.  Names go through our resolver, and each hop of a
 * redirect is a transfer of its own, so that the scheme, the name and the addresses of every hop
 * are judged alike.  What a socket is really opened to is judged once more.
 *
 * By a proxy (proxy.url) it is the proxy's name that is looked up, and the proxy is told the other
 * one; no socket is opened then but to the proxy.
 */
#include "actors/fetch/priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/kernel/log.h"
#include "actors/kernel/net.h"

#define GET_MAGIC    0x57474554u
#define HEADERS_MAX  65536u /* bytes of all headers of one hop */
#define CONNECT_MAX  (15 * USEC_PER_SEC)
#define RESOLVE_TEXT 768u    /* "+host:port:address,..." */
#define SINK_BUFFER  131072L /* bytes that are handed to a sink at once */

/* --- ends --- */

/* The family that has not been used, where the host has addresses of both. */
static enum web_family other_family(const struct web_get *g)
{
	bool has[2] = {false, false};
	char *used = NULL;

	for (unsigned i = 0; i < g->wait.n; i++)
		has[endpoint_is_v4(&g->wait.at[i])] = true;
	if (!has[0] || !has[1] || g->proxy != NULL || g->easy == NULL ||
		curl_easy_getinfo(g->easy, CURLINFO_PRIMARY_IP, &used) != CURLE_OK || used == NULL)
		return WEB_ANY;
	return strchr(used, ':') != NULL ? WEB_IPV4 : WEB_IPV6;
}

static void report(struct web_get *g, enum err err, const char *text, long status)
{
	struct web_answer a = {err, text, status, {.p = g->body, .n = g->body_n}, other_family(g)};

	g->fn(g->ctx, &a);
}

static void report_failure(struct loop_task *task)
{
	struct web_get *g = container_of(task, struct web_get, fail_task);

	CHECK_OBJ(g, GET_MAGIC);
	report(g, g->fail, g->error[0] != '\0' ? g->error : err_words(g->fail), 0);
}

static void fail_later(struct web_get *g, enum err err, const char *text)
{
	g->fail = err;
	snprintf(g->error, sizeof g->error, "%s", text);
	loop_task_post(g->web->loop, &g->fail_task);
}

static enum err code_err(CURLcode code)
{
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		return E_NOMEM;
	case CURLE_URL_MALFORMAT:
		return E_SYNTAX;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return E_DNS;
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
		return E_REFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return E_TIMEOUT;
	case CURLE_PARTIAL_FILE:
		return E_TRUNCATED;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return E_CLOSED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return E_TLS;
	default:
		return E_PROTOCOL;
	}
}

static enum err connect_err(CURL *easy)
{
	long os = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os);
	if (os == ENETUNREACH || os == EHOSTUNREACH)
		return E_UNREACHABLE;
	return os == ETIMEDOUT ? E_TIMEOUT : E_REFUSED;
}

/* Words of our own, but for TLS, where only libcurl knows what is wrong with the certificate. */
static void report_code(struct web_get *g, CURLcode code, long status)
{
	enum err err = g->fail != E_OK ? g->fail : code_err(code);
	char text[CURL_ERROR_SIZE];

	if (g->proxy != NULL && g->fail == E_OK && (err == E_REFUSED || err == E_DNS)) {
		report(g, err, "the proxy is not there, lets us not in, or cannot connect", status);
		return;
	}
	if (err == E_REFUSED)
		err = connect_err(g->easy);
	if (err == E_TLS && g->error[0] != '\0')
		report(g, err, log_safe(g->error, text, sizeof text), status);
	else
		report(g, err, err_words(err), status);
}

static void end_hop(struct web_get *g)
{
	if (g->easy != NULL) {
		curl_multi_remove_handle(g->web->multi, g->easy);
		curl_easy_cleanup(g->easy);
		g->easy = NULL;
	}
	curl_slist_free_all(g->resolve);
	g->resolve = NULL;
	free(g->body);
	g->body = NULL;
	g->body_n = g->body_cap = g->headers_n = 0;
	memset(&g->head, 0, sizeof g->head);
}

/* --- what libcurl calls during a transfer --- */

static bool is_redirect(const struct web_get *g, long status)
{
	return status >= 300 && status < 400 && g->head.moved;
}

/* false: the sink wants nothing more. */
static bool tell_head(struct web_get *g)
{
	struct web_head h = {.content_length = -1, .encoded = g->head.encoded};
	curl_off_t length = -1;

	curl_easy_getinfo(g->easy, CURLINFO_RESPONSE_CODE, &h.status);
	if (g->head.told || g->sink == NULL || is_redirect(g, h.status))
		return true;
	g->head.told = true;
	if (curl_easy_getinfo(g->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) == CURLE_OK)
		h.content_length = length;
	h.content_range = g->head.range[0] != '\0' ? g->head.range : NULL;
	h.retry_after = g->head.retry[0] != '\0' ? g->head.retry : NULL;
	return g->sink->head(g->ctx, &h);
}

static size_t hand_body_on(struct web_get *g, const char *p, size_t n)
{
	enum web_taken taken = WEB_ENOUGH;

	if (tell_head(g))
		taken = g->head.told ? g->sink->body(g->ctx, (const uint8_t *)p, n) : WEB_TAKEN;
	if (taken == WEB_NOT_NOW)
		return CURL_WRITEFUNC_PAUSE;
	if (taken == WEB_TAKEN)
		return n;
	g->fail = E_CANCELLED;
	return 0;
}

/* The limit counts decompressed bytes: CURLOPT_MAXFILESIZE only knows what a header promised. */
static size_t take_body(char *p, size_t one, size_t n, void *ctx)
{
	struct web_get *g = ctx;
	size_t limit = g->body_max, want, cap;
	uint8_t *grown;

	(void)one;
	CHECK_OBJ(g, GET_MAGIC);
	if (g->sink != NULL)
		return hand_body_on(g, p, n);
	if (!add_ok(g->body_n, n, &want) || want > limit) {
		g->fail = E_TOO_BIG;
		return 0;
	}
	if (want > g->body_cap) {
		cap = MAX(MIN(want * 2, limit), (size_t)1024);
		grown = realloc(g->body, cap);
		if (grown == NULL) {
			g->fail = E_NOMEM;
			return 0;
		}
		g->body = grown;
		g->body_cap = cap;
	}
	if (n > 0)
		memcpy(g->body + g->body_n, p, n);
	g->body_n = want;
	return n;
}

/* The value of the header, without the spaces around it, cut to fit; false: it is of another name,
 * and out is as it was. */
static bool header_value(const char *p, size_t n, const char *name, char *out, size_t size)
{
	size_t name_n = strlen(name);

	if (n <= name_n || strncasecmp(p, name, name_n) != 0 || p[name_n] != ':')
		return false;
	p += name_n + 1;
	n -= name_n + 1;
	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == '\n' || p[n - 1] == ' '))
		n--;
	n = MIN(n, size - 1);
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

static void note_header(struct web_get *g, const char *p, size_t n)
{
	char text[64];

	/* A status line: what came before it was an interim answer. */
	if (n > 5 && strncasecmp(p, "HTTP/", 5) == 0)
		memset(&g->head, 0, sizeof g->head);
	else if (header_value(p, n, "Content-Encoding", text, sizeof text))
		g->head.encoded = text[0] != '\0' && strcasecmp(text, "identity") != 0;
	else if (header_value(p, n, "Location", text, sizeof text))
		g->head.moved = true;
	else if (!header_value(p, n, "Content-Range", g->head.range, sizeof g->head.range))
		(void)header_value(p, n, "Retry-After", g->head.retry, sizeof g->head.retry);
}

static size_t take_header(char *p, size_t one, size_t n, void *ctx)
{
	struct web_get *g = ctx;

	(void)one;
	CHECK_OBJ(g, GET_MAGIC);
	g->headers_n += n;
	if (g->headers_n <= HEADERS_MAX) {
		note_header(g, p, n);
		return n;
	}
	g->fail = E_TOO_BIG;
	return 0;
}

/* By a proxy only to where its name has led. */
static bool may_open(const struct web_get *g, const struct endpoint *at)
{
	if (g->proxy == NULL)
		return address_filter_check(&g->filter, at, true) == E_OK;
	for (unsigned i = 0; i < g->wait.n; i++)
		if (endpoint_same_ip(&g->wait.at[i], at))
			return at->port == g->proxy->port;
	return false;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct web_get *g = ctx;
	struct endpoint at;
	int fd;

	(void)purpose;
	CHECK_OBJ(g, GET_MAGIC);
	if (!address_of_sockaddr(&to->addr, to->family, to->addrlen, &at))
		return CURL_SOCKET_BAD;
	if (!may_open(g, &at)) {
		g->fail = E_DENIED;
		return CURL_SOCKET_BAD;
	}
	fd = socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);
	if (fd >= 0 && net_device_bind(fd, g->config->network_interface) != E_OK) {
		g->fail = E_UNREACHABLE;
		net_close(fd);
		return CURL_SOCKET_BAD;
	}
	return fd;
}

/* --- one hop --- */

#define SET(option, value) ok = curl_easy_setopt(e, option, value) == CURLE_OK && ok
/* Both are always set, or libcurl would look at the environment. */
static bool set_proxy(CURL *e, const struct web_get *g)
{
	const struct proxy_url *p = g->proxy;
	char place[PROXY_TEXT + 32];
	bool ok = true;

	SET(CURLOPT_NOPROXY, "");
	if (p == NULL) {
		SET(CURLOPT_PROXY, "");
		return ok;
	}
	snprintf(place, sizeof place, strchr(p->host, ':') != NULL ? "%s://[%s]:%u" : "%s://%s:%u",
		p->http ? "http" : "socks5h", p->host, (unsigned)p->port);
	SET(CURLOPT_PROXY, place);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (p->user[0] != '\0') {
		SET(CURLOPT_PROXYUSERNAME, p->user);
		SET(CURLOPT_PROXYPASSWORD, p->password);
	}
	return ok;
}

static bool set_options(CURL *e, struct web_get *g)
{
	const struct config *c = g->config;
	char agent[64], range[64];
	bool ok = set_proxy(e, g);

	snprintf(range, sizeof range, "%" PRIu64 "-%" PRIu64, g->first, g->first + g->length - 1);
	snprintf(agent, sizeof agent, "torrentd/%s", config_version());
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_URL, g->url);
	SET(CURLOPT_PRIVATE, g);
	SET(CURLOPT_ERRORBUFFER, g->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_USERAGENT, agent);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	if (g->sink == NULL)
		SET(CURLOPT_ACCEPT_ENCODING, "");
	else
		SET(CURLOPT_BUFFERSIZE, SINK_BUFFER);
	if (g->length > 0)
		SET(CURLOPT_RANGE, range);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
		(long)(MIN(g->connect_timeout, CONNECT_MAX) / USEC_PER_MSEC));
	if (c->tracker_ca_file[0] != '\0')
		SET(CURLOPT_CAINFO, c->tracker_ca_file);
	SET(CURLOPT_SSL_VERIFYPEER, c->tracker_verify_tls ? 1L : 0L);
	SET(CURLOPT_SSL_VERIFYHOST, c->tracker_verify_tls ? 2L : 0L);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, g);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, g);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, g);
	if (g->resolve != NULL)
		SET(CURLOPT_RESOLVE, g->resolve);
	if (g->family != WEB_ANY && g->proxy == NULL)
		SET(CURLOPT_IPRESOLVE,
			(long)(g->family == WEB_IPV4 ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6));
	return ok;
}
#undef SET

static void start_transfer(struct web_get *g)
{
	g->easy = curl_easy_init();
	if (g->easy != NULL && set_options(g->easy, g) &&
		curl_multi_add_handle(g->web->multi, g->easy) == CURLM_OK)
		return;
	curl_easy_cleanup(g->easy);
	g->easy = NULL;
	fail_later(g, E_NOMEM, "");
}

/* The operator chose the proxy, at whatever address; but one on this machine could be had to ask
 * our own interface. */
static bool may_ask_proxy(const struct web_get *g)
{
	for (unsigned i = 0; i < g->wait.n; i++)
		if (endpoint_is_loopback(&g->wait.at[i]) && g->port == g->filter.api_port)
			return false;
	return true;
}

/* Tells libcurl the addresses: "+host:port:address,address"; + lets the entry grow old. */
static bool hand_over_addresses(struct web_get *g)
{
	static const struct address_filter any = {.allow_private = true, .allow_privileged = true};
	const char *host = g->proxy != NULL ? g->proxy->host : g->host;
	uint16_t port = g->proxy != NULL ? g->proxy->port : g->port;
	char text[RESOLVE_TEXT];
	struct endpoint literal;
	size_t n = (size_t)snprintf(text, sizeof text, "+%s:%u:", host, (unsigned)port);

	for (unsigned i = 0; i < g->wait.n; i++)
		g->wait.at[i].port = port;
	if (g->proxy != NULL && !may_ask_proxy(g))
		return false;
	if (!address_filter_list(g->proxy != NULL ? &any : &g->filter, g->wait.at, g->wait.n,
		    text + n, sizeof text - n))
		return false;
	if (endpoint_parse_ip(host, strlen(host), &literal) != E_OK)
		g->resolve = curl_slist_append(NULL, text);
	return true;
}

static void take_addresses(struct resolver_wait *w)
{
	struct web_get *g = container_of(w, struct web_get, wait);

	CHECK_OBJ(g, GET_MAGIC);
	if (w->err != E_OK)
		report(g, w->err,
			g->proxy != NULL ? "the proxy's name cannot be resolved"
					 : err_words(w->err),
			0);
	else if (!hand_over_addresses(g))
		report(g, E_DENIED, "the address is not allowed", 0);
	else
		start_transfer(g);
}

static void begin_hop(struct web_get *g)
{
	enum err err = web_url_parse(g->url, &g->host, &g->port);

	g->error[0] = '\0';
	g->fail = E_OK;
	if (err == E_OK && g->proxy != NULL)
		err = address_filter_check_name(&g->filter, g->host, g->port);
	if (err == E_OK)
		resolver_ask(
			g->web->resolver, &g->wait, g->proxy != NULL ? g->proxy->host : g->host);
	else
		fail_later(g, err,
			err == E_UNSUPPORTED ? "the URL's scheme is not allowed"
			: err == E_DENIED    ? "the address is not allowed"
					     : "");
}

static void follow(struct web_get *g, const char *url)
{
	char *next;

	if (++g->hops > WEB_REDIRECTS_MAX) {
		report(g, E_PROTOCOL, "the server redirects in a loop", 0);
		return;
	}
	/* What was sent in secret, a key for one, is not repeated for all to read. */
	if (strncasecmp(g->url, "https:", 6) == 0 && strncasecmp(url, "https:", 6) != 0) {
		report(g, E_DENIED, "a redirect from https to another scheme is not allowed", 0);
		return;
	}
	next = xstrdup(url);
	end_hop(g);
	xfree(g->url);
	xfree(g->host);
	g->host = NULL;
	g->url = next;
	begin_hop(g);
}

static void hop_done(struct web_get *g, CURLcode code)
{
	char *to = NULL;
	long status = 0;

	CHECK_OBJ(g, GET_MAGIC);
	curl_easy_getinfo(g->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK) {
		report_code(g, code, status);
		return;
	}
	curl_easy_getinfo(
		g->easy, CURLINFO_REDIRECT_URL, &to); /* NULL but for 3xx with a Location */
	if (to != NULL)
		follow(g, to);
	else if (!tell_head(g))
		report(g, E_CANCELLED, err_words(E_CANCELLED), status);
	else
		report(g, E_OK, "", status);
}

/* --- outside --- */

static struct proxy_url *proxy_of(const struct config *c, enum proxy_use use)
{
	struct proxy_url *p;
	const char *why;

	if (!config_proxied(c, use))
		return NULL;
	p = xcalloc(1, sizeof *p);
	must(config_proxy_parse(c->proxy_url, p, &why) == E_OK); /* check.c has seen it */
	return p;
}

struct web_get *web_get_new(struct web *w, const struct web_request *r)
{
	struct web_get *g;

	CHECK_OBJ(w, WEB_MAGIC);
	if (w->multi == NULL)
		web_make_multi(w);
	w->hop_done = hop_done;
	ALLOC_OBJ(g, GET_MAGIC);
	g->web = w;
	g->config = config_ref(r->config);
	g->filter = address_filter_of(r->config, w->api_port);
	g->filter.blocked = blocklist_ref(w->blocked);
	g->connect_timeout = r->connect_timeout;
	g->body_max = r->body_max;
	g->first = r->first;
	g->length = r->length;
	g->sink = r->sink;
	g->fn = r->fn;
	g->ctx = r->ctx;
	g->wait.fn = take_addresses;
	g->fail_task.fn = report_failure;
	g->url = xstrdup(r->url);
	g->family = r->family;
	w->gets_n++;
	g->proxy = proxy_of(r->config, w->use);
	begin_hop(g);
	return g;
}

void web_get_resume(struct web_get *g)
{
	CHECK_OBJ(g, GET_MAGIC);
	if (g->easy != NULL)
		(void)curl_easy_pause(g->easy, CURLPAUSE_CONT);
}

void web_get_free(struct web_get **pg)
{
	struct web_get *g;

	TAKE_OBJ(g, pg, GET_MAGIC);
	resolver_cancel(&g->wait);
	loop_task_del(g->web->loop, &g->fail_task);
	end_hop(g);
	xfree(g->url);
	xfree(g->host);
	xfree(g->proxy);
	config_unref(&g->config);
	blocklist_unref(&g->filter.blocked);
	g->web->gets_n--;
	FREE_OBJ(g);
}
