/* SPDX-License-Identifier: MIT */
/* What each route does: a message to the actor that knows, whose reply becomes the answer. */
#include "http/api/priv.h"

#include "http/api/render.h"

/* --- how the actors are --- */

static void ask_main(struct request *r, uint16_t type, actor_reply_f *fn)
{
	struct msg *m;

	if (!request_may_wait(r))
		return;
	m = msg_new(request_actor(r), type);
	request_suspend(r);
	actor_call(request_actor(r), ADDR_MAIN, &m, fn, r);
}

static void answer_main(struct request *r, enum err err, unsigned status, struct json_out *o)
{
	if (err == E_OK)
		answer_json(r, status, o);
	else
		answer_text(r, 503, "the supervisor does not answer: %s", err_words(err));
	request_resume(r);
}

static void on_health(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct json_out o = {0};
	bool ok = false;

	(void)a;
	if (err == E_OK) {
		render_health(&o, MSG_AS(HEALTH, *m));
		ok = MSG_AS(HEALTH, *m)->ok;
	}
	answer_main(request_of(ctx), err, ok ? 200 : 503, &o);
}

void api_health(struct request *r)
{
	ask_main(r, MSG_HEALTH, on_health);
}

static void on_counters(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct json_out o = {0};

	(void)a;
	if (err == E_OK)
		render_counters(&o, MSG_AS(COUNTERS, *m));
	answer_main(request_of(ctx), err, 200, &o);
}

void api_counters(struct request *r)
{
	ask_main(r, MSG_COUNTERS, on_counters);
}

/* --- the list of routes --- */

void api_index(struct request *r)
{
	const struct resources *all = request_resources(r);
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_key(&o, "name");
	json_out_text(&o, "torrentd");
	json_out_key(&o, "version");
	json_out_text(&o, config_version());
	json_out_key(&o, "endpoints");
	json_out_open(&o, '{');
	for (unsigned i = 0; i < all->n; i++) {
		json_out_key_n(&o, all->v[i].path, strlen(all->v[i].path));
		json_out_text(&o, all->v[i].doc);
	}
	json_out_close(&o, '}');
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}
