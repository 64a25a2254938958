/* SPDX-License-Identifier: MIT */
/*
 * The tracker actor and the tracker in one: the world knows who is in which swarm.
 *
 * Who announces hears of all the others a little later; they hear of it when it connects.
 */
#include "actors/kernel/loop.h"
#include "tests/sim/lib/priv.h"

#define ANSWER_US (50 * USEC_PER_MSEC)
#define AGAIN_US  (300 * USEC_PER_SEC)
#define NAMED_MAX 50u

struct swarm_entry {
	struct endpoint at;
	bool seed;
};

/* Who is in one swarm. */
struct swarm_entries {
	struct swarm_entries *next; /* of the same bucket */
	uint8_t infohash[20];
	uint32_t n;
	struct swarm_entry *v; /* owned */
};

struct announce {
	struct ttracker *owner;
	struct loop_timer timer;
	struct tref t;
	struct swarm_entries *swarm; /* NULL: it has no tracker */
	bool used, seed;
	bool referred; /* it hears of nobody but who was the first to announce the torrent */
};

struct ttracker {
	struct actor *actor;
	struct daemon *d;
	struct announce **v; /* owned, and each of them: by slot; NULL: never used */
	uint32_t n;
};

static struct swarm_entries *swarm_of(struct sim *s, const uint8_t infohash[20])
{
	struct swarm_entries **head =
		&s->swarms[((unsigned)infohash[0] << 8 | infohash[1]) & (SWARM_BUCKETS - 1)];
	struct swarm_entries *w = *head;

	while (w != NULL && memcmp(w->infohash, infohash, sizeof w->infohash) != 0)
		w = w->next;
	if (w != NULL)
		return w;
	w = xcalloc(1, sizeof *w);
	memcpy(w->infohash, infohash, sizeof w->infohash);
	w->next = *head;
	*head = w;
	return w;
}

void swarms_free(struct sim *s)
{
	for (uint32_t i = 0; i < SWARM_BUCKETS; i++) {
		struct swarm_entries *w;

		while ((w = s->swarms[i]) != NULL) {
			s->swarms[i] = w->next;
			xfree(w->v);
			xfree(w);
		}
	}
}

static struct swarm_entry *find_entry(struct swarm_entries *w, const struct endpoint *at)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (endpoint_equal(&w->v[i].at, at))
			return &w->v[i];
	return NULL;
}

static void enter(struct announce *n)
{
	struct swarm_entries *w = n->swarm;
	const struct endpoint *at = &n->owner->d->host->at;
	struct swarm_entry *e = find_entry(w, at);

	if (e == NULL) {
		w->v = xrealloc(w->v, sizeof *w->v * (w->n + 1));
		e = &w->v[w->n++];
		e->at = *at;
	}
	e->seed = n->seed;
}

static void leave(struct announce *n)
{
	struct swarm_entries *w = n->swarm;
	struct swarm_entry *e = find_entry(w, &n->owner->d->host->at);

	if (e != NULL)
		*e = w->v[--w->n];
}

/* A tracker names some, by lot. */
static void choose_some(struct sim *s, struct m_peers_found *f)
{
	for (uint32_t i = 0; f->n > NAMED_MAX && i < NAMED_MAX; i++) {
		uint32_t k = i + rng_below(&s->noise, (uint32_t)f->n - i);
		struct endpoint x = f->peers[k];

		f->peers[k] = f->peers[i];
		f->peers[i] = x;
	}
	f->n = MIN(f->n, NAMED_MAX);
}

static void answer(struct loop_timer *timer, int64_t now)
{
	struct announce *n = container_of(timer, struct announce, timer);
	struct swarm_entries *w = n->swarm;
	struct m_peers_found *f = msg_new(n->owner->actor, MSG_PEERS_FOUND);

	f->t = n->t;
	f->source = PEER_TRACKER;
	f->peers = xcalloc(w->n + 1, sizeof *f->peers);
	for (uint32_t i = 0; i < (n->referred ? MIN(w->n, 1u) : w->n); i++) {
		const struct swarm_entry *e = &w->v[i];

		if (endpoint_equal(&e->at, &n->owner->d->host->at))
			continue;
		f->peers[f->n++] = e->at;
		f->seeds += e->seed;
	}
	choose_some(n->owner->d->s, f);
	msg_send(n->owner->actor, ADDR(ROLE_PEERS, n->t.shard), f);
	loop_timer_set(actor_loop(n->owner->actor), &n->timer, now + AGAIN_US);
}

