/* SPDX-License-Identifier: MIT */
/*
 * Who gets in.
 *
 * First heads that not everybody reads alike (head.c); then the Host header, because a name of the
 * attacker's may lead here (DNS rebinding) and 0.0.0.0 or a mapped address lead to loopback without
 * the browser thinking so; then browsers acting for another site; then the token, which gives who
 * asks its scopes; then whether these are what the resource needs.  Nothing is done for a request
 * that fails here, and its body is not read.
 *
 * A change is held to more.  To an http:// address a browser sends a page's <img> with neither
 * Origin nor Sec-Fetch-Site, and a proxy may add the token to it, so silence is no proof: either
 * the browser says that the page is ours (Origin, Sec-Fetch-Site: same-origin), or there is a
 * header that a page cannot make it send to another site unasked, or nothing looks like a browser
 * and the client has the token or is on this machine.
 */
#include "http/server/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "proto/meta/hash.h"

/* Headers that make a browser ask first (CORS), each enough for a change. */
static const char *const custom[] = {"X-Requested-With", "X-Torrentd"};

static void PRINTF_LIKE(3, 4) refuse(struct guard_verdict *v, unsigned status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->why, sizeof v->why, fmt, ap);
	va_end(ap);
	v->status = status;
}

/* --- proxies --- */

/* "10.0.0.1" or "10.0.0.0/8" */
static bool is_in_net(const struct endpoint *e, const char *net)
{
	const char *slash = strchr(net, '/');
	struct endpoint base;
	unsigned bits = 128, skip;

	if (endpoint_parse_ip(net, slash != NULL ? (size_t)(slash - net) : strlen(net), &base) !=
		E_OK)
		return false;
	skip = endpoint_is_v4(&base) ? 96 : 0;
	if (slash != NULL)
		bits = (unsigned)MIN(strtoul(slash + 1, NULL, 10), 128ul - skip) + skip;
	for (unsigned i = 0; i < bits; i++)
		if (((e->ip[i / 8] ^ base.ip[i / 8]) & (0x80 >> i % 8)) != 0)
			return false;
	return true;
}

static bool is_proxy(const struct config *c, const struct endpoint *e)
{
	for (size_t i = 0; i < c->api_trusted_proxies.n; i++)
		if (is_in_net(e, c->api_trusted_proxies.v[i]))
			return true;
	return false;
}

/* What a proxy says in the header; NULL: nothing, or the other end is not to be believed. */
static const char *forwarded(const struct guard_facts *f, const char *name)
{
	return is_proxy(f->config, &f->peer) ? head_get(f->head, name, NULL) : NULL;
}

static const char *effective_host(const struct guard_facts *f)
{
	const char *said = forwarded(f, "X-Forwarded-Host");

	return said != NULL ? said : head_get(f->head, "Host", NULL);
}

/* Whether each in a list of addresses is loopback; what is no address is not. */
static bool names_loopback_alone(const char *list)
{
	struct endpoint hop;

	for (;;) {
		size_t n;

		list += strspn(list, " \t");
		n = strcspn(list, ", \t");
		if (endpoint_parse_ip(list, n, &hop) != E_OK || !endpoint_is_loopback(&hop))
			return false;
		list += n;
		list += strspn(list, " \t");
		if (*list != ',')
			return *list == '\0';
		list++;
	}
}

/*
 * Local is who came by loopback alone.  Every hop counts, in every line of that name: with a second
 * proxy on this machine the last hop is the first proxy, some proxies add a line rather than to the
 * line there is, and the loopback of a proxy elsewhere is another machine's.
 */
static bool client_is_local(const struct guard_facts *f)
{
	if (!endpoint_is_loopback(&f->peer))
		return false;
	if (!is_proxy(f->config, &f->peer))
		return true;
	for (unsigned i = 0; i < f->head->n; i++)
		if (strcasecmp(f->head->fields[i].name, "X-Forwarded-For") == 0 &&
			!names_loopback_alone(f->head->fields[i].value))
			return false;
	return true;
}

/* --- Host --- */

