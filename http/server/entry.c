/* SPDX-License-Identifier: MIT */
/*
 * How a request gets in: what its head and its connection say becomes facts, which are held against
 * the guard and the resource that is meant.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/net.h"
#include "http/access/cookie.h"
#include "http/server/priv.h"
#include "http/server/route.h"

/* Where answers are as the native API has them. */
#define NATIVE "/api/v1/"

/* false: answered. */
static bool take_verdict(struct request *r, const struct guard_verdict *v)
{
	r->origin = v->origin;
	if (v->wait > 0)
		answer_header(r, "Retry-After", "%lld", (long long)v->wait);
	if (v->status == 204)
		answer_nothing(r);
	else if (v->status != 0)
		answer_text(r, v->status, "%s", v->why);
	return !r->answered;
}

/* --- what a resource asks besides --- */

/* What a secret in the body is held against; there is no head any more. */
static struct facts facts_of(const struct request *r)
{
	static const struct head none;
	struct facts f = {.head = &none};

	f.config = r->http->config;
	f.tokens = r->http->tokens;
	f.tries = r->http->tries;
	f.now = clock_wall_s();
	f.uptime = actor_now(r->http->actor) / USEC_PER_SEC;
	f.peer = r->who.client;
	return f;
}

static void count_try(struct request *r, const struct endpoint *client, bool right)
{
	if (right)
		tries_right(r->http->tries, client);
	else
		tries_failed(r->http->tries, client, actor_now(r->http->actor) / USEC_PER_SEC);
}

static const char *cookie_path(const struct request *r)
{
	const char *base = r->http->config->api_base_path;

	return base[0] != '\0' ? base : "/";
}

bool request_may_try(struct request *r)
{
	struct guard_verdict v = {0};
	struct facts f;

	CHECK_OBJ(r, REQUEST_MAGIC);
	f = facts_of(r);
	(void)guard_may_try(&f, &v);
	return take_verdict(r, &v);
}

void request_tried(struct request *r, bool right)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	count_try(r, &r->who.client, right);
}

bool request_admits(struct request *r, const char *secret, struct token_record *as)
{
	struct guard_verdict v;
	struct facts f;

	CHECK_OBJ(r, REQUEST_MAGIC);
	f = facts_of(r);
	guard_secret(&f, secret, &v);
	if (v.status == 0 || v.tried)
		count_try(r, &r->who.client, v.status == 0);
	*as = (struct token_record){.id = v.token, .scopes = v.scopes, .expires = v.expires};
	return take_verdict(r, &v);
}

enum login_outcome request_log_in(struct request *r, const char *user, const char *password)
{
	char secret[TOKEN_SECRET];
	struct guard_verdict v;
	struct login login;
	struct facts f;

	CHECK_OBJ(r, REQUEST_MAGIC);
	f = facts_of(r);
	f.basic = r->http->basic;
	f.open = true;
	login = (struct login){.scopes = r->who.scopes, .token = r->who.token};
	login.local = !r->who.authenticated;
	if (password != NULL) {
		guard_password(&f, user, password, &v);
		if (v.by != GUARD_BY_NOTHING || v.tried)
			count_try(r, &r->who.client, v.by != GUARD_BY_NOTHING);
		if (!take_verdict(r, &v))
			return LOGIN_ANSWERED;
		login = (struct login){.scopes = v.scopes, .token = v.token};
	}
	if (login.scopes == SCOPE_NONE)
		return LOGIN_WRONG;
	logins_add(r->http->logins, &login, f.uptime, secret);
	answer_header(r, "Set-Cookie", "%s=%s; HttpOnly; SameSite=Strict; path=%s%s",
		GUARD_LOGIN_COOKIE, secret, cookie_path(r), r->who.https ? "; Secure" : "");
	return LOGIN_DONE;
}

