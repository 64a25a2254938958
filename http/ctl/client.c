/* SPDX-License-Identifier: MIT */
/* Asking the daemon over HTTP. */
#include "http/ctl/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/ctl/term.h"

#define CLIENT_MAGIC 0x43544c43u
#define ANSWER_MAX   ((size_t)1 << 30) /* bytes: a list of a million torrents */
#define CONNECT_MS   10000L
#define ANSWER_MS    120000L

struct ctl_client {
	uint32_t magic;
	CURL *easy;
	char *url, *token;
	bool direct; /* by no proxy */
};

/* What comes back. */
struct answer {
	char *p; /* owned, NUL-terminated once something came */
	size_t n;
	const struct ctl_reader *reader; /* of a stream, while it is answered with success */
	struct ctl_client *client;
	bool enough;
};

struct ctl_client *ctl_client_new(const char *url, const char *token, bool direct)
{
	struct ctl_client *c;

	must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	ALLOC_OBJ(c, CLIENT_MAGIC);
	c->easy = curl_easy_init();
	must(c->easy != NULL);
	c->url = xstrdup(url);
	c->token = xstrdup(token);
	c->direct = direct;
	return c;
}

void ctl_client_free(struct ctl_client **pc)
{
	struct ctl_client *c;

	TAKE_OBJ(c, pc, CLIENT_MAGIC);
	curl_easy_cleanup(c->easy);
	curl_global_cleanup();
	explicit_bzero(c->token, strlen(c->token));
	xfree(c->token);
	xfree(c->url);
	FREE_OBJ(c);
}

const char *ctl_client_url(const struct ctl_client *c)
{
	CHECK_OBJ(c, CLIENT_MAGIC);
	return c->url;
}

/* --- what is asked --- */

static char *address_of(struct ctl_client *c, const char *path, const char *const *params)
{
	char *out = NULL, *value, between = '?';
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	must(f != NULL);
	fprintf(f, "%s%s", c->url, path);
	for (; *params != NULL; params += 2) {
		if (params[1] == NULL)
			continue;
		value = curl_easy_escape(c->easy, params[1], 0);
		must(value != NULL);
		fprintf(f, "%c%s=%s", between, params[0], value);
		between = '&';
		curl_free(value);
	}
	must(fclose(f) == 0);
	return out;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	struct curl_slist *more;
	char *line;

	must(asprintf(&line, "%s: %s", name, value) > 0);
	more = curl_slist_append(list, line);
	must(more != NULL);
	explicit_bzero(line, strlen(line));
	free(line);
	return more;
}

static size_t on_bytes(char *p, size_t size, size_t count, void *ctx)
{
	struct answer *a = ctx;
	size_t n = size * count;
	long status = 0;

	curl_easy_getinfo(a->client->easy, CURLINFO_RESPONSE_CODE, &status);
	if (a->reader != NULL && status == 200) {
		a->enough = a->enough || !a->reader->take(a->reader->ctx, p, n);
		return a->enough ? 0 : n;
	}
	if (n > ANSWER_MAX - a->n)
		return 0;
	a->p = xrealloc(a->p, a->n + n + 1);
	memcpy(a->p + a->n, p, n);
	a->n += n;
	a->p[a->n] = '\0';
	return n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct answer *answer = ctx;
	const struct ctl_reader *r = answer->reader;

	(void)a, (void)b, (void)c, (void)d;
	answer->enough = answer->enough || (r != NULL && r->ended != NULL && r->ended(r->ctx));
	return answer->enough ? 1 : 0;
}

static void set_up(struct ctl_client *c, const char *method, const char *url,
	const struct ctl_body *body, struct curl_slist *headers, struct answer *a)
{
	CURL *e = c->easy;

	curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	if (c->direct)
		curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, a->reader == NULL ? ANSWER_MS : 0L);
	curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, a->reader == NULL ? "gzip" : NULL);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, a);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	if (body != NULL || strcmp(method, "POST") == 0) {
		curl_easy_setopt(
			e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(body != NULL ? body->n : 0));
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, body != NULL ? body->p : "");
	}
}

/* --- what is answered --- */

/* The words of a problem (RFC 9457), or the text as it is. */
static void say_refusal(struct ctl_client *c, long status, const struct answer *a)
{
	json_t *problem = a->n > 0 ? json_loadb(a->p, a->n, 0, NULL) : NULL;
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	char safe[2048];

	if (detail == NULL)
		detail = a->n > 0 ? a->p : "it does not say why";
	ctl_safe(safe, sizeof safe, detail);
	ctl_complain("%s%s", safe,
		status != 401         ? ""
		: c->token[0] == '\0' ? " (--token-file or $TORRENTCTL_TOKEN gives one)"
				      : "");
	json_decref(problem);
}

static enum ctl_status status_of(long http)
{
	if (http >= 200 && http < 300)
		return CTL_DONE;
	if (http == 401 || http == 403)
		return CTL_DENIED;
	return http == 404 ? CTL_UNKNOWN : CTL_FAILED;
}

static enum ctl_status judge(struct ctl_client *c, CURLcode code, const struct answer *a)
{
	long http = 0;

	if (a->enough)
		return CTL_DONE;
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &http);
	if (code != CURLE_OK && !(a->reader != NULL && http == 200)) {
		ctl_complain("no daemon answers at %s: %s", c->url, curl_easy_strerror(code));
		return CTL_UNREACHABLE;
	}
	if (status_of(http) != CTL_DONE)
		say_refusal(c, http, a);
	return status_of(http);
}

static enum ctl_status perform(struct ctl_client *c, const char *method, const char *path,
	const char *const *params, const struct ctl_body *body, struct answer *a)
{
	struct curl_slist *headers = NULL;
	enum ctl_status status;
	char *url, *bearer;

	CHECK_OBJ(c, CLIENT_MAGIC);
	a->client = c;
	url = address_of(c, path, params);
	must(asprintf(&bearer, "Bearer %s", c->token) > 0);
	if (c->token[0] != '\0')
		headers = add_header(headers, "Authorization", bearer);
	if (body != NULL)
		headers = add_header(headers, "Content-Type", body->type);
	set_up(c, method, url, body, headers, a);
	status = judge(c, curl_easy_perform(c->easy), a);
	curl_slist_free_all(headers);
	explicit_bzero(bearer, strlen(bearer));
	free(bearer);
	free(url);
	return status;
}

enum ctl_status ctl_ask(struct ctl_client *c, const char *method, const char *path,
	const char *const *params, const struct ctl_body *body, json_t **answer)
{
	struct answer a = {.p = NULL};
	enum ctl_status status = perform(c, method, path, params, body, &a);

	if (answer != NULL)
		*answer = status == CTL_DONE && a.n > 0
				  ? json_loadb(a.p, a.n, JSON_DECODE_ANY, NULL)
				  : NULL;
	xfree(a.p);
	return status;
}

enum ctl_status ctl_send(
	struct ctl_client *c, const char *method, const char *path, json_t *json, json_t **answer)
{
	char *text = json_dumps(json, JSON_COMPACT);
	const char *const none[] = {NULL};
	struct ctl_body body = {"application/json", text, 0};
	enum ctl_status status;

	must(text != NULL);
	json_decref(json);
	body.n = strlen(text);
	status = ctl_ask(c, method, path, none, &body, answer);
	free(text);
	return status;
}

enum ctl_status ctl_stream(struct ctl_client *c, const char *path, const char *const *params,
	const struct ctl_reader *r)
{
	struct answer a = {.reader = r};
	enum ctl_status status = perform(c, "GET", path, params, NULL, &a);

	xfree(a.p);
	return status;
}
