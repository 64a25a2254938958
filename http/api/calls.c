/* SPDX-License-Identifier: MIT */
/* What each route does: a message to the actor that knows, whose reply becomes the answer. */
#include "http/api/priv.h"

#include "http/api/render.h"

void api_ask(struct request *r, uint16_t to, uint16_t type, actor_reply_f *fn)
{
	struct msg *m;

	if (!request_may_wait(r))
		return;
	m = msg_new(request_actor(r), type);
	request_suspend(r);
	actor_call(request_actor(r), to, &m, fn, r);
}

void api_answer(
	struct request *r, enum err err, unsigned status, struct json_out *o, const char *who)
{
	if (err == E_OK)
		answer_json(r, status, o);
	else
		answer_text(r, 503, "%s does not answer: %s", who, err_words(err));
	request_resume(r);
}

/* --- how the actors are --- */

static const char supervisor[] = "the supervisor";

static void on_health(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct json_out o = {0};
	bool ok = false;

	(void)a;
	if (err == E_OK) {
		render_health(&o, MSG_AS(HEALTH, *m));
		ok = MSG_AS(HEALTH, *m)->ok;
	}
	api_answer(request_of(ctx), err, ok ? 200 : 503, &o, supervisor);
}

void api_health(struct request *r)
{
	api_ask(r, ADDR_MAIN, MSG_HEALTH, on_health);
}

static void on_counters(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct json_out o = {0};

	(void)a;
	if (err == E_OK)
		render_counters(&o, MSG_AS(COUNTERS, *m));
	api_answer(request_of(ctx), err, 200, &o, supervisor);
}

void api_counters(struct request *r)
{
	api_ask(r, ADDR_MAIN, MSG_COUNTERS, on_counters);
}

/* --- the list of routes --- */

void api_index(struct request *r)
{
	const struct resources *const *tables = request_resources(r);
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_put(&o, "name", text, "torrentd");
	json_out_put(&o, "version", text, config_version());
	json_out_key(&o, "endpoints");
	json_out_open(&o, '{');
	for (; *tables != NULL; tables++)
		for (unsigned i = 0; i < (*tables)->n; i++) {
			const struct resource *one = &(*tables)->v[i];

			json_out_key_n(&o, one->path, strlen(one->path));
			json_out_text(&o, one->doc);
		}
	json_out_close(&o, '}');
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}