static void announce(struct announce *n)
{
	if (n->swarm == NULL)
		return;
	enter(n);
	loop_timer_set(
		actor_loop(n->owner->actor), &n->timer, actor_now(n->owner->actor) + ANSWER_US);
}

static void stop(struct announce *n)
{
	if (n->swarm == NULL)
		return;
	leave(n);
	loop_timer_del(actor_loop(n->owner->actor), &n->timer);
}

static struct announce *find_torrent(struct ttracker *k, struct tref t)
{
	struct announce *n = t.slot < k->n ? k->v[t.slot] : NULL;

	return n != NULL && n->used && tref_equal(n->t, t) ? n : NULL;
}

static struct announce *give_announce(struct ttracker *k, uint32_t slot)
{
	if (slot >= k->n) {
		uint32_t n = MAX(slot + 1, 2 * k->n);

		k->v = xrealloc(k->v, sizeof(struct announce *) * n);
		while (k->n < n)
			k->v[k->n++] = NULL;
	}
	if (k->v[slot] == NULL)
		k->v[slot] = xcalloc(1, sizeof **k->v);
	must(!k->v[slot]->used);
	return k->v[slot];
}

static void on_add(struct actor *a, struct msg **m)
{
	const struct m_tracker_add *add = container_of(*m, struct m_tracker_add, h);
	struct ttracker *k = actor_self(a);
	struct announce *n = give_announce(k, add->t.slot);

	*n = (struct announce){
		.owner = k, .t = add->t, .used = true, .seed = add->left == 0, .timer.fn = answer};
	n->referred = add->meta->tiers_n > 0 && strcmp(add->meta->tiers[0].urls[0], REFERRER) == 0;
	if (add->meta->tiers_n > 0)
		n->swarm = swarm_of(k->d->s, add->meta->infohash.v1);
	if (add->active)
		announce(n);
}

static void on_event(struct actor *a, struct msg **m)
{
	const struct m_tracker_event *e = container_of(*m, struct m_tracker_event, h);
	struct announce *n = find_torrent(actor_self(a), e->t);

	if (n == NULL)
		return;
	n->seed = e->op == TRACKER_COMPLETED || (e->left == 0 && e->op != TRACKER_REMOVE);
	if (e->op == TRACKER_START)
		announce(n);
	else if (e->op != TRACKER_COMPLETED)
		stop(n);
	else if (n->swarm != NULL)
		enter(n);
	n->used = e->op != TRACKER_REMOVE;
}

static void on_wanted(struct actor *a, struct msg **m)
{
	struct announce *n =
		find_torrent(actor_self(a), container_of(*m, struct m_peers_wanted, h)->t);

	sim_world()->wishes++;
	if (n != NULL && loop_timer_is_set(&n->timer))
		announce(n);
}

static void on_other(struct actor *a, struct msg **m)
{
	(void)a;
	must((*m)->type == MSG_TRACKER_VIEW || (*m)->type == MSG_PEERS_TOTALS ||
		(*m)->type == MSG_RELOAD);
}

static void *tracker_init(struct actor *a, const void *arg)
{
	struct ttracker *k = xcalloc(1, sizeof *k);

	(void)arg;
	k->actor = a;
	k->d = sim_world()->current;
	return k;
}

static void tracker_quiesce(struct actor *a)
{
	struct ttracker *k = actor_self(a);

	for (uint32_t i = 0; i < k->n; i++)
		if (k->v[i] != NULL && k->v[i]->used)
			stop(k->v[i]);
	actor_quiesced(a);
}

static void tracker_fini(struct actor *a)
{
	struct ttracker *k = actor_self(a);

	for (uint32_t i = 0; i < k->n; i++) {
		if (k->v[i] != NULL)
			loop_timer_del(actor_loop(a), &k->v[i]->timer);
		xfree(k->v[i]);
	}
	xfree(k->v);
	xfree(k);
}

static const struct actor_handler handlers[] = {
	{MSG_TRACKER_ADD, on_add},
	{MSG_TRACKER_EVENT, on_event},
	{MSG_PEERS_WANTED, on_wanted},
	{KMSG_NONE, on_other},
	{0, NULL},
};

const struct actor_spec sim_tracker_spec = {
	.role_name = "tracker",
	.handlers = handlers,
	.init = tracker_init,
	.quiesce = tracker_quiesce,
	.fini = tracker_fini,
};
