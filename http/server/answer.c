/* SPDX-License-Identifier: MIT */
/* Answers: one line of text or JSON, with the headers every answer has. */
#include "http/server/priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define JSON_TYPE "application/json; charset=utf-8"

/* The status for an outcome; what is not here is 500. */
static const struct {
	enum err err;
	unsigned status;
} statuses[] = {
	{E_OK, 200},
	{E_SYNTAX, 400},
	{E_TRUNCATED, 400},
	{E_TOO_BIG, 400},
	{E_TOO_DEEP, 400},
	{E_TRAILING, 400},
	{E_MISSING, 400},
	{E_TYPE, 400},
	{E_UNSUPPORTED, 400},
	{E_NOT_FOUND, 404},
	{E_EXISTS, 409},
	{E_PATH, 422},
	{E_RANGE, 422},
	{E_OVERLOAD, 503},
	{E_BUSY, 503},
	{E_TIMEOUT, 503},
	{E_STOPPING, 503},
	{E_NOSPACE, 507},
};

/* Titles and codes of problems; what is not here is that of 500. */
static const struct {
	unsigned status;
	const char *title, *code;
} problems[] = {
	{500, "Internal Server Error", "internal"},
	{400, "Bad Request", "bad_request"},
	{401, "Unauthorized", "unauthorized"},
	{403, "Forbidden", "forbidden"},
	{404, "Not Found", "not_found"},
	{405, "Method Not Allowed", "method_not_allowed"},
	{409, "Conflict", "conflict"},
	{413, "Content Too Large", "too_large"},
	{416, "Range Not Satisfiable", "no_such_range"},
	{421, "Misdirected Request", "unknown_host"},
	{422, "Unprocessable Content", "invalid"},
	{429, "Too Many Requests", "too_many"},
	{503, "Service Unavailable", "unavailable"},
	{507, "Insufficient Storage", "no_space"},
};

static size_t problem_of(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(problems); i++)
		if (problems[i].status == status)
			return i;
	return 0;
}

static void set(struct request *r, unsigned status, const char *type, char *body, size_t n)
{
	must(!r->answered);
	r->answered = true;
	if (r->method != 0 && r->resource->changes) /* who asks got in */
		r->http->changes++;
	r->status = status;
	r->type = type;
	r->body = body;
	r->body_n = n;
}

/* One line, whatever came from outside is quoted in it.  Returns its bytes. */
static size_t write_line(char *line, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(line, size, fmt, ap);

	must(n >= 0);
	n = MIN(n, (int)size - 1);
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	return (size_t)n;
}

/* RFC 9457; args: an object of JSON; NULL: none. */
static void set_problem(struct request *r, unsigned status, const char *code, struct json_out *args,
	const char *line)
{
	struct json_out o = {0};
	size_t n;
	char *text;

	json_out_open(&o, '{');
	json_out_put(&o, "type", text, "about:blank");
	json_out_put(&o, "title", text, problems[problem_of(status)].title);
	json_out_put(&o, "status", uint, status);
	json_out_put(&o, "detail", text, line);
	json_out_put(&o, "code", text, code != NULL ? code : problems[problem_of(status)].code);
	if (args != NULL) {
		json_out_key(&o, "args");
		json_out_raw(&o, args->p, args->n);
	}
	json_out_close(&o, '}');
	text = json_out_take(&o, &n);
	set(r, status, "application/problem+json", text, n);
}

static void PRINTF_LIKE(5, 0) answer_line(struct request *r, unsigned status, const char *code,
	struct json_out *args, const char *fmt, va_list ap)
{
	char line[1024];
	size_t n = write_line(line, sizeof line - 1, fmt, ap);

	if (r->native && status >= 400) {
		set_problem(r, status, code, args, line);
		return;
	}
	line[n++] = '\n';
	set(r, status, "text/plain; charset=utf-8", xmemdup(line, n), n);
}

void answer_text(struct request *r, unsigned status, const char *fmt, ...)
{
	va_list ap;

	CHECK_OBJ(r, REQUEST_MAGIC);
	va_start(ap, fmt);
	answer_line(r, status, NULL, NULL, fmt, ap);
	va_end(ap);
}

