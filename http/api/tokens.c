/* SPDX-License-Identifier: MIT */
/* Tokens over the API: listed, made, revoked. */
#include "http/api/token_job.h"

#include "actors/kernel/clock.h"
#include "http/access/scope.h"
#include "http/api/priv.h"

/* Seconds of a hundred years. */
#define EXPIRES_MAX (INT64_C(100) * 366 * 24 * 3600)

void api_put_scopes(struct json_out *o, unsigned scopes)
{
	json_out_key(o, "scopes");
	json_out_open(o, '[');
	for (unsigned one = 1; one <= SCOPE_ALL; one *= 2)
		if ((scopes & one) != 0)
			json_out_text(o, scope_name(one));
	json_out_close(o, ']');
}

/* A moment or an id; null: none. */
static void put_if_any(struct json_out *o, int64_t v)
{
	if (v != 0)
		json_out_int(o, v);
	else
		json_out_null(o);
}

static void put_token(struct json_out *o, const struct token_record *t)
{
	json_out_put(o, "id", int, t->id);
	json_out_put(o, "name", text, t->name);
	json_out_put(o, "kind", text, t->kind == TOKEN_DEVICE ? "device" : "token");
	api_put_scopes(o, t->scopes);
	json_out_put(o, "created", int, t->created);
	json_out_key(o, "expires");
	put_if_any(o, t->expires);
	json_out_key(o, "used");
	put_if_any(o, t->used);
	json_out_key(o, "parent");
	put_if_any(o, t->parent);
}

void api_tokens(struct request *r)
{
	const struct token_record *t;
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_key(&o, "tokens");
	json_out_open(&o, '[');
	for (uint32_t i = 0; (t = tokens_at(request_tokens(r), i)) != NULL; i++) {
		json_out_open(&o, '{');
		put_token(&o, t);
		json_out_put(&o, "current", bool, t->id == request_who(r)->token);
		json_out_close(&o, '}');
	}
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}

/* --- made --- */

bool api_read_name(struct request *r, const char *absent, char out[TOKEN_NAME_MAX + 1])
{
	const char *name;

	if (!param_text(r, "name", &name))
		return false;
	if (name == NULL)
		name = absent;
	if (name == NULL || strlen(name) > TOKEN_NAME_MAX) {
		answer_text(r, 422,
			"parameter 'name' is needed, of at most %u bytes: what it is for",
			TOKEN_NAME_MAX);
		return false;
	}
	memcpy(out, name, strlen(name) + 1);
	return true;
}

bool api_read_scopes(struct request *r, unsigned *out)
{
	const char *list;

	if (!param_text(r, "scopes", &list))
		return false;
	*out = request_who(r)->scopes;
	if (list != NULL && !scope_parse(list, out)) {
		answer_text(r, 422,
			"parameter 'scopes' must be some of read, add, manage and admin, with "
			"commas between");
		return false;
	}
	return request_may(r, *out); /* nobody gives what they do not have */
}

static bool read_expiry(struct request *r, int64_t *out)
{
	const char *text;
	uint64_t seconds;

	if (!param_text(r, "expires_in", &text))
		return false;
	*out = 0;
	if (text == NULL)
		return true;
	if (!param_count(r, "expires_in", &seconds))
		return false;
	*out = clock_wall_s() + MIN((int64_t)seconds, EXPIRES_MAX);
	return true;
}

static void say_made(struct request *r, const struct token_record *t, const char *secret)
{
	struct json_out o = {0};

	log_event(LOG_INFO, "token_made", "id=%lld name=%s", (long long)t->id, t->name);
	json_out_open(&o, '{');
	json_out_put(&o, "token", text, secret);
	put_token(&o, t);
	json_out_close(&o, '}');
	answer_json(r, 201, &o);
}

void api_token_make(struct request *r)
{
	struct token_record wish = {.kind = TOKEN_KEY};

	if ((request_body_len(r) > 0 && !param_json(r)) || !api_read_name(r, NULL, wish.name) ||
		!api_read_scopes(r, &wish.scopes) || !read_expiry(r, &wish.expires))
		return;
	api_job_make(r, &wish, say_made);
}

/* --- revoked --- */

static void say_dropped(struct request *r, const struct token_record *t, const char *secret)
{
	(void)secret;
	log_event(LOG_INFO, "token_revoked", "id=%lld", (long long)t->id);
	answer_nothing(r);
}

void api_token_drop(struct request *r)
{
	uint64_t id;

	if (!param_count(r, "id", &id))
		return;
	if (tokens_by_id(request_tokens(r), (int64_t)id) == NULL)
		answer_text(r, 404, "no token has this id: GET /api/v1/tokens lists them");
	else
		api_job_drop(r, (int64_t)id, say_dropped);
}
