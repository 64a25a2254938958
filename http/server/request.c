/* SPDX-License-Identifier: MIT */
/*
 * The life of one request: guarded, held against the table of resources, its body collected, its
 * resource called, answered once.
 */
#include "http/server/priv.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/net.h"
#include "http/server/multipart.h"
#include "http/server/route.h"
#include "proto/base/array.h"

/* All bodies under way together; more are refused until these are done. */
#define UPLOADS_MAX (UINT64_C(64) << 20)

/* Requests that wait for other actors at once; beyond it the daemon is overloaded and says so. */
#define WAITING_MAX 1024u

/* Where answers are as the native API has them. */
#define NATIVE "/api/v1/"

/* --- who may --- */

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

/* --- the face --- */

struct actor *request_actor(const struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return r->http->actor;
}

const struct resource *request_resource(const struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return r->resource;
}

const struct resources *const *request_resources(const struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return r->http->resources;
}

const struct config *request_config(const struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return r->http->config;
}

const char *request_header(const struct request *r, const char *name)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, name);
}

const struct who *request_who(const struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return &r->who;
}

struct tokens *request_tokens(struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return r->http->tokens;
}

struct pairings *request_pairings(struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return r->http->pairings;
}

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

bool request_admits(struct request *r, const char *secret, unsigned *scopes, int64_t *expires)
{
	struct guard_verdict v;
	struct facts f;

	CHECK_OBJ(r, REQUEST_MAGIC);
	f = facts_of(r);
	guard_secret(&f, secret, &v);
	if (v.status == 0 || v.tried)
		count_try(r, &r->who.client, v.status == 0);
	*scopes = v.scopes;
	*expires = v.expires;
	return take_verdict(r, &v);
}

void request_on_gone(struct request *r, void (*gone)(void *), void *ctx)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	must(gone == NULL || r->gone == NULL);
	r->gone = gone;
	r->gone_ctx = ctx;
}

struct request *request_of(void *ctx)
{
	struct request *r;

	CAST_OBJ(r, ctx, REQUEST_MAGIC);
	return r;
}

size_t request_body_len(const struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return r->upload_n;
}

uint8_t *request_body_take(struct request *r, size_t *n)
{
	uint8_t *body;

	CHECK_OBJ(r, REQUEST_MAGIC);
	body = r->upload;
	*n = r->upload_n;
	r->upload = NULL;
	r->upload_n = r->upload_room = 0;
	return body;
}

unsigned request_workers(const struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	return r->http->workers;
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

bool request_may_wait(struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	if (r->http->stopping)
		answer_err(r, E_STOPPING, NULL);
	else if (r->http->waiting >= WAITING_MAX)
		answer_err(r, E_OVERLOAD, NULL);
	return !r->answered;
}

void request_suspend(struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	r->suspended = true;
	r->http->waiting++;
	MHD_suspend_connection(r->conn);
}

void request_resume(struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	must(r->answered);
	if (!r->suspended)
		return;
	r->suspended = false;
	r->http->waiting--;
	r->http->again = true;
	MHD_resume_connection(r->conn);
}

/* --- its begin --- */

static struct request *request_new(struct http *h, struct MHD_Connection *conn)
{
	struct request *r;

	ALLOC_OBJ(r, REQUEST_MAGIC);
	r->http = h;
	r->conn = conn;
	return r;
}

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

static uint64_t declared(struct request *r)
{
	const char *v = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "Content-Length");
	uint64_t n = 0;

	for (; v != NULL && *v >= '0' && *v <= '9' && n <= r->http->config->api_body_limit; v++)
		n = n * 10 + (uint64_t)(*v - '0');
	return n;
}

/* Whether a body of n bytes may come; false: answered. */
static bool has_room(struct request *r, uint64_t n)
{
	uint64_t limit = r->http->config->api_body_limit;

	if (n > limit)
		answer_text(r, 413, "the body is larger than api.body_limit (%llu bytes)",
			(unsigned long long)limit);
	else if (r->http->uploads - r->charged + n > MAX(UPLOADS_MAX, limit))
		answer_text(r, 503, "too many large bodies are under way");
	return !r->answered;
}

/*
 * The answer to a body in its midst, where microhttpd takes none: it is written past it.  The rest
 * of the body is read for a while and thrown away: a connection that is closed with bytes unread
 * takes the answer back, and clients that send all before they read would see an error.
 */
static void refuse_midway(struct request *r)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	char text[1200];
	int n = snprintf(text, sizeof text,
		"HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: "
		"close\r\nRetry-After: 2\r\n\r\n%.*s",
		r->status, r->status == 413 ? "Content Too Large" : "Service Unavailable", r->type,
		r->body_n, (int)r->body_n, r->body);

	must(n > 0 && n < (int)sizeof text);
	r->refused = true;
	xfree(r->upload);
	r->upload = NULL;
	r->upload_n = r->upload_room = 0;
	r->http->uploads -= r->charged;
	r->charged = 0;
	client_enter(r->http, r->conn, CLIENT_REFUSED);
	if (fd == NULL || send(fd->connect_fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	shutdown(fd->connect_fd, SHUT_WR);
}

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

/* An end that is not known is nobody's: unspecified. */
static void read_ends(const struct request *r, struct facts *f)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CONNECTION_FD);

	f->peer = read_peer(r);
	if (fd == NULL || net_local(fd->connect_fd, &f->local) != E_OK)
		f->local = (struct endpoint){0};
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

