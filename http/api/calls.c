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

/* A path that has several resources is listed with the method before it from the second on. */
static void put_resource(struct json_out *o, const struct resource *one, bool again)
{
	static const struct {
		unsigned method;
		const char *word;
	} words[] = {{METHOD_GET, "GET"}, {METHOD_POST, "POST"}, {METHOD_PATCH, "PATCH"},
		{METHOD_DELETE, "DELETE"}};
	char key[200];

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if ((one->methods & words[i].method) != 0) {
			int n = snprintf(key, sizeof key, "%s%s%s", again ? words[i].word : "",
				again ? " " : "", one->path);

			json_out_key_n(o, key, (size_t)n);
			json_out_text(o, one->doc);
			return;
		}
}

static bool is_again(const struct resources *const *tables, const struct resource *one)
{
	for (; *tables != NULL; tables++)
		for (unsigned i = 0; i < (*tables)->n; i++) {
			if (&(*tables)->v[i] == one)
				return false;
			if ((*tables)->v[i].doc != NULL &&
				strcmp((*tables)->v[i].path, one->path) == 0)
				return true;
		}
	return false;
}

void api_index(struct request *r)
{
	const struct resources *const *tables = request_resources(r);
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_put(&o, "name", text, "torrentd");
	json_out_put(&o, "version", text, config_version());
	json_out_key(&o, "endpoints");
	json_out_open(&o, '{');
	for (const struct resources *const *t = tables; *t != NULL; t++)
		for (unsigned i = 0; i < (*t)->n; i++)
			if ((*t)->v[i].doc != NULL)
				put_resource(&o, &(*t)->v[i], is_again(tables, &(*t)->v[i]));
	json_out_close(&o, '}');
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}