void answer_problem(struct request *r, unsigned status, const char *code, const char *fmt, ...)
{
	va_list ap;

	CHECK_OBJ(r, REQUEST_MAGIC);
	va_start(ap, fmt);
	answer_line(r, status, code, NULL, fmt, ap);
	va_end(ap);
}

void answer_problem_args(struct request *r, unsigned status, const char *code,
	struct json_out *args, const char *fmt, ...)
{
	va_list ap;

	CHECK_OBJ(r, REQUEST_MAGIC);
	va_start(ap, fmt);
	answer_line(r, status, code, args, fmt, ap);
	va_end(ap);
	json_out_fini(args);
}

void answer_header(struct request *r, const char *name, const char *fmt, ...)
{
	char value[1024];
	va_list ap;

	CHECK_OBJ(r, REQUEST_MAGIC);
	must(r->extras_n < EXTRAS_MAX);
	va_start(ap, fmt);
	write_line(value, sizeof value, fmt, ap);
	va_end(ap);
	r->extras[r->extras_n].name = name;
	r->extras[r->extras_n++].value = xstrdup(value);
}

/* A header as long as need be: a client has sent as much. */
void answer_again(struct request *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	CHECK_OBJ(r, REQUEST_MAGIC);
	must(r->extras_n < EXTRAS_MAX);
	va_start(ap, fmt);
	n = vasprintf(&r->extras[r->extras_n].value, fmt, ap);
	va_end(ap);
	must(n >= 0);
	r->extras[r->extras_n++].name = "Location";
	answer_text(r, 308, "here is only what lies beneath: ask again with a slash at the end");
}

void answer_nothing(struct request *r)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	set(r, 204, NULL, NULL, 0);
}

void answer_ok(struct request *r)
{
	answer_text(r, 200, "ok");
}

void answer_policy(struct request *r, const char *policy)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	r->policy = policy;
}

void answer_bytes(struct request *r, const char *type, struct slice bytes)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	set(r, 200, type, xmemdup(bytes.p, bytes.n), bytes.n);
}

void answer_kept(struct request *r, unsigned status, const char *type, const char *body, size_t n)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	set(r, status, type, n > 0 ? xmemdup(body, n) : NULL, n);
}

void answer_json(struct request *r, unsigned status, struct json_out *o)
{
	size_t n;
	char *text = json_out_take(o, &n);

	set(r, status, JSON_TYPE, text, n);
}

void answer_body(struct request *r, struct body *b)
{
	const char *known;

	CHECK_OBJ(r, REQUEST_MAGIC);
	known = MHD_lookup_connection_value(
		r->conn, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
	set(r, body_is_known(b, known) ? 304 : 200, JSON_TYPE, NULL, 0);
	r->shared_body = body_ref(b);
	if (r->http->bodies > BURST)
		r->http->burst = true;
}

void answer_html(struct request *r, char *text, size_t n)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	set(r, 200, "text/html; charset=utf-8", text, n);
}

void answer_document(struct request *r, const struct document *d)
{
	const char *known;

	CHECK_OBJ(r, REQUEST_MAGIC);
	known = MHD_lookup_connection_value(
		r->conn, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
	set(r, document_is_known(d, known) ? 304 : 200, d->type, NULL, 0);
	r->document = d;
}

void answer_ready(struct request *r, unsigned status, const char *type, struct MHD_Response *m)
{
	CHECK_OBJ(r, REQUEST_MAGIC);
	set(r, status, type, NULL, 0);
	r->ready = m;
}

unsigned answer_status(enum err err)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].err == err)
			return statuses[i].status;
	return 500;
}

void answer_err(struct request *r, enum err err, const char *why)
{
	unsigned status = answer_status(err);

	if (err == E_OK)
		answer_ok(r);
	else
		answer_text(r, status, "%s", why != NULL && why[0] != '\0' ? why : err_words(err));
}

