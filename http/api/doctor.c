/* SPDX-License-Identifier: MIT */
/*
 * What reaches us and what does not, in one page: the actors that know are asked, one after the
 * other, and each fact is judged (actors/doctor).
 */
#include "http/api/priv.h"

#include <stdlib.h>

#include "actors/doctor/doctor.h"

#define DOCTOR_MAGIC 0x444f4354u

struct visit {
	uint32_t magic;
	struct actor *actor;
	struct request *request; /* borrowed: it ends with it */
	bool text;
	bool has_network;
	struct network_view network;
	struct findings findings;
};

static struct visit *visit_of(void *ctx)
{
	struct visit *v;

	CAST_OBJ(v, ctx, DOCTOR_MAGIC);
	return v;
}

static void on_gone(void *ctx)
{
	struct visit *v = visit_of(ctx);

	actor_cancel_calls(v->actor, v);
	FREE_OBJ(v);
}

/* --- the answer --- */

static void answer_page(struct request *r, const struct findings *f)
{
	size_t n = 0;
	char *text = doctor_page(f, &n);

	answer_bytes(r, "text/plain; charset=utf-8", (struct slice){(const uint8_t *)text, n});
	free(text);
}

static void answer_findings(struct request *r, const struct findings *f)
{
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_put(&o, "verdict", text, doctor_words[doctor_verdict(f)]);
	json_out_key(&o, "checks");
	json_out_open(&o, '[');
	for (unsigned i = 0; i < f->n; i++) {
		json_out_open(&o, '{');
		json_out_put(&o, "name", text, f->list[i].name);
		json_out_put(&o, "verdict", text, doctor_words[f->list[i].verdict]);
		json_out_put(&o, "seen", text, f->list[i].seen);
		json_out_put(&o, "advice", text, f->list[i].advice);
		json_out_close(&o, '}');
	}
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	answer_json(r, 200, &o);
}

static void end_visit(struct visit *v)
{
	struct request *r = v->request;

	request_on_gone(r, NULL, NULL);
	if (v->text)
		answer_page(r, &v->findings);
	else
		answer_findings(r, &v->findings);
	request_resume(r);
	FREE_OBJ(v);
}

/* --- asking --- */

static void on_volumes(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct visit *v = visit_of(ctx);
	const struct m_volumes *at;

	(void)a;
	if (err != E_OK || m == NULL) {
		doctor_silent(&v->findings, "disk", err);
	} else {
		at = MSG_AS(VOLUMES, *m);
		doctor_volumes(&v->findings, at->volumes, at->volumes_n);
	}
	end_visit(v);
}

static void on_dht(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct visit *v = visit_of(ctx);
	const struct config *c = request_config(v->request);
	struct msg *ask;

	if (err != E_OK || m == NULL) {
		doctor_silent(&v->findings, "DHT", err);
	} else {
		const struct dht_view *d = &MSG_AS(DHT_VIEW, *m)->view;

		if (v->has_network)
			doctor_reached(&v->findings, c, &v->network, d);
		doctor_dht(&v->findings, d);
	}
	doctor_proxy(&v->findings, c);
	doctor_machine(&v->findings, c);
	ask = msg_new(a, MSG_VOLUMES);
	actor_call(a, ADDR(ROLE_WORKER, request_workers(v->request) - 1), &ask, on_volumes, v);
}

static void on_network(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct visit *v = visit_of(ctx);
	struct msg *ask;

	if (err != E_OK || m == NULL) {
		doctor_silent(&v->findings, "listening", err);
	} else {
		v->network = MSG_AS(NETWORK_VIEW, *m)->view;
		v->has_network = true;
		doctor_network(&v->findings, request_config(v->request), &v->network);
	}
	ask = msg_new(a, MSG_DHT_VIEW);
	actor_call(a, ADDR_DHT, &ask, on_dht, v);
}

void api_doctor(struct request *r)
{
	struct actor *a = request_actor(r);
	struct msg *ask;
	struct visit *v;
	bool text;

	if (!param_bool(r, "text", false, &text) || !request_may_wait(r))
		return;
	ALLOC_OBJ(v, DOCTOR_MAGIC);
	v->actor = a;
	v->request = r;
	v->text = text;
	request_on_gone(r, on_gone, v);
	ask = msg_new(a, MSG_NETWORK_VIEW);
	request_suspend(r);
	actor_call(a, ADDR_PORTMAP, &ask, on_network, v);
}
