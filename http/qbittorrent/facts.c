/* SPDX-License-Identifier: MIT */
/* What is known of the daemon as a whole: limits, rates, room on the disk, port, DHT. */
#include "http/qbittorrent/priv.h"

static void end_one(struct qcall *c)
{
	struct qfacts *f = c->facts;

	if (--f->waiting > 0)
		return;
	if (f->failed != E_OK)
		qcall_err(c, f->failed, NULL);
	else
		c->next(c);
}

static struct qcall *call_of(void *ctx)
{
	struct qcall *c;

	CAST_OBJ(c, ctx, QCALL_MAGIC);
	return c;
}

static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct qcall *c = call_of(ctx);

	(void)a;
	if (err == E_OK && m != NULL) {
		const struct m_torrent_rows *r = MSG_AS(TORRENT_ROWS, *m);

		c->facts->limits[0] = r->down_limit;
		c->facts->limits[1] = r->up_limit;
		c->facts->rates[0] = r->down_rate;
		c->facts->rates[1] = r->up_rate;
		c->facts->run[0] = r->sums.down_run;
		c->facts->run[1] = r->sums.up_run;
		c->facts->ever[0] = r->sums.downloaded;
		c->facts->ever[1] = r->sums.uploaded;
		c->facts->peers = (uint32_t)MIN(r->sums.peers, (uint64_t)UINT32_MAX);
	} else {
		c->facts->failed = err != E_OK ? err : E_TIMEOUT;
	}
	end_one(c);
}

/* A disk may take its time, and nobody waits for it: what it says counts from then on. */
static void on_space(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct qbit *q;

	(void)a;
	CAST_OBJ(q, ctx, QBIT_MAGIC);
	q->looking = false;
	if (err == E_OK && m != NULL && MSG_AS(VOLUMES, *m)->volumes[0].err == E_OK)
		q->space = (int64_t)MIN(MSG_AS(VOLUMES, *m)->volumes[0].free, (uint64_t)INT64_MAX);
}

static void look_for_space(struct qcall *c)
{
	struct m_volumes *m;

	if (c->q->looking)
		return;
	c->q->looking = true;
	m = msg_new(c->q->actor, MSG_VOLUMES);
	m->path = xstrdup(c->config->download_dir);
	msg_call(c->q->actor, c->worker, m, on_space, c->q);
}

/* The others are no more than missing when they fail. */

static void on_network(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct qcall *c = call_of(ctx);

	(void)a;
	if (err == E_OK && m != NULL)
		c->facts->port = MSG_AS(NETWORK_VIEW, *m)->view.port;
	end_one(c);
}

static void on_dht(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct qcall *c = call_of(ctx);

	(void)a;
	if (err == E_OK && m != NULL) {
		const struct dht_view *v = &MSG_AS(DHT_VIEW, *m)->view;

		for (unsigned i = 0; i < ARRAY_LEN(v->family); i++)
			c->facts->dht_nodes += v->family[i].good + v->family[i].unsure;
	}
	end_one(c);
}

void qfacts_ask(struct qcall *c, qcall_f *fn)
{
	struct m_torrent_rows *rows;
	struct m_network *network;
	struct m_dht_view *dht;
	struct actor *a;

	CHECK_OBJ(c, QCALL_MAGIC);
	a = c->q->actor;
	rows = msg_new(a, MSG_TORRENT_ROWS);
	network = msg_new(a, MSG_NETWORK_VIEW);
	dht = msg_new(a, MSG_DHT_VIEW);
	must(c->facts == NULL);
	c->facts = xcalloc(1, sizeof *c->facts);
	c->facts->port = (uint16_t)c->config->peers_port;
	c->facts->waiting = 3;
	c->next = fn;
	rows->of = ROWS_PAGE;
	rows->limit = 1;
	msg_call(a, ADDR_SESSION, rows, on_rows, c);
	msg_call(a, ADDR_PORTMAP, network, on_network, c);
	msg_call(a, ADDR_DHT, dht, on_dht, c);
	look_for_space(c);
}

/* Members that transfer/info and the server's state have. */
void qfacts_put_transfer(struct json_out *o, const struct qfacts *f)
{
	json_out_put(o, "connection_status", text, "connected");
	json_out_put(o, "dht_nodes", uint, f->dht_nodes);
	json_out_put(o, "dl_info_data", uint, f->run[0]);
	json_out_put(o, "dl_info_speed", uint, f->rates[0]);
	json_out_put(o, "dl_rate_limit", uint, f->limits[0]);
	json_out_put(o, "up_info_data", uint, f->run[1]);
	json_out_put(o, "up_info_speed", uint, f->rates[1]);
	json_out_put(o, "up_rate_limit", uint, f->limits[1]);
}