void request_log_out(struct request *r)
{
	const char *cookies;
	char secret[TOKEN_SECRET];

	CHECK_OBJ(r, REQUEST_MAGIC);
	cookies = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "Cookie");
	if (cookies != NULL && cookie_named(cookies, GUARD_LOGIN_COOKIE, secret, sizeof secret))
		logins_drop(r->http->logins, secret);
	answer_header(r, "Set-Cookie", "%s=; HttpOnly; SameSite=Strict; path=%s; Max-Age=0",
		GUARD_LOGIN_COOKIE, cookie_path(r));
}

bool request_may(struct request *r, unsigned scopes)
{
	struct guard_verdict v = {0};

	CHECK_OBJ(r, REQUEST_MAGIC);
	v.origin = r->origin;
	v.scopes = r->who.scopes;
	guard_scopes(scopes, &v);
	return take_verdict(r, &v);
}

/* --- the head and the connection --- */

static enum MHD_Result add_field(
	void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct head *h = ctx;

	(void)kind;
	h->overflow = h->n == HEAD_FIELDS;
	if (h->overflow)
		return MHD_NO;
	h->fields[h->n++] = (struct head_field){name, value != NULL ? value : ""};
	return MHD_YES;
}

static void read_head(
	const struct request *r, const char *method, const char *version, struct head *h)
{
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	*h = (struct head){.method = method,
		.uri = r->uri,
		.uri_n = r->uri_n,
		.version = version,
		.size = size != NULL ? size->header_size : 0};
	MHD_get_connection_values(r->conn, MHD_HEADER_KIND, add_field, h);
}

static struct endpoint read_peer(const struct request *r)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = i != NULL ? i->client_addr : NULL;
	uint8_t ip[16];

	if (a != NULL && a->sa_family == AF_INET) {
		memcpy(ip, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
		return endpoint_from_v4(ip, 0);
	}
	if (a == NULL || a->sa_family != AF_INET6)
		return (struct endpoint){0};
	memcpy(ip, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
	return endpoint_from_v6(ip, 0);
}

static bool is_by_path(const struct request *r)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return i != NULL && i->client_addr != NULL && i->client_addr->sa_family == AF_UNIX;
}

/* The user at the other end of a path; -1: it did not come by one. */
static int64_t read_user(const struct request *r, const struct facts *f)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred user;
	socklen_t n = sizeof user;

	if (!f->by_path || fd == NULL ||
		getsockopt(fd->connect_fd, SOL_SOCKET, SO_PEERCRED, &user, &n) != 0)
		return -1;
	return user.uid;
}

/* An end that is not known is nobody's: unspecified. */
static void read_ends(const struct request *r, struct facts *f)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CONNECTION_FD);

	f->peer = read_peer(r);
	f->by_path = is_by_path(r);
	f->exposed = r->http->exposed;
	if (fd == NULL || net_local(fd->connect_fd, &f->local) != E_OK)
		f->local = (struct endpoint){0};
}

/* --- the resource --- */

/* Whether the resource was found and takes the method; false: answered. */
static bool takes_method(struct request *r, const char *url, const char *method)
{
	const struct resource *resource = r->resource;
	bool head = strcmp(method, "HEAD") == 0;

	if (resource == NULL) {
		answer_text(r, 404, "no such endpoint: GET / lists them");
		return false;
	}
	r->method = (enum method)route_method(method);
	if ((resource->methods & r->method) != 0 && !(head && resource->changes))
		return true;
	route_allow(r->http->resources, url, r->allow, sizeof r->allow);
	answer_text(r, 405, "this endpoint takes %s", r->allow);
	return false;
}

static bool has_scopes(struct request *r, struct guard_verdict *v)
{
	guard_scopes(r->resource->scopes, v);
	return take_verdict(r, v);
}

static bool may_change(struct request *r, const struct facts *f, struct guard_verdict *v)
{
	if (!r->resource->changes)
		return true;
	if (r->method == METHOD_GET && f->config->api_get_changes != 0) {
		snprintf(r->allow, sizeof r->allow, "POST");
		answer_text(r, 405, "this endpoint takes POST: api.get_changes is off");
		return false;
	}
	guard_change(f, v);
	return take_verdict(r, v);
}

