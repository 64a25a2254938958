/* SPDX-License-Identifier: MIT */
/*
 * What is asked for twice with one Idempotency-Key is done once.
 *
 * A key is its asker's own: of the token, wherever it comes from, since phones change their
 * address. Kept is what was done (2xx); of what failed nothing was changed, so it may be tried
 * again with the same key.  Endpoints that let somebody in have none: their answers are secrets for
 * whoever showed another one.
 */
#include "http/server/priv.h"
#include "proto/meta/hash.h"

#define KEY_MAX 200u

/* With its length, so that no two lists of texts have the same bytes. */
static void add(struct hasher *h, const void *p, size_t n)
{
	uint64_t len = n;

	hasher_update(h, &len, sizeof len);
	if (n > 0)
		hasher_update(h, p, n);
}

static void name_of(const struct request *r, const char *key, uint8_t out[32])
{
	struct hasher *h = hasher_new(HASH_SHA256);
	const struct who *w = &r->who;

	add(h, &w->token, sizeof w->token);
	add(h, &w->authenticated, sizeof w->authenticated);
	add(h, key, strlen(key));
	hasher_final(h, out);
	hasher_free(&h);
}

static enum MHD_Result add_argument(void *ctx, enum MHD_ValueKind kind, const char *key,
	size_t key_n, const char *value, size_t n)
{
	(void)kind;
	add(ctx, key, key_n);
	add(ctx, value, value != NULL ? n : 0);
	return MHD_YES;
}

/* The parts of the path are among the arguments. */
static void print_of(const struct request *r, uint8_t out[32])
{
	struct hasher *h = hasher_new(HASH_SHA256);

	add(h, r->resource->path, strlen(r->resource->path));
	add(h, &r->method, sizeof r->method);
	MHD_get_connection_values_n(r->conn, MHD_GET_ARGUMENT_KIND, add_argument, h);
	add(h, r->upload, r->upload_n);
	hasher_final(h, out);
	hasher_free(&h);
}

/* Printable, and no longer than those who make keys need. */
static bool is_key(const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < n; i++)
		if (key[i] <= ' ' || key[i] > '~')
			return false;
	return n > 0 && n <= KEY_MAX;
}

static void answer_first(struct request *r, const struct repeat_answer *first)
{
	answer_header(r, "Idempotent-Replayed", "true");
	answer_kept(r, first->status, first->type, first->body, first->n);
}

static void begin(struct request *r, const char *key)
{
	struct repeat_answer first;
	uint8_t print[32];

	name_of(r, key, r->once);
	print_of(r, print);
	switch (repeats_begin(r->http->repeats, r->once, print,
		actor_now(r->http->actor) / USEC_PER_SEC, &first)) {
	case REPEAT_NEW:
		r->keyed = true;
		break;
	case REPEAT_BUSY:
		answer_header(r, "Retry-After", "1");
		answer_problem(r, 409, "under_way",
			"the first request with this Idempotency-Key is under way: ask again");
		break;
	case REPEAT_OTHER:
		answer_problem(r, 422, "key_was_used",
			"this Idempotency-Key was used for another request: make a new one for "
			"each");
		break;
	case REPEAT_KNOWN:
		answer_first(r, &first);
		break;
	}
}

bool once_begin(struct request *r)
{
	const char *key;

	CHECK_OBJ(r, REQUEST_MAGIC);
	key = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "Idempotency-Key");
	if (key == NULL || !r->resource->changes || r->resource->scopes == SCOPE_NONE)
		return true;
	if (is_key(key))
		begin(r, key);
	else
		answer_text(r, 422,
			"an Idempotency-Key has 1 to %u printable characters and no space",
			KEY_MAX);
	return !r->answered;
}

void once_end(struct request *r)
{
	struct repeat_answer a;
	bool plain;

	CHECK_OBJ(r, REQUEST_MAGIC);
	if (!r->keyed)
		return;
	r->keyed = false;
	plain = r->shared_body == NULL && r->document == NULL && r->ready == NULL;
	a = (struct repeat_answer){
		.status = r->status, .type = r->type, .body = r->body, .n = r->body_n};
	if (r->answered && r->status >= 200 && r->status < 300 && plain)
		repeats_done(r->http->repeats, r->once, &a);
	else
		repeats_drop(r->http->repeats, r->once);
}
