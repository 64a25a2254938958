/* SPDX-License-Identifier: MIT */
/* How the world reaches us, as the portmap actor sees it. */
#include "http/api/priv.h"

/* An address without its port, null where there is none. */
static void put_ip(struct json_out *o, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT];

	if (endpoint_is_unspecified(e)) {
		json_out_null(o);
		return;
	}
	endpoint_format_ip(e, text, sizeof text);
	json_out_text(o, text);
}

static void render_mapping(struct json_out *o, const struct mapping_view *m)
{
	json_out_open(o, '{');
	json_out_put(o, "method", text, m->method);
	json_out_put(o, "protocol", text, m->proto);
	json_out_put(o, "mapped", bool, m->mapped);
	json_out_put(o, "external", uint, m->external);
	json_out_put(o, "expires", int, m->expires);
	json_out_put(o, "why", text, m->why);
	json_out_close(o, '}');
}

static void render_network(struct json_out *o, const struct network_view *v)
{
	json_out_open(o, '{');
	json_out_put(o, "port", uint, v->port);
	json_out_put(o, "announced_tcp", uint, v->tcp);
	json_out_put(o, "announced_udp", uint, v->udp);
	json_out_key(o, "external");
	put_ip(o, &v->address);
	json_out_key(o, "gateway");
	put_ip(o, &v->gateway);
	json_out_key(o, "local");
	put_ip(o, &v->local);
	json_out_key(o, "mappings");
	json_out_open(o, '[');
	for (unsigned i = 0; i < v->mappings_n; i++)
		render_mapping(o, &v->mappings[i]);
	json_out_close(o, ']');
	json_out_put(o, "interface", text, v->interface);
	json_out_put(o, "interface_there", bool, v->interface[0] == '\0' || v->interface_there);
	json_out_put(o, "port_file", text, v->port_file);
	json_out_put(o, "advice", text, v->advice);
	json_out_close(o, '}');
}

static void on_network(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct json_out o = {0};

	(void)a;
	if (err == E_OK)
		render_network(&o, &MSG_AS(NETWORK_VIEW, *m)->view);
	api_answer(request_of(ctx), err, 200, &o, "the port mapper");
}

void api_network(struct request *r)
{
	api_ask(r, ADDR_PORTMAP, MSG_NETWORK_VIEW, on_network);
}
