/* SPDX-License-Identifier: MIT */
/* Pairing: one who may asks for a code or a link, and a new device comes in by it. */
#include <stdio.h>

#include "actors/kernel/clock.h"
#include "http/access/pairings.h"
#include "http/api/priv.h"
#include "http/api/token_job.h"
#include "proto/base/qr.h"

/* The link as a QR code, for a page to draw: a row a text, "1" is dark; null: it is too long for
 * one. */
static void put_code(struct json_out *o, const char *url)
{
	char row[QR_SIZE_MAX + 1];
	struct qr q;

	json_out_key(o, "qr");
	if (qr_make(&q, url, strlen(url)) != E_OK) {
		json_out_null(o);
		return;
	}
	json_out_open(o, '[');
	for (uint32_t y = 0; y < q.size; y++) {
		for (uint32_t x = 0; x < q.size; x++)
			row[x] = qr_dark(&q, x, y) ? '1' : '0';
		row[q.size] = '\0';
		json_out_text(o, row);
	}
	json_out_close(o, ']');
}

void api_pairing_make(struct request *r)
{
	const struct who *w = request_who(r);
	char code[PAIRING_CODE], secret[TOKEN_SECRET], url[512];
	struct json_out o = {0};
	unsigned scopes;
	int64_t expires;

	if ((request_body_len(r) > 0 && !param_json(r)) || !api_read_scopes(r, &scopes))
		return;
	expires = pairings_add(request_pairings(r), scopes, clock_wall_s(), code, secret);
	snprintf(url, sizeof url, "%s://%s%s/#/pair/%s", w->https ? "https" : "http", w->host,
		request_config(r)->api_base_path, secret);
	json_out_open(&o, '{');
	json_out_put(&o, "code", text, code);
	json_out_put(&o, "secret", text, secret);
	json_out_put(&o, "url", text, url);
	put_code(&o, url);
	api_put_scopes(&o, scopes);
	json_out_put(&o, "expires", int, expires);
	json_out_close(&o, '}');
	answer_json(r, 201, &o);
}

bool api_take_pairing(struct request *r, const char *code, const char *secret, unsigned *scopes)
{
	struct pairings *ps = request_pairings(r);
	int64_t now = clock_wall_s();
	bool found;

	if ((code != NULL) == (secret != NULL)) {
		answer_text(r, 422, "one of the parameters that let somebody in must be there");
		return false;
	}
	if (secret != NULL) { /* nobody guesses it */
		found = pairings_take_secret(ps, secret, now, scopes);
	} else {
		if (!request_may_try(r))
			return false;
		found = pairings_take_code(ps, code, now, scopes);
		request_tried(r, found);
	}
	if (found)
		return true;
	answer_problem(r, 401, "pairing_unknown",
		"nobody waits to be paired by this: it is wrong, was used, or has expired");
	return false;
}

static void say_token(struct request *r, const struct token_record *t, const char *secret)
{
	struct json_out o = {0};

	log_event(LOG_INFO, "program_let_in", "id=%lld name=%s", (long long)t->id, t->name);
	json_out_open(&o, '{');
	json_out_put(&o, "token", text, secret);
	json_out_put(&o, "id", int, t->id);
	json_out_put(&o, "name", text, t->name);
	api_put_scopes(&o, t->scopes);
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}

void api_pair(struct request *r)
{
	static const char *const names[] = {"code", "secret", NULL};
	static const char *const wants[] = {"cookie", "token", NULL};
	struct token_record wish = {.kind = TOKEN_KEY};
	const char *code, *secret, *want;
	unsigned i = 0;

	if (!api_read_secret(r, names) || !param_text(r, "code", &code) ||
		!param_text(r, "secret", &secret) || !param_text(r, "want", &want) ||
		(want != NULL && !param_choice(r, "want", wants, &i)) ||
		!api_read_name(r, "a device", wish.name) || !request_may_wait(r) ||
		!api_take_pairing(r, code, secret, &wish.scopes))
		return;
	if (i == 0)
		api_let_device_in(r, &wish);
	else
		api_job_make(r, &wish, say_token);
}
