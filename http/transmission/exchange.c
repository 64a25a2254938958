/* SPDX-License-Identifier: MIT */
/*
 * The calls of one request, and the answer to them, which is written in slices (server.h).
 *
 * While calls run the exchange is the dialect's; when the last one has ended it goes to the share
 * that writes and sends the answer.
 */
#include "http/transmission/priv.h"

#include <stdlib.h>

/* Calls in one batch; each may name all torrents. */
#define CALLS_MAX 64u

static void make_calls(struct exchange *x)
{
	x->batch = json_is_array(x->root);
	x->calls_n = x->batch ? (unsigned)json_array_size(x->root) : 1;
	x->calls = xcalloc(x->calls_n, sizeof *x->calls);
	x->running = true; /* a call that is none ends at once */
	for (unsigned i = 0; i < x->calls_n; i++)
		rcall_init(
			&x->calls[i], x, x->batch ? json_array_get(x->root, i) : x->root, x->batch);
	x->running = false;
}

struct exchange *exchange_new(struct rpc *rpc, const struct config *config, json_t *root)
{
	struct exchange *x;

	CHECK_OBJ(rpc, RPC_MAGIC);
	if (json_is_array(root) &&
		(json_array_size(root) == 0 || json_array_size(root) > CALLS_MAX)) {
		json_decref(root);
		return NULL;
	}
	ALLOC_OBJ(x, EXCHANGE_MAGIC);
	x->rpc = rpc;
	x->config = config_ref(config);
	x->root = root;
	x->go_on = exchange_run;
	link_append(&rpc->exchanges, &x->link);
	rpc->exchanges_n++;
	make_calls(x);
	return x;
}

static void unlist(struct exchange *x)
{
	x->rpc->exchanges_n -= link_linked(&x->link);
	link_remove(&x->link);
}

void exchange_free(struct exchange **px)
{
	struct exchange *x;

	TAKE_OBJ(x, px, EXCHANGE_MAGIC);
	unlist(x);
	for (unsigned i = 0; i < x->calls_n; i++) {
		actor_cancel_calls(x->rpc->actor, &x->calls[i]);
		rcall_fini(&x->calls[i]);
	}
	xfree(x->calls);
	json_decref(x->root);
	config_unref(&x->config);
	FREE_OBJ(x);
}

bool exchange_is_heard(const struct exchange *x)
{
	CHECK_OBJ(x, EXCHANGE_MAGIC);
	for (unsigned i = 0; i < x->calls_n; i++)
		if (!x->calls[i].silent)
			return true;
	return false;
}

/* --- the answer --- */

static void put_id(struct json_out *o, const char *key, const json_t *id)
{
	char *text = id != NULL ? json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	json_out_key_n(o, key, strlen(key));
	if (text != NULL)
		json_out_raw(o, text, strlen(text));
	else
		json_out_null(o);
	free(text);
}

static const char *message_of(enum rpc_code code)
{
	static const struct {
		enum rpc_code code;
		const char *words;
	} messages[] = {
		{RPC_TRACKER_LIST, "Invalid tracker list"},
		{RPC_NOT_ABSOLUTE, "path is not absolute"},
		{RPC_UNKNOWN_INFO, "unrecognized info"},
		{RPC_SYSTEM, "system error"},
		{RPC_FILE_RANGE, "file index out of range"},
		{RPC_CORRUPT, "invalid or corrupt torrent file"},
		{RPC_SYNTAX, "Parse error"},
		{RPC_INVALID, "Invalid Request"},
		{RPC_NO_METHOD, "Method not found"},
		{RPC_PARAMS, "Invalid params"},
	};

	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		if (messages[i].code == code)
			return messages[i].words;
	return "Internal error";
}

static void put_error(struct json_out *o, const struct rcall *c)
{
	json_out_key(o, "error");
	json_out_open(o, '{');
	json_out_put(o, "code", int, c->code);
	json_out_key(o, "data");
	json_out_open(o, '{');
	json_out_put(o, "error_string", text, c->why);
	json_out_close(o, '}');
	json_out_put(o, "message", text, message_of(c->code));
	json_out_close(o, '}');
}

static void put_begin(struct json_out *o, const struct rcall *c)
{
	json_out_open(o, '{');
	if (c->snake) {
		put_id(o, "id", c->id);
		json_out_put(o, "jsonrpc", text, "2.0");
	}
	if (c->snake && c->code != RPC_OK) {
		put_error(o, c);
		return;
	}
	rcall_key(o, c->snake, "arguments", "result");
	json_out_open(o, '{');
	if (c->out.n > 0)
		json_out_raw(o, c->out.p, c->out.n);
}

static void put_end(struct json_out *o, const struct rcall *c)
{
	if (!c->snake || c->code == RPC_OK)
		json_out_close(o, '}');
	if (!c->snake)
		json_out_put(o, "result", text, c->code == RPC_OK ? "success" : c->why);
	if (!c->snake && c->id != NULL && json_is_number(c->id))
		put_id(o, "tag", c->id);
	json_out_close(o, '}');
}

/* true: that was all of the call. */
static bool put_call(struct exchange *x, struct rcall *c, struct json_out *o, size_t end)
{
	if (c->silent)
		return true;
	if (!x->opened)
		put_begin(o, c);
	x->opened = true;
	if (c->tail != NULL && c->code == RPC_OK && !c->tail_some(c->tail, o, end))
		return false;
	put_end(o, c);
	x->opened = false;
	return true;
}

static bool write_some(void *ctx, struct json_out *o, size_t bytes)
{
	struct exchange *x;
	size_t end = o->n + bytes;

	CAST_OBJ(x, ctx, EXCHANGE_MAGIC);
	if (x->batch && o->n == 0)
		json_out_open(o, '[');
	for (; x->put < x->calls_n && o->n < end; x->put++)
		if (!put_call(x, &x->calls[x->put], o, end))
			return false;
	if (x->put < x->calls_n)
		return false;
	if (x->batch)
		json_out_close(o, ']');
	return true;
}

static void free_source(void *ctx)
{
	struct exchange *x = ctx;

	exchange_free(&x);
}

static void make_answer(struct exchange *x)
{
	struct shared_source source = {.ctx = x, .some = write_some, .free = free_source};
	struct shared *share = x->share;

	if (share == NULL) {
		exchange_free(&x);
		return;
	}
	unlist(x);
	shared_make(share, &source);
}

/* --- running --- */

void exchange_run(struct exchange *x)
{
	CHECK_OBJ(x, EXCHANGE_MAGIC);
	if (x->running)
		return;
	x->running = true;
	for (; x->at < x->calls_n; x->at++) {
		struct rcall *c = &x->calls[x->at];

		if (!c->ended)
			c->method->fn(c);
		if (!c->ended) {
			x->running = false;
			return;
		}
	}
	make_answer(x);
}