/* The name in "name", "name:port", "[v6]:port"; false: it is none of these. */
static bool host_name(const char *host, char *out, size_t size)
{
	bool v6 = host[0] == '[';
	const char *end = strchr(host, v6 ? ']' : ':');
	const char *port;
	size_t n;

	if (v6 && end == NULL)
		return false;
	host += v6;
	n = end != NULL ? (size_t)(end - host) : strlen(host);
	if (n == 0 || n >= size)
		return false;
	memcpy(out, host, n);
	out[n] = '\0';
	if (end == NULL)
		return true;
	port = end + v6;
	return *port == '\0' || (*port == ':' && port[1] != '\0' &&
					port[1 + strspn(port + 1, "0123456789")] == '\0');
}

/* "name", or "*.example.org" for all names beneath it. */
static bool is_listed_host(const struct config_list *list, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < list->n; i++) {
		const char *v = list->v[i];
		size_t tail = strlen(v + (v[0] == '*'));

		if (strcasecmp(v, name) == 0)
			return true;
		if (v[0] == '*' && n > tail && strcasecmp(name + n - tail, v + 1) == 0)
			return true;
	}
	return false;
}

/* A mapped address is written with colons and is one of IPv4 all the same. */
static bool is_own_address(const struct guard_facts *f, const char *name)
{
	struct endpoint e;

	if (endpoint_parse_ip(name, strlen(name), &e) != E_OK)
		return false;
	if (endpoint_is_v4(&e) && strchr(name, ':') != NULL)
		return false;
	return endpoint_is_loopback(&e) ||
	       (!endpoint_is_unspecified(&e) && endpoint_same_ip(&e, &f->local));
}

static void check_host(const struct guard_facts *f, struct guard_verdict *v)
{
	char name[256];

	if (host_name(effective_host(f), name, sizeof name) &&
		(strcasecmp(name, "localhost") == 0 || is_own_address(f, name) ||
			is_listed_host(&f->config->api_hosts, name)))
		return;
	refuse(v, 421,
		"the name in the Host header is neither localhost nor the address of this "
		"connection: list it in api.hosts");
}

/* --- browsers --- */

/* Whether the origin is that of the address the request was sent to. */
static bool is_own_origin(const struct guard_facts *f, const char *origin)
{
	const char *host = effective_host(f), *proto = forwarded(f, "X-Forwarded-Proto");
	const char *rest = strstr(origin, "://");
	size_t scheme;

	if (rest == NULL)
		return false;
	scheme = (size_t)(rest - origin);
	rest += 3;
	if (proto != NULL && (strlen(proto) != scheme || strncasecmp(proto, origin, scheme) != 0))
		return false;
	return strcasecmp(rest, host) == 0;
}

static bool is_listed_origin(const struct config *c, const char *origin)
{
	for (size_t i = 0; i < c->api_origins.n; i++)
		if (strcasecmp(c->api_origins.v[i], origin) == 0)
			return true;
	return false;
}

static void check_site(const struct guard_facts *f, struct guard_verdict *v)
{
	unsigned origins, sites;
	const char *origin = head_get(f->head, "Origin", &origins);
	const char *site = head_get(f->head, "Sec-Fetch-Site", &sites);

	if (origin != NULL && is_listed_origin(f->config, origin)) {
		v->origin = origin;
		return;
	}
	if (origins > 1 || (origin != NULL && !is_own_origin(f, origin)))
		refuse(v, 403,
			"requests that another site makes a browser send are refused (Origin): "
			"list it in api.origins");
	else if (sites > 1 || (site != NULL && strcasecmp(site, "same-origin") != 0 &&
				      strcasecmp(site, "none") != 0))
		refuse(v, 403,
			"requests that another site makes a browser send are refused "
			"(Sec-Fetch-Site)");
}

/* A browser asks whether an application of another site may; it sends no token with that. */
static bool is_preflight(const struct guard_facts *f)
{
	return strcmp(f->head->method, "OPTIONS") == 0 &&
	       head_get(f->head, "Access-Control-Request-Method", NULL) != NULL;
}

/* --- the token --- */

