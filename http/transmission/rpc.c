/* SPDX-License-Identifier: MIT */
/*
 * The door of the dialect: the session id, the methods, and one POST from its body to its exchange.
 *
 * The id is what keeps other sites out: a page can make a browser send a POST, but neither read the
 * id that a first answer (409) has in its header nor send that header to another site.  So the
 * resource is none that changes, and no other header is asked for.
 */
#include <stdio.h>
#include <stdlib.h>

#include "actors/kernel/random.h"
#include "http/transmission/facts.h"
#include "http/transmission/ids.h"
#include "proto/base/encode.h"

/* Values in the JSON of a request; a list of all torrents is 100,000.  What is read of one takes
 * some 50 bytes. */
#define VALUES_MAX 262144u
/* A question that is longer is not shared with others who ask the same. */
#define KEY_MAX 4096u

/* --- methods --- */

static const struct rpc_method methods[] = {
#define METHOD(name, scopes, fn, arg)       {name, scopes, fn, arg, NULL},
#define NEEDS(name, scopes, fn, arg, needs) {name, scopes, fn, arg, needs},
#include "http/transmission/methods.def"
#undef METHOD
#undef NEEDS
};

/* --- what all requests share --- */

static void *rpc_open(struct actor *a)
{
	struct rpc *rpc;
	uint8_t noise[24];

	ALLOC_OBJ(rpc, RPC_MAGIC);
	rpc->actor = a;
	rpc->methods = methods;
	rpc->methods_n = ARRAY_LEN(methods);
	random_bytes(noise, sizeof noise);
	hex_encode(noise, sizeof noise, rpc->session_id);
	rpc->ids = tids_new();
	rpc->opened = actor_now(a);
	pair_begin(rpc);
	link_init(&rpc->exchanges);
	return rpc;
}

static void rpc_close(void *ctx)
{
	struct rpc *rpc;

	CAST_OBJ(rpc, ctx, RPC_MAGIC);
	while (!link_empty(&rpc->exchanges)) {
		struct exchange *x = container_of(rpc->exchanges.next, struct exchange, link);

		exchange_free(&x);
	}
	tids_free(&rpc->ids);
	FREE_OBJ(rpc);
}

static struct rpc *rpc_of(const struct request *r)
{
	struct rpc *rpc;

	CAST_OBJ(rpc, request_table(r), RPC_MAGIC);
	return rpc;
}

/* --- a request --- */

static bool has_session(struct request *r, const struct rpc *rpc)
{
	const char *id = request_header(r, "X-Transmission-Session-Id");

	if (id != NULL && strcmp(id, rpc->session_id) == 0)
		return true;
	answer_header(r, "X-Transmission-Session-Id", "%s", rpc->session_id);
	answer_header(r, "Access-Control-Expose-Headers", "X-Transmission-Session-Id");
	answer_text(r, 409,
		"send the request again with the header X-Transmission-Session-Id of this answer");
	return false;
}

/* A mistake in the request as a whole, which has no call to be the answer of. */
static void answer_mistake(struct request *r, enum rpc_code code, const char *why)
{
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_key(&o, "id");
	json_out_null(&o);
	json_out_put(&o, "jsonrpc", text, "2.0");
	json_out_key(&o, "error");
	json_out_open(&o, '{');
	json_out_put(&o, "code", int, code);
	json_out_key(&o, "data");
	json_out_open(&o, '{');
	json_out_put(&o, "error_string", text, why);
	json_out_close(&o, '}');
	json_out_put(&o, "message", text, code == RPC_SYNTAX ? "Parse error" : "Invalid Request");
	json_out_close(&o, '}');
	json_out_put(&o, "result", text, why); /* for who speaks the dialect of 4.0 */
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}

/* Commas and brackets outside of strings: at least as many as values. */
static bool is_small(const uint8_t *p, size_t n)
{
	size_t values = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		if (in_string && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			in_string = !in_string;
		else if (!in_string && (p[i] == ',' || p[i] == '[' || p[i] == '{'))
			values++;
	}
	return values <= VALUES_MAX;
}