/* It is known which resource is meant before it is known who asks, and told only after. */
static void begin(struct request *r, const char *url, const char *method, const char *version)
{
	struct head head;
	struct facts facts = {.config = r->http->config,
		.head = &head,
		.tokens = r->http->tokens,
		.tries = r->http->tries,
		.basic = r->http->basic,
		.now = clock_wall_s(),
		.uptime = actor_now(r->http->actor) / USEC_PER_SEC};
	struct guard_verdict v;

	r->resource = route_find(r->http->resources, url, route_method(method),
		MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	r->native = strncmp(url, NATIVE, strlen(NATIVE)) == 0;
	facts.document = route_is_document(r->http->resources, r->resource);
	facts.open = r->resource != NULL && r->resource->scopes == SCOPE_NONE;
	read_head(r, method, version, &head);
	read_ends(r, &facts);
	guard_enter(&facts, &v);
	count_attempt(r, &facts, &v);
	if (v.status == 0)
		know(r, &facts, &v);
	if (take_verdict(r, &v) && takes_method(r, url, method) && has_scopes(r, &v) &&
		may_change(r, &facts, &v) && params_known(r) && members_path(r, url) &&
		!has_room(r, declared(r)))
		refuse_midway(r);
}

void *request_line(void *ctx, const char *uri, struct MHD_Connection *conn)
{
	struct http *h;
	struct request *r;

	CAST_OBJ(h, ctx, HTTP_MAGIC);
	r = request_new(h, conn);
	r->uri = uri;
	r->uri_n = strlen(uri);
	return r;
}

/* --- its body and its end --- */

static void collect(struct request *r, const char *data, size_t n)
{
	uint64_t before = r->upload_room;

	if (r->answered)
		return;
	if (!has_room(r, (uint64_t)r->upload_n + n)) {
		refuse_midway(r);
		return;
	}
	ARRAY_RESERVE(r->upload, r->upload_n, r->upload_room, n);
	memcpy(r->upload + r->upload_n, data, n);
	r->upload_n += (uint32_t)n;
	r->charged += r->upload_room - before;
	r->http->uploads += r->upload_room - before;
	if (r->http->uploads > BURST)
		r->http->burst = true;
}

/* A form's file takes the place of the form. */
static void unpack(struct request *r)
{
	const char *type = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "Content-Type");
	struct slice file;
	const char *why;

	if (r->upload_n == 0 || !multipart_is(type))
		return;
	why = multipart_file(type, (struct slice){r->upload, r->upload_n}, &file);
	if (why != NULL) {
		answer_text(r, 400, "%s", why);
		return;
	}
	memmove(r->upload, file.p, file.n);
	r->upload_n = (uint32_t)file.n;
}

static enum MHD_Result send_answer(struct request *r)
{
	client_enter(r->http, r->conn,
		r->stream != NULL || r->pour != NULL ? CLIENT_STREAM : CLIENT_ANSWER);
	return answer_send(r);
}

enum MHD_Result request_step(void *ctx, struct MHD_Connection *conn, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **slot)
{
	struct http *h;
	struct request *r;

	CAST_OBJ(h, ctx, HTTP_MAGIC);
	CAST_OBJ(r, *slot, REQUEST_MAGIC);
	if (!r->begun) {
		r->begun = true;
		client_enter(h, conn, CLIENT_BODY);
		begin(r, url, method, version);
		/* Answered before the body is read: microhttpd then closes the connection. */
		return r->answered && !r->refused ? send_answer(r) : MHD_YES;
	}
	if (*size > 0) {
		collect(r, data, *size);
		r->thrown += r->refused ? *size : 0;
		*size = 0;
		return r->thrown <= h->config->api_body_limit ? MHD_YES : MHD_NO;
	}
	if (r->refused)
		return MHD_NO;
	client_enter(h, conn, CLIENT_WAITS);
	if (!r->answered)
		unpack(r);
	if (!r->answered)
		r->resource->fn(r);
	return r->answered ? send_answer(r) : MHD_YES;
}

void request_over(
	void *ctx, struct MHD_Connection *conn, void **slot, enum MHD_RequestTerminationCode how)
{
	struct http *h;
	struct request *r;

	(void)how;
	CAST_OBJ(h, ctx, HTTP_MAGIC);
	client_enter(h, conn, CLIENT_HEADER);
	if (*slot == NULL)
		return;
	TAKE_OBJ(r, (struct request **)slot, REQUEST_MAGIC);
	actor_cancel_calls(h->actor, r);
	if (r->suspended)
		h->waiting--;
	if (r->gone != NULL)
		r->gone(r->gone_ctx);
	link_remove(&r->in_shared);
	if (r->stream != NULL)
		streaming_close(&r->stream);
	if (r->pour != NULL)
		pour_close(&r->pour);
	if (r->ready != NULL)
		MHD_destroy_response(r->ready);
	if (r->shared_body != NULL)
		body_unref(&r->shared_body);
	xfree(r->body);
	for (unsigned i = 0; i < r->extras_n; i++)
		xfree(r->extras[i].value);
	h->uploads -= r->charged;
	xfree(r->upload);
	members_free(r);
	FREE_OBJ(r);
}