/* What an application of another site may do: all that there is. */
static void add_preflight(struct MHD_Response *m)
{
	MHD_add_response_header(m, "Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE");
	MHD_add_response_header(m, "Access-Control-Allow-Headers",
		"Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Requested-With, "
		"X-Torrentd, "
		"X-Transmission-Session-Id");
	MHD_add_response_header(m, "Access-Control-Allow-Private-Network", "true");
	MHD_add_response_header(m, "Access-Control-Max-Age", "600");
}

/* At the word Basic a browser asks its user for a password, in the midst of a page that would have
 * asked for a token. */
static void add_challenges(const struct request *r, struct MHD_Response *m)
{
	const char *agent =
		MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, MHD_HTTP_HEADER_USER_AGENT);

	MHD_add_response_header(m, "WWW-Authenticate", "Bearer realm=\"torrentd\"");
	if (r->http->config->api_user[0] != '\0' &&
		(agent == NULL || strncmp(agent, "Mozilla/", 8) != 0))
		MHD_add_response_header(
			m, "WWW-Authenticate", "Basic realm=\"torrentd\", charset=\"UTF-8\"");
}

static void add_headers(const struct request *r, struct MHD_Response *m, const char *cache)
{
	if (r->type != NULL)
		MHD_add_response_header(m, "Content-Type", r->type);
	MHD_add_response_header(m, "Cache-Control", cache);
	MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(m, "X-Frame-Options", "DENY");
	if (r->http->config->api_origins.n == 0)
		MHD_add_response_header(m, "Cross-Origin-Resource-Policy", "same-origin");
	if (r->document == NULL) {
		MHD_add_response_header(m, "Content-Security-Policy",
			r->policy != NULL ? r->policy
					  : "default-src 'none'; frame-ancestors 'none'");
		MHD_add_response_header(m, "Referrer-Policy", "no-referrer");
	}
	if (r->allow[0] != '\0')
		MHD_add_response_header(m, "Allow", r->allow);
	for (unsigned i = 0; i < r->extras_n; i++)
		MHD_add_response_header(m, r->extras[i].name, r->extras[i].value);
	if (r->status == 401)
		add_challenges(r, m);
	if (r->status == 503)
		MHD_add_response_header(m, "Retry-After", "2");
	if (r->http->config->api_origins.n > 0)
		MHD_add_response_header(m, "Vary", "Origin");
	if (r->origin != NULL) {
		MHD_add_response_header(m, "Access-Control-Allow-Origin", r->origin);
		MHD_add_response_header(m, "Access-Control-Expose-Headers",
			"ETag, Idempotent-Replayed, Retry-After");
	}
	if (r->status == 204 && r->method == 0)
		add_preflight(m);
	/* After these the rest of the stream cannot be trusted to be the next request. */
	if (r->status == 400 || r->status == 413)
		MHD_add_response_header(m, "Connection", "close");
}

static struct MHD_Response *make_response(struct request *r)
{
	bool whole = r->status == 200;

	if (r->shared_body != NULL)
		return body_response(&r->shared_body, whole, r->packed);
	if (r->document != NULL)
		return document_response(r->document, whole,
			MHD_lookup_connection_value(
				r->conn, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING));
	if (r->ready != NULL)
		return r->ready;
	return MHD_create_response_from_buffer(r->body_n, r->body, MHD_RESPMEM_MUST_FREE);
}

/* What has a tag may be kept to be asked for again with it. */
static const char *cache_of(const struct request *r)
{
	if (r->document != NULL)
		return r->document->immutable ? "public, max-age=31536000, immutable" : "no-cache";
	return r->shared_body != NULL ? "private, no-cache" : "no-store";
}

enum MHD_Result answer_send(struct request *r)
{
	struct MHD_Response *m;
	enum MHD_Result done;
	const char *cache;

	CHECK_OBJ(r, REQUEST_MAGIC);
	cache = cache_of(r);
	must(r->answered);
	m = make_response(r);
	if (m == NULL)
		return MHD_NO;
	r->body = NULL;
	r->ready = NULL;
	add_headers(r, m, cache);
	done = MHD_queue_response(r->conn, r->status, m);
	MHD_destroy_response(m);
	return done;
}
