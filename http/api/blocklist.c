/* SPDX-License-Identifier: MIT */
/* The blocklist over the API: how it is, and to have it read anew. */
#include "http/api/priv.h"

/* A time, null when there was none. */
static void put_time(struct json_out *o, int64_t at)
{
	if (at != 0)
		json_out_int(o, at);
	else
		json_out_null(o);
}

static void put_source(struct json_out *o, const struct blocklist_source_view *s)
{
	json_out_open(o, '{');
	json_out_put(o, "source", text, s->source);
	json_out_put(o, "ranges", uint, s->ranges);
	json_out_put(o, "bad_lines", uint, s->bad_lines);
	json_out_put(o, "bad_line", uint, s->bad_line);
	json_out_key(o, "updated");
	put_time(o, s->updated);
	json_out_key(o, "tried");
	put_time(o, s->tried);
	json_out_put(o, "error", text, s->error);
	json_out_close(o, '}');
}

static void put_view(struct json_out *o, const struct m_blocklist_view *v)
{
	json_out_open(o, '{');
	json_out_put(o, "enabled", bool, v->enabled);
	json_out_put(o, "updating", bool, v->updating);
	json_out_put(o, "ranges", uint, v->ranges);
	json_out_put(o, "bytes", uint, v->bytes);
	json_out_put(o, "refused", uint, v->refused);
	json_out_key(o, "updated");
	put_time(o, v->made);
	json_out_put(o, "error", text, v->error);
	json_out_key(o, "sources");
	json_out_open(o, '[');
	for (uint32_t i = 0; i < v->sources_n; i++)
		put_source(o, &v->sources[i]);
	json_out_close(o, ']');
	json_out_close(o, '}');
}

static void on_answer(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct json_out o = {0};

	(void)a;
	if (err == E_OK && (*m)->type == MSG_BLOCKLIST_UPDATE)
		put_view(&o, MSG_AS(BLOCKLIST_UPDATE, *m));
	else if (err == E_OK)
		put_view(&o, MSG_AS(BLOCKLIST_VIEW, *m));
	api_answer(request_of(ctx), err, 200, &o, "the blocklist");
}

void api_blocklist(struct request *r)
{
	api_ask(r, ADDR_BLOCKLIST, (uint16_t)request_resource(r)->arg, on_answer);
}
