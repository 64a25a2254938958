/* SPDX-License-Identifier: MIT */
/* How the world reaches us, as the portmap actor sees it. */
#include "http/api/priv.h"

/* An address without its port, null where there is none. */
static void render_ip(struct json_out *o, const char *key, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT];

	json_out_key_n(o, key, strlen(key));
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
	json_out_key(o, "method");
	json_out_text(o, m->method);
	json_out_key(o, "protocol");
	json_out_text(o, m->proto);
	json_out_key(o, "mapped");
	json_out_bool(o, m->mapped);
	json_out_key(o, "external");
	json_out_uint(o, m->external);
	json_out_key(o, "expires");
	json_out_int(o, m->expires);
	json_out_key(o, "why");
	json_out_text(o, m->why);
	json_out_close(o, '}');
}

static void render_network(struct json_out *o, const struct network_view *v)
{
	json_out_open(o, '{');
	json_out_key(o, "port");
	json_out_uint(o, v->port);
	json_out_key(o, "announced_tcp");
	json_out_uint(o, v->tcp);
	json_out_key(o, "announced_udp");
	json_out_uint(o, v->udp);
	render_ip(o, "external", &v->address);
	render_ip(o, "gateway", &v->gateway);
	render_ip(o, "local", &v->local);
	json_out_key(o, "mappings");
	json_out_open(o, '[');
	for (unsigned i = 0; i < v->mappings_n; i++)
		render_mapping(o, &v->mappings[i]);
	json_out_close(o, ']');
	json_out_key(o, "port_file");
	json_out_text(o, v->port_file);
	json_out_key(o, "advice");
	json_out_text(o, v->advice);
	json_out_close(o, '}');
}

static void on_network(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct m_network *n = m != NULL ? MSG_AS(NETWORK_VIEW, *m) : NULL;
	struct json_out o = {0};

	(void)a;
	if (err == E_OK && n != NULL) {
		render_network(&o, &n->view);
		answer_json(r, 200, &o);
	} else {
		answer_text(r, 503, "who knows does not answer: %s", err_words(err));
	}
	request_resume(r);
}

void api_network(struct request *r)
{
	struct actor *a = request_actor(r);
	struct msg *m;

	if (!request_may_wait(r))
		return;
	m = msg_new(a, MSG_NETWORK_VIEW);
	request_suspend(r);
	actor_call(a, ADDR_PORTMAP, &m, on_network, r);
}
