/* SPDX-License-Identifier: MIT */
/* How a device is let in: what it shows comes in a body, what it gets is a cookie. */
#include "actors/kernel/clock.h"
#include "http/access/cookie.h"
#include "http/api/priv.h"
#include "http/api/token_job.h"

/* Seconds: browsers keep no cookie much longer than a year. */
#define DEVICE_TIME (INT64_C(365) * 24 * 3600)

void api_put_cookie(struct request *r, const char *secret)
{
	char cookie[COOKIE_MAX];

	cookie_set(cookie, &(struct cookie){.port = request_config(r)->api_port,
				   .base = request_config(r)->api_base_path,
				   .secret = secret,
				   .seconds = DEVICE_TIME,
				   .https = request_who(r)->https});
	answer_header(r, "Set-Cookie", "%s", cookie);
	explicit_bzero(cookie, sizeof cookie);
}

static void say_let_in(struct request *r, const struct token_record *t, const char *secret)
{
	struct json_out o = {0};

	log_event(LOG_INFO, "device_let_in", "id=%lld name=%s", (long long)t->id, t->name);
	api_put_cookie(r, secret);
	json_out_open(&o, '{');
	json_out_put(&o, "id", int, t->id);
	json_out_put(&o, "name", text, t->name);
	api_put_scopes(&o, t->scopes);
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}

void api_let_device_in(struct request *r, struct token_record *wish)
{
	int64_t end = clock_wall_s() + DEVICE_TIME;

	wish->kind = TOKEN_DEVICE;
	if (wish->expires == 0 || wish->expires > end)
		wish->expires = end;
	api_job_make(r, wish, say_let_in);
}

bool api_read_secret(struct request *r, const char *const *names)
{
	const char *text;

	for (; *names != NULL; names++) {
		if (!param_text(r, *names, &text))
			return false;
		if (text != NULL) {
			answer_text(r, 422,
				"'%s' belongs into the body, as JSON: addresses are written into "
				"logs",
				*names);
			return false;
		}
	}
	if (request_body_len(r) == 0) {
		answer_text(r, 422, "the body is empty: it must be a JSON object");
		return false;
	}
	return param_json(r);
}