/* NULL: answered. */
static json_t *read_body(struct request *r)
{
	json_error_t error;
	json_t *root;
	size_t n;
	uint8_t *body = request_body_take(r, &n);
	char why[300];

	if (!is_small(body, n)) {
		xfree(body);
		answer_mistake(r, RPC_INVALID, "more than 262144 values in one request");
		return NULL;
	}
	root = json_loadb((const char *)body, n, JSON_DECODE_ANY, &error);
	xfree(body);
	if (root != NULL)
		return root;
	snprintf(why, sizeof why, "the body is not JSON: line %d, column %d: %s", error.line,
		error.column, error.text);
	answer_mistake(r, RPC_SYNTAX, why);
	return NULL;
}

/* false: answered. */
static bool may_all(struct request *r, const struct exchange *x)
{
	for (unsigned i = 0; i < x->calls_n; i++) {
		const struct rcall *c = &x->calls[i];
		unsigned scopes = c->method != NULL ? c->method->scopes : SCOPE_NONE;

		if (c->method != NULL && c->method->needs != NULL)
			scopes |= c->method->needs(c);
		if (!request_may(r, scopes))
			return false;
	}
	return true;
}

/* Who asks for the same torrents in the same words gets the same answer; all else is done for each
 * who asks. */
static struct shared *share_of(struct request *r, struct exchange *x)
{
	struct {
		char name[8];
		uint64_t serial;
	} own = {"rpc", ++x->rpc->serial};
	bool looks = x->calls_n == 1 && x->calls[0].method != NULL &&
		     x->calls[0].method->fn == get_torrents;
	char *text = looks ? json_dumps(x->root, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	size_t n = text != NULL ? strlen(text) : 0;
	struct shared *s = text != NULL && n <= KEY_MAX && n != sizeof own
				   ? shared_ask(r, text, n)
				   : shared_ask(r, &own, sizeof own);

	free(text);
	return s;
}

static void run(struct request *r, struct exchange *x)
{
	if (!may_all(r, x)) {
		exchange_free(&x);
		return;
	}
	if (!exchange_is_heard(x)) {
		answer_nothing(r);
		exchange_run(x);
		return;
	}
	x->share = share_of(r, x);
	if (x->share == NULL)
		exchange_free(&x);
	else
		exchange_run(x);
}

static void rpc_post(struct request *r)
{
	struct rpc *rpc = rpc_of(r);
	struct exchange *x;
	json_t *root;

	if (!has_session(r, rpc))
		return;
	if (rpc->exchanges_n >= RPC_EXCHANGES_MAX) {
		answer_err(r, E_OVERLOAD, NULL);
		return;
	}
	root = read_body(r);
	if (root == NULL)
		return;
	x = exchange_new(rpc, request_config(r), root);
	if (x != NULL)
		x->worker = ADDR(ROLE_WORKER, request_workers(r) - 1);
	if (x == NULL)
		answer_mistake(r, RPC_INVALID, "a batch has 1 to 64 requests");
	else
		run(r, x);
}

/* Clients fetch the id with it. */
static void rpc_get(struct request *r)
{
	if (!has_session(r, rpc_of(r)))
		return;
	answer_header(r, "Allow", "POST");
	answer_text(r, 405, "this endpoint takes POST");
}

static const char doc[] = "the RPC interface of Transmission, in its dialects of 4.0 and of "
			  "JSON-RPC 2.0 (4.1): what clients of Transmission connect to";

static const struct resource table[] = {
	{"/transmission/rpc", METHOD_POST, false, SCOPE_READ, rpc_post, 0, "", doc},
	{"/transmission/rpc/", METHOD_POST, false, SCOPE_READ, rpc_post, 0, "", doc},
	{"/transmission/rpc", METHOD_GET, false, SCOPE_READ, rpc_get, 0, "", doc},
	{"/transmission/rpc/", METHOD_GET, false, SCOPE_READ, rpc_get, 0, "", doc},
};

const struct resources transmission_resources = {.v = table,
	.n = ARRAY_LEN(table),
	.open = rpc_open,
	.close = rpc_close};
