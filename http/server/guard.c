/* SPDX-License-Identifier: MIT */
/*
 * Who gets in.
 *
 * First heads that not everybody reads alike (head.c); then the Host header, because a name of the
 * attacker's may lead here (DNS rebinding) and 0.0.0.0 or a mapped address lead to loopback without
 * the browser thinking so; then browsers acting for another site; then the credentials, which give
 * who asks its scopes, or for want of them that it is on this machine; then whether these are what
 * the resource needs.  Nothing is done for a request that fails here, and its body is not read.
 *
 * A change is held to more.  To an http:// address a browser sends a page's <img> with neither
 * Origin nor Sec-Fetch-Site, and a proxy may add the token to it, so silence is no proof: either
 * the browser says that the page is ours (Origin, Sec-Fetch-Site: same-origin), or there is a
 * header that a page cannot make it send to another site unasked, or nothing looks like a browser.
 */
#include "http/server/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "http/access/cookie.h"
#include "proto/base/encode.h"

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

/* --- Host --- */

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
static bool is_own_address(const struct facts *f, const char *name)
{
	struct endpoint e;

	if (endpoint_parse_ip(name, strlen(name), &e) != E_OK)
		return false;
	if (endpoint_is_v4(&e) && strchr(name, ':') != NULL)
		return false;
	return endpoint_is_loopback(&e) ||
	       (!endpoint_is_unspecified(&e) && endpoint_same_ip(&e, &f->local));
}

static void check_host(const struct facts *f, struct guard_verdict *v)
{
	char name[256];

	if (facts_name(facts_host(f), name, sizeof name) &&
		(strcasecmp(name, "localhost") == 0 || is_own_address(f, name) ||
			is_listed_host(&f->config->api_hosts, name)))
		return;
	refuse(v, 421,
		"the name in the Host header is neither localhost nor the address of this "
		"connection: list it in api.hosts");
}

/* --- browsers --- */

/* Whether the origin is that of the address the request was sent to. */
static bool is_own_origin(const struct facts *f, const char *origin)
{
	const char *host = facts_host(f), *proto = facts_forwarded(f, "X-Forwarded-Proto");
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

/*
 * Somebody follows a link of another site to one of our pages, in a window of its own: no script of
 * that site sees the answer, and a page changes nothing by being shown.
 */
static bool is_visit(const struct facts *f)
{
	const char *mode = head_get(f->head, "Sec-Fetch-Mode", NULL);
	const char *dest = head_get(f->head, "Sec-Fetch-Dest", NULL);

	return f->document && mode != NULL && strcasecmp(mode, "navigate") == 0 && dest != NULL &&
	       strcasecmp(dest, "document") == 0 &&
	       (strcmp(f->head->method, "GET") == 0 || strcmp(f->head->method, "HEAD") == 0);
}

static void check_site(const struct facts *f, struct guard_verdict *v)
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
				      strcasecmp(site, "none") != 0 && !is_visit(f)))
		refuse(v, 403,
			"requests that another site makes a browser send are refused "
			"(Sec-Fetch-Site)");
}

/* A browser asks whether an application of another site may; it sends no token with that. */
static bool is_preflight(const struct facts *f)
{
	return strcmp(f->head->method, "OPTIONS") == 0 &&
	       head_get(f->head, "Access-Control-Request-Method", NULL) != NULL;
}

/* --- credentials --- */

