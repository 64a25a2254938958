/* SPDX-License-Identifier: MIT */
/*
 * Who gets in.
 *
 * First what makes a request ambiguous to a proxy in front (microhttpd 0.9.75 lets it through),
 * then the Host header (DNS rebinding), then browsers acting for another site, then the token.
 * Nothing is done for a request that fails here, and its body is not read.
 */
#include "http/server/priv.h"

#include "proto/base/endpoint.h"
#include "proto/meta/hash.h"

struct count {
	const char *name;
	unsigned n;
	const char *last;
};

static bool same_name(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++) {
		char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
		char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;

		if (x != y)
			return false;
	}
	return *a == *b;
}

static enum MHD_Result count_one(
	void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct count *c = ctx;

	(void)kind;
	if (same_name(key, c->name)) {
		c->n++;
		c->last = value != NULL ? value : "";
	}
	return MHD_YES;
}

static struct count count_header(struct request *r, const char *name)
{
	struct count c = {.name = name};

	MHD_get_connection_values(r->conn, MHD_HEADER_KIND, count_one, &c);
	return c;
}

/* --- framing --- */

static bool only_digits(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (*s < '0' || *s > '9')
			return false;
	return true;
}

static bool guard_framing(struct request *r, const char *version)
{
	struct count te = count_header(r, "Transfer-Encoding");
	struct count cl = count_header(r, "Content-Length");
	struct count host = count_header(r, "Host");
	const char *why = NULL;

	if (te.n > 1 || (te.n == 1 && !same_name(te.last, "chunked")))
		why = "Transfer-Encoding may only be chunked";
	else if (te.n > 0 && cl.n > 0)
		why = "Transfer-Encoding and Content-Length together are ambiguous";
	else if (te.n > 0 && strcmp(version, "HTTP/1.1") != 0)
		why = "Transfer-Encoding needs HTTP/1.1";
	else if (cl.n > 1)
		why = "more than one Content-Length";
	else if (cl.n == 1 && !only_digits(cl.last))
		why = "Content-Length is not a number";
	else if (host.n > 1)
		why = "more than one Host header";
	else if (host.n == 0)
		why = "no Host header";
	if (why == NULL)
		return true;
	answer_text(r, 400, "bad request: %s", why);
	return false;
}

/* --- Host --- */

/* The name in "name", "name:port", "[v6]:port"; false: it is none of these. */
static bool host_name(const char *host, char *out, size_t size)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
	const char *port;
	size_t n;

	if (host[0] == '[') {
		if (end == NULL)
			return false;
		host++;
	}
	n = end != NULL ? (size_t)(end - host) : strlen(host);
	if (n == 0 || n >= size)
		return false;
	memcpy(out, host, n);
	out[n] = '\0';
	if (end == NULL)
		return true;
	port = *end == ']' ? end + 1 : end;
	return *port == '\0' || (*port == ':' && only_digits(port + 1));
}

static bool guard_host(struct request *r)
{
	struct count host = count_header(r, "Host");
	const struct config_list *hosts = &r->http->config->api_hosts;
	struct endpoint literal;
	char name[256];

	if (host_name(host.last, name, sizeof name)) {
		if (same_name(name, "localhost") ||
			endpoint_parse_ip(name, strlen(name), &literal) == E_OK)
			return true;
		for (size_t i = 0; i < hosts->n; i++)
			if (same_name(name, hosts->v[i]))
				return true;
	}
	answer_text(r, 421, "the name in the Host header is not known here: list it in api.hosts");
	return false;
}

/* --- browsers --- */

/* The origin's host and port are those that the request was sent to. */
static bool same_origin(const char *origin, const char *host)
{
	const char *rest = strstr(origin, "://");

	return rest != NULL && same_name(rest + 3, host);
}

static bool guard_site(struct request *r)
{
	struct count origin = count_header(r, "Origin");
	struct count site = count_header(r, "Sec-Fetch-Site");
	struct count host = count_header(r, "Host");

	if (origin.n > 1 || (origin.n == 1 && !same_origin(origin.last, host.last))) {
		answer_text(r, 403,
			"requests that another site makes a browser send are refused (Origin)");
		return false;
	}
	if (site.n > 1 || (site.n == 1 && !same_name(site.last, "same-origin") &&
				  !same_name(site.last, "none"))) {
		answer_text(r, 403,
			"requests that another site makes a browser send are refused "
			"(Sec-Fetch-Site)");
		return false;
	}
	return true;
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

static bool guard_token(struct request *r)
{
	const char *token = r->http->config->api_token;
	struct count auth = count_header(r, "Authorization");
	char scheme[8] = {0};

	if (token[0] == '\0')
		return true;
	if (auth.n == 1 && strlen(auth.last) > 7) {
		memcpy(scheme, auth.last, 7);
		if (same_name(scheme, "bearer ") && equal_secret(auth.last + 7, token))
			return true;
	}
	answer_text(r, 401,
		"the API token is needed: send Authorization: Bearer and the value of api.token");
	return false;
}

bool guard_request(struct request *r, const char *version)
{
	return guard_framing(r, version) && guard_host(r) && guard_site(r) && guard_token(r);
}
