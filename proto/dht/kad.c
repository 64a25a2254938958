/* SPDX-License-Identifier: MIT */
/* The node's face: beginning and end, datagrams in, time, and what it shows of itself. */
#include "proto/dht/kad.h"

#include "proto/dht/priv.h"

static struct kad_gate_config gate_config(const struct kad_config *c)
{
	return (struct kad_gate_config){
		.out_rate = c->out_rate, .new_endpoints = c->new_nodes, .slots = c->gate_slots};
}

struct kad *kad_new(const struct kad_config *c, const struct kad_ops *ops, void *ctx,
	const uint8_t secret[16], int64_t now)
{
	struct kad_gate_config gate = gate_config(c);
	struct kad *k;

	ALLOC_OBJ(k, KAD_MAGIC);
	k->config = *c;
	k->ops = ops;
	k->ctx = ctx;
	memcpy(k->secret, secret, sizeof k->secret);
	memcpy(&k->seed, secret, sizeof k->seed);
	rng_seed(&k->rng, splitmix(k->seed));
	k->seed = rng_u64(&k->rng);
	k->gate = kad_gate_new(&gate, secret, now);
	k->store = kad_store_new(rng_u64(&k->rng));
	k->items = kad_items_new(rng_u64(&k->rng));
	kad_asked_init(k);
	link_init(&k->lookups);
	link_init(&k->tasks);
	k->agenda = kad_agenda_new(k);
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		k->family[f] = (struct kad_family){.kad = k, .index = f};
	return k;
}

void kad_free(struct kad **kp)
{
	struct kad *k;

	TAKE_OBJ(k, kp, KAD_MAGIC);
	kad_agenda_free(&k->agenda);
	kad_tasks_fini(k);
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		kad_keep_close(&k->family[f]);
	must(link_empty(&k->lookups));
	kad_asked_fini(k);
	kad_items_free(&k->items);
	kad_store_free(&k->store);
	kad_gate_free(&k->gate);
	FREE_OBJ(k);
}

void kad_configure(struct kad *k, const struct kad_config *c, int64_t now)
{
	struct kad_gate_config gate = gate_config(c);

	CHECK_OBJ(k, KAD_MAGIC);
	k->config.read_only = c->read_only;
	k->config.out_rate = c->out_rate;
	k->config.new_nodes = c->new_nodes;
	k->config.port = c->port;
	kad_gate_configure(k->gate, &gate, now);
}

void kad_open(struct kad *k, unsigned family, const struct kad_id *id, int64_t now)
{
	CHECK_OBJ(k, KAD_MAGIC);
	struct kad_id own = id != NULL ? *id : kad_id_random(&k->rng);

	must(family < KAD_FAMILIES);
	if (k->begun == 0)
		k->begun = now;
	kad_keep_open(&k->family[family], &own, now);
}

void kad_wake(struct kad *k, int64_t now)
{
	CHECK_OBJ(k, KAD_MAGIC);
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		if (k->family[f].open)
			kad_keep_again(&k->family[f], now);
	kad_agenda_wake(k->agenda, now);
}

void kad_meet(struct kad *k, const struct kad_id *id, const struct endpoint *at,
	enum kad_origin origin, int64_t now)
{
	CHECK_OBJ(k, KAD_MAGIC);
	struct kad_seed s = {.nameless = id == NULL, .origin = origin};
	struct kad_family *f = &k->family[kad_family_of(at)];

	s.node.at = *at;
	if (id != NULL)
		s.node.id = *id;
	if (origin == KAD_NAMED)
		kad_keep_meet(f, &s, now);
	else
		kad_keep_seed(f, &s, now);
}

void kad_torrent(struct kad *k, const struct kad_id *id, struct kad_wish wish, int64_t now)
{
	CHECK_OBJ(k, KAD_MAGIC);
	kad_agenda_put(k->agenda, id, wish, now);
}

void kad_want(struct kad *k, const struct kad_id *id, int64_t now)
{
	CHECK_OBJ(k, KAD_MAGIC);
	kad_agenda_want(k->agenda, id, now);
}

void kad_torrent_drop(struct kad *k, const struct kad_id *id)
{
	CHECK_OBJ(k, KAD_MAGIC);
	kad_agenda_drop(k->agenda, id);
}

/* --- datagrams --- */

static void take_query(struct kad *k, int via, const struct endpoint *from, const struct krpc *m,
	size_t n, int64_t now)
{
	struct kad_family *f = &k->family[kad_family_of(from)];
	struct kad_seed who = {.origin = KAD_NAMED};

	k->counts.queries_in++;
	if (!kad_gate_recent(k->gate, from, now))
		k->unsolicited = now;
	if (k->config.read_only || m->id == NULL)
		return;
	kad_answer(k, via, from, m, n, now);
	if (m->read_only)
		return;
	who.node.id = kad_id_of(m->id);
	who.node.at = *from;
	if (kad_table_asked(f->table, &who.node.id, from, now))
		kad_keep_meet(f, &who, now);
}

/* The node's name is the one it had, and not ours. */
static bool is_from(const struct kad_question *q, const struct krpc *m)
{
	return m->id != NULL && (!q->knows_id || memcmp(q->id.b, m->id, KAD_ID_SIZE) == 0);
}

