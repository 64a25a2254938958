/* SPDX-License-Identifier: MIT */
/* What is known of the session as a whole: limits, rates, counts, room on the disk, port,
 * blocklist. */
#include "http/transmission/facts.h"

#define FACTS_MAGIC 0x46414354u

struct asking {
	uint32_t magic;
	struct facts facts;
	facts_f *fn;
	unsigned waiting;
	enum err failed; /* of the session; the others are no more than missing */
};

static void free_asking(void **p)
{
	struct asking *q;

	CAST_OBJ(q, *p, FACTS_MAGIC);
	*p = NULL;
	FREE_OBJ(q);
}

static void end_one(struct rcall *c, struct asking *q)
{
	facts_f *fn = q->fn;
	struct facts facts;

	if (--q->waiting > 0)
		return;
	if (q->failed != E_OK) {
		rcall_end_err(c, q->failed, NULL);
		return;
	}
	facts = q->facts;
	free_asking(&c->work);
	fn(c, &facts);
}

static struct asking *asking_of(const struct rcall *c)
{
	struct asking *q;

	CAST_OBJ(q, c->work, FACTS_MAGIC);
	return q;
}

static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct asking *q = asking_of(ctx);

	(void)a;
	if (err == E_OK && m != NULL) {
		const struct m_torrent_rows *r = MSG_AS(TORRENT_ROWS, *m);

		q->facts.limits[0] = r->down_limit;
		q->facts.limits[1] = r->up_limit;
		q->facts.rates[0] = r->down_rate;
		q->facts.rates[1] = r->up_rate;
		memcpy(q->facts.counts, r->counts, sizeof q->facts.counts);
	} else {
		q->failed = err != E_OK ? err : E_TIMEOUT;
	}
	end_one(ctx, q);
}

static void on_space(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct asking *q = asking_of(ctx);

	(void)a;
	if (err == E_OK && m != NULL && MSG_AS(VOLUMES, *m)->volumes[0].err == E_OK)
		q->facts.space =
			(int64_t)MIN(MSG_AS(VOLUMES, *m)->volumes[0].free, (uint64_t)INT64_MAX);
	end_one(ctx, q);
}

static void on_network(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct asking *q = asking_of(ctx);

	(void)a;
	if (err == E_OK && m != NULL)
		q->facts.port = MSG_AS(NETWORK_VIEW, *m)->view.port;
	end_one(ctx, q);
}

static void on_blocklist(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct asking *q = asking_of(ctx);

	(void)a;
	if (err == E_OK && m != NULL)
		q->facts.blocked = MSG_AS(BLOCKLIST_VIEW, *m)->ranges;
	end_one(ctx, q);
}

static void ask_space(struct rcall *c, struct actor *a)
{
	struct m_volumes *m = msg_new(a, MSG_VOLUMES);

	m->path = xstrdup(rcall_config(c)->download_dir);
	msg_call(a, rcall_worker(c), m, on_space, c);
}

void summary_ask(struct rcall *c, facts_f *fn)
{
	struct actor *a = rcall_rpc(c)->actor;
	struct m_torrent_rows *rows = msg_new(a, MSG_TORRENT_ROWS);
	struct m_blocklist_view *list = msg_new(a, MSG_BLOCKLIST_VIEW);
	struct m_network *network = msg_new(a, MSG_NETWORK_VIEW);
	struct asking *q;

	ALLOC_OBJ(q, FACTS_MAGIC);
	q->fn = fn;
	q->facts = (struct facts){
		.snake = c->snake, .rpc = rcall_rpc(c), .k = rcall_config(c), .space = -1};
	q->facts.port = (uint16_t)rcall_config(c)->peers_port;
	q->waiting = 4;
	must(c->work == NULL);
	c->work = q;
	c->work_free = free_asking;
	rows->of = ROWS_PAGE;
	rows->limit = 1;
	msg_call(a, ADDR_SESSION, rows, on_rows, c);
	msg_call(a, ADDR_BLOCKLIST, list, on_blocklist, c);
	msg_call(a, ADDR_PORTMAP, network, on_network, c);
	ask_space(c, a);
}