/* Digests have one length, so comparing them all the way tells nothing of the token by its time. */
static bool equal_secret(const char *a, const char *b)
{
	uint8_t x[32], y[32], diff = 0;

	hash_once(HASH_SHA256, a, strlen(a), x);
	hash_once(HASH_SHA256, b, strlen(b), y);
	for (size_t i = 0; i < sizeof x; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

static void check_token(const struct guard_facts *f, struct guard_verdict *v)
{
	const char *token = f->config->api_token;
	const char *auth = head_get(f->head, "Authorization", NULL);

	if (token[0] == '\0' || (auth != NULL && strncasecmp(auth, "bearer ", 7) == 0 &&
					equal_secret(auth + 7, token))) {
		v->scopes = SCOPE_ALL;
		return;
	}
	if (f->open)
		return;
	refuse(v, 401,
		"the API token is needed: send Authorization: Bearer and the value of api.token");
}

void guard_enter(const struct guard_facts *f, struct guard_verdict *v)
{
	const char *why = head_is_plain(f->head);

	*v = (struct guard_verdict){0};
	if (why != NULL)
		refuse(v, 400, "bad request: %s", why);
	if (v->status == 0)
		check_host(f, v);
	if (v->status == 0)
		check_site(f, v);
	if (v->status == 0 && v->origin != NULL && is_preflight(f))
		v->status = 204;
	if (v->status == 0)
		check_token(f, v);
}

/* --- scopes --- */

static const struct {
	enum scope scope;
	const char *name;
} scope_names[] = {
	{SCOPE_READ, "read"},
	{SCOPE_ADD, "add"},
	{SCOPE_MANAGE, "manage"},
	{SCOPE_ADMIN, "admin"},
};

/* A scope without a name nobody has; it is refused as well, with fewer words. */
void guard_scopes(unsigned needed, struct guard_verdict *v)
{
	const char *name = NULL;
	unsigned missing = needed & ~v->scopes;

	if (missing == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(scope_names) && name == NULL; i++)
		if ((missing & scope_names[i].scope) != 0)
			name = scope_names[i].name;
	if (name != NULL)
		refuse(v, 403, "these credentials lack the scope %s, which this endpoint needs",
			name);
	else
		refuse(v, 403, "these credentials lack a scope that this endpoint needs");
}

/* --- changes --- */

/* The page is ours, or of an application that may: the browser says so, or would have asked. */
static bool is_own_page(const struct guard_facts *f)
{
	const char *site = head_get(f->head, "Sec-Fetch-Site", NULL);

	for (size_t i = 0; i < ARRAY_LEN(custom); i++)
		if (head_get(f->head, custom[i], NULL) != NULL)
			return true;
	return head_get(f->head, "Origin", NULL) != NULL ||
	       (site != NULL && strcasecmp(site, "same-origin") == 0);
}

/* What only browsers send: pages cannot take all of it away. */
static bool looks_like_browser(const struct head *h)
{
	static const char *const documents[] = {
		"image/", "text/html", "text/css", "video/", "audio/", "xhtml"};
	const char *agent = head_get(h, "User-Agent", NULL), *accept = head_get(h, "Accept", NULL);

	for (size_t i = 0; accept != NULL && i < ARRAY_LEN(documents); i++)
		if (strcasestr(accept, documents[i]) != NULL)
			return true;
	return head_has_prefix(h, "Sec-") || head_has_prefix(h, "Referer") ||
	       head_has_prefix(h, "Upgrade-Insecure-Requests") ||
	       (agent != NULL && strncasecmp(agent, "Mozilla/", 8) == 0);
}

void guard_change(const struct guard_facts *f, struct guard_verdict *v)
{
	bool has_token = f->config->api_token[0] != '\0' && v->scopes != 0;

	if (is_own_page(f))
		return;
	if (looks_like_browser(f->head))
		refuse(v, 403,
			"a browser must show that the page it acts for is allowed to change "
			"something: "
			"send the header X-Requested-With");
	else if (!has_token && !client_is_local(f))
		refuse(v, 403,
			"a change from another machine needs the token (api.token), or the header "
			"X-Requested-With");
}
