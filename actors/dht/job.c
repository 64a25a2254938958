/* SPDX-License-Identifier: MIT */
/*
 * What people ask of the DHT: items got and put (BEP 44), scrapes (BEP 33), samples (BEP 51).
 *
 * The message of the call waits here for the node to end; there are few at a time.
 */
#include "actors/dht/priv.h"

#define JOBS_MAX 32u

struct dht_job {
	struct link link; /* in dht->jobs */
	uint64_t id;
	struct msg *call; /* owned */
};

void dht_jobs_init(struct dht *d)
{
	CHECK_OBJ(d, DHT_MAGIC);
	link_init(&d->jobs);
}

static void end_job(struct dht *d, struct dht_job *j, enum err err)
{
	link_remove(&j->link);
	actor_reply(d->actor, &j->call, err);
	xfree(j);
}

void dht_jobs_fini(struct dht *d)
{
	CHECK_OBJ(d, DHT_MAGIC);
	while (!link_empty(&d->jobs))
		end_job(d, container_of(d->jobs.next, struct dht_job, link), E_STOPPING);
}

/* --- the answer --- */

static void take_item(struct m_dht_job *m, const struct kad_item *i)
{
	m->mutable = i->mutable;
	m->seq = i->seq;
	memcpy(m->key, i->key, sizeof m->key);
	memcpy(m->signature, i->signature, sizeof m->signature);
	xfree(m->value);
	m->value = xmemdup(i->value, i->value_n);
	m->value_n = i->value_n;
}

void dht_job_done(struct dht *d, const struct kad_result *r)
{
	struct m_dht_job *m;
	struct link *l;

	CHECK_OBJ(d, DHT_MAGIC);
	for (l = d->jobs.next; l != &d->jobs; l = l->next)
		if (container_of(l, struct dht_job, link)->id == r->job)
			break;
	if (l == &d->jobs)
		return;
	m = MSG_AS(DHT_JOB, container_of(l, struct dht_job, link)->call);
	m->answered = r->answered;
	m->stored = r->stored;
	m->seeds = r->seeds;
	m->peers = r->peers;
	m->samples_all = r->samples_all;
	m->samples_n = r->samples_n;
	if (r->samples_n > 0)
		m->samples = xmemdup(r->samples, r->samples_n * sizeof *r->samples);
	if (r->item != NULL)
		take_item(m, r->item);
	end_job(d, container_of(l, struct dht_job, link), r->err);
}

/* --- the question --- */

static const enum kad_goal goals[] = {[DHT_JOB_GET] = KAD_GET,
	[DHT_JOB_PUT] = KAD_PUT,
	[DHT_JOB_SCRAPE] = KAD_SCRAPE,
	[DHT_JOB_SAMPLE] = KAD_SAMPLE};

static void make_item(struct m_dht_job *m, struct kad_item *item)
{
	*item = (struct kad_item){
		.seq = m->seq, .salt_n = (uint8_t)m->salt_n, .value_n = (uint16_t)m->value_n};
	memcpy(item->salt, m->salt, m->salt_n);
	memcpy(item->value, m->value, m->value_n);
	if (m->has_seed)
		kad_item_sign(item, m->seed);
	explicit_bzero(m->seed, sizeof m->seed);
	memcpy(m->key, item->key, sizeof m->key);
	memcpy(m->target, kad_item_target(item).b, sizeof m->target);
	m->mutable = item->mutable;
}

/* E_OK: *id ends with dht_job_done().  E_TOO_BIG: the salt, or the value. */
static enum err begin(struct dht *d, struct m_dht_job *m, uint64_t *id)
{
	struct kad_job job = {.goal = goals[m->op], .has_cas = m->has_cas, .cas = m->cas};
	struct kad_item item;

	if (m->salt_n > KAD_SALT_MAX || (m->op == DHT_JOB_PUT && m->value_n > KAD_VALUE_MAX))
		return E_TOO_BIG;
	job.salt = (struct slice){m->salt, m->salt_n};
	if (m->op == DHT_JOB_PUT) {
		make_item(m, &item);
		job.item = &item;
	} else if (m->has_key) {
		memcpy(m->target, kad_item_target_of_key(m->key, job.salt).b, sizeof m->target);
	}
	job.target = kad_id_of(m->target);
	*id = kad_start(d->kad, &job, loop_now(d->loop));
	return E_OK;
}

void dht_on_job(struct actor *a, struct msg **pm)
{
	struct dht *d = dht_of(a);
	struct dht_job *j;
	unsigned n = 0;
	enum err err;

	for (struct link *l = d->jobs.next; l != &d->jobs; l = l->next)
		n++;
	if (d->kad == NULL || !d->loaded || n >= JOBS_MAX) {
		actor_reply(a, pm, d->kad == NULL ? E_UNSUPPORTED : E_OVERLOAD);
		return;
	}
	j = xcalloc(1, sizeof *j);
	j->call = *pm;
	*pm = NULL;
	link_append(&d->jobs, &j->link);
	err = begin(d, MSG_AS(DHT_JOB, j->call), &j->id);
	if (err != E_OK)
		end_job(d, j, err);
	dht_rearm(d);
}
