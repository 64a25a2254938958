/* SPDX-License-Identifier: MIT */
/*
 * A browser's session: it shows a token once and has a cookie from then on.
 *
 * The cookie is a token of its own, so it outlives restarts, is in the list of tokens, and is
 * revoked like any other, and with the token that was shown.
 */
#include <stdio.h>

#include "http/api/priv.h"
#include "http/api/token_job.h"

void api_login(struct request *r)
{
	static const char *const names[] = {"token", "code", NULL};
	struct token_record wish = {0}, shown = {0};
	const char *secret, *code;
	bool admitted;

	if (!api_read_secret(r, names) || !param_text(r, "token", &secret) ||
		!param_text(r, "code", &code) || !api_read_name(r, "a browser", wish.name))
		return;
	if (secret != NULL)
		admitted = request_admits(r, secret, &shown);
	else
		admitted = api_take_pairing(r, code, NULL, &shown.scopes);
	if (!admitted)
		return;
	wish.scopes = shown.scopes;
	wish.expires = shown.expires;
	wish.parent = shown.id;
	api_let_device_in(r, &wish);
}

/* --- out again --- */

static void say_let_out(struct request *r, const struct token_record *t, const char *secret)
{
	(void)t;
	(void)secret;
	api_put_cookie(r, NULL);
	answer_nothing(r);
}

/* Who came by a cookie loses it; who did not is told the same. */
void api_logout(struct request *r)
{
	const struct token_record *t = tokens_by_id(request_tokens(r), request_who(r)->token);

	if (t != NULL && t->kind == TOKEN_DEVICE)
		api_job_drop(r, t->id, say_let_out);
	else
		say_let_out(r, NULL, NULL);
}

/* --- who it is --- */

static void put_token(struct json_out *o, const struct token_record *t)
{
	if (t == NULL) {
		json_out_null(o);
		return;
	}
	json_out_open(o, '{');
	json_out_put(o, "id", int, t->id);
	json_out_put(o, "name", text, t->name);
	json_out_put(o, "kind", text, t->kind == TOKEN_DEVICE ? "device" : "token");
	json_out_close(o, '}');
}

/* Open, so that a page can tell whether it has to ask for a token; a stranger learns nothing else.
 */
void api_session(struct request *r)
{
	const struct who *w = request_who(r);
	char client[ENDPOINT_TEXT];
	struct json_out o = {0};

	if (endpoint_is_unspecified(&w->client))
		snprintf(client, sizeof client, "unix");
	else
		endpoint_format_ip(&w->client, client, sizeof client);
	json_out_open(&o, '{');
	json_out_put(&o, "version", text, w->scopes != 0 ? config_version() : NULL);
	json_out_put(&o, "authenticated", bool, w->authenticated);
	json_out_put(&o, "local", bool, w->local);
	api_put_scopes(&o, w->scopes);
	json_out_key(&o, "token");
	put_token(&o, tokens_by_id(request_tokens(r), w->token));
	json_out_put(&o, "scheme", text, w->https ? "https" : "http");
	json_out_put(&o, "host", text, w->host);
	json_out_put(&o, "base_path", text, request_config(r)->api_base_path);
	json_out_put(&o, "client", text, client);
	json_out_key(&o, "user");
	if (w->user >= 0)
		json_out_int(&o, w->user);
	else
		json_out_null(&o);
	json_out_put(&o, "trusted_proxy", bool, w->proxied);
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}