/* Digests have one length, so comparing them all the way tells nothing of the token by its time. */
static bool equal_secret(const char *a, const char *b)
{
	uint8_t x[32], y[32], diff = 0;

	token_digest(a, x);
	token_digest(b, y);
	for (size_t i = 0; i < sizeof x; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

static void admit(struct guard_verdict *v, enum guard_by by, unsigned scopes)
{
	v->by = by;
	v->scopes = scopes & SCOPE_ALL;
}

/* Whether the secret is somebody's, of that kind. */
static bool admit_token(const struct facts *f, struct guard_verdict *v, enum token_kind kind,
	enum guard_by by, const char *secret)
{
	const struct token_record *t =
		f->tokens != NULL ? tokens_find(f->tokens, secret, f->now) : NULL;

	if (t == NULL || t->kind != kind)
		return false;
	admit(v, by, t->scopes);
	v->token = t->id;
	v->expires = t->expires;
	return true;
}

static const char unknown[] =
	"the token is not known here: it is wrong, has expired or was revoked";

bool guard_may_try(const struct facts *f, struct guard_verdict *v)
{
	struct endpoint client = facts_client(f);

	v->wait = f->tries != NULL ? tries_wait(f->tries, &client, f->uptime) : 0;
	if (v->wait == 0)
		return true;
	refuse(v, 429,
		"too many wrong attempts to get in came from your address: wait %lld seconds",
		(long long)v->wait);
	return false;
}

/*
 * Tokens that were made cannot be guessed: they count even while an address has to wait, or a
 * stranger could shut out all who come by the same proxy; and one that was revoked is no attempt,
 * or a forgotten program would.
 */
static bool admit_bearer(const struct facts *f, struct guard_verdict *v, const char *secret)
{
	const char *configured = f->config->api_token;

	if (admit_token(f, v, TOKEN_KEY, GUARD_BY_TOKEN, secret))
		return true;
	if (!guard_may_try(f, v))
		return false;
	if (configured[0] != '\0' && equal_secret(secret, configured)) {
		admit(v, GUARD_BY_TOKEN, SCOPE_ALL);
		return true;
	}
	v->tried = !token_has_form(secret);
	if (!f->open)
		refuse(v, 401, "%s", unknown);
	return false;
}

static void admit_basic(const struct facts *f, struct guard_verdict *v, const char *header)
{
	enum basic_outcome outcome;

	if (!guard_may_try(f, v))
		return;
	outcome = basic_check(
		f->basic, header, f->config->api_user, f->config->api_password, f->uptime);
	if (outcome == BASIC_RIGHT) {
		admit(v, GUARD_BY_BASIC, SCOPE_ALL);
		return;
	}
	v->tried = outcome == BASIC_WRONG;
	if (outcome == BASIC_BUSY) {
		v->wait = 1;
		refuse(v, 429, "too many passwords are being checked: wait a second");
	} else if (!f->open) {
		refuse(v, 401, "the user or the password is wrong");
	}
}

/*
 * Whether who is on this machine needs no credentials.  Where others can reach the port, what
 * passes them on (a forwarder into a container) may come by loopback, too.  A path is guarded by
 * its mode.
 */
static bool local_may(const struct facts *f)
{
	const struct config *c = f->config;

	if (c->api_local != CONFIG_LOCAL_AUTO)
		return c->api_local == CONFIG_LOCAL_ON;
	return f->by_path || (c->api_token[0] == '\0' && !f->exposed);
}

/* What follows "Bearer " or "Basic "; NULL: there is no such thing. */
static const char *after_scheme(const char *auth, const char *scheme)
{
	size_t n = strlen(scheme);

	return auth != NULL && strncasecmp(auth, scheme, n) == 0 ? auth + n : NULL;
}

/* A browser sends all its cookies for this host, of which some may be old: what is nobody's does
 * not count. */
static void admit_cookie(const struct facts *f, struct guard_verdict *v)
{
	char secret[TOKEN_SECRET];

	for (unsigned i = 0; i < f->head->n && v->by == GUARD_BY_NOTHING; i++)
		if (strcasecmp(f->head->fields[i].name, "Cookie") == 0 &&
			cookie_find(f->head->fields[i].value, f->config->api_port, secret,
				sizeof secret))
			(void)admit_token(f, v, TOKEN_DEVICE, GUARD_BY_COOKIE, secret);
}

/* Who was let in for being here counts as that, and only while that holds. */
static bool admit_login(const struct facts *f, struct guard_verdict *v, const char *secret)
{
	struct login login;

	if (!logins_find(f->logins, secret, f->uptime, &login) ||
		!tokens_valid(f->tokens, login.token, f->now) ||
		(login.local && !(local_may(f) && facts_local(f))))
		return false;
	admit(v, login.local ? GUARD_BY_PLACE : GUARD_BY_LOGIN, login.scopes);
	v->token = login.token;
	return true;
}

static void admit_logins(const struct facts *f, struct guard_verdict *v)
{
	char secret[TOKEN_SECRET];

	for (unsigned i = 0; i < f->head->n && v->by == GUARD_BY_NOTHING; i++)
		if (strcasecmp(f->head->fields[i].name, "Cookie") == 0 &&
			cookie_named(f->head->fields[i].value, GUARD_LOGIN_COOKIE, secret,
				sizeof secret))
			(void)admit_login(f, v, secret);
}

/* false: there are none that could be wrong. */
static bool check_authorization(const struct facts *f, struct guard_verdict *v)
{
	unsigned n;
	const char *auth = head_get(f->head, "Authorization", &n);
	const char *secret = after_scheme(auth, "bearer "), *basic = after_scheme(auth, "basic ");

	if (n > 1) {
		refuse(v, 401, "there are several Authorization headers");
		return true;
	}
	if (secret != NULL)
		(void)admit_bearer(f, v, secret);
	else if (basic != NULL && f->config->api_user[0] != '\0' && f->basic != NULL)
		admit_basic(f, v, basic);
	else
		return false;
	return true;
}

/* Credentials that are wrong let nobody in, who would get in without any: who sent them is told. */
static void check_credentials(const struct facts *f, struct guard_verdict *v)
{
	if (check_authorization(f, v))
		return;
	admit_cookie(f, v);
	if (f->logins != NULL)
		admit_logins(f, v);
	if (v->by == GUARD_BY_NOTHING && local_may(f) && facts_local(f))
		admit(v, GUARD_BY_PLACE, SCOPE_ALL);
	if (v->by == GUARD_BY_NOTHING && !f->open)
		refuse(v, 401,
			"credentials are needed: send Authorization: Bearer and a token; the first "
			"one is in the file api.token of the state directory");
}

void guard_secret(const struct facts *f, const char *secret, struct guard_verdict *v)
{
	*v = (struct guard_verdict){0};
	(void)admit_bearer(f, v, secret);
}

void guard_password(
	const struct facts *f, const char *user, const char *password, struct guard_verdict *v)
{
	size_t pair_n = strlen(user) + 1 + strlen(password);
	char *pair, *header;

	*v = (struct guard_verdict){0};
	if (f->config->api_user[0] == '\0' || token_has_form(password) ||
		(f->config->api_token[0] != '\0' && equal_secret(password, f->config->api_token))) {
		(void)admit_bearer(f, v, password);
		return;
	}
	pair = xcalloc(1, pair_n + 1);
	header = xcalloc(1, base64_len(pair_n) + 1);
	snprintf(pair, pair_n + 1, "%s:%s", user, password);
	base64_encode(pair, pair_n, header);
	admit_basic(f, v, header);
	explicit_bzero(pair, pair_n);
	explicit_bzero(header, base64_len(pair_n));
	xfree(pair);
	xfree(header);
}

void guard_enter(const struct facts *f, struct guard_verdict *v)
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
		check_credentials(f, v);
}

/* --- scopes --- */

/* A scope without a name nobody has; it is refused as well, with fewer words. */
void guard_scopes(unsigned needed, struct guard_verdict *v)
{
	unsigned missing = needed & ~v->scopes;
	const char *name = scope_name(missing);

	if (missing == 0)
		return;
	if (name != NULL)
		refuse(v, 403, "these credentials lack the scope %s, which this endpoint needs",
			name);
	else
		refuse(v, 403, "these credentials lack a scope that this endpoint needs");
}

/* --- changes --- */

/* The page is ours, or of an application that may: the browser says so, or would have asked. */
static bool is_own_page(const struct facts *f)
{
	const char *site = head_get(f->head, "Sec-Fetch-Site", NULL);

	for (size_t i = 0; i < ARRAY_LEN(custom); i++)
		if (head_get(f->head, custom[i], NULL) != NULL)
			return true;
	return head_get(f->head, "Origin", NULL) != NULL ||
	       (site != NULL && strcasecmp(site, "same-origin") == 0);
}

/*
 * Node.js sends Sec-Fetch-Mode: cors and no other of its kind.  A browser that says so of a request
 * for another site names the site it acts for (Origin), always.
 */
static bool is_node(const struct head *h)
{
	const char *mode = head_get(h, "Sec-Fetch-Mode", NULL);

	return mode != NULL && strcasecmp(mode, "cors") == 0 && !head_has_prefix(h, "Origin") &&
	       !head_has_prefix(h, "Sec-Fetch-Site") && !head_has_prefix(h, "Sec-Fetch-Dest") &&
	       !head_has_prefix(h, "Sec-CH-");
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
	return (head_has_prefix(h, "Sec-") && !is_node(h)) || head_has_prefix(h, "Referer") ||
	       head_has_prefix(h, "Upgrade-Insecure-Requests") ||
	       (agent != NULL && strncasecmp(agent, "Mozilla/", 8) == 0);
}

/* A browser sends credentials of its own to whoever asks: for those a page must show itself. */
void guard_change(const struct facts *f, struct guard_verdict *v)
{
	if (is_own_page(f))
		return;
	if (looks_like_browser(f->head) || v->by == GUARD_BY_COOKIE)
		refuse(v, 403,
			"a browser must show that the page it acts for is allowed to change "
			"something: "
			"send the header X-Requested-With");
}