/* Whether it was written is of no importance, and it is tried again in an hour. */
static void on_noted(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	(void)a;
	(void)ctx;
	(void)err;
	(void)m;
}

static void note_use(struct http *h, int64_t token, int64_t now)
{
	struct m_state_token *m;

	if (token == 0 || !tokens_use(h->tokens, token, now))
		return;
	m = msg_new(h->actor, MSG_STATE_TOKEN);
	m->op = TOKEN_USE;
	m->token.id = token;
	m->token.used = now;
	msg_call(h->actor, ADDR_STATE, m, on_noted, h);
}

/* What is known of who got in. */
static void know(struct request *r, const struct facts *f, const struct guard_verdict *v)
{
	r->who = (struct who){.scopes = v->scopes,
		.token = v->token,
		.authenticated = v->by > GUARD_BY_PLACE,
		.local = facts_local(f),
		.proxied = facts_by_proxy(f),
		.https = facts_https(f),
		.client = facts_client(f),
		.user = read_user(r, f),
		.host = facts_host(f)};
	note_use(r->http, v->token, f->now);
}

/* A token that was made says nothing of what else its owner tries. */
static void count_attempt(struct request *r, const struct facts *f, const struct guard_verdict *v)
{
	struct endpoint client = facts_client(f);
	bool guessable = v->by == GUARD_BY_BASIC || (v->by == GUARD_BY_TOKEN && v->token == 0);

	if (v->tried || guessable)
		count_try(r, &client, guessable);
}

/*
 * Beneath the base path or not: proxies take it away or leave it.  What is there both ways is meant
 * beneath it.
 */
static const char *find_resource(struct request *r, const char *url, const char *method)
{
	const char *accept =
		MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	const char *inside = route_beneath(r->http->config->api_base_path, url);

	if (inside != NULL)
		r->resource = route_find(r->http->resources, inside, route_method(method), accept);
	if (r->resource != NULL)
		return inside;
	r->resource = route_find(r->http->resources, url, route_method(method), accept);
	return r->resource == NULL && inside != NULL ? inside : url;
}

/* Links on the page are relative to the base path with a slash. */
static bool is_bare_base(const struct request *r, const char *url, const char *method)
{
	const char *base = r->http->config->api_base_path;

	return base[0] != '\0' && strcmp(url, base) == 0 && route_method(method) == METHOD_GET;
}

/* It is known which resource is meant before it is known who asks, and told only after. */
bool entry_begin(struct request *r, const char *url, const char *method, const char *version)
{
	struct head head;
	struct facts facts;
	const struct resources *table;
	struct guard_verdict v;
	const char *path;
	bool bare;

	CHECK_OBJ(r, REQUEST_MAGIC);
	path = find_resource(r, url, method);
	bare = is_bare_base(r, url, method);
	r->native = strncmp(path, NATIVE, strlen(NATIVE)) == 0;
	facts = facts_of(r);
	facts.head = &head;
	facts.basic = r->http->basic;
	table = route_table(r->http->resources, r->resource);
	facts.document = bare || (table != NULL && table->documents);
	facts.logins = table != NULL && table->logins ? r->http->logins : NULL;
	facts.open = bare || (r->resource != NULL && r->resource->scopes == SCOPE_NONE);
	read_head(r, method, version, &head);
	read_ends(r, &facts);
	guard_enter(&facts, &v);
	count_attempt(r, &facts, &v);
	if (v.status == 401 && facts.logins != NULL)
		v.status = 403;
	if (v.status == 0)
		know(r, &facts, &v);
	if (!take_verdict(r, &v))
		return false;
	if (bare)
		answer_again(r, "%s/%s", url, r->query != NULL ? r->query : "");
	return !r->answered && takes_method(r, path, method) && has_scopes(r, &v) &&
	       may_change(r, &facts, &v) && params_known(r) && members_path(r, path);
}