/*
 * It has another name than it had: a liar, or one that has learned its own address and chosen anew.
 * It is thrown out, and asked again who it is.
 */
static void forget_name(
	struct kad_family *f, const struct endpoint *from, const uint8_t *id, int64_t now)
{
	struct kad_seed who = {.node = {kad_id_of(id), *from}, .origin = KAD_NAMED};

	(void)kad_table_answered(f->table, &who.node.id, from, now);
	kad_keep_meet(f, &who, now);
}

static void take_answer(
	struct kad *k, const struct endpoint *from, const struct krpc *m, int64_t now)
{
	struct kad_family *f = &k->family[kad_family_of(from)];
	struct kad_question *q = kad_asked_take(k, from, m->tid);
	struct krpc_node by = {.at = *from};

	if (q == NULL)
		return;
	k->counts.answers_in++;
	if (m->kind == KRPC_REPLY && is_from(q, m)) {
		by.id = kad_id_of(m->id);
		if (q->knows_id || !kad_keep_spares(f, from))
			(void)kad_table_answered(f->table, &by.id, from, now);
		if (m->ip.p != NULL)
			kad_keep_vote(f, from, m->ip, now);
		if (q->asker != NULL)
			q->asker->answered(q->owner, &by, m, now);
	} else {
		if (m->kind == KRPC_REPLY && m->id != NULL)
			forget_name(f, from, m->id, now);
		if (q->asker != NULL)
			q->asker->failed(q->owner, from, m->kind == KRPC_ERROR ? m : NULL, now);
	}
	xfree(q);
}

/* Neighbours, where they are nodes like others, may be many at one address. */
static bool is_let_in(struct kad *k, const struct endpoint *from, int64_t now)
{
	if (!kad_allows(k, from))
		return false;
	return (k->config.local && (endpoint_is_loopback(from) || endpoint_is_private_lan(from))) ||
	       kad_gate_in(k->gate, from, now);
}

void kad_input(struct kad *k, int via, const struct endpoint *from, const uint8_t *p, size_t n,
	int64_t now)
{
	CHECK_OBJ(k, KAD_MAGIC);
	struct kad_family *f = &k->family[kad_family_of(from)];
	struct krpc m;

	if (!f->open || !is_let_in(k, from, now)) {
		k->counts.refused_in++;
		return;
	}
	if (krpc_decode(p, n, &m) != E_OK)
		return;
	/* Our own words come back: somebody reflects them. */
	if (m.id != NULL && memcmp(m.id, kad_table_own(f->table)->b, KAD_ID_SIZE) == 0)
		return;
	if (m.kind == KRPC_QUERY)
		take_query(k, via, from, &m, n, now);
	else
		take_answer(k, from, &m, now);
}

/* --- time --- */

void kad_tick(struct kad *k, int64_t now)
{
	CHECK_OBJ(k, KAD_MAGIC);
	k->held = k->kicked = false;
	kad_asked_tick(k, now);
	kad_lookups_run(k, now);
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		kad_keep_tick(&k->family[f], now);
	kad_agenda_tick(k->agenda, now);
	kad_tasks_tick(k, now);
}

int64_t kad_deadline(const struct kad *k, int64_t now)
{
	int64_t at = kad_asked_deadline(k);

	CHECK_OBJ(k, KAD_MAGIC);
	if (k->kicked)
		return now;
	if (k->held)
		at = MIN(at, now + KAD_HOLD);
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		at = MIN(at, kad_keep_deadline(&k->family[f]));
	return MIN(at, kad_agenda_deadline(k->agenda));
}

/* --- what it shows --- */

unsigned kad_nodes(const struct kad *k, unsigned family, struct krpc_node *out, unsigned max)
{
	CHECK_OBJ(k, KAD_MAGIC);
	const struct kad_table *t = k->family[family].table;
	const struct kad_contact *c;
	unsigned at = 0, n = 0;

	while (t != NULL && n < max && (c = kad_table_next(t, &at)) != NULL)
		if (c->fails == 0)
			out[n++] = (struct krpc_node){c->id, c->at};
	return n;
}

static void view_family(const struct kad_family *f, struct kad_family_view *v, int64_t now)
{
	v->open = f->open;
	if (!f->open)
		return;
	v->id = *kad_table_own(f->table);
	v->known_at = f->voter.known;
	v->at = f->voter.chosen;
	v->nodes = kad_table_count(f->table, now);
	v->ready = kad_keep_ready(f);
}

void kad_view(const struct kad *k, struct kad_view *v, int64_t now)
{
	CHECK_OBJ(k, KAD_MAGIC);
	const struct kad_counts *c = &k->counts;

	*v = (struct kad_view){.queries_in = c->queries_in,
		.queries_out = c->queries_out,
		.answers_in = c->answers_in,
		.answers_out = c->answers_out,
		.timeouts = c->timeouts,
		.refused_in = c->refused_in,
		.held_out = c->held_out,
		.torrents = kad_agenda_count(k->agenda),
		.lookups = kad_agenda_running(k->agenda),
		.stored_torrents = kad_store_torrents(k->store),
		.stored_peers = kad_store_peers(k->store),
		.stored_items = kad_items_count(k->items),
		.quiet = kad_is_quiet(k, now),
		.unsolicited = k->unsolicited};
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		view_family(&k->family[f], &v->family[f], now);
}
