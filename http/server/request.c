/* SPDX-License-Identifier: MIT */
/*
 * The life of one request: let in (entry.c), its body collected, its resource called, answered
 * once.
 */
#include "http/server/priv.h"

#include <stdio.h>
#include <sys/socket.h>

#include "http/server/multipart.h"
#include "proto/base/array.h"

/* All bodies under way together; more are refused until these are done. */
#define UPLOADS_MAX (UINT64_C(64) << 20)

/* Requests that wait for other actors at once; beyond it the daemon is overloaded and says so. */
#define WAITING_MAX 1024u

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

/* Whether the target is the base path itself, and a query: it is kept to be asked again with. */
static bool is_at_base(const struct http *h, const char *uri)
{
	const char *base = h->config->api_base_path;
	size_t n = strlen(base);

	return n > 0 && strncmp(uri, base, n) == 0 && uri[n] == '?';
}

void *request_line(void *ctx, const char *uri, struct MHD_Connection *conn)
{
	struct http *h;
	struct request *r;

	CAST_OBJ(h, ctx, HTTP_MAGIC);
	r = request_new(h, conn);
	r->uri = uri;
	r->uri_n = strlen(uri);
	if (is_at_base(h, uri))
		r->query = xstrdup(strchr(uri, '?'));
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

	if (r->upload_n == 0 || !multipart_is(type) || forms_read(r))
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
	once_end(r);
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
		if (entry_begin(r, url, method, version) && !has_room(r, declared(r)))
			refuse_midway(r);
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
	if (!r->answered && once_begin(r))
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
	once_end(r);
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
	xfree(r->query);
	xfree(r->body);
	for (unsigned i = 0; i < r->extras_n; i++)
		xfree(r->extras[i].value);
	h->uploads -= r->charged;
	xfree(r->upload);
	members_free(r);
	FREE_OBJ(r);
}
